/** history.ndjson: append-only, one checksummed line an event; the registry is a fold over it. A torn last line is cut, any other damage is refused. */
import { createHash } from "node:crypto";
import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { HistoryLine } from "../../kernels/protocol/serving.js";
import type { Disk } from "./disk.js";

type Distribute<T> = T extends unknown ? Omit<T, "seq" | "sum"> : never;
/** An event before it has its number and checksum. */
export type HistoryEvent = Distribute<HistoryLine>;

export interface History {
  lines: HistoryLine[];
  /** numbers, checksums, appends and waits for the disk; the line as written */
  append(event: HistoryEvent): HistoryLine;
  close(): void;
}

/** First 16 hex digits of sha256 over the previous line's sum and the line without its own. */
export function sumOf(line: Omit<HistoryLine, "sum">, previous: string): string {
  const { ...rest } = line as Record<string, unknown>;
  delete rest["sum"];
  return createHash("sha256").update(previous).update(JSON.stringify(rest)).digest("hex").slice(0, 16);
}

/** Parses the file's text: whole lines and how many bytes they take. Throws on a damaged line that is not the last. */
export function parseHistory(text: Buffer): { lines: HistoryLine[]; bytes: number } {
  const lines: HistoryLine[] = [];
  let at = 0;
  let previous = "";
  while (at < text.length) {
    const end = text.indexOf(10, at);
    if (end < 0) break;
    let line: HistoryLine | null;
    try {
      line = JSON.parse(text.toString("utf8", at, end)) as HistoryLine;
    } catch {
      line = null;
    }
    if (line === null || line.seq !== lines.length + 1 || line.sum !== sumOf(line, previous)) {
      // a torn write may hold a line feed only as its very last byte
      if (end === text.length - 1) break;
      throw new Error(
        `history.ndjson is damaged at line ${lines.length + 1}: its checksum does not match. Restore the file from a backup, or move it away to begin anew`,
      );
    }
    lines.push(line);
    previous = line.sum;
    at = end + 1;
  }
  return { lines, bytes: at };
}

/** Opens the history, cuts a torn last line, and keeps the file open for appending. */
export function openHistory(path: string, disk: Disk): History {
  let text: Buffer = Buffer.alloc(0);
  let fresh = false;
  try {
    text = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    fresh = true;
  }
  const { lines, bytes } = parseHistory(text);
  const file = openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_APPEND, 0o600);
  if (bytes < text.length) {
    ftruncateSync(file, bytes);
    fsyncSync(file);
  }
  if (fresh) disk.syncFolder(dirname(path));
  let broken: Error | null = null;
  let length = bytes;
  return {
    lines,
    append(event) {
      if (broken) throw new Error(`history.ndjson cannot be written any more: ${broken.message}`);
      const previous = lines.at(-1)?.sum ?? "";
      const numbered = { seq: lines.length + 1, ...event } as Omit<HistoryLine, "sum">;
      const line = { ...numbered, sum: sumOf(numbered, previous) } as HistoryLine;
      const content = Buffer.from(`${JSON.stringify(line)}\n`);
      try {
        disk.append(file, "history.ndjson", content, true);
      } catch (error) {
        // a half-written line (disk full) is taken back at once, else the next line would follow garbage
        try {
          ftruncateSync(file, length);
          fsyncSync(file);
        } catch (second) {
          broken = second as Error;
        }
        throw error;
      }
      length += content.length;
      lines.push(line);
      return line;
    },
    close: () => closeSync(file),
  };
}
