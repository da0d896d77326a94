/**
 * Asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2021, Theorem 2.2; GrowthBook's form): an interval that holds at all looks
 * together, so that a test may be read every day. N counts the keys of both arms; `tuned` is the N at which the interval is tightest.
 */
export function sequentialRho(alpha: number, tuned = 5000): number {
  return Math.sqrt((-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / tuned);
}

/** Half-width of the interval around an estimate with standard error `se` after N keys. */
export function sequentialHalf(se: number, n: number, alpha: number, tuned = 5000): number {
  const r2 = sequentialRho(alpha, tuned) ** 2;
  return se * Math.sqrt(n) * Math.sqrt(((2 * (n * r2 + 1)) / (n * n * r2)) * Math.log(Math.sqrt(n * r2 + 1) / alpha));
}

/** p-value that stays valid however often it is read: min(1, 1 / E) of the Gaussian mixture. */
export function sequentialP(estimate: number, se: number, n: number, alpha: number, tuned = 5000): number {
  const r2 = sequentialRho(alpha, tuned) ** 2;
  const s = n * (estimate / se) ** 2;
  return Math.min(1, Math.exp(-(r2 * s) / (2 * (n * r2 + 1))) * Math.sqrt(n * r2 + 1));
}
