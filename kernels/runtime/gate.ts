/**
 * The main thread's half of a stop by force. A termination strikes whatever runs when it arrives, so it is not simply sent: the control worker evaluates
 * `strike` on this thread, which V8 runs at a check inside whatever is on the stack. There the stack is read. Where it may be cut, the thread stands still until the
 * control worker has sent the termination behind the question; it lands on this very stack.
 */
import { performance } from "node:perf_hooks";
import { cuttable, framesHere } from "./frames.js";
import { strike, strikeName, word } from "./shared.js";

/** `held`: struck now; `own`, `node`: not here, ask again; `other`: not that run any more; `heard`: it has been told meanwhile; `late`: no answer came */
export type Verdict = "held" | "own" | "node" | "other" | "heard" | "late";

export interface Gate {
  /** the kernel's own work that must be done whole: never cut, and not begun where a recursion has left too little room for it */
  own<T>(work: () => T): T;
  /** inside of `own`: the cell's code again, which may be cut */
  open<T>(work: () => T): T;
  /** Lets the control worker have `work` done by this name, also in the middle of a cell's loop: where a strike might land, and nowhere else. */
  between(name: string, work: () => void): void;
}

export interface GateOptions {
  shared: Int32Array;
  /** tells the control worker that this thread stands still */
  held(): void;
  /** may a stop of this run strike what runs now? */
  meant(run: string): boolean;
}

/** ms that the thread stands still for the control worker's answer */
const patience = 500;
/**
 * Questions answered by "not while Node's own code is innermost"; then any stack with user code will do. Where a question waits for a native call of
 * some tenths of a second, as many would take seconds: after some ms the least number is enough.
 */
const patientFor = { questions: 30, least: 3, ms: 100 };
/** ms that the kernel's own code waits at its end for a question; without one the event loop goes on and hears */
const pauseFor = 20;
/** calls for which the kernel's own code needs room on the stack */
const depth = 200;
const room = (calls: number): number => (calls === 0 ? 0 : room(calls - 1) + 1);
const now = performance.now.bind(performance);

export function createGate({ shared, held, meant }: GateOptions): Gate {
  const ask = (run: string, question: number, attempt: number, ms: number): Verdict => {
    if (Atomics.load(shared, word.own) > 0) return "own";
    if (Atomics.load(shared, word.heard) >= question) return "heard";
    if (!meant(run)) return "other";
    // without this function and the line that calls it
    const stack = framesHere(3);
    if (stack && !stack.more && !cuttable(stack.frames, attempt < (ms < patientFor.ms ? patientFor.questions : patientFor.least))) return "node";
    if (Atomics.compareExchange(shared, word.strike, strike.none, strike.held) !== strike.none) return "late";
    try {
      held();
      const until = now() + patience;
      while (Atomics.load(shared, word.strike) === strike.held && now() < until);
    } catch {
      // a recursion has left no room for this
    }
    if (Atomics.compareExchange(shared, word.strike, strike.held, strike.none) === strike.held) return "late";
    while (Atomics.load(shared, word.strike) === strike.taken);
    return "held";
  };
  Object.defineProperty(globalThis, Symbol.for(strikeName), { value: ask });

  /** A strike that was sent to the code before lands here, where nothing is half done. */
  const land = () => {
    while (Atomics.load(shared, word.strike) !== strike.none);
  };

  /** A loop of the cell's that does little but call the kernel: the question is to meet it outside. */
  const pause = () => {
    const until = now() + pauseFor;
    while (shared[word.asking] !== 0 && now() < until);
  };

  return {
    between(name, work) {
      const attempt = () => {
        if (Atomics.load(shared, word.own) > 0 || Atomics.load(shared, word.strike) !== strike.none) return;
        // without this function
        const stack = framesHere(2);
        // so deep only a recursion of the cell goes
        if (stack && (stack.more || cuttable(stack.frames, true))) work();
      };
      Object.defineProperty(globalThis, Symbol.for(name), { value: attempt });
    },
    own(work) {
      if (shared[word.own] === 0) room(depth);
      // between this look and the next line V8 checks nothing, so that no strike is decided
      if (shared[word.own] === 0 && shared[word.strike] !== strike.none) land();
      shared[word.own]!++;
      try {
        return work();
      } finally {
        shared[word.own]!--;
        if (shared[word.asking] !== 0 && shared[word.own] === 0) pause();
      }
    },
    open(work) {
      const depth = shared[word.own]!;
      shared[word.own] = 0;
      try {
        return work();
      } finally {
        // a strike that was sent to `work` and has not landed
        if (shared[word.strike] !== strike.none) land();
        shared[word.own] = depth;
      }
    },
  };
}
