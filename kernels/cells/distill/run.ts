/** `distill({ teacher, split, against, students ... })`: small networks that learn from a large one, under a budget (contracts 3). */
import type { RunContext } from "../../protocol/cells.js";
import type { DistillOptions, DistillResult } from "../../protocol/library.js";
import type { FindingView } from "../../protocol/output.js";
import { type Budget, type Evaluated, type Evaluation, type Predictor, type Relation, type Split } from "../../protocol/values.js";
import { buildNetwork } from "../../models/build.js";
import { fit, outputs } from "../../models/fit.js";
import { answersOf, asPredictions, evaluateAnswers, evaluated, innerOf, modelPredictor, type Answers } from "../../models/predictor.js";
import { holding, type Hold } from "../../models/vectors.js";
import { metricNamed, score } from "../../stats/metrics.js";
import { paired } from "../../stats/paired.js";
import type { Metric } from "../../stats/types.js";
import { loadBackend } from "../../tensors/backend.js";
import { derive } from "../../tensors/seeds.js";
import { digits } from "../baseline/figure.js";
import { check } from "../baseline/options.js";
import { settled } from "../baseline/rows.js";
import { resolveTask } from "../baseline/task.js";
import { sketchRelation } from "../drift/sketch.js";
import { curveFigure, type Curve } from "../train/figure.js";
import { createMeter } from "../train/meter.js";
import { barOf, onSameRows, outcomeOf, readTables, scaleOf } from "../train/tables.js";
import { compare } from "../train/verdict.js";
import { schema } from "./cell.js";
import { costFigure, type Point } from "./figure.js";
import { latencyOf } from "./latency.js";
import { bytes, over, sideBySide, type Judged } from "./judged.js";
import { agreement, errorsOf, logitsOf, withTransfer } from "./teach.js";
import { teacherOf, transferOf } from "./teacher.js";
import { worthOf } from "./worth.js";

interface Checked {
  students: (number | number[])[];
  temperature: number;
  alpha: number;
  epochs: number;
  batch?: number;
  budget: Budget;
  seed?: number;
}

export function run<R extends object>(options: DistillOptions<R>, context: RunContext): Promise<DistillResult<R>> {
  return holding((hold) => distil(options, context, hold));
}

async function distil<R extends object>(options: DistillOptions<R>, context: RunContext, hold: Hold): Promise<DistillResult<R>> {
  const checked = check(schema, options, "distill") as Checked;
  const started = Date.now();
  const split = (await settled(options.split, "distill")) as unknown as Split;
  const { teacher, features } = await teacherOf(options.teacher as never);
  const bar = await barOf(options.against as never, "distill");
  const { task, said } = await resolveTask(teacher.task, split);
  if (bar.task.target !== task.target)
    throw new RangeError(`the teacher answers \`${task.target}\`, the baseline \`${bar.task.target}\`: give both the same task`);
  const { metric } = bar.evaluation as unknown as { metric: Metric };
  const outcome = outcomeOf(task);
  const loss = outcome !== "regression" ? "log" : metric.name === "RMSE" ? "squared" : "absolute";
  const provenance = await context.provenance({ data: await split.train.hash(), split: split.id });
  const seed = checked.seed ?? context.seed("distill");
  const { tf, name: backend, device } = await loadBackend();
  const say = (label: string) => context.progress({ label, done: 0, total: null, eta: null });
  const tables = await readTables(split, task, features, {}, { say, hold });
  const ruled = onSameRows(bar, split, tables.judged);
  const warnings = [...said, ...tables.warnings];
  const scale = outcome === "regression" ? scaleOf(tables.train.y) : undefined;
  const classes = task.kind === "multiclass" ? (task.classes?.length ?? 0) : 2;

  say("asking the teacher");
  const breathe = () => context.breathe();
  const own = innerOf(teacher);
  const testAnswers = own ? await own.answers(tables.test.x, tables.test.rows) : await answersOf(teacher, split.test, breathe);
  const trainAnswers = own ? await own.answers(tables.train.x, tables.train.rows) : await answersOf(teacher, split.train, breathe);
  const learned = { ...trainAnswers, values: trainAnswers.values.subarray(0, tables.train.rows * trainAnswers.width) };
  const lesson = withTransfer(
    tables.train,
    logitsOf(learned, outcome, scale),
    checked.alpha,
    await transferOf(options.transfer, teacher, features, outcome, scale, { breathe, hold }),
  );

  const barValues = metric.row && metric.name === unitOf(loss) ? null : await answersOf(bar, split.test, breathe);
  const barPredictions = barValues && asPredictions(barValues.values, barValues.width, task);
  const barInUnit = metric.name === unitOf(loss) ? ruled.value : score(metricNamed(unitOf(loss)), tables.judged.ys, barPredictions!);
  const records = (await split.test.rows(200)) as object[];
  const judging = { split, metric, judged: tables.judged, seed: context.seed("intervals") };
  const reference = { columns: features.fields.map((field) => field.name), target: task.target };
  const sketch = (relation: Relation, columns: typeof reference) => sketchRelation(context, relation, columns);

  const judge = async (predictor: Predictor, role: Point["role"], hidden: Judged["hidden"], answers: Answers): Promise<Judged> => {
    const evaluation = evaluateAnswers(task, { ...judging, answers });
    const against = paired(evaluation as never, ruled as never, {
      seed: judging.seed,
      ...tables.judged.dependence,
      ...(barPredictions ? { ys: tables.judged.ys, ps: [asPredictions(answers.values, answers.width, task), barPredictions] } : {}),
    });
    const latency = await latencyOf(predictor, records, context);
    return {
      predictor,
      role,
      hidden,
      answers,
      evaluation,
      against,
      errors: errorsOf(answers, tables.judged.ys, task),
      ...agreement(testAnswers, answers, task),
      latency,
    };
  };

  const curves: Curve = {
    unit: unitOf(loss),
    loss: [],
    valLoss: [],
    bar: { label: bar.label, value: barInUnit, rows: "test" },
    best: 0,
    epochs: checked.epochs,
  };
  const footer = () =>
    `seed ${seed} · temperature ${checked.temperature}, weight of the teacher ${checked.alpha} · trained on ${lesson.table.rows.toLocaleString("en")} rows, judged on ${tables.judged.ys.length.toLocaleString("en")} · ${backend} (${device}) · ${((Date.now() - started) / 1000).toFixed(1)} s`;
  const live = (name: string) =>
    context.show({
      ...{ kind: "distill", verdict: "unsure", word: "training", method: "", numbers: {}, tables: [], warnings, next: [] },
      sentence:
        curves.valLoss.length === 0
          ? `Training ${name}.`
          : `${name}: epoch ${curves.valLoss.length} of ${checked.epochs}, validation ${curves.unit} ${digits(curves.valLoss.at(-1)!)}.`,
      figures: [curveFigure(curves)],
      footer: footer(),
    });

  const releases: (() => void)[] = [];
  try {
    const found: Judged[] = [await judge(teacher, "teacher", null, testAnswers)];
    for (const hidden of checked.students) {
      for (const role of ["scratch", "student"] as const) {
        const size = [hidden].flat().join("-");
        const name = role === "student" ? `student ${size}` : `${size} from scratch`;
        Object.assign(curves, { loss: [], valLoss: [], best: 0 });
        live(name);
        // the same first weights and order of rows for both: they differ by what they are taught alone
        const own = derive(seed, size);
        const network = buildNetwork(tf, { model: hidden, width: features.width, outcome, classes, seed: own, ...(scale ? { scale } : {}) });
        releases.push(() => network.answer.dispose());
        const taught = role === "student" ? lesson.table : tables.train;
        const meter = createMeter(context, taught.rows, `${name}: `);
        const result = await fit(tf, network, {
          ...{ train: taught, valid: tables.valid, outcome, loss, epochs: checked.epochs, seed: own, signal: context.signal, breathe },
          batch: checked.batch ?? 128,
          patience: Math.max(3, Math.ceil(checked.epochs / 4)),
          ...(scale ? { scale } : {}),
          ...(role === "student" ? { soft: { logits: lesson.logits, temperature: checked.temperature, alpha: lesson.alpha } } : {}),
          // small networks stand larger steps: at 0.001 an MLP 32 on MNIST was far from done after ten epochs, and the slower soft lesson lost to the labels
          optimizer: { name: "adam", learningRate: 0.003 },
          onStep: meter,
          onEpoch: (history) => {
            Object.assign(curves, {
              loss: [...history.loss],
              valLoss: [...history.valLoss],
              best: history.valLoss.indexOf(Math.min(...history.valLoss)) + 1,
            });
            // the soft loss has another unit: only what both share is drawn
            if (role === "student") curves.loss = [];
            live(name);
          },
        });
        if (result.best === 0) throw new Error("the training was stopped before anything was learned");
        if (result.ended === "stopped") warnings.push(`${name} was stopped by hand after epoch ${result.history.loss.length} of ${checked.epochs}`);
        const predictor = await modelPredictor({
          tf,
          network,
          features,
          label: role === "student" ? `student ${network.label}` : `${network.label} from scratch`,
          task,
          provenance,
        });
        releases[releases.length - 1] = () => predictor.release();
        const answers = { values: await outputs(tf, network, tables.test.x, tables.test.rows, network.answer), width: network.outputs };
        const one = await judge(predictor, role, hidden, answers);
        evaluated(predictor, {
          ...{
            ...judging,
            answers,
            evaluation: one.evaluation,
            history: result.history,
            notebook: context.notebook,
            cell: context.cell,
            reference,
            sketch,
          },
          bar: { label: bar.label, evaluation: ruled, against: one.against, ...(barValues && !metric.row ? { values: barValues.values } : {}) },
        });
        found.push(one);
        if (context.signal.aborted) break;
      }
      if (context.signal.aborted) break;
    }
    const students = found.filter((one) => one.role === "student");
    if (students.length === 0) throw new Error("the training was stopped before a student was taught");
    const better = (a: Judged, b: Judged) => (metric.better === "lower" ? 1 : -1) * (a.evaluation.value - b.evaluation.value);
    const fitting = students.filter((one) => over(one, checked.budget).length === 0).sort(better);
    const chosen = fitting[0] ?? [...students].sort((a, b) => a.predictor.bytes - b.predictor.bytes)[0]!;
    const scratch = found.find((one) => one.role === "scratch" && one.hidden === chosen.hidden)!;
    const top = found[0]!;
    const sign = metric.better === "lower" ? -1 : 1;
    const share = (a: Judged, floor: number) => (sign * (a.evaluation.value - floor)) / (sign * (top.evaluation.value - floor));
    const kept = share(chosen, ruled.value);
    const gapClosed = share(chosen, scratch.evaluation.value);
    const verdict = compare(chosen.evaluation, { label: bar.label, evaluation: ruled }, chosen.against);
    const fits = fitting.length > 0;
    const size = top.predictor.bytes / chosen.predictor.bytes;
    const points = found.map((one): Point => ({
      label: one.predictor.label,
      role: one.role,
      value: one.evaluation.value,
      ci: one.evaluation.ci,
      p99: one.latency.p99,
      bytes: one.predictor.bytes,
    }));
    const shown = (one: Judged) => (metric.name === "accuracy" ? `${(100 * one.evaluation.value).toFixed(2)} %` : digits(one.evaluation.value));
    const skill =
      chosen.errors === null
        ? ""
        : `${(100 * (1 - chosen.errors / chosen.evaluation.n)).toFixed(2)} % right against ${(100 * (1 - top.errors! / top.evaluation.n)).toFixed(2)} %, `;
    const limits = [
      checked.budget.p99Ms === undefined ? "" : `p99 ${digits(chosen.latency.p99)} ms of ${digits(checked.budget.p99Ms)}`,
      checked.budget.bytes === undefined ? "" : `${bytes(chosen.predictor.bytes)} of ${bytes(checked.budget.bytes)}`,
    ].filter(Boolean);
    const overTop = over(top, checked.budget);
    const taught = worthOf(
      paired(chosen.evaluation as never, scratch.evaluation as never, {
        seed: judging.seed,
        ...tables.judged.dependence,
        ...(metric.row
          ? {}
          : { ys: tables.judged.ys, ps: [chosen, scratch].map((one) => asPredictions(one.answers.values, one.answers.width, task)) as never }),
      }),
      metric.better,
      gapClosed,
      shown(scratch),
    );
    const sentence =
      (fits
        ? `The student keeps ${kept > 0 && Number.isFinite(kept) ? `${(100 * kept).toFixed(0)} % of the teacher's gain` : "none of the teacher's gain"} at 1/${size >= 10 ? size.toFixed(0) : size.toFixed(1)} of the size: `
        : `No student fits the budget (${over(chosen, checked.budget).join(", ")}): `) +
      `${metric.name === "accuracy" ? "" : skill}${metric.name} ${shown(chosen)} against ${shown(top)}${limits.length > 0 ? `, ${limits.join(", ")}` : ""}.` +
      (fits ? ` ${taught.sentence}` : "") +
      (fits && overTop.length > 0 ? ` The teacher does not fit (${overTop.join(", ")}).` : "") +
      (fits && verdict.word === "does not beat" ? ` It does not beat ${bar.label}; do not ship.` : "");
    const numbers: Record<string, number> = {
      student: chosen.evaluation.value,
      teacher: top.evaluation.value,
      scratch: scratch.evaluation.value,
      bar: ruled.value,
      ...{
        gapClosed,
        kept,
        fidelity: chosen.fidelity,
        p50: chosen.latency.p50,
        p99: chosen.latency.p99,
        bytes: chosen.predictor.bytes,
        params: chosen.predictor.params,
      },
      teacherP99: top.latency.p99,
      teacherBytes: top.predictor.bytes,
    };
    const costs = [costFigure(points, "p99", metric.name, { label: bar.label, value: ruled.value }, checked.budget.p99Ms)];
    if (checked.budget.bytes !== undefined)
      costs.push(costFigure(points, "bytes", metric.name, { label: bar.label, value: ruled.value }, checked.budget.bytes));
    const view: FindingView = {
      kind: "distill",
      sentence,
      verdict: !fits || verdict.verdict === "bad" ? "bad" : taught.word === "worse" ? "unsure" : verdict.verdict,
      word: !fits ? "over the budget" : verdict.verdict === "good" && taught.word === "worse" ? "labels alone teach better" : verdict.word,
      method: `soft targets (Hinton, Vinyals, Dean 2015); ${chosen.against.method}; errors with Wilson intervals; latency of 400 single requests`,
      numbers,
      figures: costs,
      tables: [sideBySide(found, chosen, metric.name)],
      warnings,
      footer: footer(),
      next: [
        { label: "Promote the student", type: "insert", kind: "promote", source: "" },
        { label: "Try half the width", type: "insert", kind: "distill", source: "" },
      ],
    };
    context.onDispose(() => releases.forEach((release) => release()));
    context.progress(null);
    context.show(view);
    const asEvaluated = (one: Judged) => one.predictor as unknown as Evaluated<R>;
    return {
      ...{ sentence, verdict: view.verdict, method: view.method, numbers, figure: costs[0]! },
      student: asEvaluated(chosen),
      teacher: (isSame(teacher, top.evaluation) ? teacher : { ...teacher, evaluation: top.evaluation }) as unknown as Evaluated<R>,
      scratch: asEvaluated(scratch),
      gapClosed,
      fidelity: chosen.fidelity,
      frontier: found.map((one) => ({
        predictor: one.predictor.label,
        loss: one.evaluation.value,
        p99Ms: one.latency.p99,
        bytes: one.predictor.bytes,
      })),
    };
  } catch (error) {
    for (const release of releases) release();
    throw error;
  }
}

function unitOf(loss: "log" | "squared" | "absolute"): "log loss" | "RMSE" | "MAE" {
  return loss === "log" ? "log loss" : loss === "squared" ? "RMSE" : "MAE";
}

function isSame(teacher: Predictor, evaluation: Evaluation): boolean {
  const own = (teacher as Partial<Evaluated>).evaluation;
  return own !== undefined && own.keys === evaluation.keys && own.metric.name === evaluation.metric.name;
}
