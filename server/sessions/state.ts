/** A session: what the clients see (`doc`), and what only the server needs to know about runs. Pure data, never changed in place. */
import type { Control, ControlValue } from "../../kernels/protocol/controls.js";
import type {
  CleanRun,
  CallField,
  Cell,
  CellKind,
  Command,
  NotebookEvent,
  NotebookSource,
  NotebookState,
  Operation,
  PackageTask,
  Question,
  Result,
} from "../../kernels/protocol/document.js";
import type { LanguageState } from "../../kernels/protocol/language.js";
import type { BulkMessage, FromKernel, ImportedFile, RunRequest } from "../../kernels/protocol/kernel.js";
import type { Applied } from "./applied.js";
import type { Marks } from "./badge.js";
import type { Deleted } from "./deleted.js";
import type { GraphView } from "./graph.js";
import type { Touch } from "./traces.js";
import type { PersistentMap } from "../../kernels/notebook/persistent.js";

/** What a run read: kept to tell edited and stale cells, also after a restart. */
export interface Ran {
  kind: CellKind;
  source: string;
  /** name of another cell -> id of the run that had made it */
  inputs: Record<string, string>;
  /** control -> the value that the run used */
  controls?: Record<string, ControlValue>;
}

export interface Queued {
  cell: string;
  mayCommit: boolean;
  /** what is kept of it on disk is forgotten */
  fresh?: true;
}

export interface SessionState {
  doc: NotebookState;
  graph: GraphView;
  queue: readonly Queued[];
  /** `shown`: its first output has replaced the older ones */
  running: {
    cell: string;
    run: string;
    since: number;
    soft: boolean;
    shown: boolean;
    /** keys of the controls that it has shown */ controls: readonly string[];
  } | null;
  /** started runs so far; numbers run ids */
  runs: number;
  ran: PersistentMap<Ran>;
  /** cell -> run whose values the present kernel holds */
  live: PersistentMap<string>;
  /** cells with a file that changed since they read it */
  touched: PersistentMap<string>;
  /** what the badge is made of */
  marks: Marks;
  /** what the kernel says of the values of each cell: that nothing changes them, or that reading does */
  hands: PersistentMap<"plain" | "stream">;
  /** files of code that cells imported, directly or not */
  files: PersistentMap<readonly ImportedFile[]>;
  /** what the last run of each cell in the present kernel may have changed beside its own values (traces.ts) */
  traces: PersistentMap<Touch>;
  /** names of cells that consoles have read of the present kernel */
  consoleNames: ReadonlySet<string>;
  /** cells that were deleted, by id: an undo brings their results back */
  deleted: ReadonlyMap<string, Deleted>;
  /** place -> the last run that may have changed it and that a clean run lacks */
  ghosts: ReadonlyMap<string, number>;
  /** runs before the present kernel */
  since: number;
  /** what to run once the kernel is back */
  then: Extract<Command, { do: "restart" }>["then"] | null;
  /** cells whose values the last kernel held when it ended, and the one that ran */
  lost: readonly string[];
  /** the kernel has been restarted (or the server) since these outputs were made */
  restarted: boolean;
  /** client -> token of its last change that was applied; the newest clients only */
  applied: Applied;
  /** controls of deleted cells: a deletion that is taken back brings them back */
  buried: Readonly<Record<string, Buried>>;
}

/** A deleted cell, with what its controls held. */
export interface Buried {
  cell: Cell;
  controls: Control[];
}

/** What comes in. `at` is the server's clock. */
export type Input =
  | { type: "command"; client: string; rev: number; command: Exclude<Command, { do: "call" } | { do: "flush" }>; at: number }
  | { type: "join"; client: string; name: string; watch?: boolean }
  | { type: "leave"; client: string }
  /** the kernel process is connected and waits */
  | { type: "ready"; pid: number; at: number }
  | { type: "kernel"; message: Extract<FromKernel, { type: "progress" | "done" | "control" | "variables" | "backend" | "changed" }>; at: number }
  /** `more`: displays that went to the disk alone, by cell and run */
  | { type: "outputs"; messages: Extract<BulkMessage, { type: "output" }>[]; more?: { cell: string; run: string; count: number }[] }
  | { type: "memory"; rss: number; limit: number }
  | { type: "near-limit"; rss: number; limit: number; of: "process" | "heap" }
  | { type: "stuck"; at: number }
  /** nothing was asked of the kernel for so long that it is shut down */
  | { type: "cull"; idleMs: number; at: number }
  | { type: "exit"; expected: boolean; cause: string; code: number | null; signal: string | null; at: number }
  /** the file changed outside (`read` is what it says now) and was merged */
  | { type: "outside"; source: NotebookSource; read: NotebookSource; text: string; at: number }
  /** how the comparison with a clean run goes */
  | { type: "clean"; clean: CleanRun }
  /** a console asks the kernel to run this */
  | { type: "console"; source: string }
  /** packages of the workspace change */
  | { type: "packages"; packages: PackageTask }
  /** a cell's `prompt()` */
  | { type: "question"; question: Question }
  | { type: "saved"; at: number; rev: number }
  /** what is wrong with the file; null: all is well */
  | { type: "held"; why: string | null }
  /** something that a person should know */
  | { type: "trouble"; text: string }
  | { type: "language"; language: LanguageState };

/** What the process around the reducer has to do, in order. */
export type Action =
  | { do: "start" }
  | { do: "run"; request: RunRequest }
  | { do: "forget"; cells: string[] }
  | { do: "interrupt"; run: string; soft: boolean }
  /** to the cell that asked; null: it gets none */
  | { do: "answer"; question: Question; value: string | null }
  | { do: "restart" }
  | { do: "shutdown" }
  | { do: "limit"; bytes: number }
  | { do: "compare"; clean: CleanRun }
  /** the document changed: journal it, and write the file once it is quiet */
  | { do: "journal"; record: JournalRecord }
  | { do: "project" }
  /** keep this cell's outputs on disk; none: drop them */
  | { do: "keep"; cell: string };
export type RunAction = Extract<Action, { do: "run" }>;

/** A line of the journal. What clients replay is made of these after a restart. */
export type JournalRecord =
  | {
      type: "base";
      rev: number;
      mode: "auto" | "lazy";
      source: NotebookSource;
      saved: NotebookSource;
      results: Record<string, KeptResult>;
      runs: number;
      applied?: Applied;
      controls?: Record<string, Control[]>;
    }
  /** `read`: they are the merge with a file that another program wrote, which said this */
  | { type: "ops"; rev: number; ops: Operation[]; /** who did it, and when */ by?: string; token?: string; at?: number; read?: NotebookSource }
  /** another program wrote this into the file; the document has all of it already */
  | { type: "read"; source: NotebookSource }
  | { type: "mode"; mode: "auto" | "lazy" }
  | { type: "result"; cell: string; kept: KeptResult; runs: number }
  | { type: "clear"; cell: string | null }
  | { type: "controls"; cell: string; controls: Control[] }
  | { type: "control"; cell: string; key: string; value: ControlValue }
  /** the document of `rev` lies beside the file and takes its place next; null: it did not */
  | { type: "writing"; rev: number | null }
  /** the file holds the document of `rev` */
  | { type: "saved"; rev?: number };

/** What is known of a cell's last run. */
export interface KeptResult {
  result: Result;
  run: string;
  startedAt: number | null;
  elapsedMs: number | null;
  warnings?: string[];
  changed?: string[];
  ran: Ran;
}

export type Refusal = { code: "stale" | "not-writer" | "bad-request" | "not-found" | "kernel" | "internal"; message: string };
export type Unnumbered = NotebookEvent extends infer E ? (E extends { seq: number } ? Omit<E, "seq"> : never) : never;
export type Outcome = { state: SessionState; events: NotebookEvent[]; actions: Action[]; value?: unknown } | { refused: Refusal };
export type FieldValue = CallField["value"];
