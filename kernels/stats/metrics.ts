/**
 * The metrics by name. How rows combine: `row` gives one number a row; the value is the mean of the rows, or with `root` the square root of that mean
 * (RMSE: rows are squared errors). `accuracy` rows are 1 for right and 0 for wrong, so their mean is the accuracy. AUC has no rows: it is `all` only.
 */
import { auc } from "./auc.js";
import type { Metric, Prediction } from "./types.js";

export type MetricName = "log loss" | "accuracy" | "AUC" | "RMSE" | "MAE" | "sMAPE" | "MASE";

/** The class that a prediction names: the likeliest, the first of equals; binary is positive above one half. */
export function classOf(p: Prediction): number {
  if (typeof p === "number") return p > 0.5 ? 1 : 0;
  let best = 0;
  for (let i = 1; i < p.length; i++) if (p[i]! > p[best]!) best = i;
  return best;
}

const eps64 = 2 ** -52;
const eps32 = 2 ** -23;
const scalar = (p: Prediction): number => (typeof p === "number" ? p : p[0]!);

/** -ln of the probability given to what happened, clipped to [eps, 1 - eps] with the machine epsilon of the number's type, as scikit-learn's log_loss does. */
function logLoss(y: number, p: Prediction): number {
  if (typeof p !== "number") return -Math.log(Math.min(1 - eps32, Math.max(eps32, p[y]!)));
  const q = Math.min(1 - eps64, Math.max(eps64, p));
  return y > 0.5 ? -Math.log(q) : -Math.log1p(-q);
}

/** M4's symmetric error of a row in percent: 200 |y - p| / (|y| + |p|), zero when both are zero. */
function symmetric(y: number, p: Prediction): number {
  const sum = Math.abs(y) + Math.abs(scalar(p));
  return sum === 0 ? 0 : (200 * Math.abs(y - scalar(p))) / sum;
}

/** Mean absolute error in units of the training series' own seasonal step (Hyndman, Koehler 2006); `scale` from `maseScale`. */
export function mase(scale: number): Metric {
  return { name: "MASE", better: "lower", row: (y, p) => Math.abs(y - scalar(p)) / scale };
}

/**
 * Mean |y_t - y_{t-m}| of the training series, in time order; the denominator of MASE. Rows of several series are passed one series after the other with
 * their lengths, and pooled. NaN when the series has no more than `season` rows or never changes.
 */
export function maseScale(y: ArrayLike<number>, season: number, lengths: number[] = [y.length]): number {
  let sum = 0;
  let n = 0;
  let start = 0;
  for (const length of lengths) {
    for (let i = start + season; i < start + length; i++) {
      sum += Math.abs(y[i]! - y[i - season]!);
      n++;
    }
    start += length;
  }
  return n === 0 || sum === 0 ? NaN : sum / n;
}

/** Every metric by its name. MASE without a scale gives NaN rows: make it by `metricNamed("MASE", scale)`. */
export const metrics: Record<MetricName, Metric> = {
  "log loss": { name: "log loss", better: "lower", row: logLoss },
  accuracy: { name: "accuracy", better: "higher", row: (y, p) => (classOf(p) === y ? 1 : 0) },
  AUC: { name: "AUC", better: "higher", all: auc },
  RMSE: { name: "RMSE", better: "lower", row: (y, p) => (y - scalar(p)) ** 2, root: true },
  MAE: { name: "MAE", better: "lower", row: (y, p) => Math.abs(y - scalar(p)) },
  sMAPE: { name: "sMAPE", better: "lower", row: symmetric },
  MASE: mase(NaN),
};

export const metricNames = Object.keys(metrics) as MetricName[];

/** The metric of that name; MASE needs its scale. Throws on an unknown name, listing those that exist. */
export function metricNamed(name: string, scale?: number): Metric {
  if (name === "MASE" && scale !== undefined) return mase(scale);
  const metric = (metrics as Record<string, Metric>)[name];
  if (!Object.hasOwn(metrics, name) || !metric) throw new RangeError(`Expected \`metric\` to be one of ${metricNames.join(", ")}, got \`${name}\``);
  return metric;
}

/** The metric of a stored evaluation: MASE finds its scale again from one row with an error. */
export function metricOfStored(name: string, y: ArrayLike<number>, p: ArrayLike<number>, losses: ArrayLike<number>): Metric {
  if (name !== "MASE") return metricNamed(name);
  let error = 0;
  let loss = 0;
  for (let i = 0; i < losses.length; i++) {
    error += Math.abs(y[i]! - p[i]!);
    loss += losses[i]!;
  }
  // a forecast without any error says nothing of the scale; its losses are 0 on every one
  return mase(error === 0 ? 1 : error / loss);
}

/** Row scores of a metric; empty for set metrics. */
export function rowLosses(metric: Metric, ys: ArrayLike<number>, ps: ArrayLike<Prediction>): Float64Array {
  const row = metric.row;
  if (!row) return new Float64Array(0);
  const out = new Float64Array(ys.length);
  for (let i = 0; i < out.length; i++) out[i] = row(ys[i]!, ps[i]!);
  return out;
}

/** Row scores to the metric's value. */
export function combine(metric: Metric, losses: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < losses.length; i++) sum += losses[i]!;
  const mean = sum / losses.length;
  return metric.root ? Math.sqrt(mean) : mean;
}

/** The value alone, without an interval. */
export function score(metric: Metric, ys: ArrayLike<number>, ps: ArrayLike<Prediction>): number {
  return metric.row ? combine(metric, rowLosses(metric, ys, ps)) : metric.all!(ys, ps);
}
