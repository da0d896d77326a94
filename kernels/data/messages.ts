/** What the kernel's threads and the DuckDB worker say to each other. Columns travel as typed arrays that are transferred, never copied twice. */
import type { KernelQuery } from "../protocol/document.js";
import type { CsvReject } from "../protocol/library.js";
import type { FoldRule } from "./numeric.js";

/** One column on its way between threads. `nulls[i]` is 1 where row i is NULL; null = no NULLs. */
export type Packed =
  | { kind: "f64"; data: Float64Array; nulls: Uint8Array | null }
  | { kind: "f32"; data: Float32Array; nulls: Uint8Array | null }
  | { kind: "i32"; data: Int32Array; nulls: Uint8Array | null }
  | { kind: "bool"; data: Uint8Array; nulls: Uint8Array | null }
  /** ms since epoch, UTC */
  | { kind: "date"; data: Float64Array; nulls: Uint8Array | null }
  /** index into `values` */
  | { kind: "text"; data: Int32Array; values: string[]; nulls: Uint8Array | null }
  /** row i is bytes[ends[i - 1] .. ends[i]] */
  | { kind: "blob"; data: Float64Array; bytes: Uint8Array; nulls: Uint8Array | null }
  /** NULL is null in `data` */
  | { kind: "any"; data: unknown[]; nulls: null };

export interface PackedTable {
  names: string[];
  /** DuckDB's type names */
  types: string[];
  length: number;
  columns: Packed[];
}

/** A column of JS values to be stored; `type` is DuckDB's name. 64-bit integers and other odd values come as `any`. */
export interface LoadColumn {
  name: string;
  type: string;
  column: Packed;
}

/** What the worker says of a CSV file that it has read. */
export interface CsvReport {
  rows: number;
  /** lines that were set aside */
  rejected: number;
  first: CsvReject[];
}

/** Requests of the kernel's main thread. */
export type DataRequest =
  /** runs SQL and gives its last result whole */
  | { do: "run"; sql: string }
  /** the rows of a query as one matrix, or why they are none: Matrix | { refused: string } */
  | { do: "matrix"; sql: string; nulls: FoldRule }
  /** checks a relation's text and creates its view, or its table when the statement is no query or gives other rows at each reading */
  | { do: "create"; name: string; sql: string; table: boolean }
  /** the rows of a view whose order is not fixed are kept in a table, once */
  | { do: "fix"; name: string }
  /** names and types of a relation's columns */
  | { do: "columns"; name: string }
  | { do: "load"; name: string; columns: LoadColumn[]; length: number }
  /** reads a CSV file into a table, and the rows that do not fit into another; `list`: arguments of read_csv */
  | { do: "csv"; name: string; path: string; list: string[]; strict: boolean }
  /** reads Arrow IPC files of one schema into a table */
  | { do: "arrow"; name: string; paths: string[] }
  /** adds rows, creating the table with the first; columns may be new, missing, or of a wider type of number */
  | { do: "append"; name: string; columns: LoadColumn[]; length: number }
  /** opens a DuckDB file for reading, again when it has changed, and gives its name and its tables */
  | { do: "attach"; path: string; stamp: string }
  /** writes a relation as a table of a DuckDB file that nobody else has open */
  | { do: "save"; name: string; path: string; table: string }
  | { do: "drop"; name: string }
  | { do: "open"; sql: string }
  | { do: "next"; stream: number }
  | { do: "close"; stream: number }
  | { do: "query"; query: KernelQuery };

/** Over the worker's own port and over every port that `engine.port()` gave away. */
/** `cancel` stops the query of the page that was asked by this port with this id. */
/** `close`: stop what is at work and end: a thread that is cut inside DuckDB takes the process with it. */
export type ToWorker = { id: number; request: DataRequest } | { interrupt: true } | { close: true } | { cancel: number } | { port: MessagePortLike };
export type FromWorker =
  | { id: number; ok: true; value: unknown }
  | { id: number; ok: false; fault: Fault }
  | { progress: number | null }
  | { working: number; percent: number };
export type MessagePortLike = import("node:worker_threads").MessagePort;

/** DuckDB's error as it crosses the threads. */
export interface Fault {
  /** "Binder", "Catalog", "IO", "Out of Memory", "INTERRUPT" ... */
  type: string;
  message: string;
  /** offset in UTF-8 bytes in the statement */
  position: number | null;
  candidates: string[];
  /** what was not found */
  missing: string | null;
}
