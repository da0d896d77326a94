import quantile from "@stdlib/stats-base-dists-chisquare-quantile";
import cdf from "@stdlib/stats-base-dists-chisquare-cdf";

const total = (counts: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
};

/**
 * Population stability index of two lists of counts or shares over the same bins: the sum of (r - c) ln(r / c). An empty share becomes 0.0001 (Evidently's
 * rule), or a tenth of an observation where that is smaller; shares are not renormalised.
 */
export function psi(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const n = total(reference);
  const m = total(current);
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    if (reference[i] === 0 && current[i] === 0) continue;
    const r = reference[i] === 0 ? empty(n) : reference[i]! / n;
    const c = current[i] === 0 ? empty(m) : current[i]! / m;
    sum += (r - c) * Math.log(r / c);
  }
  return sum;
}

const empty = (n: number): number => (n > 1000 ? Math.min(0.0001, 0.1 / n) : 0.0001);

/** Rule of thumb: below 0.1 stable, to 0.25 watch, above act. It alarms falsely on small samples: see `psiLimit`. */
export const psiRule = { watch: 0.1, act: 0.25 };

/** The PSI that chance alone stays under with probability 1 - alpha: (1/n + 1/m) times the chi-square quantile of B - 1 (pypi.org/project/iyipada). */
export function psiLimit(n: number, m: number, bins: number, alpha = 0.05): number {
  return bins < 2 ? 0 : (1 / n + 1 / m) * quantile(1 - alpha, bins - 1);
}

/** Chance of a PSI at least this large when nothing changed, by the same approximation. */
export function psiP(value: number, n: number, m: number, bins: number): number {
  return bins < 2 ? 1 : Math.max(0, 1 - cdf(value / (1 / n + 1 / m), bins - 1));
}
