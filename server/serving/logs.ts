/** The prediction log and the feedback log on disk: what is written, which files make them up, and when segments become Parquet. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { entry } from "../../kernels/paths/paths.js";
import { jsonLine } from "../../kernels/protocol/lines.js";
import type { FeedbackRecord, ServerCalls } from "../../kernels/protocol/serving.js";
import { placesOf, type Step } from "../registry/disk.js";
import { createSegments } from "./segments.js";

export interface LogEntry {
  id: string;
  at: number;
  name: string;
  version: number;
  arm: "champion" | "challenger" | "shadow";
  key: string | null;
  probability: number;
  step: number | null;
  ms: number;
  status: "ok" | "degraded";
  /** the host's fragments, one a row, joined by line feeds */
  rows: Uint8Array;
}

export interface Logs {
  /** appends one line a row; resolves when on disk */
  predictions(entry: LogEntry, durable: boolean): Promise<void>;
  feedback(records: FeedbackRecord[]): Promise<void>;
  files(params: ServerCalls["log.files"]["params"]): Promise<ServerCalls["log.files"]["result"]>;
  /** turns closed segments into Parquet; `all` closes the open ones first */
  compact(all?: boolean): Promise<void>;
  dropped(): number;
  close(): Promise<void>;
}

interface Manifest {
  files: { file: string; rows: number; at: number; segments: string[] }[];
}

export interface LogOptions {
  root: string;
  now(): number;
  step?: Step | null;
  log(message: string): void;
  /** ms between looks at what may be compacted; 0 = never by itself */
  every?: number;
}

export function createLogs(options: LogOptions): Logs {
  const places = placesOf(options.root);
  const { now, step = null, every = 60_000 } = options;
  const predictions = createSegments({ folder: places.log, now, step });
  const feedback = createSegments({ folder: places.feedback, now, step });
  let working: Promise<void> | null = null;
  let rotatedAt = now();

  const compact = async (all = false): Promise<void> => {
    while (working) await working;
    working = (async () => {
      if (all || now() - rotatedAt > 300_000) {
        await predictions.rotate();
        rotatedAt = now();
      }
      const folders = closedSegments(places.log, predictions.open(), all ? 0 : now());
      if (folders.length > 0) await runWorker(folders, options.log);
    })().finally(() => (working = null));
    return working;
  };
  const timer = every > 0 ? setInterval(() => void compact().catch((error: Error) => options.log(`log worker: ${error.message}`)), every) : null;
  timer?.unref();

  return {
    async predictions(entry, durable) {
      const { id, at, name, version, arm, key, probability, step, ms, status } = entry;
      const rest = jsonLine({ at, v: version, arm, key, p: probability, step, ms: Math.round(ms * 1000) / 1000, st: status }).slice(1, -1);
      const head = `{"id":${jsonLine(id)},"row":`;
      const lines = Buffer.from(entry.rows).toString("utf8").split("\n");
      const written = lines.map((line, row) => predictions.append(name, at, `${head}${row},${rest},${line}}`, durable && row === lines.length - 1));
      await Promise.all(written);
    },
    async feedback(records) {
      const last = records.length - 1;
      await Promise.all(records.map((record, i) => feedback.append(record.name, record.at, jsonLine(record), i === last)));
    },
    async files({ name, from, to }) {
      if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) throw new Error(`Expected \`name\` to be an endpoint, got ${JSON.stringify(name)}`);
      await Promise.all([predictions.flush(), feedback.flush()]);
      while (working) await working;
      const first = dayOf(from);
      const last = dayOf(to);
      const inside = (day: string): boolean => (first === null || day >= first) && (last === null || day <= last);
      const result: ServerCalls["log.files"]["result"] = { parquet: [], segments: [], feedback: [] };
      for (const { dir, day } of days(join(places.log, name))) {
        if (!inside(day)) continue;
        const manifest = readManifest(dir);
        const covered = new Set(manifest.files.flatMap((file) => file.segments));
        result.parquet.push(...manifest.files.map((file) => join(dir, file.file)));
        for (const file of segmentsIn(dir)) {
          const bytes = covered.has(file) ? 0 : wholeBytes(join(dir, file));
          if (bytes > 0) result.segments.push({ file: join(dir, file), bytes });
        }
      }
      // an outcome may come days later: all feedback is read
      for (const { dir } of days(join(places.feedback, name))) result.feedback.push(...segmentsIn(dir).map((file) => join(dir, file)));
      return result;
    },
    compact,
    dropped: () => predictions.dropped() + feedback.dropped(),
    async close() {
      if (timer) clearInterval(timer);
      while (working) await working;
      await Promise.all([predictions.close(), feedback.close()]);
    },
  };
}

function dayOf(time: string | undefined): string | null {
  if (time === undefined) return null;
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new Error(`Expected a time in ISO 8601, got ${JSON.stringify(time)}`);
  return date.toISOString().slice(0, 10);
}

function days(folder: string): { dir: string; day: string }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((entry) => /^day=\d{4}-\d\d-\d\d$/.test(entry))
    .sort()
    .map((entry) => ({ dir: join(folder, entry), day: entry.slice(4) }));
}

function segmentsIn(dir: string): string[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith(".ndjson"))
    .sort();
}

/** manifest.json of a day: the only truth about its Parquet files. */
export function readManifest(dir: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8")) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { files: [] };
    throw error;
  }
}

/** Bytes of a segment up to its last whole line. */
function wholeBytes(path: string): number {
  const file = openSync(path, "r");
  try {
    let end = fstatSync(file).size;
    const piece = Buffer.alloc(65_536);
    while (end > 0) {
      const start = Math.max(0, end - piece.length);
      readSync(file, piece, 0, end - start, start);
      const at = piece.subarray(0, end - start).lastIndexOf(10);
      if (at >= 0) return start + at + 1;
      end = start;
    }
    return 0;
  } finally {
    closeSync(file);
  }
}

/** Day folders with closed segments that are not in Parquet yet; with a clock only those worth a worker: a past day, 1 MB, or eight files. */
function closedSegments(folder: string, open: ReadonlySet<string>, clock: number): { dir: string; segments: string[] }[] {
  if (!existsSync(folder)) return [];
  const found: { dir: string; segments: string[] }[] = [];
  const today = new Date(clock).toISOString().slice(0, 10);
  for (const name of readdirSync(folder)) {
    for (const { dir, day } of days(join(folder, name))) {
      const manifest = readManifest(dir).files;
      const covered = new Set(manifest.flatMap((file) => file.segments));
      const present = segmentsIn(dir);
      const segments = present.filter((file) => !covered.has(file) && !open.has(join(dir, file)));
      // covered for two minutes and still there: the worker only removes them
      const over = new Set(manifest.filter((file) => clock - file.at > 120_000).flatMap((file) => file.segments));
      const bytes = segments.reduce((sum, file) => sum + statSync(join(dir, file)).size, 0);
      if (segments.length > 0 && (clock === 0 || day < today || bytes > 1 << 20 || segments.length >= 8)) found.push({ dir, segments });
      else if (present.some((file) => over.has(file))) found.push({ dir, segments: [] });
    }
  }
  return found;
}

function runWorker(folders: { dir: string; segments: string[] }[], log: (message: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry("log-worker")], {
      stdio: ["pipe", "ignore", "pipe"],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "UTC", LANG: "C.UTF-8" },
    });
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-2000)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve();
      log(`log worker ended with ${code}: ${words.trim()}`);
      reject(new Error(words.trim() || `the log worker ended with ${code}`));
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(JSON.stringify(folders));
  });
}
