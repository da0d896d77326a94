/**
 * The language service: what a client may ask about a notebook's code, and the wire between the server and the service's process
 * (frames over one unix socket, TOUCHSTONE_LANGUAGE_SOCKET). Places are UTF-16 offsets in a cell's own source.
 */
import type { Cell, Operation } from "./document.js";

/** A place in a cell. `code` is the text of an extra cell that is not in the notebook (its `cell` is ""): a Jupyter client's. */
export interface CodePlace {
  cell: string;
  at: number;
  code?: string;
}

export type LanguageQuestion =
  | ({ ask: "complete"; /** the character that asked for it */ trigger?: string } & CodePlace)
  /** more about one completion */
  | ({ ask: "detail"; label: string } & CodePlace)
  | ({ ask: "hover" } & CodePlace)
  | ({ ask: "signature" } & CodePlace)
  | ({ ask: "definition" } & CodePlace)
  | ({ ask: "references" } & CodePlace)
  /** `to` null: may it be renamed, and what is it called now? */
  | ({ ask: "rename"; to: string | null } & CodePlace)
  | { ask: "format"; cell: string }
  | { ask: "fixes"; cell: string; from: number; to: number }
  /** of every cell; a first one also starts the pushing of problems */
  | { ask: "problems" };

export interface LanguageAnswers {
  complete: Completions;
  detail: { signature: string; docs: string } | null;
  hover: Hover | null;
  signature: Signatures | null;
  definition: Place[];
  references: Place[];
  rename: Renaming;
  format: Edit[];
  fixes: Fix[];
  problems: Record<string, CodeProblem[]>;
}
export type LanguageAnswer = LanguageAnswers[LanguageQuestion["ask"]];

export type CompletionKind =
  | "variable"
  | "constant"
  | "function"
  | "method"
  | "property"
  | "class"
  | "interface"
  | "type"
  | "module"
  | "keyword"
  | "text"
  | "file"
  | "table"
  | "column";
export interface Completion {
  label: string;
  kind: CompletionKind;
  /** sorts before the label */
  sort: string;
  /** what is written, when it is not the label */
  insert?: string;
  /** shown beside it: a column's type, the table it is of */
  detail?: string;
  /** shown on demand; absent: ask `detail` */
  docs?: string;
}
export interface Completions {
  /** range that a completion replaces */
  from: number;
  to: number;
  items: Completion[];
  /** more would fit: ask again after the next character */
  incomplete: boolean;
}
export interface Hover {
  from: number;
  to: number;
  /** code, to be coloured */
  signature: string;
  /** markdown */
  docs: string;
}
export interface Signatures {
  active: number;
  parameter: number;
  items: { label: string; docs: string; parameters: { from: number; to: number; docs: string }[] }[];
}
/** In a cell, or (`file`) outside the notebook, with line and column from 1 and the lines around it, which begin at line `first`. */
export type Place = { cell: string; from: number; to: number } | { file: string; line: number; column: number; first: number; text: string };
export interface Edit {
  cell: string;
  at: number;
  remove: number;
  insert: string;
}
/** Edits of one cell are last first, so that each can be applied as it stands. `refused`: a sentence. */
export type Renaming = { from: number; to: number; name: string; edits: Edit[] } | { refused: string };
export interface Fix {
  label: string;
  edits: Edit[];
}
/** A finding about the code; it never keeps a cell from running. */
export interface CodeProblem {
  from: number;
  to: number;
  /** from 1 */
  line: number;
  column: number;
  severity: "error" | "warning";
  message: string;
  /** of TypeScript, absent for SQL */
  code?: number;
}

/** How the service does, as the page says it. */
export interface LanguageState {
  state: "off" | "starting" | "ready" | "dead";
  /** why it is dead, what happens next */
  why?: string;
  /** by cell; cells without problems are missing */
  problems: Record<string, CodeProblem[]>;
}

export type ToLanguage =
  | { type: "open"; notebook: string; workspace: string; rev: number; cells: Cell[] }
  | { type: "ops"; notebook: string; rev: number; ops: Operation[] }
  | { type: "close"; notebook: string }
  /** `client` asks one question of a kind at a time: a newer one supersedes the older */
  | { type: "ask"; id: number; client: string; notebook: string; question: LanguageQuestion }
  | { type: "cancel"; id: number };

export type FromLanguage =
  | { type: "ready"; pid: number }
  /** `rev`: of the document that the answer is about */
  | { type: "answer"; id: number; ok: true; rev: number; value: LanguageAnswer }
  | { type: "answer"; id: number; ok: false; why: "superseded" | "failed"; message: string }
  | { type: "problems"; notebook: string; rev: number; problems: Record<string, CodeProblem[]> };
