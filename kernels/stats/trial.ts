/** Simulated A/B tests: champion against challenger, aggregated by look, so that thousands of tests take about a second. */
import quantile from "@stdlib/stats-base-dists-normal-quantile";
import { binomialDraw } from "./draw.js";
import { rng, type Rng } from "./rng.js";
import { sequentialHalf } from "./sequential.js";

export type Outcome = { kind: "proportion"; rate: number } | { kind: "mean"; mean: number; sd: number };

export interface Design {
  outcome: Outcome;
  /** shares of control and treatment */
  arms: [number, number];
  /** keys of both arms at each look, cumulative and rising; the last is the planned end */
  looks: number[];
  alpha: number;
}

/** What one simulated test showed under each rule; looks count from 0, -1 = never. */
export interface Trial {
  /** estimate and rejection at the planned end */
  once: { reject: boolean; estimate: number };
  /** the fixed test read at every look */
  peeking: { look: number; estimate: number };
  /** the confidence sequence read at every look */
  sequential: { look: number; estimate: number };
  /** estimate at the end */
  last: number;
}

/** Runs one test. `lift` is relative to control; estimates are absolute differences, treatment - control. */
function trial(design: Design, lift: number, random: Rng): Trial {
  const { outcome, arms, looks, alpha } = design;
  const z = quantile(1 - alpha / 2, 0, 1);
  const tuned = looks.at(-1)!;
  const n = [0, 0];
  const sum = [0, 0];
  const squares = [0, 0];
  const out: Trial = { once: { reject: false, estimate: 0 }, peeking: { look: -1, estimate: 0 }, sequential: { look: -1, estimate: 0 }, last: 0 };
  for (let k = 0; k < looks.length; k++) {
    for (const arm of [0, 1] as const) {
      const now = Math.round(looks[k]! * arms[arm]);
      const more = now - n[arm]!;
      n[arm] = now;
      const factor = arm === 1 ? 1 + lift : 1;
      if (outcome.kind === "proportion") sum[arm]! += binomialDraw(more, outcome.rate * factor, random);
      else if (more > 0) {
        // the sum of `more` normal answers, and their sum of squares about the true mean (chi-square by its normal limit)
        const mean = outcome.mean * factor;
        const deviation = outcome.sd * Math.sqrt(more) * random.normal();
        sum[arm]! += more * mean + deviation;
        squares[arm]! += outcome.sd ** 2 * Math.max(0.5 * more, more + Math.sqrt(2 * more) * random.normal());
      }
    }
    if (n[0]! < 2 || n[1]! < 2) continue;
    const variance = (arm: 0 | 1): number => {
      const mean = sum[arm]! / n[arm]!;
      if (outcome.kind === "proportion") return mean * (1 - mean);
      return squares[arm]! / n[arm]!;
    };
    const estimate = sum[1]! / n[1]! - sum[0]! / n[0]!;
    const se = Math.sqrt(variance(0) / n[0]! + variance(1) / n[1]!);
    const reject = se > 0 && Math.abs(estimate) > z * se;
    if (reject && out.peeking.look < 0) out.peeking = { look: k, estimate };
    if (se > 0 && out.sequential.look < 0 && Math.abs(estimate) > sequentialHalf(se, n[0]! + n[1]!, alpha, tuned))
      out.sequential = { look: k, estimate };
    if (k === looks.length - 1) {
      out.once = { reject, estimate };
      out.last = estimate;
    }
  }
  return out;
}

/** `count` simulated tests with the given true lift; the same seed gives the same tests. */
export function trials(design: Design, lift: number, count: number, seed: number): Trial[] {
  const random = rng(seed);
  return Array.from({ length: count }, () => trial(design, lift, random));
}

/** A share with its standard error. */
export function shareOf(hits: number, n: number): { value: number; se: number } {
  const value = hits / n;
  return { value, se: Math.sqrt((value * (1 - value)) / n) };
}

/** Mean with its standard error; NaN on none. */
export function meanOf(values: number[]): { value: number; se: number } {
  const n = values.length;
  const value = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((a, b) => a + (b - value) ** 2, 0) / Math.max(1, n - 1);
  return { value, se: Math.sqrt(variance / n) };
}

/** Median with a standard error from its order statistics: half the width between the ranks n/2 -+ sqrt(n)/2. */
export function medianOf(values: number[]): { value: number; se: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const rank = (x: number): number => sorted[Math.min(n - 1, Math.max(0, Math.round(x)))]!;
  const reach = Math.sqrt(n) / 2;
  return { value: (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2, se: (rank(n / 2 + reach) - rank(n / 2 - reach)) / 2 };
}

/**
 * Chance that the sequential test finds an effect of `theta` = effect / standard error at the planned end, from simulated Brownian paths at the given shares of
 * the information (rising to 1); the same paths for each theta, so that the curve is smooth and rising.
 */
export function sequentialPower(thetas: number[], information: number[], alpha: number, count: number, seed: number): number[] {
  const random = rng(seed);
  // scale-free: with N tuned to the end, the limit at information t in units of the standard error is that of n = t tuned
  const n = 5000;
  const limits = information.map((t) => sequentialHalf(1, t * n, alpha, n));
  const hits = thetas.map(() => 0);
  const path = new Float64Array(information.length);
  for (let s = 0; s < count; s++) {
    let b = 0;
    let before = 0;
    information.forEach((t, k) => {
      b += Math.sqrt(t - before) * random.normal();
      before = t;
      path[k] = b / Math.sqrt(t);
    });
    thetas.forEach((theta, i) => {
      for (let k = 0; k < path.length; k++)
        if (path[k]! + theta * Math.sqrt(information[k]!) > limits[k]!) {
          hits[i]!++;
          break;
        }
    });
  }
  return hits.map((hit) => hit / count);
}
