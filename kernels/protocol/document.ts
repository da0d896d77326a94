/** The notebook document, what may be done to it, and the one ordered log that every client replays. */
import type { Control, ControlValue } from "./controls.js";
import type { CommMessage } from "./kernel.js";
import type { LanguageQuestion, LanguageState } from "./language.js";
import type { CellError, ColumnInfo, Output, Progress, ValueChild, WireValue } from "./output.js";

export type CellKind = "code" | "sql" | "markdown" | BuiltinKind;
export type BuiltinKind = "label" | "baseline" | "train" | "distill" | "ab-test" | "drift" | "diagnose" | "review" | "promote";

/** Options after the id in a cell's marker line. */
export interface CellOptions {
  lazy?: boolean;
  /** keep the result on disk, and take it from there when code, inputs and packages are the same */
  cache?: boolean;
  disabled?: boolean;
  /** words of the marker that we do not know, kept */
  rest?: string[];
}

export interface Cell {
  id: string;
  kind: CellKind;
  source: string;
  options: CellOptions;
}

export interface FrontMatter {
  title?: string;
  seed?: number;
  mode?: "auto" | "lazy";
  /** lines that we do not know, kept byte for byte */
  rest?: string[];
}

export interface NotebookSource {
  front: FrontMatter;
  cells: Cell[];
  /** every line of the file ends in \r\n; sources hold \n alone */
  crlf?: boolean;
  /** the file starts with a byte order mark */
  bom?: boolean;
}

export type Operation =
  | { op: "insert"; cell: Cell; /** null = first */ after: string | null }
  | { op: "delete"; id: string }
  | { op: "move"; id: string; after: string | null }
  /** one splice of the source, UTF-16 units */
  | { op: "edit"; id: string; at: number; remove: number; insert: string }
  | { op: "kind"; id: string; kind: CellKind }
  | { op: "options"; id: string; options: CellOptions }
  | { op: "front"; front: FrontMatter }
  /** the file changed outside and was merged by cell */
  | { op: "replace"; source: NotebookSource };

export type Status = "idle" | "queued" | "running" | "disabled";
export type Result = "none" | "ok" | "error" | "cancelled" | "interrupted";

/** Everything that the page shows about a cell apart from its source and outputs. */
export interface CellState {
  status: Status;
  result: Result;
  /** an input changed since the run; `causes` names them */
  stale: boolean;
  /** the source changed since the run */
  edited: boolean;
  causes: string[];
  /** names this cell defines / reads (other cells' names) */
  defines: string[];
  uses: string[];
  /** graph errors: clash, cycle, assignment to another cell's name, syntax */
  problems: Problem[];
  /** server clock, ms since epoch, of the run in progress or the last one */
  startedAt: number | null;
  elapsedMs: number | null;
  progress: Progress | null;
  /** id of the last run */
  run: string | null;
  /** the failed or disabled cell that this one waits for */
  blockedBy: string | null;
  /** what the last run found worth saying, one sentence each: rows left out, tensors lost with a stop */
  warnings: string[];
  /** names of other cells whose values the last run changed, where the code does not show it */
  changed?: string[];
  /** the last result was taken from disk; absent: it was computed */
  cached?: CachedResult | null;
  /** of built-in cells */
  form: CallView | null;
}

/** A result that was on disk. */
export interface CachedResult {
  /** ms that the run would have taken, by the one that made it */
  savedMs: number;
  /** when it was made */
  at: number;
}

/** A built-in cell's call as its form reads it; offsets are UTF-16 in the cell's source. */
export type CallView =
  | { ok: true; call: string; /** name that the result is bound to */ result: string | null; fields: CallField[] }
  /** the form is off, the code stays on, with the reason */
  | { ok: false; reason: string };
export interface CallField {
  /** "task.kind" */
  path: string;
  value:
    | { type: "literal"; value: string | number | boolean | null }
    | { type: "name"; name: string }
    | { type: "list"; items: CallField["value"][] }
    /** shown as a chip "from code" */
    | { type: "code"; text: string };
  readOnly?: string;
}

export interface Problem {
  type: "clash" | "cycle" | "foreign-write" | "mutation" | "syntax" | "reserved";
  severity: "error" | "warning";
  message: string;
  name?: string;
  /** other cells concerned */
  cells?: string[];
  line?: number;
  column?: number;
}

export interface Variable {
  name: string;
  cell: string;
  /** "number", "Relation", "Tensor float32 [60000,784]" */
  type: string;
  /** bytes where known */
  size: number | null;
  preview: string;
}

export interface KernelState {
  state: "none" | "starting" | "idle" | "busy" | "stopping" | "dead";
  pid: number | null;
  backend: string | null;
  /** what the back end computes on: "WebAssembly SIMD, 1 thread" */
  device?: string | null;
  /** better back ends that were passed over, with the reason */
  skipped?: { name: string; why: string }[];
  /** bytes, last 60 samples of one a second */
  memory: number[];
  memoryLimit: number;
  /** bytes: the limit can be raised so far on this machine */
  memoryMost?: number;
  /** cells whose values went with the last kernel, the one that ran among them: `restart` with "same" runs them again */
  lost?: number;
  /** it was shut down because nothing was asked of it for so long */
  culled?: { at: number; idleMs: number } | null;
  death: { cause: string; code: number | null; signal: string | null; cell: string | null; at: number } | null;
  tensors: { count: number; bytes: number } | null;
  /** server clock: since when a stop has been known to have no effect (a native call does not yield) */
  stuck?: number | null;
  /** the last run that was stopped because memory ran low; gone with the next run */
  nearLimit?: {
    used: number;
    limit: number;
    cell: string | null;
    /** whose limit; a larger heap needs a new process */ of: "process" | "heap";
  } | null;
}

/** "same": every cell ok, none stale; what is shown equals a clean run. `cells`: the first ones concerned, in document order; `more`: how many follow. */
export type Badge =
  | { state: "same"; /** when a clean run in a second process gave the same outputs */ verified?: number }
  | { state: "stale"; cells: string[]; more?: number }
  | { state: "error"; cells: string[]; more?: number }
  | {
      state: "unchecked";
      why: string;
      cells: string[];
      more?: number;
      /** it is these controls alone, moved from their defaults */ moved?: string[];
    };

/** "Run clean and compare": the notebook in a second kernel process, its outputs beside those on screen. */
export interface CleanRun {
  status: "running" | "done" | "failed";
  /** when it began or ended */
  at: number;
  /** the document and the number of runs that it was compared with: after another edit or run it says nothing */
  rev: number;
  runs: number;
  /** cells over, of how many */
  done: number;
  total: number;
  differences: { cell: string; /** what is on screen and what the clean run gave, cut */ here: string; clean: string }[];
  /** of a failure */
  why?: string;
}

export interface NotebookState {
  epoch: string;
  /** number of the last event in this state */
  seq: number;
  path: string;
  /** increases with each change of the document; a command that carries an older one is refused */
  rev: number;
  source: NotebookSource;
  /** set when the file did not parse: shown as one cell, never written */
  broken: string | null;
  cells: Record<string, CellState>;
  outputs: Record<string, Output[]>;
  /** displays (and errors past the first fifty) of each cell that only the server's disk has: GET /api/ts/outputs/more */
  more: Record<string, number>;
  /** outputs are from an earlier session or older code */
  outputsFrom: Record<string, { run: string; sourceHash: string; at: number }>;
  /** cells that wait to run, the next one first; the running one is not among them */
  queue: string[];
  /** the last comparison with a clean run */
  clean: CleanRun | null;
  mode: "auto" | "lazy";
  kernel: KernelState;
  variables: Variable[];
  badge: Badge;
  /** what the language service says about the code */
  language: LanguageState;
  writer: Person | null;
  /** who is connected, each client once, in the order in which they came */
  clients: Person[];
  /** what is wrong with the file now (it cannot be read or written, or it is gone), as a sentence; changes are kept in the journal meanwhile */
  held: string | null;
  savedAt: number | null;
  /** the present or last change of the workspace's packages, by whomever */
  packages: PackageTask | null;
  /** what running cells ask the people at their pages, oldest first; any client may answer, the first answer counts */
  questions: Question[];
  /** what the cells' `view(...)` shows, in the order of their last run, with what each holds */
  controls: Record<string, Control[]>;
  /** what became of edits that no file held yet when this server opened the notebook and found its file changed; null: there was nothing to merge */
  reopened: Reopened | null;
}

/** Ids of cells, each in one list only. */
export interface Reopened {
  at: number;
  /** as the file has them: another program changed, added or removed them */
  theirs: string[];
  /** as they were edited here */
  ours: string[];
  /** changed on both sides and kept twice: ours, with the file's beside it */
  twice: string[];
}

/** npm at work in the workspace: `restore` installs what package.json and the lock ask for. */
export interface PackageTask {
  task: "install" | "remove" | "restore";
  packages: string[];
  status: "running" | "done" | "failed" | "cancelled";
  /** when it began or ended */
  at: number;
  /** npm's last line while it runs, then how it ended, as a sentence */
  said: string;
}
/** `await prompt("Name?")` of a running cell. */
export interface Question {
  id: string;
  cell: string;
  run: string;
  text: string;
  /** what is typed is not shown */
  password: boolean;
}
export interface Person {
  client: string;
  name: string;
}

/** One entry of the log; `seq` is dense. */
export type NotebookEvent = { seq: number } & (
  | { type: "ops"; rev: number; ops: Operation[]; by: string; /** as the command gave it */ token?: string }
  | { type: "cells"; cells: Record<string, CellState | null> }
  /** one splice of the queue */
  | { type: "queue"; at: number; remove: number; insert: string[] }
  | {
      type: "outputs";
      cell: string;
      run: string;
      /** true = drop what was shown before */ clear: boolean;
      outputs: Output[];
      /** the cell's new `more` */ more?: number;
    }
  | { type: "kernel"; kernel: KernelState }
  | { type: "variables"; variables: Variable[] }
  | { type: "badge"; badge: Badge }
  | { type: "language"; language: LanguageState }
  | { type: "writer"; writer: Person | null }
  | { type: "clients"; clients: Person[] }
  /** the file became readable or unreadable */
  | { type: "file"; held: string | null }
  | { type: "mode"; mode: "auto" | "lazy" }
  | { type: "clean"; clean: CleanRun }
  | { type: "packages"; packages: PackageTask }
  | { type: "questions"; questions: Question[] }
  /** the cell's controls from now on; none: it has none */
  | { type: "controls"; cell: string; controls: Control[] }
  /** one of them was moved */
  | { type: "control"; cell: string; key: string; value: ControlValue }
  | { type: "saved"; at: number; /** the file holds the document of this revision */ rev: number }
  | { type: "notice"; level: "info" | "warning" | "error"; text: string; cell?: string; error?: CellError }
);

/** What a client sends over the notebook's WebSocket. `rev` is the revision that the client saw. */
export type ClientMessage =
  | {
      type: "hello";
      client: string;
      name: string;
      /** replay from here when the epoch is the same */
      epoch: string | null;
      cursor: number;
      /** only looks: does not become the writer because nobody is */
      watch?: boolean;
    }
  | { type: "command"; id: number; rev: number; command: Command }
  /** stops the `call` that was sent with this id: it is answered as failed */
  | { type: "cancel"; id: number }
  | { type: "ping"; id: number };

export type Command =
  /** `token`: the client's own name of this change; one that is sent again after a lost answer is not applied twice */
  | { do: "ops"; ops: Operation[]; token?: string }
  /** one field of a form: the server turns it into the smallest edit; undefined `value` removes the field */
  | { do: "field"; cell: string; path: string; value?: CallField["value"] }
  /** quick fix of a clash: renames the definition in this cell and its uses there */
  | { do: "rename"; cell: string; from: string; to: string }
  | {
      do: "run";
      cells: string[];
      /** also the stale inputs; default true */ inputs?: boolean;
      /** forget what is kept of them on disk */ fresh?: boolean;
    }
  /** the cell, all below it in the document and all that depends on it, with what these need */
  | { do: "run-from"; cell: string }
  /** `promote`: also the promote cells (they propose; nothing is committed), as headless runs do */
  | { do: "run-all"; promote?: boolean }
  | { do: "run-stale" }
  /** runs the whole notebook in a second kernel and compares the outputs; the page's kernel is not touched */
  | { do: "compare" }
  | { do: "interrupt"; /** stop and keep best: sets `cell.signal` first */ soft?: boolean }
  /** takes a cell that waits, and what depends on it, out of the queue; null: all that wait */
  | { do: "cancel"; cell: string | null }
  /** to a cell's `prompt()`, by anyone's leave; null: it is not answered, which fails the cell's `await` */
  | { do: "answer"; question: string; value: string | null }
  /** moves a control of a cell, which runs with it */
  | { do: "control"; cell: string; key: string; value: ControlValue }
  /** the cell's controls (null: all of the notebook) hold their defaults again; the cells run where that changes something */
  | { do: "reset"; cell: string | null }
  /** "same": run again what the kernel held and ran when it ended */
  | { do: "restart"; then: "nothing" | "all" | "stale" | "same" | { to: string } }
  /** another memory limit for this notebook's kernels on this machine; `then`: restart with it, which a larger heap needs */
  | { do: "limit"; bytes: number; then?: Extract<Command, { do: "restart" }>["then"] }
  | { do: "shutdown" }
  | { do: "clear"; cell: string | null }
  | { do: "mode"; mode: "auto" | "lazy" }
  | { do: "write" /** take over */ }
  | { do: "flush" }
  /** read-only calls that are answered in `reply.value` */
  | { do: "call"; call: KernelQuery }
  /** answered in `reply.value` by anyone's leave; refused as stale when the cell has changed since `rev` */
  | { do: "language"; question: LanguageQuestion };

/** Questions that the kernel answers beside a running cell. */
export type KernelQuery =
  | { query: "table.page"; relation: string; offset: number; limit: number; columns?: string[]; sort?: SortKey[]; where?: Filter[] }
  | { query: "table.count"; relation: string; where?: Filter[] }
  | { query: "table.profile"; relation: string; columns: string[]; where?: Filter[] }
  /** the first rows whole, long BLOBs too: asked by the server alone, for rows that leave the kernel */
  | { query: "table.rows"; relation: string; limit: number }
  | { query: "table.export"; relation: string; format: "csv" | "parquet"; path: string; sort?: SortKey[]; where?: Filter[] }
  /** a displayed value's parts; `path`: indexes of children from its root. Answered when the cell that runs yields */
  | { query: "value.children"; handle: string; path: number[]; offset: number; limit: number }
  /** writes a displayed text into a file of the server's choice */
  | { query: "value.export"; handle: string; path: string }
  | { query: "variables" }
  | { query: "memory" }
  /** a Jupyter client's comm message: asked by the server alone, answered with whether the cell has such a target or comm, once its handler was called */
  | { query: "comm"; message: CommMessage }
  /** what stands at the end of `path` (`["model", "layers"]`), and how it could go on; no getter is run. An empty path: the names in scope */
  | { query: "look"; path: string[] };

/** Answer to `value.children`. */
export interface ValueChildren {
  children: ValueChild[];
  total: number;
}

/** Answer to `table.page`: wire values, row-major; row numbers count from `offset`. */
export interface TablePage {
  offset: number;
  columns: ColumnInfo[];
  rows: WireValue[][];
}

/** Up to this many rows distinct values are counted; in more they are estimated. */
export const exactDistinct = 100_000;

/** Answer to `table.profile`. */
export interface TableProfile {
  /** rows that pass the filter */
  rows: number;
  /** rows looked at; fewer than `rows` when sampled (above 1 M rows) */
  looked: number;
  columns: ColumnProfile[];
}
export interface ColumnProfile extends ColumnInfo {
  kind: "number" | "date" | "text" | "boolean" | "other";
  /** counts are of the rows looked at */
  nulls: number;
  /** approximate */
  distinct: number;
  min: WireValue;
  max: WireValue;
  /** p5, p25, p50, p75, p95 of numbers and dates */
  quantiles: WireValue[] | null;
  /** 20 equal bins of numbers and dates; dates as ISO */
  bins: { from: number | string; to: number | string; count: number }[] | null;
  /** most frequent values of text, booleans and the rest, at most 10 */
  top: { value: WireValue; count: number }[] | null;
}

/** Answer to `look`; null when the path leads nowhere. */
export interface Look {
  /** "function", "Relation", "Array(3)" */
  type: string;
  preview: string;
  /** source of a function, at most 4,000 characters */
  source: string | null;
  properties: { name: string; type: string }[];
}

/** Answer to `table.export`. */
export interface TableExport {
  rows: number;
  bytes: number;
}

export interface SortKey {
  column: string;
  desc: boolean;
}
export type Filter =
  | { column: string; op: "range"; min?: number | string; max?: number | string }
  | { column: string; op: "contains" | "regex"; text: string }
  | { column: string; op: "in"; values: (string | number | boolean | null)[] }
  | { column: string; op: "null" | "not-null" }
  /** the text stands in one of the columns, whatever the case */
  | { op: "search"; text: string };

export type ServerMessage =
  /** `applied`: token of this client's last change that is in the state */
  | { type: "snapshot"; state: NotebookState; applied: string | null }
  | { type: "events"; events: NotebookEvent[] }
  | { type: "reply"; id: number; ok: true; value?: unknown }
  | {
      type: "reply";
      id: number;
      ok: false;
      /** `gone`: the kernel that held what was asked for has ended */
      error: {
        code: "stale" | "not-writer" | "bad-request" | "not-found" | "kernel" | "gone" | "language" | "internal";
        message: string;
        rev?: number;
      };
    }
  /** the `call` of this id takes long; percent of its present query */
  | { type: "working"; id: number; percent: number }
  | { type: "pong"; id: number };
