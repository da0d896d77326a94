/** Work in steps that goes on after a strike: one that cuts the queue of microtasks drops what an `await` would have gone on with. */

/** `call` says itself when it is over, in any case; `wait` is begun again when a strike may have dropped its end. */
export type Step = { call(next: () => void): void } | { wait(): Promise<unknown> };

export interface Steps {
  /** a strike has landed */
  landed(): void;
}

/** Runs the steps one after the other, then `done`. A `wait` that fails is over too; what a step throws at once is given to `broken`, and nothing follows. */
export function inSteps(own: <T>(work: () => T) => T, steps: readonly Step[], done: () => void, broken: (error: unknown) => void): Steps {
  let at = 0;
  /** counts the beginnings: the end of an older one says nothing */
  let begun = 0;
  const begin = () => {
    const mine = ++begun;
    const next = () =>
      own(() => {
        if (mine !== begun) return;
        at++;
        begin();
      });
    try {
      const step = steps[at];
      if (!step) done();
      else if ("call" in step) step.call(next);
      else step.wait().then(next, next);
    } catch (error) {
      begun++;
      broken(error);
    }
  };
  own(begin);
  return {
    landed() {
      const step = steps[at];
      if (step && "wait" in step) own(begin);
    },
  };
}
