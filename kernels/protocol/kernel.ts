/**
 * Wire between the server and one kernel process: frames (frames.ts) over unix sockets, one main, one control, one bulk.
 *
 * Start: the server listens on three sockets of this kernel alone (a kernel does not name itself on `bulk`), then
 * `spawn(process.execPath, [...kernelFlags(process.version, heapLimit), entry("kernel")], { env: { TOUCHSTONE_KERNEL_SOCKETS: JSON.stringify({ main, control, bulk }) } })`
 * (kernels/paths/flags.ts). The kernel connects to all three, says `hello` on control and `ready` on main; `configure` may come at any time after, once.
 * TOUCHSTONE_PATIENCE: ms after which a thread that does not hear a stop is struck (80).
 * Secrets are the environment's `TOUCHSTONE_SECRET_NAME`. What native code prints to file descriptors 1 and 2 comes by the pipes.
 * Order: on each socket as sent; between sockets none. A run is over when `done` (main) has come and as many outputs (bulk) as it says.
 * Outputs of a cell's timers may follow later under the same run, with rising `n`. An error is an output and in `done`: show it once.
 * A display of an `id` seen before replaces it in its place. Runs are queued in the kernel and run one at a time; `interrupt` of a queued run cancels it.
 * Queries: send `table.*` on control (answered even from a spinning kernel), `variables` and `memory` on main; ids are per socket.
 * End: `shutdown` on main disposes and exits 0; `exit` on control kills at once; a kernel whose server is gone (a closed socket) ends itself.
 */
import type { Control, ControlValue } from "./controls.js";
import type { CachedResult, Cell, KernelQuery, Variable } from "./document.js";
import type { CellError, Output, Progress } from "./output.js";
import type { ServerCalls } from "./serving.js";

/**
 * What a kernel is for. A kernel (perhaps a spare one, before its notebook is known) is started with the environment variable
 * TOUCHSTONE_KERNEL_SOCKETS = JSON of `sockets`; it connects to all three, says `ready`, and then gets `configure`.
 */
export interface KernelConfig {
  /** absolute path of the notebook (it may not exist yet) */
  notebook: string;
  /** absolute folder of the workspace */
  workspace: string;
  /** absolute ROOT (design 12) */
  root: string;
  /** unix socket paths that the server listens on: main for messages, control for the control worker, bulk for outputs */
  sockets: { main: string; control: string; bulk: string };
  /** notebook seed */
  seed: number;
  backend: string | null;
  /** may results of cells with the option `cache` be taken from disk and kept there? A clean run runs */
  cache: boolean;
  /** bytes of the results on disk of a workspace, past which those go that were of no use for longest; 4 GiB */
  cacheBytes?: number;
  /** what controls are set to instead of their defaults, by their key, as texts (`run --set`) */
  set?: Record<string, string>;
  /** bytes; soft limit interrupts first */
  memoryLimit: number;
  duckdb: { memoryLimit: string; threads: number; spill: string };
}

/** A cell as the kernel runs it. */
export interface RunRequest {
  cell: Cell;
  run: string;
  /** names of other cells that it reads, from the graph */
  uses: string[];
  defines: string[];
  /** may `promote` commit? (`run --promote`) */
  mayCommit: boolean;
  /** forget what is kept of this cell on disk, and run it */
  fresh?: true;
  /** what the cell's controls hold, by their key, where it is not the default */
  controls?: Record<string, ControlValue>;
  /** a request of a console (Jupyter): its names may be defined again by a later one, and no cell of the notebook sees them */
  console?: true;
}

/** A message of Jupyter's comms, either way; buffers are base64. */
export type CommMessage =
  | { do: "open"; id: string; target: string; data: unknown; buffers: string[] }
  | { do: "message" | "close"; id: string; data: unknown; buffers: string[] };

/** A file of code that the kernel holds. */
export interface ImportedFile {
  /** from the workspace */
  path: string;
  /** which loading of it: another one begins anew */
  version: number;
  /** the name of what its functions change and keep; null: nothing */
  state: string | null;
}

/** A value that a run found changed after it, though another cell defines it. */
export interface ValueChange {
  name: string;
  /** that defines it */
  cell: string;
  /** `rows[3].price` */
  path: string;
  message: string;
}

export type ToKernel =
  | { type: "configure"; config: KernelConfig }
  | { type: "run"; request: RunRequest }
  /** drop the names and scopes of cells that are gone or renamed */
  | { type: "forget"; cells: string[] }
  | { type: "query"; id: number; query: KernelQuery }
  | { type: "answer"; id: number; ok: true; value: unknown }
  | { type: "answer"; id: number; ok: false; message: string }
  | { type: "shutdown" };

export type FromKernel =
  | { type: "ready"; pid: number; node: string }
  | { type: "progress"; run: string; cell: string; progress: Progress | null }
  | {
      type: "done";
      run: string;
      cell: string;
      result: "ok" | "error" | "interrupted";
      error?: CellError;
      elapsedMs: number;
      warnings: string[];
      /** values of other cells that it changed */
      changed?: ValueChange[];
      /** what it defines: numbers, texts and the like, which nothing changes, or an iterator and the like, which reading changes */
      hands?: "plain" | "stream";
      /** files of the workspace that it imports, directly or not */
      files?: ImportedFile[];
      /** it did not run: its result was on disk */
      cached?: CachedResult;
      /** how many outputs of the run were sent on the bulk socket */
      outputs: number;
      /** sha256 of files and packages that it read */ reads: string[];
    }
  | { type: "comm"; message: CommMessage }
  /** `view(...)` of the run shows this control and gives its value */
  | { type: "control"; run: string; cell: string; control: Control }
  | { type: "variables"; variables: Variable[] }
  | { type: "backend"; name: string; device: string; skipped: { name: string; why: string }[]; tensors: { count: number; bytes: number } }
  /** a file that cells read or import changed: these cells are stale */
  | { type: "changed"; cells: string[]; file: string }
  | { type: "reply"; id: number; ok: true; value: unknown }
  | { type: "reply"; id: number; ok: false; message: string }
  | { type: "call"; id: number; method: keyof ServerCalls; params: unknown };

/** Bulk socket, kernel to server: outputs in order. The server must have seen a run's outputs before its `done`: `done` carries their count. */
export type BulkMessage = { type: "output"; run: string; cell: string; n: number; clear?: boolean; output: Output };

/** Control socket, server to the kernel's control worker. */
export type ToControl =
  | { type: "interrupt"; run: string; soft?: boolean }
  /** `table.*` only: answered while the main thread computes */
  | { type: "query"; id: number; query: KernelQuery }
  /** stops the query of this id: it is answered with an error */
  | { type: "cancel"; id: number }
  | { type: "ping"; id: number }
  /** another memory limit from here on, in bytes */
  | { type: "limit"; bytes: number }
  | { type: "exit" };
export type FromControl =
  | { type: "hello"; pid: number }
  | { type: "pong"; id: number; /** ms since the main thread's last heartbeat */ lag: number }
  /** how the run was stopped; `stuck` = a native call does not yield */
  | { type: "interrupted"; run: string; how: "soft" | "hard" | "stuck" }
  /** it grew or shrank by a tenth: told ten times a second at most, so that a death knows how large the process was */
  | { type: "size"; rss: number }
  | { type: "memory"; rss: number; heapUsed: number; heapLimit: number; external: number }
  /** the running cell is stopped: memory of the whole process, or the heap of JavaScript values, came near its limit */
  | { type: "near-limit"; rss: number; limit: number; of: "process" | "heap" }
  /** the last word: the process grew past `limit`, far above its memory limit, and is killed for the machine's sake */
  | { type: "over-limit"; rss: number; limit: number }
  /** a query that takes long, a few times a second */
  | { type: "working"; id: number; percent: number }
  | { type: "reply"; id: number; ok: true; value: unknown }
  /** `gone`: what was asked for was an older kernel's */
  | { type: "reply"; id: number; ok: false; message: string; gone?: true };
