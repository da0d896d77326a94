/**
 * Values of runs that have been replaced. A cell that read a name of such a run may go on using the value, or what closes over it, until it runs again itself
 * ("a stale cell keeps the values that it read"): only when the last of them has run again, or is gone, the value is given up.
 */
import type { Run } from "./run.js";

export interface Leftovers {
  /** The names of `run` are gone: `values` are given up once no run of `readers` is left that may hold them. */
  drop(run: Run | undefined, values: Map<string, unknown>, runs: Iterable<Run>): void;
}

interface Waiting {
  values: Map<string, unknown>;
  /** runs that read them, or a name of a run that did */
  readers: Set<Run>;
}

export function createLeftovers(giveUp: (values: Map<string, unknown>) => void): Leftovers {
  const waiting = new Set<Waiting>();
  return {
    drop(run, values, runs) {
      const names = [...values.keys()];
      // one that ran earlier has read what was there before
      const readers =
        names.length === 0
          ? []
          : [...runs].filter((other) => other !== run && other.number > (run?.number ?? 0) && names.some((name) => other.uses.has(name)));
      for (const each of run === undefined ? [] : waiting) {
        if (!each.readers.delete(run!)) continue;
        // who read from it may hold them in turn
        for (const reader of readers) each.readers.add(reader);
        if (each.readers.size > 0) continue;
        waiting.delete(each);
        giveUp(each.values);
      }
      if (readers.length === 0) giveUp(values);
      else waiting.add({ values, readers: new Set(readers) });
    },
  };
}
