/** What a cell shows. Everything here is JSON and crosses every process boundary unchanged. */

import type { ReviewReason } from "./review.js";

/** A value in several forms; the page draws the richest one that it knows. Binary forms are base64 strings. */
export type MimeBundle = Record<string, unknown>;

export const mime = {
  text: "text/plain",
  html: "text/html",
  markdown: "text/markdown",
  png: "image/png",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  svg: "image/svg+xml",
  plotly: "application/vnd.plotly.v1+json",
  value: "application/vnd.touchstone.value+json",
  table: "application/vnd.touchstone.table+json",
  finding: "application/vnd.touchstone.finding+json",
  progress: "application/vnd.touchstone.progress+json",
} as const;

export type Output =
  | {
      kind: "display";
      /** stable within the cell; a later display of the same id replaces it */ id: string;
      data: MimeBundle;
      /** consoles only */ as?: DisplayAs;
    }
  | { kind: "stream"; name: "stdout" | "stderr"; text: string; /** characters left out before `text`; the whole is downloadable */ cut?: number }
  | { kind: "error"; error: CellError };

/** What a console has to know of a display: the value of the last expression; an id that the author gave; a new form of one shown before by any request. */
export type DisplayAs = "result" | "named" | "update";

/** An error as a person needs it: where in their own cell, and what to do. */
export interface CellError {
  name: string;
  message: string;
  /** characters of the whole message, where only its beginning is sent; the whole is downloadable */
  length?: number;
  /** cell whose code threw; absent when it is not a cell's fault */
  cell?: string;
  /** 1-based, in the cell's own source */
  line?: number;
  column?: number;
  /** own frames first; `cell` is set for frames in cells, `file` for the rest */
  frames: { cell?: string; file?: string; line: number; column: number; name?: string }[];
  /** the source line that threw */
  code?: string;
  suggestion?: Suggestion;
  cause?: CellError;
}

export interface Suggestion {
  label: string;
  /** replace text of a cell, install a package, go to a cell */
  action: { type: "replace"; cell: string; from: string; to: string } | { type: "install"; packages: string[] } | { type: "goto"; cell: string };
}

export interface ColumnInfo {
  name: string;
  /** DuckDB's name of the type */
  type: string;
}

/** `mime.value`: a value whose text does not say all of it; the kernel holds it until its cell runs again. */
export interface ValueView {
  /** names it in `value.children` and `value.export` */
  handle: string;
  node: ValueNode;
  /** characters of a string that is too long to be sent */
  length?: number;
}
export interface ValueNode {
  /** one line */
  text: string;
  /** how many children it has; 0 = it cannot be unfolded */
  size: number;
}
export interface ValueChild {
  key: string;
  node: ValueNode;
}

/** `mime.table`: a relation that the page reads in pages (`table.page` of the kernel's calls). */
export interface TableView {
  /** qualified view that holds exactly what this run showed */
  relation: string;
  columns: ColumnInfo[];
  /** number of rows; null while it is being counted */
  total: number | null;
  /** first rows, wire values (contracts 5), row-major; of a wide table the first `tileColumns` columns alone */
  first: WireValue[][];
}
/** A table of more columns is shown in parts: it is sent, and asked for, this many columns at a time. */
export const wideTable = 64;
export const tileColumns = 32;

/** DuckDB values on the wire: BIGINT number when safe else string, DECIMAL string, TIMESTAMP ISO UTC, NaN as the string "NaN". */
export type WireValue = null | boolean | number | string | WireValue[] | { [k: string]: WireValue };

export interface PlotlySpec {
  data: Record<string, unknown>[];
  layout?: Record<string, unknown>;
  /** spoken by screen readers and used as the file name */
  title?: string;
  /** one for each point of the first trace, in its order: a point that is chosen shows the figures of its part */
  parts?: FigurePart[];
}

/** What lies behind one bar of a figure. */
export interface FigurePart {
  /** which part it is, also in the next run: "delay" */
  name: string;
  /** spoken as the bar's name: "delay: 0.31, limit 0.03, drifted" */
  label: string;
  /** spoken when it is chosen, since figures say nothing to a screen reader */
  summary: string;
  figures: PlotlySpec[];
}

/** `mime.progress` and the run's own progress line. */
export interface Progress {
  /** "epoch 4 of 20", "column 3 of 12" */
  label: string;
  done: number;
  /** null when it is not known */
  total: number | null;
  /** seconds left, null before the third step */
  eta: number | null;
  /** "12,800 rows/s" */
  rate?: string;
}

/** `mime.finding`: the one layout of every built-in result. */
export interface FindingView {
  kind: string;
  sentence: string;
  verdict: "good" | "bad" | "unsure";
  /** "beats", "does not beat", "too close to call", "not enough data" ... */
  word: string;
  method: string;
  numbers: Record<string, number>;
  figures: PlotlySpec[];
  tables: { title: string; columns: string[]; rows: (string | number | null)[][] }[];
  warnings: string[];
  /** "seed 42 · held-out 20 % (58,280 rows) · 1.2 s" */
  footer: string;
  next: NextStep[];
  /** set by `promote` */
  proposal?: import("./serving.js").Proposal;
}

export type NextStep =
  | { label: string; type: "insert"; kind: string; source: string }
  | { label: string; type: "open"; href: string }
  | { label: string; type: "copy"; text: string }
  /** rows that the kernel keeps go to a queue of the workspace, where a person answers them one by one */
  | ({ label: string; type: "review" } & ReviewStep);

/** Which rows are sent where, and why. */
export interface ReviewStep {
  queue: string;
  /** names the rows: the same data always give the same one */
  batch: string;
  /** qualified table in the kernel */
  relation: string;
  rows: number;
  /** that one of the rows that they were drawn from is among them */
  probability: number;
  reason: ReviewReason;
}
