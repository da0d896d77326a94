/** The operation log on disk: one checksummed JSON line a record, appended, on the disk within 200 ms; a torn last line is cut. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, truncateSync, writeSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { NotebookSource } from "../../kernels/protocol/document.js";
import { applyOperation } from "../../kernels/notebook/operations.js";
import type { JournalRecord, KeptResult } from "./state.js";

/** What a journal says: the document, the text last written to the file, and each cell's last run. */
export interface Restored {
  rev: number;
  mode: "auto" | "lazy";
  source: NotebookSource;
  saved: NotebookSource;
  results: Record<string, KeptResult>;
  runs: number;
}

export function encodeLine(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

const checksum = (json: string) => createHash("sha256").update(json).digest("hex").slice(0, 16);

/** The whole lines from the start on, and how many bytes they take. Whatever follows the first bad line was never acknowledged as kept. */
export function decodeLines(bytes: Buffer): { records: JournalRecord[]; good: number } {
  const records: JournalRecord[] = [];
  let good = 0;
  for (let eol = bytes.indexOf(10); eol >= 0; eol = bytes.indexOf(10, good)) {
    const line = bytes.toString("utf8", good, eol);
    const json = line.slice(17);
    if (line[16] !== " " || checksum(json) !== line.slice(0, 16)) break;
    records.push(JSON.parse(json) as JournalRecord);
    good = eol + 1;
  }
  return { records, good };
}

/** Folds records; null when they do not begin with a base. */
export function restore(records: readonly JournalRecord[]): Restored | null {
  let state: Restored | null = null;
  for (const record of records) {
    if (record.type === "base") {
      const { type: _, ...base } = record;
      state = base;
      continue;
    }
    if (state === null) return null;
    const before: Restored = state;
    switch (record.type) {
      case "ops":
        state = { ...before, rev: record.rev, source: record.ops.reduce(applyOperation, before.source) };
        break;
      case "mode":
        state = { ...before, mode: record.mode };
        break;
      case "result":
        state = { ...before, runs: record.runs, results: { ...before.results, [record.cell]: record.kept } };
        break;
      case "saved":
        state = { ...before, saved: before.source };
        break;
    }
  }
  return state;
}

/** Reads a journal and cuts its torn end; [] when there is none. */
export function readJournal(file: string): JournalRecord[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const { records, good } = decodeLines(bytes);
  if (good < bytes.length) truncateSync(file, good);
  return records;
}

export interface Journal {
  append(record: JournalRecord): void;
  /** everything appended so far is on the disk */
  flush(): Promise<void>;
  /** bytes written since the base */
  readonly size: number;
  /** starts over from a base, by rename: a crash leaves the old journal or the new one */
  rebase(base: Extract<JournalRecord, { type: "base" }>): Promise<void>;
  close(): Promise<void>;
}

export interface JournalOptions {
  /** ms until what was appended is synced */
  every: number;
  failed(error: Error): void;
}

/** Starts a journal from a base. Throws when the folder cannot be written. */
export function openJournal(file: string, base: Extract<JournalRecord, { type: "base" }>, options: JournalOptions): Journal {
  let lines: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  let size = 0;
  let handle: Promise<FileHandle>;
  let work: Promise<void> = Promise.resolve();
  const start = (record: Extract<JournalRecord, { type: "base" }>) => {
    writeBase(file, record);
    size = 0;
    handle = open(file, "a", 0o600);
    handle.catch(() => {});
  };
  start(base);

  const write = () => {
    timer = null;
    if (lines.length === 0) return work;
    const text = lines.join("");
    lines = [];
    work = work.then(async () => {
      try {
        const to = await handle;
        await to.write(text);
        await to.datasync();
      } catch (error) {
        options.failed(error as Error);
      }
    });
    return work;
  };
  return {
    get size() {
      return size;
    },
    append(record) {
      const line = encodeLine(record);
      size += line.length;
      lines.push(line);
      timer ??= setTimeout(write, options.every);
    },
    async flush() {
      if (timer !== null) clearTimeout(timer);
      await write();
    },
    async rebase(record) {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      // the base holds them
      lines = [];
      size = 0;
      work = work.then(async () => {
        const old = await handle.catch(() => null);
        await old?.close();
        try {
          start(record);
          await handle;
        } catch (error) {
          options.failed(error as Error);
        }
      });
      await work;
    },
    async close() {
      if (timer !== null) clearTimeout(timer);
      await write();
      const last = await handle.catch(() => null);
      await last?.close();
    },
  };
}

function writeBase(file: string, base: JournalRecord): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  const out = openSync(temporary, "w", 0o600);
  try {
    writeSync(out, encodeLine(base));
    fsyncSync(out);
  } finally {
    closeSync(out);
  }
  renameSync(temporary, file);
}
