/** Predictors of a distillation beside each other: what each is worth and costs. */
import type { FindingView } from "../../protocol/output.js";
import type { Answers } from "../../models/predictor.js";
import type { Budget, Evaluation, Paired, Predictor } from "../../protocol/values.js";
import { wilson } from "../../stats/wilson.js";
import { digits } from "../baseline/figure.js";
import type { Point } from "./figure.js";
import type { Latency } from "./latency.js";

/** One predictor as it was judged. */
export interface Judged {
  predictor: Predictor;
  role: Point["role"];
  hidden: number | number[] | null;
  answers: Answers;
  evaluation: Evaluation;
  against: Paired;
  errors: number | null;
  fidelity: number;
  kl: number | null;
  latency: Latency;
}

/** What of the budget is exceeded, in words. */
export function over({ predictor, latency }: Pick<Judged, "predictor" | "latency">, budget: Budget): string[] {
  const out: string[] = [];
  if (budget.p99Ms !== undefined && latency.p99 > budget.p99Ms) out.push(`p99 ${digits(latency.p99)} ms of ${digits(budget.p99Ms)}`);
  if (budget.bytes !== undefined && predictor.bytes > budget.bytes) out.push(`${bytes(predictor.bytes)} of ${bytes(budget.bytes)}`);
  return out;
}

export function bytes(n: number): string {
  return n >= 1e6 ? `${(n / 1e6).toFixed(1)} MB` : n >= 1e3 ? `${(n / 1e3).toFixed(0)} kB` : `${n} bytes`;
}

/** The table of the finding. */
export function sideBySide(found: Judged[], chosen: Judged, metric: string): FindingView["tables"][number] {
  return {
    title: "Side by side",
    columns: [
      "predictor",
      metric,
      "low",
      "high",
      "errors",
      "errors low",
      "errors high",
      "weights",
      "bytes",
      "p50 ms",
      "p99 ms",
      "answers/s",
      "as teacher",
      "KL",
    ],
    rows: found.map((one) => {
      const n = one.evaluation.n;
      const interval = one.errors === null ? null : wilson(one.errors, n);
      return [
        one === chosen ? `${one.predictor.label} (chosen)` : one.role === "teacher" ? `${one.predictor.label} (teacher)` : one.predictor.label,
        ...[one.evaluation.value, one.evaluation.ci[0], one.evaluation.ci[1]],
        ...(interval ? [one.errors! / n, interval[0], interval[1]] : [null, null, null]),
        ...[one.predictor.params, one.predictor.bytes, one.latency.p50, one.latency.p99, Math.round(one.latency.throughput), one.fidelity, one.kl],
      ];
    }),
  };
}
