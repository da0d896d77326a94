/** A trained network with its features as what the other cells take: answers records, has an evaluation, writes itself as a version. */
import type { LayersModel } from "@tensorflow/tfjs";
import type {
  Evaluated,
  Evaluation,
  Hash,
  Paired,
  Prediction,
  Predictor,
  Provenance,
  Relation,
  SampleLine,
  Signature,
  Split,
  Task,
} from "../protocol/values.js";
import { keptBy, recipeOf } from "../protocol/kept.js";
import { splitOf } from "../protocol/values.js";
import { evaluate } from "../stats/evaluate.js";
import { paired } from "../stats/paired.js";
import type { Dependence, Metric } from "../stats/types.js";
import type { Tf } from "../tensors/backend.js";
import { derive, generator, permutation } from "../tensors/seeds.js";
import { canonical, loadModel, saveModel } from "./artifacts.js";
import type { Network } from "./build.js";
import { openFitted, type FittedFeatures, type FittedParts } from "./features.js";
import { outputs } from "./fit.js";
import { closeVectors, type Vectors } from "./vectors.js";
import { writeVersion, vectorHex, type ModelParts, type PredictorParts } from "./version.js";
import { recordChecker, toWire } from "./wire.js";

/** What our own predictors can do beyond the spine; found by `innerOf`. */
export interface Inner {
  features: FittedFeatures;
  /** answers to vectors, row-major, `width` values a row */
  answers(x: Vectors, rows: number): Promise<Answers>;
  /** what a version keeps of it */
  parts(): Promise<PredictorParts>;
}
/** Row-major, `width` values a row. */
export interface Answers {
  values: Float32Array;
  width: number;
}

/** Answers to all rows of a relation, in its order, where a predictor knows a faster way than row by row. */
export const answersTo: unique symbol = Symbol.for("touchstone.model.answersTo");

const inner: unique symbol = Symbol.for("touchstone.model.inner");

/** The inner side of a predictor made here; null of any other. */
export function innerOf(predictor: object): Inner | null {
  return (predictor as { [inner]?: Inner })[inner] ?? null;
}

export interface ModelOptions {
  tf: Tf;
  network: Network;
  features: FittedFeatures;
  label: string;
  task: Task;
  provenance: Provenance;
}

/** The task's answer as the signature of a version says it. */
export function outputOf(task: Task): Signature["output"] {
  if (task.kind === "binary") return { name: task.target, kind: "probability", ...(task.classes ? { classes: task.classes } : {}) };
  if (task.kind === "multiclass") return { name: task.target, kind: "probabilities", ...(task.classes ? { classes: task.classes } : {}) };
  return { name: task.target, kind: "number" };
}

/** A predictor of ours, of a network. */
export type ModelPredictor = Predictor & { [inner]: Inner; release(): void };

/** All that there is to a predictor of a network. */
export interface KeptModel {
  model: ModelParts;
  features: FittedParts;
  shape: number[];
  outputs: number;
  params: number;
  label: string;
  task: Task;
  provenance: Provenance;
}

/** A predictor of a trained network. It keeps a copy of the weights, so it answers on after the network's tensors are gone. */
export async function modelPredictor({ tf, network, features, label, task, provenance }: ModelOptions): Promise<ModelPredictor> {
  const model = canonical(await saveModel(tf, network.answer));
  const { shape, outputs, params } = network;
  return predictorOf({ model, features, shape, outputs, params, label, task, provenance }, features, async () => tf, network.answer);
}

/** The predictor from what was kept of it. Its network is made when it is first asked. */
export function revivedModel(parts: KeptModel, tf: () => Promise<Tf>, context: Parameters<typeof openFitted>[1]): ModelPredictor {
  return predictorOf(parts, openFitted(parts.features, context), tf, null);
}

function predictorOf(options: KeptModel, features: FittedFeatures, tf: () => Promise<Tf>, made: LayersModel | null): ModelPredictor {
  const { model: saved, shape, task } = options;
  const input: Signature = { inputs: features.fields, output: outputOf(task) };
  let live = made;
  const ask = async (x: Vectors, rows: number): Promise<Float32Array> => {
    const loaded = await tf();
    live ??= await loadModel(loaded, saved);
    return outputs(loaded, { logits: live, shape, outputs: options.outputs }, x, rows);
  };
  const own: Inner = {
    features,
    answers: async (x, rows) => ({ values: await ask(x, rows), width: options.outputs }),
    parts: async () => ({ kind: "model", model: saved, features: { code: features.code, state: features.state } }),
  };
  const { code, hash, state, width, fields, notes } = features;
  const predictor: ModelPredictor = {
    label: options.label,
    task,
    input,
    params: options.params,
    bytes:
      JSON.stringify(saved.modelTopology).length +
      JSON.stringify(saved.weightSpecs).length +
      saved.weightData.byteLength +
      features.code.length +
      (JSON.stringify(features.state)?.length ?? 0),
    provenance: options.provenance,
    predict: async (records) => {
      if (records.length === 0) return [];
      const { values, width } = await own.answers(features.vectors(records), records.length);
      return asPredictions(values, width, task);
    },
    stage: async () => {
      throw new Error(`${options.label} has not been evaluated: only what a call such as train or distill returned can be staged`);
    },
    release: () => {
      live?.dispose();
      live = null;
    },
    [inner]: own,
  };
  return keptBy(predictor, "model", { ...options, features: { code, hash, state, width, fields, notes } satisfies FittedParts });
}

/** Flat answers to predictions: numbers, or views of one row's probabilities. */
export function asPredictions(values: Float32Array, width: number, task: Task): Prediction[] {
  const rows = values.length / width;
  if (task.kind !== "multiclass") return Array.from({ length: rows }, (_, i) => values[i * width]!);
  return Array.from({ length: rows }, (_, i) => values.subarray(i * width, (i + 1) * width));
}

/** Answers of any predictor to a relation's rows, in its order: by vectors where it is ours, else row by row. */
export async function answersOf(predictor: Predictor, relation: Relation, breathe?: () => Promise<void>): Promise<Answers> {
  const way = (predictor as { [answersTo]?: (relation: Relation, breathe?: () => Promise<void>) => Promise<Answers> })[answersTo];
  if (way) return way(relation, breathe);
  const own = innerOf(predictor);
  if (own) {
    const { x, rows } = await own.features.matrix(relation);
    try {
      return await own.answers(x, rows);
    } finally {
      closeVectors(x);
    }
  }
  const rows = await relation.rows();
  const all: Prediction[] = [];
  for (let from = 0; from < rows.length; from += 1024) {
    all.push(...(await predictor.predict(rows.slice(from, from + 1024))));
    await breathe?.();
  }
  const first = all[0];
  const width = typeof first === "object" ? first.length : 1;
  const values = new Float32Array(all.length * width);
  for (const [i, p] of all.entries()) {
    if (typeof p === "number") values[i] = p;
    else values.set(p, i * width);
  }
  return { values, width };
}

/** Truth and identity of the rows that judge. */
export interface Judged {
  ys: Float64Array;
  keys: Hash;
  dependence: Dependence;
}

export interface EvaluateModelOptions {
  split: Split;
  metric: Metric;
  judged: Judged;
  seed: number;
  /** answers to the test rows, row-major */
  answers: Answers;
}

/** Scores answers on a split's test rows. */
export function evaluateAnswers(task: Task, { split, metric, judged, seed, answers }: EvaluateModelOptions): Evaluation {
  return evaluate(metric, judged.ys, asPredictions(answers.values, answers.width, task), {
    split: split.id,
    keys: judged.keys,
    seed,
    ...judged.dependence,
  });
}

export interface StageOptions extends EvaluateModelOptions {
  evaluation: Evaluation;
  /** the bar, its difference to this model, and its answers where the metric needs them */
  bar: { label: string; evaluation: Evaluation; against: Paired; values?: Float32Array };
  history?: { loss: number[]; valLoss: number[] };
  notebook: string;
  cell: string;
  /** columns of the training rows whose sketches drift compares with, and what makes these */
  reference: { columns: string[]; target: string };
  sketch(relation: Relation, columns: { columns: string[]; target: string }): Promise<unknown>;
  source?: Record<string, string>;
}

interface RivalOptions {
  split: Split;
  evaluation: Evaluation;
  judged: Pick<Judged, "ys"> & Partial<Judged>;
  seed: number;
  /** own answers to the test rows */
  ps: ArrayLike<Prediction>;
  /** the bar that is known already */
  bar?: StageOptions["bar"];
}

/** A bar that is named when a version is staged, compared on the same rows; null when it is the one that is known already. */
export async function rivalOf(given: Evaluated, options: RivalOptions): Promise<StageOptions["bar"] | null> {
  const { evaluation, bar, judged, ps, split, seed } = options;
  const rival = given.evaluation;
  const known = bar?.evaluation ?? evaluation;
  if (rival.losses === known.losses && rival.value === known.value && (bar === undefined || bar.label === given.label)) return null;
  const { metric } = evaluation as Evaluation & { metric: Metric };
  if (rival.metric.name !== metric.name)
    throw new RangeError(
      `${given.label} was judged by ${rival.metric.name}, the model by ${metric.name}: give \`against\` a bar that was judged by ${metric.name}`,
    );
  const found = metric.row ? null : await answersOf(given, split.test);
  const sets = found && { ys: judged.ys, ps: [ps, asPredictions(found.values, found.width, given.task)] as [ArrayLike<Prediction>, Prediction[]] };
  const against = paired(evaluation as never, rival as never, { seed, ...judged.dependence, ...sets });
  return { label: given.label, evaluation: rival, against, ...(found ? { values: found.values } : {}) };
}

/** The predictor with its evaluation, able to write itself. */
export function evaluated<P extends Predictor>(predictor: P, options: StageOptions): P & Evaluated {
  const { evaluation, split, judged, answers, metric, seed, bar, history, notebook, cell, reference, source } = options;
  const parts = { predictor: recipeOf(predictor)?.parts, evaluation, split, judged, answers, metric, seed, bar, history };
  const whole = Object.assign(predictor, {
    evaluation,
    [splitOf]: split,
    stage: async (dir: string, given?: Evaluated) => {
      const own = innerOf(predictor);
      if (!own) throw new Error(`${predictor.label} was not trained here and cannot be staged`);
      const rival = (given && (await rivalOf(given, { ...options, ps: asPredictions(answers.values, answers.width, predictor.task) }))) ?? bar;
      return writeVersion(dir, {
        ...(await own.parts()),
        label: predictor.label,
        signature: predictor.input,
        card: {
          label: predictor.label,
          metric: metric.name,
          better: metric.better,
          value: evaluation.value,
          ci: evaluation.ci,
          n: evaluation.n,
          baseline: { label: rival.label, value: rival.evaluation.value, ci: rival.evaluation.ci, against: rival.against },
          split: { id: split.id, by: split.spec.by, key: split.spec.key, cut: split.spec.cut },
          task: predictor.task,
          ...("classes" in predictor.task && predictor.task.classes ? { classes: predictor.task.classes } : {}),
          ...{ notebook, cell },
          ...(history ? { history } : {}),
        },
        evaluation: {
          split: split.id,
          metric: metric.name,
          value: evaluation.value,
          ci: evaluation.ci,
          n: evaluation.n,
          keys: evaluation.keys,
          y: judged.ys,
          prediction: answers.values,
          width: answers.width,
          losses: evaluation.losses,
          baselineLosses: rival.evaluation.losses,
          ...(rival.values ? { baselinePrediction: rival.values } : {}),
          dependence: judged.dependence,
          seed,
        },
        sample: await sample(predictor, own, split.test, seed),
        reference: await options.sketch(split.train, reference),
        params: predictor.params,
        provenance: predictor.provenance,
        ...(source ? { source } : {}),
      });
    },
  });
  return keptBy(whole, "evaluated", { ...parts, notebook, cell, reference, source });
}

/** Rows looked at for the sample. */
const LOOK = 20_000;

/**
 * 256 rows of the test part with their exact vectors and answers: for each field the least, the greatest, a null, the rarest and the longest text, then rows
 * drawn at random. The record is what a caller would send, and the vector what the host makes of it; it must equal the vector that was judged.
 */
async function sample(predictor: Predictor, own: Inner, test: Relation, seed: number): Promise<SampleLine[]> {
  const rows = await test.rows(LOOK);
  const chosen = new Set<number>();
  for (const field of own.features.fields) for (const at of extremes(rows.map((row) => (row as Record<string, unknown>)[field.name]))) chosen.add(at);
  for (const at of permutation(rows.length, generator(derive(seed, "sample")))) {
    if (chosen.size >= 256) break;
    chosen.add(at);
  }
  const picked = [...chosen].slice(0, 256).sort((a, b) => a - b);
  const check = recordChecker(predictor.input);
  const wires = picked.map((at) => {
    const row = rows[at] as Record<string, unknown>;
    return Object.fromEntries(own.features.fields.map(({ name }) => [name, toWire(row[name] ?? null)]));
  });
  const records = wires.map((wire, i) => check(JSON.parse(JSON.stringify(wire)), `sample[${i}]`).record);
  const x = own.features.vectors(records);
  const direct = own.features.vectors(picked.map((at) => rows[at] as object));
  const { width } = own.features;
  for (let i = 0; i < x.length; i++) {
    if (!Object.is(x[i], direct[i])) {
      throw new Error(
        `a record gives another vector when it is sent as JSON than in training: number ${(i % width) + 1} of ${width} is ${x[i]} against ${direct[i]}, for ${JSON.stringify(wires[Math.floor(i / width)])}`,
      );
    }
  }
  const { values, width: columns } = await own.answers(x, records.length);
  return picked.map((_, i) => ({
    record: wires[i] as SampleLine["record"],
    vector: vectorHex(x.subarray(i * width, (i + 1) * width)),
    prediction: columns === 1 ? values[i]! : Array.from(values.subarray(i * columns, (i + 1) * columns)),
  }));
}

function extremes(values: unknown[]): number[] {
  const at: number[] = [];
  const numbers = values.map((v) => (v instanceof Date ? v.getTime() : typeof v === "bigint" ? Number(v) : v));
  const pick = (better: (a: number, b: number) => boolean) => {
    let best = -1;
    for (const [i, v] of numbers.entries())
      if (typeof v === "number" && Number.isFinite(v) && (best < 0 || better(v, numbers[best] as number))) best = i;
    if (best >= 0) at.push(best);
  };
  pick((a, b) => a < b);
  pick((a, b) => a > b);
  const empty = values.findIndex((v) => v === null || v === undefined || (typeof v === "number" && Number.isNaN(v)));
  if (empty >= 0) at.push(empty);
  const counts = new Map<string, { n: number; at: number }>();
  let longest = -1;
  for (const [i, v] of values.entries()) {
    if (typeof v !== "string") continue;
    const seen = counts.get(v);
    if (seen) seen.n++;
    else counts.set(v, { n: 1, at: i });
    if (longest < 0 || v.length > (values[longest] as string).length) longest = i;
  }
  if (longest >= 0) at.push(longest);
  let rarest: { n: number; at: number } | null = null;
  for (const one of counts.values()) if (!rarest || one.n < rarest.n) rarest = one;
  if (rarest) at.push(rarest.at);
  return at;
}
