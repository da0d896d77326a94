/** One sentence on a model against the bar, from their paired comparison. */
import type { Evaluation, Paired } from "../../protocol/values.js";
import { verdictOf } from "../../stats/paired.js";
import { digits } from "../baseline/figure.js";

export interface Verdict {
  sentence: string;
  verdict: "good" | "bad" | "unsure";
  word: "beats" | "does not beat" | "too close to call" | "not enough data";
  /** gain over the bar, above zero is better: share of the bar's value, or for metrics where higher is better the plain difference; with its interval */
  gain: { value: number; ci: [number, number]; text: string };
}

/** Fewer test rows than this decide nothing. */
const FEW = 30;

export function compare(evaluation: Evaluation, bar: { label: string; evaluation: Evaluation }, against: Paired): Verdict {
  const { metric, value, n } = evaluation;
  const rival = bar.evaluation.value;
  const lower = metric.better === "lower";
  const relative = lower && rival !== 0;
  const unit = relative ? Math.abs(rival) : 1;
  const sign = lower ? -1 : 1;
  const ends = [(sign * against.ci[0]) / unit, (sign * against.ci[1]) / unit].sort((a, b) => a - b) as [number, number];
  const gain = (sign * against.diff) / unit;
  // shares in percent, accuracy in points, the rest as it is
  const scaled = relative || metric.name === "accuracy";
  const show = (v: number) => (scaled ? (100 * v).toFixed(Math.abs(100 * v) < 10 ? 1 : 0) : digits(v));
  const by = `${show(gain)}${relative ? " %" : metric.name === "accuracy" ? " points" : ""} [${show(ends[0])}, ${show(ends[1])}]`;
  const percent = (v: number) => (metric.name === "accuracy" ? `${(100 * v).toFixed(2)} %` : digits(v));
  const both = `${metric.name} ${percent(value)} against ${percent(rival)}`;
  const word = n < FEW ? "not enough data" : verdictOf(against, metric.better);
  const sentence =
    word === "beats"
      ? `Beats ${bar.label} by ${by}: ${both}.`
      : word === "does not beat"
        ? `Does not beat ${bar.label}: ${both}; do not ship.`
        : word === "too close to call"
          ? `Too close to call against ${bar.label}: ${both}, a gain of ${by}; more test rows would decide.`
          : `Not enough data: ${n} test rows. Against ${bar.label}: ${both}, a gain of ${by}.`;
  return {
    sentence,
    verdict: word === "beats" ? "good" : word === "does not beat" ? "bad" : "unsure",
    word,
    gain: { value: gain, ci: ends, text: by },
  };
}
