/** The control worker's half of a stop by force (gate.ts is the main thread's): asks, and terminates what stands still for it. */
import type { Session } from "node:inspector";
import type { Verdict } from "./gate.js";
import { strike, strikeName, word } from "./shared.js";

export interface Striker {
  /** begins, unless it has begun: asks until it lands, or until `wanted` says that the main thread hears again */
  strike(run: string, question: number, wanted: () => boolean): void;
  /** the main thread stands still */
  held(): void;
}

/** ms between two questions */
const again = 2;
/** ms until the next question where another run, which nobody stops, is at work */
const later = 80;

export function createStriker(session: Session, shared: Int32Array, landed: (run: string) => void): Striker {
  let busy = false;
  /** the run that the strike is for */
  let target = "";
  /** when its first question was asked */
  let since = 0;

  /** Sends the termination; answered when the stack is unwound. */
  const send = () => {
    session.post("Runtime.terminateExecution", () => {
      Atomics.store(shared, word.strike, strike.none);
      busy = false;
      landed(target);
    });
    Atomics.store(shared, word.strike, strike.sent);
  };
  const attempt = (run: string, question: number, wanted: () => boolean, count: number) => {
    const expression = `globalThis[Symbol.for(${JSON.stringify(strikeName)})](${JSON.stringify(run)}, ${question}, ${count}, ${Math.round(performance.now() - since)})`;
    session.post("Runtime.evaluate", { expression, silent: true, returnByValue: true }, (failure, reply) => {
      Atomics.store(shared, word.asking, 0);
      const verdict = failure || reply.exceptionDetails ? null : (reply.result.value as Verdict);
      if (verdict === "held") return;
      if (verdict === null && overflow()) return;
      if (verdict === "other") setTimeout(() => (busy = false), later);
      else if (verdict === "heard" || !wanted()) busy = false;
      else if (verdict === "own") {
        Atomics.store(shared, word.asking, 1);
        attempt(run, question, wanted, count);
      } else setTimeout(() => (wanted() ? attempt(run, question, wanted, count + 1) : (busy = false)), again);
    });
  };
  /** A recursion that always catches its own overflow leaves no room for the question. The kernel's own code does not stand so deep. */
  const overflow = () => {
    if (Atomics.load(shared, word.own) > 0 || Atomics.compareExchange(shared, word.strike, strike.none, strike.taken) !== strike.none) return false;
    send();
    return true;
  };

  return {
    strike(run, question, wanted) {
      if (busy) return;
      busy = true;
      target = run;
      since = performance.now();
      attempt(run, question, wanted, 0);
    },
    held() {
      if (Atomics.compareExchange(shared, word.strike, strike.held, strike.taken) === strike.held) send();
    },
  };
}
