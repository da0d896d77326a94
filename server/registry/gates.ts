/** The six gates as pure functions: all are judged, none short-circuits (contracts 5). */
import type { EvaluationFile } from "../../kernels/protocol/evaluation.js";
import type { JudgeReport } from "../../kernels/protocol/judge.js";
import type { Gate, VersionCard } from "../../kernels/protocol/serving.js";
import type { Budget, Manifest, Paired } from "../../kernels/protocol/values.js";
import { combine, metricOfStored, rowLosses, score } from "../../kernels/stats/metrics.js";
import { paired } from "../../kernels/stats/paired.js";
import type { Prediction } from "../../kernels/stats/types.js";
import type { Latency } from "./latency.js";

/** 11.24, 0.5123, 1,234: three or four figures that a person reads. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)));
}

const predictionsOf = (values: Float32Array, width: number, n: number): Prediction[] =>
  Array.from({ length: n }, (_, i) => (width === 1 ? values[i]! : values.subarray(i * width, (i + 1) * width)));

/** Improvement of the candidate, positive when better, with its interval. */
function gain(difference: Paired, better: "lower" | "higher"): { by: number; low: number; high: number } {
  const sign = better === "lower" ? -1 : 1;
  const ends = difference.ci.map((end) => sign * end).sort((a, b) => a - b);
  return { by: sign * difference.diff, low: ends[0]!, high: ends[1]! };
}

/** "25 % [23, 27]" of a value. */
function share(value: number, { by, low, high }: { by: number; low: number; high: number }): string {
  const percent = (x: number): string => {
    const size = Math.abs((100 * x) / value);
    return String(Number(((100 * x) / Math.abs(value)).toFixed(size >= 10 ? 0 : size >= 1 ? 1 : 2)));
  };
  return `${percent(by)} % [${percent(low)}, ${percent(high)}]`;
}

export interface BaselineJudgement {
  gate: Gate;
  candidate: number;
  baseline: number;
}

/** Better than the baseline: the lower end of the paired interval, computed again from evaluation.bin, is above the margin. */
export function baselineGate(evaluation: EvaluationFile, card: VersionCard, kind: Manifest["kind"], margin: number): BaselineJudgement {
  const { y, prediction, width, n, losses, baselineLosses, baselinePrediction, dependence, seed = 1 } = evaluation;
  const metric = metricOfStored(evaluation.metric, y, prediction, losses);
  const ps = predictionsOf(prediction, width, n);
  const label = card.baseline.label;
  const own = metric.row ? rowLosses(metric, y, ps) : losses;
  const candidate = metric.row ? combine(metric, own) : score(metric, y, ps);
  const gate = (verdict: Gate["verdict"], sentence: string, measured: number | null, difference?: Paired): Gate => ({
    ...{ name: "baseline", verdict, sentence, measured, limit: margin, unit: evaluation.metric },
    ...(difference ? { paired: difference } : {}),
  });
  if (Math.abs(candidate - evaluation.value) > 1e-6 * Math.max(1, Math.abs(evaluation.value)) + 1e-4 * Math.abs(evaluation.value))
    return {
      gate: gate(
        "fail",
        `the stored score ${figure(evaluation.value)} does not follow from the stored predictions, which give ${figure(candidate)}`,
        null,
      ),
      ...{ candidate, baseline: card.baseline.value },
    };
  const rivals = baselinePrediction ? predictionsOf(baselinePrediction, width, n) : null;
  if (metric.row ? baselineLosses.length !== n : rivals === null)
    return {
      gate: gate("fail", `the version holds no ${label} to compare with: evaluation.bin lacks it`, null),
      candidate,
      baseline: card.baseline.value,
    };
  const baseline = metric.row ? combine(metric, baselineLosses) : score(metric, y, rivals!);
  const rows = { ...evaluation, metric };
  const difference = paired(
    { ...rows, value: candidate, losses: own },
    { ...rows, value: baseline, losses: baselineLosses },
    { ...dependence, seed, ys: y, ...(rivals ? { ps: [ps, rivals] as [Prediction[], Prediction[]] } : {}) },
  );
  if (kind === "baseline" && own.length > 0 && baselineLosses.every((loss, i) => Math.abs(loss - losses[i]!) <= 1e-12))
    return { gate: gate("skip", `this is the baseline itself (${label}): there is nothing to beat`, 0, difference), candidate, baseline };
  const better = gain(difference, metric.better);
  const numbers = `${evaluation.metric} ${figure(candidate)} against ${figure(baseline)}`;
  const above = margin === 0 ? "" : ` (margin ${figure(margin)})`;
  if (better.low > margin) {
    const words = better.by > 0 ? `beats ${label} by ${share(baseline, better)}` : `within the margin of ${label}`;
    return { gate: gate("pass", `${words}: ${numbers}${above}`, better.low, difference), candidate, baseline };
  }
  const word = better.high < margin ? "does not beat" : "too close to call against";
  return {
    gate: gate("fail", `${word} ${label}: ${numbers}, improvement ${share(baseline, better)}${above}`, better.low, difference),
    candidate,
    baseline,
  };
}

/** How much worse than the incumbent is still "not worse": 1 % of its value. */
const tolerance = 0.01;

/** Not worse than the incumbent on rows that neither has trained on. */
export function incumbentGate(report: JudgeReport["incumbent"], metric: string, better: "lower" | "higher", champion: number | null): Gate {
  const gate = (
    verdict: Gate["verdict"],
    sentence: string,
    measured: number | null = null,
    limit: number | null = null,
    difference?: Paired,
  ): Gate => ({
    ...{ name: "incumbent", verdict, sentence, measured, limit, unit: metric },
    ...(difference ? { paired: difference } : {}),
  });
  if (champion === null) return gate("skip", "no version is in use yet");
  if (report === null) return gate("unsure", `version ${champion} could not be scored again: the test rows were not given`);
  if (report.paired === null || report.value === null) return gate("unsure", `version ${champion} cannot be compared: ${report.why}`);
  const allowed = -tolerance * Math.abs(report.value);
  const found = gain(report.paired, better);
  const numbers = `${metric} ${figure(report.candidate!)} against ${figure(report.value)} of version ${report.version}, ${report.n.toLocaleString("en-US")} rows (${report.why})`;
  if (found.low >= allowed)
    return gate("pass", `${found.low > 0 ? "better than" : "not worse than"} the incumbent: ${numbers}`, found.low, allowed, report.paired);
  if (found.high < 0 || found.by < allowed) return gate("fail", `worse than the incumbent: ${numbers}`, found.low, allowed, report.paired);
  return gate(
    "unsure",
    `too close to call against the incumbent: ${numbers}, improvement ${share(report.value, found)}`,
    found.low,
    allowed,
    report.paired,
  );
}

/** p99 and size within what was declared. */
export function budgetGate(budget: Budget, bytes: number, latency: Latency | null, problem: string | null): Gate {
  const gate = (verdict: Gate["verdict"], sentence: string, measured: number | null, limit: number | null, unit: string): Gate => ({
    ...{ name: "budget", verdict, sentence, measured, limit, unit },
  });
  const ms = budget.p99Ms ?? null;
  if (latency === null) return gate("fail", `latency could not be measured: ${problem ?? "the candidate did not start"}`, null, ms, "ms");
  const sized = (n: number): string => (n >= 1e6 ? `${figure(n / 1e6)} MB` : `${figure(n / 1e3)} kB`);
  const size = sized(bytes);
  if (budget.bytes !== undefined && bytes > budget.bytes)
    return gate("fail", `larger than allowed, ${size} of ${sized(budget.bytes)}`, bytes, budget.bytes, "bytes");
  const p99 = `p99 ${figure(latency.p99)} ms [${figure(latency.p99ci[0])}, ${figure(latency.p99ci[1])}]`;
  if (ms === null) return gate("pass", `no latency limit was set: ${p99}, ${size}`, latency.p99, null, "ms");
  // slow by its middle value: no jitter explains that
  if (latency.p50 > ms) return gate("fail", `slower than allowed, p99 ${figure(latency.p99)} ms of ${figure(ms)}`, latency.p99, ms, "ms");
  if (latency.jitter > ms / 3)
    return gate(
      "unsure",
      `this machine is too busy to judge: its own jitter is ${figure(latency.jitter)} ms of ${figure(ms)} allowed; ${p99}`,
      latency.p99,
      ms,
      "ms",
    );
  if (latency.p99 > ms) return gate("fail", `slower than allowed, p99 ${figure(latency.p99)} ms of ${figure(ms)}`, latency.p99, ms, "ms");
  return gate("pass", `${p99} of ${figure(ms)} ms, ${size}${budget.bytes === undefined ? "" : ` of ${sized(budget.bytes)}`}`, latency.p99, ms, "ms");
}

/** The declared input fits the test rows. */
export function signatureGate(report: JudgeReport | null, problem: string | null): Gate {
  const base = { name: "signature" as const, measured: report?.signature.problems.length ?? null, limit: 0, unit: "fields" };
  if (report === null) return { ...base, verdict: "fail", sentence: problem ?? "the judge gave no answer" };
  const { problems, upcasts } = report.signature;
  if (problems.length > 0) return { ...base, verdict: "fail", sentence: problems.slice(0, 3).join("; ") };
  if (report.rows === 0) return { ...base, verdict: "unsure", sentence: "no test rows were given to check the declared input against" };
  return {
    ...base,
    verdict: "pass",
    sentence: `the declared input fits the test rows${upcasts.length > 0 ? ` (safe upcasts: ${upcasts.join(", ")})` : ""}`,
  };
}

export interface FormParity {
  form: string;
  rows: number;
  largest: number;
  problem: string | null;
}

/** Same answers at the host's start, through each request form, and on the test rows. */
export function parityGate(
  host: { rows: number; largest: number; tolerance: number } | null,
  forms: FormParity[],
  rescored: JudgeReport["rescored"],
  vectors: boolean,
  problem: string | null,
): Gate {
  const base = { name: "parity" as const, limit: host?.tolerance ?? null, unit: "difference" };
  if (host === null) return { ...base, verdict: "fail", measured: null, sentence: problem ?? "the candidate did not start" };
  const largest = Math.max(host.largest, ...forms.map((form) => form.largest));
  const failed = forms.find((form) => form.problem !== null);
  if (failed) return { ...base, verdict: "fail", measured: largest, sentence: `${failed.form}: ${failed.problem}` };
  if (rescored && !rescored.sameRows)
    return {
      ...base,
      verdict: "fail",
      measured: largest,
      sentence: "the test rows are not those that the version was judged on: another order or other values",
    };
  if (rescored && rescored.differ > rescored.rows * 0.001)
    return {
      ...{ ...base, verdict: "fail", measured: rescored.largest },
      sentence: `${rescored.differ.toLocaleString("en-US")} of ${rescored.rows.toLocaleString("en-US")} test rows are answered otherwise than in training (largest difference ${rescored.largest.toPrecision(2)})`,
    };
  const within = (difference: number): string => (difference === 0 ? "equal" : `within ${difference.toPrecision(1)}`);
  const rows = rescored ? `, ${rescored.rows.toLocaleString("en-US")} test rows ${within(rescored.largest)}` : "";
  return {
    ...{ ...base, verdict: "pass", measured: largest },
    sentence: `${host.rows} records: ${vectors ? "vectors bit-equal, " : ""}predictions ${within(largest)} in ${forms.length} request forms${rows}`,
  };
}

/** What the model should not know: the target among the inputs, rows of the test part in training, an input that says it all. */
export function leakageGate(report: JudgeReport | null, problem: string | null): Gate {
  const found = report?.leakage ?? null;
  const base = { name: "leakage" as const, measured: found?.single?.score ?? null, limit: 0.995, unit: found?.single?.measure ?? "AUC" };
  if (found === null)
    return { ...base, verdict: report === null ? "fail" : "unsure", sentence: problem ?? "no test rows were given to look for leakage" };
  if (found.target) return { ...base, verdict: "fail", sentence: `the target \`${found.target}\` is one of the inputs` };
  if (found.overlap !== null && found.overlap > 0)
    return {
      ...base,
      verdict: "fail",
      measured: found.overlap,
      limit: 0,
      unit: "keys",
      sentence: `${found.overlap.toLocaleString("en-US")} keys are in the training rows and in the test rows`,
    };
  if (found.late !== null && found.late > 0)
    return {
      ...base,
      verdict: "fail",
      measured: found.late,
      limit: 0,
      unit: "rows",
      sentence: `${found.late.toLocaleString("en-US")} training rows are as late as the test rows`,
    };
  if (found.single && found.single.score > 0.995)
    return {
      ...base,
      verdict: "fail",
      sentence: `\`${found.single.field}\` alone tells the target (${found.single.measure} ${found.single.score.toFixed(4)}): it may be known only afterwards`,
    };
  const best = found.single
    ? `; the strongest single input is \`${found.single.field}\` (${found.single.measure} ${found.single.score.toFixed(2)})`
    : "";
  return {
    ...base,
    verdict: "pass",
    sentence: `${found.overlap === null ? "no single input tells the target" : "no key is in both training and test"}${best}`,
  };
}

/** A busy machine alone does not stop a promotion: its sentence says so and a person decides. Everything else must pass or not apply. */
export function passes(gates: Gate[]): boolean {
  return gates.every((gate) => gate.verdict === "pass" || gate.verdict === "skip" || (gate.name === "budget" && gate.verdict === "unsure"));
}

/** The proposal in one sentence: what it beats, or which gate failed and by how much. */
export function summary(gates: Gate[]): string {
  const failed = gates.find((gate) => gate.verdict === "fail") ?? gates.find((gate) => gate.verdict === "unsure" && gate.name !== "budget");
  if (failed) return `Not promoted: ${failed.name} gate, ${failed.sentence}. Nothing was changed.`;
  const count = gates.filter((gate) => gate.verdict === "pass").length;
  const doubt = gates.some((gate) => gate.verdict === "unsure") ? ` (${gates.find((gate) => gate.verdict === "unsure")!.sentence})` : "";
  return `Ready: passes ${count === gates.length ? "six gates" : `the ${count} gates that apply`}; ${gates[0]!.sentence}${doubt}.`;
}
