/** Learning rates over a training. Pure. */

export type Schedule =
  /** times `factor` (0.1) after every `every` epochs */
  | { name: "step"; every: number; factor?: number }
  /** half a cosine from the rate to `floor` times it (0) over all epochs: Loshchilov and Hutter 2017, without restarts */
  | { name: "cosine"; floor?: number }
  /** times `factor` (0.5) when the validation loss has not improved for `patience` epochs, down to `floor` times the rate (0.001) */
  | { name: "plateau"; patience: number; factor?: number; floor?: number };

export interface RateOptions {
  rate: number;
  epochs: number;
  /** epochs over which the rate rises in a line from 0 */
  warmup?: number;
  schedule?: Schedule;
}

/** The rate of a step that begins `at` epochs into the training (2.5: in the middle of the third), given the validation losses so far. */
export function rateAt({ rate, epochs, warmup = 0, schedule }: RateOptions, at: number, step: number, losses: readonly number[]): number {
  // the first step already moves: the rate is that of the step's end
  if (at < warmup) return rate * Math.min(1, (at + step) / warmup);
  if (schedule?.name === "step") return rate * (schedule.factor ?? 0.1) ** Math.floor(at / schedule.every);
  if (schedule?.name === "cosine") {
    const done = Math.min(1, (at - warmup) / Math.max(1e-9, epochs - warmup));
    const floor = schedule.floor ?? 0;
    return rate * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * done)));
  }
  if (schedule?.name === "plateau") return rate * Math.max(schedule.floor ?? 0.001, (schedule.factor ?? 0.5) ** plateaus(losses, schedule.patience));
  return rate;
}

/** How often the loss has gone `patience` epochs without a new best; the count starts anew after each. */
function plateaus(losses: readonly number[], patience: number): number {
  let [best, wait, count] = [Infinity, 0, 0];
  for (const loss of losses) {
    if (loss < best) [best, wait] = [loss, 0];
    else if (++wait >= patience) [wait, count] = [0, count + 1];
  }
  return count;
}
