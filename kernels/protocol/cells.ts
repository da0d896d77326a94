/** What a built-in cell is made of: a pure definition (cell.ts), a run (run.ts), a view (view.ts, web only). */
import type { z } from "zod";
import type { BuiltinKind } from "./document.js";
import type { FindingView, Progress } from "./output.js";
import type { ServerCalls } from "./serving.js";
import type { Hash, Provenance, Relation } from "./values.js";

/** A name in scope, as the form and the prefill see it. */
export interface ScopeName {
  name: string;
  cell: string;
  /** what its value is or will be: from the kernel when run, else from the cell's kind */
  type: "relation" | "split" | "predictor" | "finding" | "features" | "plan" | "number" | "string" | "other" | BuiltinKind;
  /** columns, when a relation or split that has run */
  columns?: { name: string; type: string }[];
}

/** One field of a form: a view on one literal or name in the call's object. */
export interface FormField {
  /** path in the options, "task.kind" */
  path: string;
  label: string;
  help?: string;
  control: "name" | "text" | "number" | "boolean" | "choice" | "column" | "list" | "json";
  /** name: which types fit */
  accepts?: ScopeName["type"][];
  /** `source`: what is written at `whole` when this one is chosen */
  choices?: { value: string | number | boolean; label: string; source?: string }[];
  /** choice: path of the object that is written anew by a choice, and goes with it when none is chosen */
  whole?: string;
  /** column: which name field holds the relation or split */
  of?: string;
  default?: unknown;
  required?: boolean;
  advanced?: boolean;
  /** shown only when another path has one of these values */
  when?: { path: string; is: unknown[] };
  min?: number;
  max?: number;
  step?: number;
  unit?: string;
}

export interface CellDefinition {
  kind: BuiltinKind;
  /** the function called: `abTest` for kind ab-test */
  call: string;
  title: string;
  /** Lucide icon name */
  icon: string;
  /** "Does it beat doing nothing clever?" */
  question: string;
  /** step of the five, 1 to 5 */
  step: 1 | 2 | 3 | 4 | 5;
  /** lazy on its own (train, distill) */
  costly: boolean;
  /** literal part of the options; names are checked when run */
  schema: z.ZodType;
  fields: FormField[];
  /** source of a new cell, filled from the names in scope, newest last */
  toSource(scope: ScopeName[]): string;
}

/** Rows that were drawn from a relation. */
export interface Drawn {
  /** qualified name of the table that holds them */
  relation: string;
  rows: number;
  /** how many they were drawn from */
  total: number;
  /** names their content: the same data, condition and seed always give the same one */
  hash: Hash;
}

/** What a built-in's run gets of the runtime. One per cell run. */
export interface RunContext {
  cell: string;
  run: string;
  notebook: string;
  workspace: string;
  root: string;
  mayCommit: boolean;
  /** bytes of vectors that a training may hold in memory, default 1 GiB; more are read from a file */
  vectorBytes?: number;
  /** aborted by "stop and keep best" and by Interrupt */
  signal: AbortSignal;
  /** hash(notebook seed, cell id, purpose) as uint32 (contracts 7) */
  seed(purpose: string): number;
  progress(progress: Progress | null): void;
  /** shows a finding, replacing the one shown before by this run under the same id */
  show(view: FindingView, id?: string): void;
  provenance(more: { data: Hash; split?: Hash }): Promise<Provenance>;
  /** where a version may be staged: an empty folder, removed with the kernel unless proposed */
  staging(): Promise<string>;
  call<M extends keyof ServerCalls>(method: M, params: ServerCalls[M]["params"]): Promise<ServerCalls[M]["result"]>;
  /** SQL in the kernel's DuckDB, as a relation */
  sql(text: string): Promise<Relation>;
  /** a fixed sample of at most `n` rows of those that meet an SQL condition, kept so that the server can read it later (`table.rows`) */
  draw(relation: Relation, condition: string, n: number, seed: number): Promise<Drawn>;
  /** closes over a row function: see kernels/runtime/capture.ts */
  capture(feature: unknown): Promise<{ code: string; hash: Hash }>;
  /** lets timers, sockets and interrupts in; call between steps of a long loop */
  breathe(): Promise<void>;
  onDispose(dispose: () => void): void;
}
