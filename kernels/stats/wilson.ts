import quantile from "@stdlib/stats-base-dists-normal-quantile";

/** Wilson's score interval of a share, k of n (Wilson 1927; statsmodels proportion_confint "wilson"). [0, 1] when n is 0. */
export function wilson(k: number, n: number, level = 0.95): [number, number] {
  if (n === 0) return [0, 1];
  const z = quantile((1 + level) / 2, 0, 1);
  const p = k / n;
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [k === 0 ? 0 : middle - half, k === n ? 1 : middle + half];
}
