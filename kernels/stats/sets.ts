/** Intervals of metrics that are no mean over rows (AUC and custom `all`). */
import { aucInfluence, scoresOf } from "./auc.js";
import { bootstrapRows, byCluster, percentileSpread, resamples, tSpread, type Spread } from "./resample.js";
import type { Clusters, Dependence, Metric, Prediction } from "./types.js";

/** Row numbers into blocks of consecutive rows, for closed forms over time. */
function blocksAsClusters(n: number, block: number): Clusters {
  return { ids: Int32Array.from({ length: n }, (_, i) => Math.floor(i / block)), count: Math.ceil(n / block), unit: "block" };
}

/** AUC of two classes, or the macro mean over classes, with each row's influence on it. */
function influenceOf(ys: ArrayLike<number>, ps: ArrayLike<Prediction>): { value: number; influence: Float64Array } {
  const first = ps[0]!;
  if (typeof first === "number" || first.length === 2) {
    const { auc, influence } = aucInfluence(ys, scoresOf(ps));
    return { value: auc, influence };
  }
  const total = new Float64Array(ys.length);
  let value = 0;
  let classes = 0;
  for (let c = 0; c < first.length; c++) {
    const own = aucInfluence(
      Float64Array.from({ length: ys.length }, (_, i) => (ys[i] === c ? 1 : 0)),
      scoresOf(ps, c),
    );
    if (own.auc !== own.auc) continue;
    value += own.auc;
    classes++;
    for (let i = 0; i < total.length; i++) total[i]! += own.influence[i]!;
  }
  for (let i = 0; i < total.length; i++) total[i]! /= classes;
  return { value: value / classes, influence: total };
}

/**
 * Interval of a set metric, or of the difference of two predictions of the same rows. AUC: DeLong's influence per row, summed by cluster or block
 * (Obuchowski 1997), Student's t. Others: bootstrap of whole units with up to 1,000 resamples, fewer on many rows (at least 100).
 */
export function spreadOfSets(
  metric: Metric,
  ys: ArrayLike<number>,
  a: ArrayLike<Prediction>,
  b: ArrayLike<Prediction> | null,
  dependence: Dependence,
  seed: number,
): Spread & { value: number } {
  const n = ys.length;
  if (metric.name === "AUC") {
    const one = influenceOf(ys, a);
    const two = b && influenceOf(ys, b);
    const value = one.value - (two ? two.value : 0);
    const terms = two ? one.influence.map((u, i) => u - two.influence[i]!) : one.influence;
    if (value !== value) return { value, ci: [0, 1], p: 1, method: "no interval: one class only" };
    const clusters = dependence.block ? blocksAsClusters(n, dependence.block) : (dependence.clusters ?? null);
    const spread = tSpread(value, clusters ? byCluster(terms, clusters) : terms, clusters?.unit ?? "row");
    const [low, high] = b ? [-1, 1] : [0, 1];
    return { ...spread, value, ci: [Math.max(low, spread.ci[0]), Math.min(high, spread.ci[1])], method: `DeLong, ${spread.method}` };
  }
  const pick = (values: ArrayLike<Prediction>, rows: Int32Array): Prediction[] => Array.from(rows, (i) => values[i]!);
  const count = Math.max(100, Math.min(resamples, Math.floor(5e7 / n)));
  const draws: number[] = [];
  const method = bootstrapRows(n, dependence, seed, count, (rows) => {
    const y = Float64Array.from(rows, (i) => ys[i]!);
    draws.push(metric.all!(y, pick(a, rows)) - (b ? metric.all!(y, pick(b, rows)) : 0));
  });
  return { value: metric.all!(ys, a) - (b ? metric.all!(ys, b) : 0), ...percentileSpread(draws, method) };
}
