import type { CellState } from "../protocol/document.js";

/** A cell that was never run, before anything is known of it: what the server starts from and the page shows until it hears. */
export const blankCell: CellState = {
  status: "idle",
  result: "none",
  stale: false,
  edited: false,
  causes: [],
  defines: [],
  uses: [],
  problems: [],
  startedAt: null,
  elapsedMs: null,
  warnings: [],
  progress: null,
  run: null,
  blockedBy: null,
  form: null,
};
