import { combine } from "./metrics.js";
import { spreadOfMeans } from "./resample.js";
import { spreadOfSets } from "./sets.js";
import type { Dependence, Evaluation, Paired, Prediction } from "./types.js";

export interface PairedOptions extends Dependence {
  seed: number;
  /** truth and both predictions (candidate, rival): needed by set metrics such as AUC, which have no row losses */
  ys?: ArrayLike<number>;
  ps?: [ArrayLike<Prediction>, ArrayLike<Prediction>];
}

/**
 * Difference of two evaluations of the same rows, candidate minus rival in the metric's unit (below zero is better where lower is better), with a 95 %
 * interval and a two-sided p on the rows' differences. Throws where the two did not judge the same rows by the same metric.
 */
export function paired(candidate: Evaluation, rival: Evaluation, options: PairedOptions): Paired {
  if (candidate.split !== rival.split)
    throw new RangeError(`evaluations of different splits cannot be compared: \`${candidate.split}\` and \`${rival.split}\``);
  if (candidate.keys !== rival.keys || candidate.n !== rival.n)
    throw new RangeError(
      `evaluations of different rows cannot be paired: ${candidate.n} and ${rival.n} rows, keys \`${candidate.keys}\` and \`${rival.keys}\``,
    );
  const metric = candidate.metric;
  if (metric.name !== rival.metric.name)
    throw new RangeError(`different metrics cannot be compared: \`${metric.name}\` and \`${rival.metric.name}\``);
  const n = candidate.n;
  if (!metric.row) {
    if (!options.ys || !options.ps) throw new RangeError(`${metric.name} has no row losses: Expected \`ys\` and \`ps\` of both to compare`);
    const { value, ci, p, method } = spreadOfSets(metric, options.ys, options.ps[0], options.ps[1], options, options.seed);
    return { diff: value, ci, p, method: `paired ${method}`, n };
  }
  const diff = combine(metric, candidate.losses) - combine(metric, rival.losses);
  if (candidate.losses.every((loss, i) => loss === rival.losses[i])) return { diff: 0, ci: [0, 0], p: 1, method: "identical row losses", n };
  const { ci, p, method } = spreadOfMeans(candidate.losses, rival.losses, metric.root === true, options, options.seed);
  return { diff, ci, p, method: `paired ${method}`, n };
}

/** "beats", "does not beat" or "too close to call", from a paired difference and the direction of its metric. */
export function verdictOf(result: Paired, better: "lower" | "higher", margin = 0): "beats" | "does not beat" | "too close to call" {
  const [low, high] = better === "lower" ? [-result.ci[1], -result.ci[0]] : result.ci;
  return low > margin ? "beats" : high < margin ? "does not beat" : "too close to call";
}
