import cdf from "@stdlib/stats-base-dists-normal-cdf";
import quantile from "@stdlib/stats-base-dists-normal-quantile";

const z = (p: number): number => quantile(p, 0, 1);

/**
 * Keys per arm for a two-sided test of equal arms at `alpha` with `power`: (z(1 - alpha/2) + z(power))^2 (v0 + v1) / delta^2, unpooled variances of control
 * and treatment (statistics.md; for means v0 = v1 gives 2 z^2 sigma^2 / delta^2). `ratio` is treatment keys per control key. Rounded up; control's count.
 */
export function keysPerArm(delta: number, v0: number, v1: number, alpha: number, power: number, ratio = 1): number {
  return Math.ceil(((z(1 - alpha / 2) + z(power)) ** 2 * (v0 + v1 / ratio)) / delta ** 2);
}

/** Variance of one answer of a share. */
export const shareVariance = (p: number): number => p * (1 - p);

/** Chance that a two-sided z test of `alpha` finds an effect `delta` with standard error `se`. */
export function powerOf(delta: number, se: number, alpha: number): number {
  const c = z(1 - alpha / 2);
  return 1 - cdf(c - delta / se, 0, 1) + cdf(-c - delta / se, 0, 1);
}

/** Smallest effect found with `power`: se (z(1 - alpha/2) + z(power)). */
export function smallestEffect(se: number, alpha: number, power: number): number {
  return se * (z(1 - alpha / 2) + z(power));
}
