/** Intervals of means that respect how rows depend on each other. Shared by `evaluate` and `paired`. */
import tCdf from "@stdlib/stats-base-dists-t-cdf";
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import { quantileSorted } from "./quantile.js";
import { rng } from "./rng.js";
import type { Clusters, Dependence } from "./types.js";

export const resamples = 1000;
/** below this many units a percentile bootstrap is too narrow, above the other its answer equals the closed form */
const fewest = 40;
const most = 5000;

export interface Spread {
  ci: [number, number];
  /** two-sided, of the hypothesis that the value is 0 */
  p: number;
  method: string;
}

/** Block length for `n` rows of one time series with period `season`: at least one period and n^(1/3) (Hall, Horowitz, Jing 1995), at most n / 4. */
export function blockLength(n: number, season = 1): number {
  return Math.max(1, Math.min(Math.floor(n / 4), Math.max(season, Math.ceil(Math.cbrt(n)))));
}

/** Student's t interval of an estimate whose error is a sum of `terms` independent parts with zero mean. */
export function tSpread(value: number, terms: Float64Array, what: string): Spread {
  const n = terms.length;
  let sum = 0;
  for (const u of terms) sum += u * u;
  if (n < 2) return { ci: [-Infinity, Infinity], p: 1, method: `no interval: one ${what}` };
  const se = Math.sqrt((sum * n) / (n - 1));
  const half = tQuantile(0.975, n - 1) * se;
  return {
    ci: [value - half, value + half],
    p: se === 0 ? (value === 0 ? 1 : 0) : 2 * tCdf(-Math.abs(value) / se, n - 1),
    method: `Student's t over ${n} ${what}s`,
  };
}

/** Sums of values by cluster. */
export function byCluster(values: ArrayLike<number>, clusters: Clusters): Float64Array {
  const sums = new Float64Array(clusters.count);
  for (let i = 0; i < values.length; i++) sums[clusters.ids[i]!]! += values[i]!;
  return sums;
}

function percentiles(draws: Float64Array, method: string): Spread {
  draws.sort();
  let below = 0;
  let above = 0;
  for (const d of draws) {
    if (d <= 0) below++;
    if (d >= 0) above++;
  }
  return {
    ci: [quantileSorted(draws, 0.025), quantileSorted(draws, 0.975)],
    p: Math.min(1, (2 * (Math.min(below, above) + 1)) / (draws.length + 1)),
    method,
  };
}

/**
 * Interval of `f(mean of a)`, or with `b` of `f(mean of a) - f(mean of b)`, over rows in order; `f` is the identity or the root. Time series: moving block
 * bootstrap (Kuensch 1989). Clusters or up to 5,000 rows: percentile bootstrap of whole units. More, or under 40 units: Student's t over the units, by the
 * delta method for the root. O(rows + resamples x units).
 */
export function spreadOfMeans(a: Float64Array, b: Float64Array | null, root: boolean, dependence: Dependence, seed: number): Spread {
  const n = a.length;
  const f = root ? Math.sqrt : (x: number): number => x;
  const value = (sa: number, sb: number, rows: number): number => f(sa / rows) - (b ? f(sb / rows) : 0);
  const random = rng(seed);
  const block = dependence.block;
  if (block && n >= 4 * block && block >= 1) {
    const cumA = prefix(a);
    const cumB = b ? prefix(b) : null;
    const count = Math.ceil(n / block);
    const last = n - block * (count - 1);
    const draws = new Float64Array(resamples);
    for (let r = 0; r < resamples; r++) {
      let sa = 0;
      let sb = 0;
      for (let k = 0; k < count; k++) {
        const length = k === count - 1 ? last : block;
        const at = random.int(n - length + 1);
        sa += cumA[at + length]! - cumA[at]!;
        if (cumB) sb += cumB[at + length]! - cumB[at]!;
      }
      draws[r] = value(sa, sb, n);
    }
    return percentiles(draws, `moving block bootstrap, blocks of ${block}, ${resamples} resamples`);
  }
  const clusters = dependence.clusters ?? null;
  const unit = clusters?.unit ?? "row";
  const units = clusters ? clusters.count : n;
  const sa = clusters ? byCluster(a, clusters) : a;
  const sb = b && (clusters ? byCluster(b, clusters) : b);
  let sizes: Float64Array | null = null;
  if (clusters) {
    sizes = new Float64Array(units);
    for (const id of clusters.ids) sizes[id]!++;
  }
  let totalA = 0;
  let totalB = 0;
  for (let g = 0; g < units; g++) {
    totalA += sa[g]!;
    if (sb) totalB += sb[g]!;
  }
  const constant = !sb && !clusters && a.every((x) => x === a[0]);
  if (units >= fewest && units <= most && !constant) {
    const draws = new Float64Array(resamples);
    for (let r = 0; r < resamples; r++) {
      let xa = 0;
      let xb = 0;
      let rows = 0;
      for (let k = 0; k < units; k++) {
        const g = random.int(units);
        xa += sa[g]!;
        if (sb) xb += sb[g]!;
        rows += sizes ? sizes[g]! : 1;
      }
      draws[r] = value(xa, xb, rows);
    }
    return percentiles(draws, `bootstrap by ${unit}, ${units.toLocaleString("en")} ${unit}s, ${resamples} resamples`);
  }
  const meanA = totalA / n;
  const meanB = totalB / n;
  const slopeA = root ? (meanA === 0 ? 0 : 0.5 / Math.sqrt(meanA)) : 1;
  const slopeB = root ? (meanB === 0 ? 0 : 0.5 / Math.sqrt(meanB)) : 1;
  const terms = new Float64Array(units);
  for (let g = 0; g < units; g++) {
    const rows = sizes ? sizes[g]! : 1;
    terms[g] = (slopeA * (sa[g]! - meanA * rows) - (sb ? slopeB * (sb[g]! - meanB * rows) : 0)) / n;
  }
  return tSpread(value(totalA, totalB, n), terms, unit);
}

function prefix(values: Float64Array): Float64Array {
  const out = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) out[i + 1] = out[i]! + values[i]!;
  return out;
}

/** Resamples of whole units as row numbers, for metrics that are no mean. `visit` gets each resample's rows. */
export function bootstrapRows(n: number, dependence: Dependence, seed: number, count: number, visit: (rows: Int32Array) => void): string {
  const random = rng(seed);
  const { clusters, block } = dependence;
  if (block && n >= 4 * block) {
    for (let r = 0; r < count; r++) {
      const rows = new Int32Array(n);
      for (let i = 0; i < n; i += block) {
        const length = Math.min(block, n - i);
        const at = random.int(n - length + 1);
        for (let k = 0; k < length; k++) rows[i + k] = at + k;
      }
      visit(rows);
    }
    return `moving block bootstrap, blocks of ${block}, ${count} resamples`;
  }
  if (clusters) {
    const members: number[][] = Array.from({ length: clusters.count }, () => []);
    for (let i = 0; i < n; i++) members[clusters.ids[i]!]!.push(i);
    for (let r = 0; r < count; r++) {
      const rows: number[] = [];
      for (let g = 0; g < clusters.count; g++) for (const i of members[random.int(clusters.count)]!) rows.push(i);
      visit(Int32Array.from(rows));
    }
    return `bootstrap by ${clusters.unit}, ${count} resamples`;
  }
  for (let r = 0; r < count; r++) {
    const rows = new Int32Array(n);
    for (let i = 0; i < n; i++) rows[i] = random.int(n);
    visit(rows);
  }
  return `bootstrap by row, ${count} resamples`;
}

/** Percentile interval and two-sided p of bootstrap draws, NaN draws left out. */
export function percentileSpread(draws: number[], method: string): Spread {
  return percentiles(Float64Array.from(draws.filter((d) => d === d)), method);
}
