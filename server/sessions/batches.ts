/** Batches of runs, each from an empty queue to an empty queue: how many cells the present one has begun, and what the last one came to, kept for Home. */
import type { NotebookView } from "../../kernels/protocol/http.js";
import type { NotebookPlace } from "./paths.js";
import { readRuns, writeRuns, type KeptRun } from "./runs.js";
import type { SessionEffects } from "./session.js";
import type { SessionState } from "./state.js";

/** A batch that is over. */
export interface Batch {
  cells: number;
  /** cells that did not end well */
  bad: number;
  elapsedMs: number;
}

export interface Batches {
  /** cells that the present batch has begun; 0 when nothing runs */
  readonly begun: number;
  readonly lastRun: NotebookView["lastRun"];
  /** to be called after each step; gives what a batch came to when it is over */
  count(state: SessionState): Batch | null;
  /** what the last one came to is on the disk */
  flush(): Promise<void>;
}

/** ms from the end of a batch until it is written: a person runs cell after cell, and a writing takes longer than a small cell */
const rest = 500;

export function createBatches(place: NotebookPlace, effects: Pick<SessionEffects, "keep" | "log" | "now">): Batches {
  let batch: { at: number; cells: Set<string> } | null = null;
  let lastRun = readRuns(place)?.lastRun ?? null;
  let timer: NodeJS.Timeout | null = null;
  let next: KeptRun | null = null;
  let written = Promise.resolve();
  const write = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const kept = next;
    next = null;
    if (kept === null) return;
    written = written
      .then(() => writeRuns(place, kept))
      .catch((error: unknown) => effects.log.warn({ error, notebook: place.path }, "the last run could not be kept"));
  };
  return {
    get begun() {
      return batch?.cells.size ?? 0;
    },
    get lastRun() {
      return lastRun;
    },
    count({ running, queue, doc }) {
      if (running !== null || queue.length > 0) {
        batch ??= { at: effects.now(), cells: new Set() };
        if (running !== null) batch.cells.add(running.cell);
        return null;
      }
      if (batch === null) return null;
      const { at, cells } = batch;
      batch = null;
      // a headless run keeps no outputs: what a page would show is as before
      const before = effects.keep ? null : (readRuns(place)?.badge ?? { state: "unchecked", why: "not run yet", cells: [] });
      const badge = before ?? doc.badge;
      const bad = [...cells].filter((id) => doc.cells[id] !== undefined && doc.cells[id].result !== "ok");
      const [first] = bad;
      lastRun = { at, elapsedMs: effects.now() - at, result: first === undefined ? "ok" : doc.cells[first]!.result, cell: first ?? null };
      next = { lastRun, badge };
      timer ??= setTimeout(write, rest);
      timer.unref();
      return { cells: cells.size, bad: bad.length, elapsedMs: lastRun.elapsedMs };
    },
    async flush() {
      write();
      await written;
    },
  };
}
