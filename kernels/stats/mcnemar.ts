import { binomialTest } from "./binomial.js";
import chiCdf from "@stdlib/stats-base-dists-chisquare-cdf";

/**
 * McNemar's test of paired right/wrong answers: `b` rows only the first got right, `c` only the second (statsmodels mcnemar). Exact binomial up to 1,000
 * differing rows, else chi-square with Edwards' continuity correction.
 */
export function mcnemar(b: number, c: number): { p: number; method: string } {
  const n = b + c;
  if (n === 0) return { p: 1, method: "McNemar, no row differs" };
  if (n <= 1000) return { p: binomialTest(Math.min(b, c), n).p, method: "McNemar, exact" };
  const x = (Math.abs(b - c) - 1) ** 2 / n;
  return { p: 1 - chiCdf(x, 1), method: "McNemar, chi-square with continuity correction" };
}
