/** `train({ split, against, features, model ... })`: a network that must beat the bar (contracts 3). */
import type { RunContext } from "../../protocol/cells.js";
import type { Features, TrainOptions, TrainResult } from "../../protocol/library.js";
import type { FindingView, PlotlySpec } from "../../protocol/output.js";
import type { Evaluated, Prediction, Split, Task } from "../../protocol/values.js";
import { buildNetwork, type ModelSpec, type Outcome } from "../../models/build.js";
import { bundleFeatures, FeatureError } from "../../models/features.js";
import { fileCheckpoint } from "../../models/checkpoint-file.js";
import { fit, outputs, type FitOptions } from "../../models/fit.js";
import type { Loss } from "../../models/loss.js";
import { answersOf, asPredictions, evaluateAnswers, evaluated, modelPredictor } from "../../models/predictor.js";
import { holding, rowsFrom, type Hold } from "../../models/vectors.js";
import { auc } from "../../stats/auc.js";
import { classOf, metricNamed, score } from "../../stats/metrics.js";
import { paired } from "../../stats/paired.js";
import type { Metric } from "../../stats/types.js";
import { loadBackend } from "../../tensors/backend.js";
import { digits } from "../baseline/figure.js";
import { check } from "../baseline/options.js";
import { settled } from "../baseline/rows.js";
import { resolveTask } from "../baseline/task.js";
import { sketchRelation } from "../drift/sketch.js";
import { schema } from "./cell.js";
import { calibrationFigure, confusionFigure, curveFigure, residualFigure, type Curve } from "./figure.js";
import { holeOf } from "./holes.js";
import { createMeter } from "./meter.js";
import { barOf, onSameRows, outcomeOf, readTables, scaleOf, type Tables } from "./tables.js";
import { compare } from "./verdict.js";

interface Checked {
  task?: Task;
  model: ModelSpec;
  optimizer?: FitOptions["optimizer"];
  loss?: Loss;
  epochs: number;
  batch?: number;
  patience: number;
  classWeights?: "balanced" | Record<string, number>;
  weight?: string;
  seed?: number;
}

export function run<R extends object>(options: TrainOptions<R>, context: RunContext): Promise<TrainResult<R>> {
  return holding((hold) => train(options, context, hold));
}

async function train<R extends object>(options: TrainOptions<R>, context: RunContext, hold: Hold): Promise<TrainResult<R>> {
  const checked = check(schema, options, "train") as Checked;
  const started = Date.now();
  const split = (await settled(options.split, "train")) as unknown as Split;
  const bar = await barOf(options.against as never, "train");
  const { task, said } = await resolveTask(checked.task ?? bar.task, split);
  const { metric } = bar.evaluation as unknown as { metric: Metric };
  const outcome = outcomeOf(task);
  const loss = lossOf(checked.loss, outcome, metric);
  // taken now: what is edited while it trains does not count
  const provenance = await context.provenance({ data: await split.train.hash(), split: split.id });
  const seed = checked.seed ?? context.seed("train");
  const { tf, name: backend, device } = await loadBackend();
  context.progress({ label: "closing over the features", done: 0, total: null, eta: null });
  const exclude = [task.target, split.spec.key, checked.weight].filter((name) => name !== undefined);
  const given = options.features as Features | "identity";
  const features = await bundleFeatures(context, given, split.train, { exclude }).catch(async (error: unknown) => {
    if (!(error instanceof FeatureError)) throw error;
    const names = (await split.train.schema()).map((column) => column.name);
    const inputs = names.filter((column) => (given === "identity" ? !exclude.includes(column) : column in given.input));
    throw await holeOf(error, { part: split.train, name: "training", inputs, sampled: true });
  });
  const tables = await readTables(split, task, features, checked, {
    say: (label) => context.progress({ label, done: 0, total: null, eta: null }),
    hold,
  });
  const ruled = onSameRows(bar, split, tables.judged);
  const warnings = [...said, ...features.notes, ...tables.warnings, ...leaks(tables, outcome)];

  const unit = loss === "log" ? "log loss" : loss === "absolute" ? "MAE" : "RMSE";
  // set metrics are compared row set by row set; and the curve needs the bar in the loss's unit
  const barValues = metric.row && metric.name === unit ? null : await answersOf(bar, split.test, () => context.breathe());
  const barPredictions = barValues && asPredictions(barValues.values, barValues.width, task);
  const barInUnit = metric.name === unit ? ruled.value : score(metricNamed(unit), tables.judged.ys, barPredictions!);
  // the curve shows validation rows, so its dashed line is the bar's loss on the same rows; a forecast's bar is known where it was rolled, on the test rows
  const barValid = task.kind === "forecast" ? null : await answersOf(bar, split.valid, () => context.breathe());
  const barCurve =
    barValid !== null && barValid.values.length === tables.valid.rows * barValid.width
      ? { rows: "validation", value: score(metricNamed(unit), tables.valid.y, asPredictions(barValid.values, barValid.width, task)) }
      : { rows: "test", value: barInUnit };

  const scale = outcome === "regression" ? scaleOf(tables.train.y) : undefined;
  const classes = task.kind === "multiclass" ? (task.classes?.length ?? 0) : 2;
  const network = buildNetwork(tf, { model: checked.model, width: features.width, outcome, classes, seed, ...(scale ? { scale } : {}) });
  try {
    const batch = checked.batch ?? (tables.train.rows > 50_000 ? 512 : 128);
    const curve: Curve = {
      unit,
      loss: [],
      valLoss: [],
      bar: { label: bar.label, value: barCurve.value, rows: barCurve.rows },
      best: 0,
      epochs: checked.epochs,
    };
    const footer = () =>
      `seed ${seed} · ${network.label}, ${network.params.toLocaleString("en")} weights · trained on ${tables.train.rows.toLocaleString("en")} rows, judged on ${tables.judged.ys.length.toLocaleString("en")} · ${backend} (${device})${tables.stored === 0 ? "" : ` · ${(tables.stored / 1e9).toPrecision(2)} GB of vectors read from disk`} · ${((Date.now() - started) / 1000).toFixed(1)} s`;
    const live = (): FindingView => ({
      ...{ kind: "train", verdict: "unsure", word: "training", method: "", numbers: {}, tables: [], warnings, next: [] },
      sentence:
        curve.loss.length === 0
          ? `Training ${network.label} against ${bar.label} (${digits(barCurve.value)} ${unit} on the ${barCurve.rows} rows).`
          : `Epoch ${curve.loss.length} of ${checked.epochs}: validation ${unit} ${digits(curve.valLoss.at(-1)!)}, ${bar.label} has ${digits(barCurve.value)} on the ${barCurve.rows} rows.`,
      figures: [curveFigure(curve)],
      footer: footer(),
    });
    context.show(live());
    await context.breathe();
    const meter = createMeter(context, tables.train.rows);
    const result = await fit(tf, network, {
      train: tables.train,
      valid: tables.valid,
      ...{ outcome, loss, epochs: checked.epochs, batch, patience: checked.patience, seed, signal: context.signal },
      ...(scale ? { scale } : {}),
      ...optimizerOf(checked),
      ...(tables.weights ? { weights: tables.weights } : {}),
      // the sources hold the options, the features and the model
      checkpoint: fileCheckpoint(context.workspace, [context.notebook, context.cell], {
        ...provenance,
        backend,
        seed,
        model: network.label,
        epochs: checked.epochs,
      }),
      breathe: () => context.breathe(),
      onStep: meter,
      onEpoch: (history) => {
        curve.loss = [...history.loss];
        curve.valLoss = [...history.valLoss];
        curve.best = history.valLoss.indexOf(Math.min(...history.valLoss)) + 1;
        context.show(live());
      },
    });
    if (result.best === 0) throw new Error("the training was stopped before anything was learned");
    curve.best = result.best;
    if (result.resumed > 0) warnings.push(`went on after epoch ${result.resumed}, which an earlier run that was cut off had kept`);
    if (result.ended === "stopped")
      warnings.push(`stopped at epoch ${result.history.loss.length} of ${checked.epochs}; the weights of epoch ${result.best} were kept`);

    context.progress({ label: "judging on the test rows", done: 0, total: null, eta: null });
    const values = await outputs(tf, network, tables.test.x, tables.test.rows, network.answer);
    const predictions = asPredictions(values, network.outputs, task);
    const judging = { split, metric, judged: tables.judged, seed: context.seed("intervals"), answers: { values, width: network.outputs } };
    const evaluation = evaluateAnswers(task, judging);
    const against = paired(evaluation as never, ruled as never, {
      seed: judging.seed,
      ...tables.judged.dependence,
      ...(barPredictions ? { ys: tables.judged.ys, ps: [predictions, barPredictions] } : {}),
    });
    const verdict = compare(evaluation, { label: bar.label, evaluation: ruled }, against);
    const figures = [curveFigure(curve), fitFigure(task, tables, predictions, network.label)];
    const numbers: Record<string, number> = {
      value: evaluation.value,
      low: evaluation.ci[0],
      high: evaluation.ci[1],
      bar: ruled.value,
      diff: against.diff,
      diffLow: against.ci[0],
      diffHigh: against.ci[1],
      p: against.p,
      n: evaluation.n,
      epochs: result.history.loss.length,
      best: result.best,
      params: network.params,
    };
    const view: FindingView = {
      kind: "train",
      sentence: verdict.sentence,
      verdict: verdict.verdict,
      word: verdict.word,
      method: against.method,
      numbers,
      figures,
      tables: [
        {
          title: "On the test rows",
          columns: ["predictor", metric.name, "low", "high", "rows"],
          rows: [
            [network.label, evaluation.value, evaluation.ci[0], evaluation.ci[1], evaluation.n],
            [bar.label, ruled.value, ruled.ci[0], ruled.ci[1], ruled.n],
            ["difference", against.diff, against.ci[0], against.ci[1], against.n],
          ],
        },
        ...(await segments(split, metric, evaluation.losses, ruled.losses, features.fields)),
      ],
      warnings,
      footer: footer(),
      next: [
        { label: "Promote", type: "insert", kind: "promote", source: "" },
        { label: "Distil", type: "insert", kind: "distill", source: "" },
      ],
    };
    const predictor = await modelPredictor({ tf, network, features, label: network.label, task, provenance });
    const whole = evaluated(predictor, {
      ...judging,
      evaluation,
      bar: { label: bar.label, evaluation: ruled, against, ...(barValues && !metric.row ? { values: barValues.values } : {}) },
      history: result.history,
      ...{ notebook: context.notebook, cell: context.cell },
      reference: { columns: features.fields.map((field) => field.name), target: task.target },
      sketch: (relation, columns) => sketchRelation(context, relation, columns),
    });
    context.onDispose(() => predictor.release());
    context.progress(null);
    context.show(view);
    return Object.assign(whole as unknown as Evaluated<R>, {
      ...{ sentence: view.sentence, verdict: view.verdict, method: view.method, numbers, figure: figures[0]! },
      against,
      history: result.history,
    });
  } catch (error) {
    network.answer.dispose();
    throw error;
  }
}

/** A linear model learns at ten times Adam's usual rate, unless the call names another optimiser or rate. */
function optimizerOf({ optimizer, model }: Checked): Pick<FitOptions, "optimizer"> {
  if (model !== "linear" || typeof optimizer === "string" || optimizer?.name !== undefined) return optimizer === undefined ? {} : { optimizer };
  return { optimizer: { learningRate: 0.01, ...optimizer } };
}

function lossOf(asked: Loss | undefined, outcome: Outcome, metric: Metric): Loss {
  const loss = asked ?? (outcome !== "regression" ? "log" : metric.name === "RMSE" ? "squared" : "absolute");
  if ((loss === "log") !== (outcome !== "regression")) {
    throw new RangeError(`Expected \`loss\` of a ${outcome} to be ${outcome === "regression" ? '"squared" or "absolute"' : '"log"'}, got "${loss}"`);
  }
  return loss;
}

/** Rows looked at for leaks. */
const LOOK = 4000;

/** One number of the vector that alone tells the classes apart has most likely seen the answer. */
function leaks({ train }: Tables, outcome: Outcome): string[] {
  if (outcome !== "binary" || train.rows < 100) return [];
  const step = Math.max(1, Math.floor(train.rows / LOOK));
  const rows = Array.from({ length: Math.floor(train.rows / step) }, (_, i) => i * step);
  const y = rows.map((row) => train.y[row]!);
  const looked = rows.map((row) => rowsFrom(train.x, train.width, row, row + 1).slice());
  if (new Set(y).size < 2) return [];
  const found: string[] = [];
  for (let j = 0; j < Math.min(train.width, 500); j++) {
    const alone = auc(
      y,
      looked.map((vector) => vector[j]!),
    );
    if (Math.max(alone, 1 - alone) > 0.98)
      found.push(
        `number ${j + 1} of the features alone separates the classes (AUC ${Math.max(alone, 1 - alone).toFixed(3)}): it may leak the answer`,
      );
  }
  return found.slice(0, 5);
}

function fitFigure(task: Task, { judged }: Tables, predictions: Prediction[], label: string): PlotlySpec {
  if (task.kind === "binary") return calibrationFigure(judged.ys, predictions as number[], label);
  if (task.kind === "multiclass") return confusionFigure(judged.ys, predictions, task.classes ?? [], classOf);
  return residualFigure(judged.ys, predictions as number[], task.target);
}

/** Segments by category where the model does worst against the bar. */
async function segments(
  split: Split,
  metric: Metric,
  own: Float64Array,
  bar: Float64Array,
  fields: { name: string; type: string }[],
): Promise<FindingView["tables"]> {
  const names = fields.filter((field) => field.type === "string" || field.type === "boolean").map((field) => field.name);
  if (names.length === 0 || !metric.row || own.length === 0 || own.length !== bar.length) return [];
  const columns = await split.test.columns(names);
  const least = Math.max(30, own.length / 1000);
  const sign = metric.better === "lower" ? 1 : -1;
  const rows: { row: (string | number)[]; worse: number }[] = [];
  for (const name of names) {
    const sums = new Map<string, [n: number, own: number, bar: number]>();
    const column = columns[name]!;
    for (let i = 0; i < own.length; i++) {
      const key = String(column[i] ?? "null");
      let sum = sums.get(key);
      if (!sum) sums.set(key, (sum = [0, 0, 0]));
      sum[0]++;
      sum[1] += own[i]!;
      sum[2] += bar[i]!;
    }
    for (const [key, [n, a, b]] of sums) {
      const of = (sum: number) => (metric.root ? Math.sqrt(sum / n) : sum / n);
      if (n >= least && sums.size > 1) rows.push({ row: [`${name} = ${key}`, n, of(a), of(b), of(a) - of(b)], worse: sign * (of(a) - of(b)) });
    }
  }
  rows.sort((a, b) => b.worse - a.worse);
  if (rows.length === 0) return [];
  return [
    { title: "Worst segments", columns: ["segment", "rows", metric.name, "baseline", "difference"], rows: rows.slice(0, 10).map((one) => one.row) },
  ];
}
