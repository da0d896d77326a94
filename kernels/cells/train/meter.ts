import type { RunContext } from "../../protocol/cells.js";
import type { FitStep } from "../../models/fit.js";

/** Steps of a training as the run's progress line: the rate is a moving average of the last five, the time left comes after the third. */
export function createMeter(context: Pick<RunContext, "progress">, rowsAnEpoch: number, prefix = ""): (step: FitStep) => void {
  const seen: { at: number; done: number }[] = [];
  let steps = 0;
  return ({ epoch, epochs, done, total }) => {
    seen.push({ at: performance.now(), done });
    steps++;
    if (seen.length > 6) seen.shift();
    const first = seen[0]!;
    const last = seen[seen.length - 1]!;
    const rate = last.at > first.at ? ((last.done - first.done) * 1000) / (last.at - first.at) : 0;
    context.progress({
      label: `${prefix}epoch ${epoch} of ${epochs}`,
      done: Math.round((1000 * done) / rowsAnEpoch) / 1000,
      total: total / rowsAnEpoch,
      eta: steps >= 3 && rate > 0 ? Math.ceil((total - done) / rate) : null,
      ...(rate > 0 ? { rate: `${Math.round(rate).toLocaleString("en")} rows/s` } : {}),
    });
  };
}
