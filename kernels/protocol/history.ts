/** Saved points of a notebook: what the history panel lists, compares and restores. */
import type { NotebookSource } from "./document.js";

/** How a point came to be: the notebook was opened; its file was written after edits; another program changed the file; all was run; a person named it; a commit of git. */
export type PointReason = "open" | "edit" | "outside" | "run" | "named" | "commit";

/** GET /api/ts/history?path=NOTEBOOK, newest first. */
export interface HistoryView {
  points: PointView[];
  /** why git's commits are not among them, where there should be some */
  git: string | null;
}
export interface PointView {
  /** "12", or "git-" and a commit */
  id: string;
  at: number;
  why: PointReason;
  /** as a person named it; the commit's first line */
  name?: string;
  /** of a commit */
  author?: string;
  /** cells that differ from the point before it */
  added: number;
  changed: number;
  removed: number;
}

/** GET /api/ts/history/point?path=NOTEBOOK&id=POINT */
export interface PointSource {
  id: string;
  source: NotebookSource;
}
