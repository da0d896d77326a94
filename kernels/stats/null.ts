import cdf from "@stdlib/stats-base-dists-chisquare-cdf";
import quantile from "@stdlib/stats-base-dists-chisquare-quantile";
import { rng } from "./rng.js";

/** Large Poisson counts by the rounded normal, small ones by Knuth's product. */
function poisson(mean: number, random: ReturnType<typeof rng>): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  const limit = Math.exp(-mean);
  let k = 0;
  for (let p = random.uniform(); p > limit; p *= random.uniform()) k++;
  return k;
}

export interface Null {
  /** what chance alone stays under with probability 1 - alpha */
  limit(alpha: number): number;
  /** chance of a distance at least this large when nothing changed */
  p(score: number): number;
}

/**
 * What a distance of two samples is when nothing changed: both are drawn `sims` times from the pooled counts (independent Poisson), and a scaled chi-square is
 * fitted to the squared distance by its mean and variance (Satterthwaite), as squared distances are sums of squares under no change.
 */
export function nullOf(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  distance: (a: Float64Array, b: Float64Array) => number,
  seed: number,
  sims = 200,
): Null {
  let n = 0;
  let m = 0;
  for (let i = 0; i < a.length; i++) {
    n += a[i]!;
    m += b[i]!;
  }
  const random = rng(seed);
  const x = new Float64Array(a.length);
  const y = new Float64Array(a.length);
  let sum = 0;
  let squares = 0;
  for (let s = 0; s < sims; s++) {
    for (let i = 0; i < a.length; i++) {
      const share = (a[i]! + b[i]!) / (n + m);
      x[i] = poisson(share * n, random);
      y[i] = poisson(share * m, random);
    }
    const d2 = distance(x, y) ** 2;
    sum += d2;
    squares += d2 * d2;
  }
  const mean = sum / sims;
  const variance = squares / sims - mean * mean;
  if (!(mean > 0) || !(variance > 0)) return { limit: () => 0, p: (score) => (score > 0 ? 0 : 1) };
  const df = (2 * mean * mean) / variance;
  const scale = mean / df;
  return { limit: (alpha) => Math.sqrt(scale * quantile(1 - alpha, df)), p: (score) => Math.max(0, 1 - cdf((score * score) / scale, df)) };
}
