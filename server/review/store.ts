/** One queue on disk: an append-only file that git and SQL read. Appends are whole lines, on disk before they are told; a file changed outside is read anew. */
import { closeSync, constants, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import { jsonLine } from "../../kernels/protocol/lines.js";
import type { ReviewLine } from "../../kernels/protocol/review.js";
import type { Disk } from "../registry/disk.js";
import { apply, emptyQueue, type QueueState } from "./fold.js";
import { readLines } from "./lines.js";

export interface QueueFile {
  /** as the file says now; throws when it cannot be read */
  read(): { queue: QueueState; warnings: string[] };
  append(lines: ReviewLine[]): void;
}

export function queueFile(path: string, disk: Disk): QueueFile {
  const title = basename(path, ".ndjson");
  let known: { mark: string; queue: QueueState; warnings: string[] } | null = null;

  const mark = (): string => {
    const { mtimeMs, size, ino } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  };
  const read = (): { queue: QueueState; warnings: string[] } => {
    if (!existsSync(path)) return { queue: emptyQueue(title), warnings: [] };
    const now = mark();
    if (known?.mark === now) return known;
    const { lines, warnings, torn } = readLines(readFileSync(path, "utf8"));
    const queue = emptyQueue(title);
    for (const line of lines) apply(queue, line);
    known = { mark: now, queue, warnings: torn > 0 ? [...warnings, "the last line was cut short and is not counted"] : warnings };
    return known;
  };

  return {
    read,
    append(lines) {
      const fresh = !existsSync(path);
      if (fresh) disk.folder(dirname(path));
      // what was read may not be what is there any more
      const { queue } = read();
      const file = openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_APPEND, 0o644);
      try {
        const size = repair(path, file);
        const bytes = Buffer.from(lines.map((line) => `${jsonLine(line)}\n`).join(""));
        try {
          disk.append(file, basename(path), bytes, true);
        } catch (error) {
          // half of it (disk full) is taken back, so that what was refused is not there
          ftruncateSync(file, size);
          fsyncSync(file);
          throw error;
        }
      } finally {
        closeSync(file);
      }
      if (fresh) disk.syncFolder(dirname(path));
      for (const line of lines) apply(queue, line);
      known = { mark: mark(), queue, warnings: known?.warnings.filter((text) => !text.startsWith("the last line")) ?? [] };
    },
  };
}

/** Ends or cuts a last line that has no end; the file's length then. */
function repair(path: string, file: number): number {
  const { size } = fstatSync(file);
  if (size === 0) return 0;
  const whole = readFileSync(path);
  if (whole.at(-1) === 10) return size;
  if (readLines(whole.toString("utf8")).torn === 0) return size + writeSync(file, "\n");
  const at = whole.lastIndexOf(10) + 1;
  ftruncateSync(file, at);
  return at;
}
