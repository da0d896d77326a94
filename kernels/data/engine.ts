/** The kernel's hold on DuckDB, which lives in a worker thread: tables page and queries stop while a cell computes. */
import { mkdirSync, statfsSync } from "node:fs";
import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import type { KernelQuery, TableExport, TablePage, TableProfile } from "../protocol/document.js";
import type { VersionRef } from "../protocol/values.js";
import { entry } from "../paths/paths.js";
import { sentenceOf, SqlError } from "./fault.js";
import { createFiles, type Files } from "./files.js";
import type { DataRequest, Fault, FromWorker, PackedTable, ToWorker } from "./messages.js";
import { qualify } from "./names.js";
import { columnsOf, rowsOf } from "./unpack.js";
import type { Columns, Row } from "../protocol/values.js";
import type { TableRelation } from "./relation.js";

export interface EngineOptions {
  /** DuckDB's own notation: "1GB" */
  memoryLimit: string;
  threads: number;
  /** folder for what does not fit into memory; made when needed */
  spill: string;
  /** bytes that may lie there; default: half of what the disk has free at the start */
  spillLimit?: number;
  /** absolute folder: paths in SQL count from here and stay in here */
  workspace: string;
  /** absolute ROOT (design 12) */
  root: string;
  /** how a split learns what a version was trained on; absent: `covers` answers "unknown" */
  trainedOn?: (ref: VersionRef) => Promise<TrainedOn | null>;
  /** why a name of the notebook is no table, in a sentence; null: it has none of that name */
  named?: (name: string) => string | null;
  /** told what a person should know of rows that are being read; absent: nobody is */
  warn?: (sentence: string) => void;
  /** makes a tensor of row-major values: the runtime's TFJS; absent: `.tensor()` says so */
  tensor?: (values: Float32Array, rows: number, width: number) => import("@tensorflow/tfjs").Tensor2D | Promise<import("@tensorflow/tfjs").Tensor2D>;
}

/** `split` of a version's card. */
export interface TrainedOn {
  id: string;
  by: string;
  key: string;
  cut: unknown;
}

export interface Engine {
  readonly options: EngineOptions;
  readonly files: Files;
  /** results by the name that they were exported under */
  readonly exports: Map<string, TableRelation<object>>;
  /** runs one statement (bound values: use `sqlTag`) and gives its result */
  query(sql: string): Promise<{ rows: Row[]; columns: Columns; names: string[]; types: string[]; length: number }>;
  createView(name: string, sql: string): Promise<void>;
  request<T>(request: DataRequest, transfer?: ArrayBuffer[]): Promise<T>;
  /** stops every query that cells wait for; pages go on */
  interrupt(): void;
  /** how often that was: loops over an author's iterator compare it */
  readonly interrupts: number;
  /** answers `table.*` as the control worker's port does */
  answer(query: KernelQuery): Promise<TablePage | number | TableProfile | TableExport>;
  page(query: Omit<Extract<KernelQuery, { query: "table.page" }>, "query">): Promise<TablePage>;
  count(query: Omit<Extract<KernelQuery, { query: "table.count" }>, "query">): Promise<number>;
  profile(query: Omit<Extract<KernelQuery, { query: "table.profile" }>, "query">): Promise<TableProfile>;
  exportTo(query: Omit<Extract<KernelQuery, { query: "table.export" }>, "query">): Promise<TableExport>;
  /** a port for another thread: post `{ id, request: { do: "query", query } }` or `{ interrupt: true }`, hear `{ id, ok, value | fault }`; `{ cancel: id }` stops one, `{ working: id, percent }` says how far a long one is */
  port(): MessagePort;
  /** percent of the query at work, a few times a second */
  onProgress(listener: ((percent: number) => void) | null): void;
  /** drops the export of that name: a cell is about to run again, or is gone */
  forget(name: string): Promise<void>;
  /** keeps a relation that the page shows, although no code may reach it any more; the last 200 are kept */
  pin(relation: TableRelation<object>): void;
  unpin(relation: TableRelation<object>): void;
  /** frees what DuckDB keeps for a relation; its name is qualified */
  drop(name: string): void;
  close(): Promise<void>;
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** ms until a worker that has said nothing is given up; it starts in a tenth of a second, and slowly on a busy machine */
const startWithin = 60_000;

/** ms until a worker that does not end is cut */
const closeWithin = 10_000;

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

/** Nothing is started before the first request. */
export function createEngine(options: EngineOptions): Engine {
  const waiting = new Map<number, Waiting>();
  const files = createFiles(options.workspace);
  const exports = new Map<string, TableRelation<object>>();
  const pinned = new Set<TableRelation<object>>();
  let worker: Worker | null = null;
  let closed = false;
  let interrupts = 0;
  let ids = 0;
  let progress: ((percent: number) => void) | null = null;

  function start(): Worker {
    if (closed) throw new Error("DuckDB is closed");
    if (worker) return worker;
    mkdirSync(options.spill, { recursive: true, mode: 0o700 });
    const { memoryLimit, threads, spill, spillLimit = freeBytes(spill) / 2 } = options;
    const started = new Worker(entry("kernel-duckdb"), { workerData: { memoryLimit, threads, spill, spillLimit }, name: "duckdb" });
    started.unref();
    const late = setTimeout(() => {
      died(`it did not start within ${startWithin / 1000} s`);
      void started.terminate();
    }, startWithin);
    late.unref();
    started.on("message", (message: FromWorker) => {
      clearTimeout(late);
      if ("progress" in message) {
        if (message.progress !== null) progress?.(message.progress);
        return;
      }
      if ("working" in message) return;
      const wait = waiting.get(message.id);
      waiting.delete(message.id);
      if (waiting.size === 0) started.unref();
      if (message.ok) wait?.resolve(message.value as never);
      else wait?.reject(errorOf(message.fault));
    });
    const died = (why: string): void => {
      clearTimeout(late);
      if (worker === started) worker = null;
      for (const { reject } of waiting.values())
        reject(new Error(`DuckDB stopped: ${why}. Its tables are lost: run the cells that made them again.`));
      waiting.clear();
    };
    started.on("error", (error: Error) => died(error.message));
    started.on("exit", (code) => died(`its thread ended with code ${code}`));
    worker = started;
    return started;
  }

  function request<T>(body: DataRequest, transfer: ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const target = start();
      const id = ++ids;
      waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
      target.ref();
      target.postMessage({ id, request: body } satisfies ToWorker, transfer);
    });
  }

  const answer = (query: KernelQuery): Promise<never> => request({ do: "query", query });
  return {
    options,
    files,
    exports,
    request,
    async query(sql) {
      const table = await request<PackedTable>({ do: "run", sql });
      return { rows: rowsOf(table), columns: columnsOf(table), names: table.names, types: table.types, length: table.length };
    },
    createView: (name, sql) => request({ do: "create", name: qualify(name), sql, table: false }),
    interrupt() {
      interrupts++;
      worker?.postMessage({ interrupt: true } satisfies ToWorker);
    },
    get interrupts() {
      return interrupts;
    },
    answer,
    page: (query) => answer({ query: "table.page", ...query }),
    count: (query) => answer({ query: "table.count", ...query }),
    profile: (query) => answer({ query: "table.profile", ...query }),
    exportTo: (query) => answer({ query: "table.export", ...query }),
    port() {
      const { port1, port2 } = new MessageChannel();
      start().postMessage({ port: port1 } satisfies ToWorker, [port1]);
      return port2;
    },
    onProgress(listener) {
      progress = listener;
    },
    pin(relation) {
      pinned.delete(relation);
      pinned.add(relation);
      if (pinned.size > 200) pinned.delete(pinned.values().next().value!);
    },
    unpin: (relation) => void pinned.delete(relation),
    async forget(name) {
      const key = name.toLowerCase();
      const relation = exports.get(key);
      if (relation) pinned.delete(relation);
      if (!exports.delete(key) || !worker) return;
      await request({ do: "drop", name: qualify(name) });
    },
    drop(name) {
      if (worker) request({ do: "drop", name }).catch(() => {});
    },
    async close() {
      closed = true;
      exports.clear();
      pinned.clear();
      const ending = worker;
      if (!ending) return;
      const ended = new Promise((resolve) => ending.once("exit", resolve));
      ending.postMessage({ close: true } satisfies ToWorker);
      const late = setTimeout(() => void ending.terminate(), closeWithin);
      await ended;
      clearTimeout(late);
      worker = null;
    },
  };
}

function errorOf(fault: Fault): Error {
  const error = new SqlError(sentenceOf(fault), fault.type);
  (error as { fault?: Fault }).fault = fault;
  Object.defineProperty(error, "fault", { enumerable: false });
  return error;
}

/** DuckDB's own words, where an error has them. */
export function faultIn(error: unknown): Fault | null {
  return (error as { fault?: Fault }).fault ?? null;
}
