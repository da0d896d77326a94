/**
 * Append-only NDJSON segments under FOLDER/NAME/day=YYYY-MM-DD/, written by this process alone. Lines of 20 ms are written and fsynced together; a caller may
 * wait for the disk. Each process opens segments of its own, so that a torn last line is never followed by another; a failed write closes its segment.
 */
import { mkdirSync, openSync } from "node:fs";
import { closeSync, fdatasync, fsyncSync, write } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Step } from "../registry/disk.js";

const writeTo = promisify(write) as (file: number, bytes: Uint8Array, offset: number, length: number) => Promise<number | { bytesWritten: number }>;
const syncData = promisify(fdatasync);

export interface Segments {
  /** queues a line; resolves once it is on disk. Rejections are the disk's errors; not awaiting is fine */
  append(name: string, at: number, line: string, durable: boolean): Promise<void>;
  /** waits until all that was queued is written */
  flush(): Promise<void>;
  /** closes segments so that they may be compacted */
  rotate(): Promise<void>;
  /** segments that are being written */
  open(): ReadonlySet<string>;
  /** lines that could not be written (disk full) */
  dropped(): number;
  close(): Promise<void>;
}

interface Segment {
  file: number;
  path: string;
  bytes: number;
}
interface Queued {
  name: string;
  day: string;
  text: string;
  done(): void;
  failed(error: Error): void;
}

export interface SegmentOptions {
  folder: string;
  /** ms between group commits, default 20 */
  every?: number;
  /** bytes after which a new segment begins, default 8 MB */
  most?: number;
  step?: Step | null;
  now(): number;
}

export function createSegments(options: SegmentOptions): Segments {
  const { folder, every = 20, most = 8 << 20, step = null, now } = options;
  const at = (name: string): void => step?.(name);
  const segments = new Map<string, Segment>();
  let queue: Queued[] = [];
  let timer: NodeJS.Timeout | null = null;
  let work: Promise<void> | null = null;
  let serial = 0;
  let lost = 0;

  const segmentOf = (key: string): Segment => {
    let segment = segments.get(key);
    if (segment && segment.bytes < most) return segment;
    // forgotten first: when the next one cannot be opened, this one must not be closed again
    segments.delete(key);
    if (segment) closeSync(segment.file);
    const dir = join(folder, key);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const path = join(dir, `${now().toString(36)}-${process.pid.toString(36)}-${(serial++).toString(36)}.ndjson`);
    at("open segment");
    segment = { file: openSync(path, "wx", 0o600), path, bytes: 0 };
    const parent = openSync(dir, "r");
    fsyncSync(parent);
    closeSync(parent);
    at("opened segment");
    segments.set(key, segment);
    return segment;
  };

  const writeGroup = async (key: string, lines: Queued[]): Promise<void> => {
    const bytes = Buffer.from(lines.map((line) => line.text).join(""));
    try {
      const segment = segmentOf(key);
      at("write segment");
      let done = 0;
      while (done < bytes.length) {
        const piece = step && done === 0 && bytes.length > 1 ? bytes.length >> 1 : bytes.length - done;
        const wrote = await writeTo(segment.file, bytes, done, piece);
        done += typeof wrote === "number" ? wrote : wrote.bytesWritten;
        if (done < bytes.length) at("segment half written");
      }
      at("wrote segment");
      await syncData(segment.file);
      at("synced segment");
      segment.bytes += bytes.length;
      for (const line of lines) line.done();
    } catch (error) {
      lost += lines.length;
      const segment = segments.get(key);
      segments.delete(key);
      if (segment) closeSync(segment.file);
      for (const line of lines) line.failed(error as Error);
    }
  };

  const commit = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      const groups = new Map<string, Queued[]>();
      for (const line of batch) {
        const key = join(line.name, `day=${line.day}`);
        const group = groups.get(key);
        if (group) group.push(line);
        else groups.set(key, [line]);
      }
      for (const [key, lines] of groups) await writeGroup(key, lines);
    }
  };

  const flush = async (): Promise<void> => {
    if (timer) clearTimeout(timer);
    timer = null;
    while (queue.length > 0 || work) {
      work ??= commit().finally(() => (work = null));
      await work;
    }
  };

  return {
    append(name, time, text, durable) {
      const day = new Date(time).toISOString().slice(0, 10);
      const promise = new Promise<void>((done, failed) => queue.push({ name, day, text: `${text}\n`, done, failed }));
      promise.catch(() => undefined);
      if (durable) void flush();
      else timer ??= setTimeout(() => void flush(), every);
      return promise;
    },
    flush,
    async rotate() {
      do await flush();
      while (queue.length > 0 || work);
      for (const segment of segments.values()) closeSync(segment.file);
      segments.clear();
    },
    open: () => new Set([...segments.values()].map((segment) => segment.path)),
    dropped: () => lost,
    async close() {
      await this.rotate();
    },
  };
}
