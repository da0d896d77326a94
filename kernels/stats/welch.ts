import cdf from "@stdlib/stats-base-dists-t-cdf";
import quantile from "@stdlib/stats-base-dists-t-quantile";

/** What an arm adds up to: everything that a comparison of means needs. */
export interface Sums {
  n: number;
  sum: number;
  squares: number;
}

/** Sample mean and variance (n - 1) from sums. */
export function moments({ n, sum, squares }: Sums): { mean: number; variance: number } {
  return { mean: sum / n, variance: Math.max(0, (squares - (sum * sum) / n) / (n - 1)) };
}

/** Means of two arms, b - a, by Welch's t with Welch and Satterthwaite's degrees of freedom (scipy ttest_ind, equal_var=False). */
export function welch(a: Sums, b: Sums, alpha = 0.05): { diff: number; t: number; df: number; p: number; ci: [number, number]; method: string } {
  const x = moments(a);
  const y = moments(b);
  const va = x.variance / a.n;
  const vb = y.variance / b.n;
  const diff = y.mean - x.mean;
  const se = Math.sqrt(va + vb);
  const df = (va + vb) ** 2 / (va ** 2 / (a.n - 1) + vb ** 2 / (b.n - 1));
  if (!(se > 0)) return { diff, t: 0, df: a.n + b.n - 2, p: diff === 0 ? 1 : 0, ci: [diff, diff], method: "Welch's t" };
  const half = quantile(1 - alpha / 2, df) * se;
  return { diff, t: diff / se, df, p: 2 * cdf(-Math.abs(diff / se), df), ci: [diff - half, diff + half], method: "Welch's t" };
}

/** The same relative to a's mean: (b - a) / |a| with the delta method's variance, degrees of freedom of the absolute difference (GrowthBook's default). */
export function welchRelative(
  a: Sums & { variance?: number },
  b: Sums & { variance?: number },
  alpha = 0.05,
): { diff: number; se: number; p: number; ci: [number, number]; method: string } {
  const x = { ...moments(a), ...(a.variance === undefined ? {} : { variance: a.variance }) };
  const y = { ...moments(b), ...(b.variance === undefined ? {} : { variance: b.variance }) };
  const va = x.variance / a.n;
  const vb = y.variance / b.n;
  const df = (va + vb) ** 2 / (va ** 2 / (a.n - 1) + vb ** 2 / (b.n - 1));
  const diff = (y.mean - x.mean) / Math.abs(x.mean);
  const se = Math.sqrt(vb / x.mean ** 2 + (va * y.mean ** 2) / x.mean ** 4);
  const half = quantile(1 - alpha / 2, df) * se;
  return { diff, se, p: 2 * cdf(-Math.abs(diff / se), df), ci: [diff - half, diff + half], method: "Welch's t, relative, delta method" };
}
