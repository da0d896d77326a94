/** The operation log on disk: one checksummed JSON line a record, appended, on the disk within 200 ms; a torn last line is cut. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, truncateSync, writeSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Control } from "../../kernels/protocol/controls.js";
import type { NotebookSource } from "../../kernels/protocol/document.js";
import { applyOperation } from "../../kernels/notebook/operations.js";
import { remember, type Applied } from "./applied.js";
import type { JournalRecord, KeptResult } from "./state.js";

/** What a journal says: the document, the text last written to the file, and each cell's last run. */
export interface Restored {
  rev: number;
  mode: "auto" | "lazy";
  source: NotebookSource;
  saved: NotebookSource;
  /** documents since `saved`, oldest first, also the newest */
  since: { rev: number; source: NotebookSource }[];
  /** the one of them that was about to take the file's place: whether it did was not noted any more */
  writing: NotebookSource | null;
  results: Record<string, KeptResult>;
  runs: number;
  applied: Applied;
  controls: Record<string, Control[]>;
}

export function encodeLine(record: object): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

const checksum = (json: string) => createHash("sha256").update(json).digest("hex").slice(0, 16);

/** The whole lines from the start on, and how many bytes they take. Whatever follows the first bad line was never acknowledged as kept. */
export function decodeLines<T = JournalRecord>(bytes: Buffer): { records: T[]; good: number } {
  const records: T[] = [];
  let good = 0;
  for (let eol = bytes.indexOf(10); eol >= 0; eol = bytes.indexOf(10, good)) {
    const line = bytes.toString("utf8", good, eol);
    const json = line.slice(17);
    if (line[16] !== " " || checksum(json) !== line.slice(0, 16)) break;
    records.push(JSON.parse(json) as T);
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
      state = { applied: {}, controls: {}, ...base, since: [{ rev: base.rev, source: base.source }], writing: null };
      continue;
    }
    if (state === null) return null;
    const before: Restored = state;
    switch (record.type) {
      case "ops": {
        const source = record.ops.reduce(applyOperation, before.source);
        const { rev, by, token } = record;
        const applied = by === undefined || token === undefined ? before.applied : remember(before.applied, by, token);
        const now = { rev, source };
        const kept = record.read === undefined ? { since: [...before.since, now] } : { saved: record.read, since: [now], writing: null };
        state = { ...before, rev, source, ...kept, applied };
        break;
      }
      case "read":
        state = { ...before, saved: record.source, since: [{ rev: before.rev, source: before.source }], writing: null };
        break;
      case "mode":
        state = { ...before, mode: record.mode };
        break;
      case "controls":
        state = { ...before, controls: { ...before.controls, [record.cell]: record.controls } };
        break;
      case "control": {
        const { cell, key, value } = record;
        const controls = (before.controls[cell] ?? []).map((one) => (one.key === key ? { ...one, value } : one));
        state = { ...before, controls: { ...before.controls, [cell]: controls } };
        break;
      }
      case "result":
        state = { ...before, runs: record.runs, results: { ...before.results, [record.cell]: record.kept } };
        break;
      case "writing":
        state = { ...before, writing: record.rev === null ? null : documentOf(before, record.rev) };
        break;
      case "saved": {
        // edits may have come in while the file was written: it holds the document of `rev`, not the newest
        const { rev = before.rev } = record;
        const saved = documentOf(before, rev) ?? before.saved;
        state = { ...before, saved, since: before.since.filter((one) => one.rev >= rev), writing: null };
        break;
      }
    }
  }
  return state;
}

const documentOf = ({ since }: Restored, rev: number) => since.findLast((one) => one.rev <= rev)?.source ?? null;

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
  /** fault-injection seam: called at each named step of disk work, and in the middle of each write */
  step?: ((name: string) => void) | undefined;
}

/** Starts a journal from a base. Throws when the folder cannot be written. */
export function openJournal(file: string, base: Extract<JournalRecord, { type: "base" }>, options: JournalOptions): Journal {
  let lines: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  let size = 0;
  let handle: Promise<FileHandle>;
  let work: Promise<void> = Promise.resolve();
  /** bytes of whole lines in the file */
  let good = 0;
  const { step } = options;
  const start = (record: Extract<JournalRecord, { type: "base" }>) => {
    good = writeBase(file, record, step);
    size = 0;
    handle = open(file, "a", 0o600);
    handle.catch(() => {});
  };
  start(base);

  const put = async (text: string) => {
    const to = await handle;
    const bytes = Buffer.from(text);
    try {
      for (let done = 0; done < bytes.length;) {
        // only under test: half a write, as a kill in the middle of it would leave
        const piece = step && done === 0 && bytes.length > 1 ? bytes.length >> 1 : bytes.length - done;
        done += (await to.write(bytes, done, piece)).bytesWritten;
        step?.("append journal");
      }
      step?.("appended journal");
      await to.datasync();
      step?.("synced journal");
    } catch (error) {
      // half a line (disk full) is taken back, else all that follows it would be cut at the next start
      await to.truncate(good).catch(() => {});
      throw error;
    }
    good += bytes.length;
  };

  const write = () => {
    timer = null;
    if (lines.length === 0) return work;
    const text = lines.join("");
    lines = [];
    work = work.then(async () => {
      try {
        await put(text);
      } catch (error) {
        // tried again with what comes next
        lines.unshift(text);
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
      const held = lines;
      lines = [];
      size = 0;
      work = work.then(async () => {
        const old = await handle.catch(() => null);
        try {
          start(record);
          await handle;
          await old?.close();
        } catch (error) {
          // the old journal goes on
          if (old !== null) handle = Promise.resolve(old);
          lines.unshift(...held);
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

/** Gives the bytes written. */
function writeBase(file: string, base: JournalRecord, step: JournalOptions["step"]): number {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  const bytes = Buffer.from(encodeLine(base));
  const out = openSync(temporary, "w", 0o600);
  try {
    for (let done = 0; done < bytes.length;) {
      step?.("write base");
      done += writeSync(out, bytes, done, step && done === 0 ? bytes.length >> 1 : bytes.length - done);
    }
    step?.("wrote base");
    fsyncSync(out);
  } finally {
    closeSync(out);
  }
  step?.("rename base");
  renameSync(temporary, file);
  step?.("renamed base");
  try {
    const folder = openSync(dirname(file), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // not every file system syncs folders; the new journal is in place, so that nothing may be said to have failed
  }
  return bytes.length;
}
