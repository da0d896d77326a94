import cdf from "@stdlib/stats-base-dists-normal-cdf";
import quantile from "@stdlib/stats-base-dists-normal-quantile";

/** Two shares by the pooled z test (statsmodels proportions_ztest); the interval of the difference b - a is unpooled (Wald). */
export function twoProportions(
  ka: number,
  na: number,
  kb: number,
  nb: number,
  alpha = 0.05,
): { diff: number; z: number; p: number; ci: [number, number]; method: string } {
  const pa = ka / na;
  const pb = kb / nb;
  const pool = (ka + kb) / (na + nb);
  const se = Math.sqrt(pool * (1 - pool) * (1 / na + 1 / nb));
  const diff = pb - pa;
  const z = se === 0 ? 0 : diff / se;
  const half = quantile(1 - alpha / 2, 0, 1) * Math.sqrt((pa * (1 - pa)) / na + (pb * (1 - pb)) / nb);
  return { diff, z, p: 2 * cdf(-Math.abs(z), 0, 1), ci: [diff - half, diff + half], method: "two-proportion z, pooled" };
}
