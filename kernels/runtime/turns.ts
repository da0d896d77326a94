/** The cell's code that the kernel itself calls: each piece from a stack of its own, and over in any case, also when it was cut. */
import type { Run } from "./run.js";

export interface Turns {
  /** the run whose code the kernel has called and that has not come back */
  readonly inside: Run | null;
  /** calls the piece of the run's code at once */
  call(run: Run, work: () => void): void;
  /** calls `work` from a stack of its own. A tick of Node's: those that wait behind one that is cut are kept, which immediates are not. */
  soon(work: () => void): void;
  /** calls the pieces one after the other, each from a stack of its own; `done` when the last has returned, thrown or was cut */
  each(run: Run, pieces: (() => void)[], done: () => void): void;
  /** a strike has landed: what was called will not come back. Gives the run that it belonged to. */
  landed(): Run | null;
}

/** `failed` hears what the code throws. */
export function createTurns(own: <T>(work: () => T) => T, failed: (run: Run, error: unknown) => void): Turns {
  let inside: Run | null = null;
  /** of the piece under way */
  let over: (() => void) | null = null;
  const soon = (work: () => void) => process.nextTick(work);

  const call = (run: Run, work: () => void) => {
    const before = inside;
    inside = run;
    try {
      work();
    } catch (error) {
      failed(run, error);
    } finally {
      inside = before;
    }
  };
  const each = (run: Run, pieces: (() => void)[], done: () => void) => {
    const [first, ...rest] = pieces;
    if (!first) return done();
    soon(() => {
      const next = () =>
        own(() => {
          if (over !== next) return;
          over = null;
          each(run, rest, done);
        });
      over = next;
      call(run, first);
      next();
    });
  };
  return {
    get inside() {
      return inside;
    },
    call,
    soon,
    each,
    landed() {
      const run = inside;
      inside = null;
      over?.();
      return run;
    },
  };
}
