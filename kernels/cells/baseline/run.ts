/** `baseline({ split, task, metric, using?, expect? })`: the number to beat (contracts 3). */
import type { RunContext } from "../../protocol/cells.js";
import type { BaselineOptions, BaselineResult } from "../../protocol/library.js";
import type { FindingView } from "../../protocol/output.js";
import { settle, type Evaluated, type Relation, type Row, type Split, type Task } from "../../protocol/values.js";
import { evaluate } from "../../stats/evaluate.js";
import { metricNamed, score } from "../../stats/metrics.js";
import { millis } from "../../stats/moments.js";
import { paired } from "../../stats/paired.js";
import { check } from "./options.js";
import { fitting, scaleOf, tryCandidates, type Candidate, type Using } from "./candidates.js";
import { schema } from "./cell.js";
import { barFigure, digits, forecastFigure } from "./figure.js";
import { given, judgingBy } from "./judging.js";
import { baselinePredictor } from "./predictor.js";
import { judgedRows, settled } from "./rows.js";
import { defaultMetric, metricsOf, resolveTask } from "./task.js";

/** Few test rows make any comparison a guess. */
const fewRows = 30;

export async function run<R extends object>(options: BaselineOptions<R>, context: RunContext): Promise<BaselineResult<R>> {
  const checked = check(schema, options, "baseline") as { metric?: string; using?: Using[]; expect?: number; task?: Task };
  const split = (await settled(options.split, "baseline")) as unknown as Split;
  for (const one of checked.using ?? []) if (typeof one === "object") await (one as { [settle]?(): Promise<void> })[settle]?.();
  const { task, said } = await resolveTask(checked.task, split);
  const name = checked.metric ?? defaultMetric(task);
  if (!metricsOf(task).includes(name))
    throw new RangeError(`Expected \`metric\` of a ${task.kind} task to be one of ${metricsOf(task).join(", ")}, got \`${name}\``);
  const scale = task.kind === "forecast" ? await scaleOf(split, task) : undefined;
  if (name === "MASE" && Number.isNaN(scale)) throw new RangeError("MASE needs training rows that change over a season; they do not: choose MAE");
  const metric = judgingBy(name, scale);
  const using = checked.using ?? fitting(task);
  context.progress({ label: "reading the test rows", done: 0, total: using.length, eta: null });
  const rows = await judgedRows(split, task);
  if (rows.ys.length === 0) throw new RangeError("the split has no test rows: nothing can be judged");
  const types = new Map((await (split.train as Relation<Row>).schema()).map((c) => [c.name, c.type]));
  const provenance = await context.provenance({ data: await (split.train as Relation<Row>).hash(), split: split.id });
  const seed = context.seed("intervals");
  const others = metricsOf(task)
    .filter((other) => other !== name && (other !== "MASE" || !Number.isNaN(scale)))
    .map((other) => metricNamed(other, scale));
  const found: { candidate: Candidate; evaluated: Evaluated; others: number[] }[] = [];
  await tryCandidates(using, split, task, rows.ys, context.seed("stratified"), async (candidate, done) => {
    const evaluation = evaluate(metric, rows.ys, candidate.predictions, { split: split.id, keys: rows.keys, seed, ...rows.dependence });
    const evaluated = candidate.given
      ? given(candidate.given, evaluation, split)
      : baselinePredictor(
          {
            label: candidate.label,
            state: candidate.state!,
            task,
            split,
            types,
            evaluation,
            ys: rows.ys,
            predictions: candidate.predictions,
            sample: candidate.sample,
            provenance,
          },
          context,
        );
    found.push({ candidate, evaluated, others: others.map((other) => score(other, rows.ys, candidate.predictions)) });
    context.progress({ label: `${candidate.label}, ${done} of ${using.length}`, done, total: using.length, eta: null });
    await context.breathe();
  });
  const sign = metric.better === "lower" ? 1 : -1;
  // ties keep the order asked for, so that the same notebook always has the same bar
  found.sort((a, b) => sign * (a.evaluated.evaluation.value - b.evaluated.evaluation.value) || 0);
  const best = found[0]!;
  const second = found[1];
  const bar = best.evaluated.evaluation;
  const n = bar.n;
  const few = n < fewRows;
  const unit = name === "accuracy" ? "" : task.kind === "forecast" || task.kind === "regression" ? ` of \`${task.target}\`` : "";
  let sentence = `The number to beat is ${digits(bar.value)} ${name}${unit} (${best.candidate.label})`;
  if (second) {
    const other = second.evaluated.evaluation;
    const gap = paired(bar, other, { seed, ...rows.dependence, ys: rows.ys, ps: [best.candidate.predictions, second.candidate.predictions] });
    sentence +=
      gap.p < 0.05
        ? `; next is ${second.candidate.label} with ${digits(other.value)}.`
        : `; ${second.candidate.label} is as good with ${digits(other.value)}.`;
  } else sentence += ".";
  if (checked.expect !== undefined) sentence += ` You expected ${digits(checked.expect)}.`;
  if (few) sentence = `Not enough data: ${n} test rows. ${sentence}`;
  // a bar that any constant reaches is no bar
  const flat = !few && rows.ys.every((y) => y === rows.ys[0]);
  if (flat) sentence = `Every test row has the same \`${task.target}\`: nothing can be told apart there, so this bar says nothing. ${sentence}`;
  const verdict = few || flat ? "unsure" : "good";
  const all = found.map((one) => one.evaluated);
  const figure = barFigure(all, best.evaluated, checked.expect);
  const figures = [figure];
  if (task.kind === "forecast" && !task.series) {
    const times = Float64Array.from((await (split.test as Relation<Row>).columns([task.time]))[task.time]!, millis);
    figures.push(
      forecastFigure(
        times,
        rows.ys,
        found.slice(0, 2).map(({ candidate }) => ({ label: candidate.label, values: candidate.predictions })),
        task.target,
        Math.max(28, 4 * task.season),
      ),
    );
  }
  const numbers: Record<string, number> = { bar: bar.value, low: bar.ci[0], high: bar.ci[1], n };
  for (const { candidate, evaluated } of found) numbers[candidate.label] = evaluated.evaluation.value;
  const view: FindingView = {
    kind: "baseline",
    sentence,
    verdict,
    word: few ? "not enough data" : flat ? "one value" : "number to beat",
    method: bar.method ?? "",
    numbers,
    figures,
    tables: [
      {
        title: "Baselines",
        columns: ["baseline", name, "low", "high", ...others.map((other) => other.name), "rows"],
        rows: found.map(({ candidate, evaluated: { evaluation: e }, others: values }) => [
          candidate.label,
          e.value,
          e.ci[0],
          e.ci[1],
          ...values.map((v) => (Number.isNaN(v) ? null : v)),
          e.n,
        ]),
      },
    ],
    warnings: said,
    footer: `Judged on the split's test rows (${n.toLocaleString("en")}); fitted on its training rows${task.kind === "forecast" ? `; rolling origin, ${task.horizon} step${task.horizon === 1 ? "" : "s"} ahead` : ""}`,
    next: [
      { label: "Train against this", type: "insert", kind: "train", source: "" },
      { label: "Promote it as version 1", type: "insert", kind: "promote", source: "" },
    ],
  };
  context.progress(null);
  context.show(view);
  return {
    ...{ sentence, verdict, method: view.method, numbers, figure, metric: name },
    bar: best.evaluated as unknown as Evaluated<R>,
    all: all as unknown as Evaluated<R>[],
    ...(checked.expect === undefined ? {} : { expect: checked.expect }),
  };
}
