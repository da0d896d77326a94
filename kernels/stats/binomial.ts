import cdf from "@stdlib/stats-base-dists-binomial-cdf";
import betaQuantile from "@stdlib/stats-base-dists-beta-quantile";

/** Exact two-sided binomial test of k of n against p: the sum of all outcomes no likelier than k (R binom.test, scipy binomtest). */
export function binomialTest(k: number, n: number, p = 0.5): { p: number; method: string } {
  const method = "exact binomial";
  if (n === 0 || p <= 0 || p >= 1) return { p: n === 0 || k === n * p ? 1 : 0, method };
  const d = logMass(k, n, p) + Math.log1p(1e-7);
  const mean = n * p;
  if (k === mean) return { p: 1, method };
  if (k < mean) {
    // first i above the mean that is no likelier than k: the mass falls there, so bisect
    let low = Math.ceil(mean);
    let high = n + 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (logMass(middle, n, p) <= d) high = middle;
      else low = middle + 1;
    }
    return { p: Math.min(1, cdf(k, n, p) + (low > n ? 0 : cdf(n - low, n, 1 - p))), method };
  }
  let low = -1;
  let high = Math.floor(mean);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (logMass(middle, n, p) <= d) low = middle;
    else high = middle - 1;
  }
  return { p: Math.min(1, (low < 0 ? 0 : cdf(low, n, p)) + (k === 0 ? 1 : cdf(n - k, n, 1 - p))), method };
}

/** ln of the binomial probability of k of n, by Stirling's series for the factorials (error under 1e-12). */
function logMass(k: number, n: number, p: number): number {
  return lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k) + (k === 0 ? 0 : k * Math.log(p)) + (k === n ? 0 : (n - k) * Math.log1p(-p));
}

const small: number[] = [0];
function lnFactorial(n: number): number {
  if (n < 0) return Infinity;
  while (small.length <= Math.min(n, 255)) small.push(small.at(-1)! + Math.log(small.length));
  if (n < 256) return small[n]!;
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3);
}

/** Clopper and Pearson's exact interval of a share (1934; statsmodels proportion_confint "beta"). */
export function clopperPearson(k: number, n: number, level = 0.95): [number, number] {
  const a = (1 - level) / 2;
  return [k === 0 ? 0 : betaQuantile(a, k, n - k + 1), k === n ? 1 : betaQuantile(1 - a, k + 1, n - k)];
}
