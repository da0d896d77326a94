/** What happens to a cell's run when the cell runs again or is deleted. */
import type { Bindings } from "./bindings.js";
import { createLeftovers } from "./leftovers.js";
import type { Run } from "./run.js";
import type { Turns } from "./turns.js";

export interface DropOptions {
  bindings: Bindings;
  /** last run of each cell */
  runs: Map<string, Run>;
  turns: Turns;
  /** what the run has on show is not held any more */
  release(run: string): void;
  /** these names are gone: their tables may be dropped */
  dropped(names: string[]): void;
  /** no run holds these any more, but as far as the names of cells do */
  free(values: Iterable<unknown>, kept: () => Iterable<unknown>): void;
  /** a disposer of the cell threw */
  failed(cell: string, error: unknown): void;
}

/** The cell's names are gone at once; then its disposers run, and when they are over what the names held is freed, as far as no other run may hold it. */
export function createDrop({ bindings, runs, turns, release, dropped, free, failed }: DropOptions): (cell: string, done: () => void) => void {
  const leftovers = createLeftovers((values) => free(values.values(), bindings.values));
  return (cell, done) => {
    const run = runs.get(cell);
    const values = bindings.take(cell);
    runs.delete(cell);
    release(run?.id ?? "");
    const over = () => {
      dropped([...values.keys()]);
      leftovers.drop(run, values, runs.values());
      done();
    };
    // what was shown of the older run is replaced: the new one says it
    const told = (dispose: () => void) => () => {
      try {
        dispose();
      } catch (error) {
        failed(cell, error);
      }
    };
    if (run) turns.each(run, run.scope.disposers().map(told), over);
    else over();
  };
}
