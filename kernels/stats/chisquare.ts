import cdf from "@stdlib/stats-base-dists-chisquare-cdf";

export interface ChiSquare {
  statistic: number;
  df: number;
  p: number;
  /** Cramer's V of a contingency table, the root of statistic / n of a goodness of fit: the size of the effect, 0 to 1 */
  v: number;
  method: string;
}

const tail = (x: number, df: number): number => (df < 1 ? 1 : Math.max(0, 1 - cdf(x, df)));

/** Pearson's goodness of fit of counts against expected counts (any scale): takes the expectation as exact (scipy.stats.chisquare). */
export function chiSquareFit(observed: ArrayLike<number>, expected: ArrayLike<number>): ChiSquare {
  let n = 0;
  let total = 0;
  for (let i = 0; i < observed.length; i++) {
    n += observed[i]!;
    total += expected[i]!;
  }
  let statistic = 0;
  let cells = 0;
  for (let i = 0; i < observed.length; i++) {
    const e = (expected[i]! * n) / total;
    if (e === 0 && observed[i] === 0) continue;
    cells++;
    statistic += (observed[i]! - e) ** 2 / e;
  }
  return { statistic, df: cells - 1, p: tail(statistic, cells - 1), v: Math.sqrt(statistic / n), method: "chi-square, goodness of fit" };
}

/** Pearson's test of two lists of counts over the same categories: both are samples (scipy.stats.chi2_contingency without correction). */
export function chiSquare(a: ArrayLike<number>, b: ArrayLike<number>): ChiSquare {
  let n = 0;
  let m = 0;
  for (let i = 0; i < a.length; i++) {
    n += a[i]!;
    m += b[i]!;
  }
  let statistic = 0;
  let cells = 0;
  for (let i = 0; i < a.length; i++) {
    const both = a[i]! + b[i]!;
    if (both === 0) continue;
    cells++;
    const ea = (both * n) / (n + m);
    const eb = (both * m) / (n + m);
    statistic += (a[i]! - ea) ** 2 / ea + (b[i]! - eb) ** 2 / eb;
  }
  return { statistic, df: cells - 1, p: tail(statistic, cells - 1), v: Math.sqrt(statistic / (n + m)), method: "chi-square, contingency" };
}
