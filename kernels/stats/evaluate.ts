import { combine, rowLosses } from "./metrics.js";
import { spreadOfMeans } from "./resample.js";
import { spreadOfSets } from "./sets.js";
import type { Dependence, Evaluation, Metric, Prediction } from "./types.js";
import { wilson } from "./wilson.js";

export interface EvaluateOptions extends Dependence {
  /** id of the split whose test rows these are */
  split: string;
  /** `keysHash` of the rows' keys, in their order */
  keys: string;
  seed: number;
}

/**
 * Scores predictions of rows in the order of the split's key, with a 95 % interval whose method is named in the result: Wilson for accuracy of independent
 * rows, else see `spreadOfMeans` and `spreadOfSets`. Throws on no rows or on lists of different length.
 */
export function evaluate(metric: Metric, ys: ArrayLike<number>, ps: ArrayLike<Prediction>, options: EvaluateOptions): Evaluation {
  const n = ys.length;
  if (n === 0) throw new RangeError("Expected rows to evaluate, got none");
  if (ps.length !== n) throw new RangeError(`Expected one prediction for each of ${n} rows, got ${ps.length}`);
  const losses = rowLosses(metric, ys, ps);
  const base = { split: options.split, metric, n, losses, keys: options.keys };
  if (!metric.row) {
    const { value, ci, method } = spreadOfSets(metric, ys, ps, null, options, options.seed);
    return { ...base, value, ci, method };
  }
  const value = combine(metric, losses);
  if (metric.name === "accuracy" && !options.clusters && !options.block)
    return { ...base, value, ci: wilson(Math.round(value * n), n), method: "Wilson" };
  const { ci, method } = spreadOfMeans(losses, null, metric.root === true, options, options.seed);
  const [low, high] = metric.name === "accuracy" ? [0, 1] : metric.better === "lower" ? [0, Infinity] : [-Infinity, Infinity];
  return { ...base, value, ci: [Math.max(low!, ci[0]), Math.min(high!, ci[1])], method };
}
