/** A baseline as a predictor: answers records from its state and stages itself as a version. */
import type { RunContext } from "../../protocol/cells.js";
import type { Evaluated, Evaluation, Field, Prediction, Provenance, Relation, SampleLine, Signature, Split, Task } from "../../protocol/values.js";
import { keptBy } from "../../protocol/kept.js";
import { splitOf } from "../../protocol/values.js";
import { baselineSize, predictBaseline, type BaselineState } from "../../stats/baselines.js";
import { toWire } from "../../models/wire.js";
import { rivalOf } from "../../models/predictor.js";
import { writeVersion } from "../../models/version.js";
import { sketchRelation } from "../drift/sketch.js";

/** DuckDB's type as the type of a field. */
export function fieldType(type: string): Field["type"] {
  if (type === "BOOLEAN") return "boolean";
  if (/^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT)$/.test(type)) return "integer";
  if (/^(BIGINT|UBIGINT|HUGEINT|UINTEGER|UHUGEINT)$/.test(type)) return "bigint";
  if (/^(FLOAT|REAL|DOUBLE)$/.test(type)) return "double";
  if (type.startsWith("DECIMAL")) return "decimal";
  if (type === "DATE") return "date";
  return type.startsWith("TIMESTAMP") ? "timestamp" : "string";
}

/** What a caller sends to this baseline. One that needs nothing takes the split's key, nullable, so that every protocol can say how many rows there are. */
export function signatureOf(state: BaselineState, task: Task, key: string, types: Map<string, string>): Signature {
  const field = (name: string, nullable: boolean): Field => ({ name, type: fieldType(types.get(name) ?? "VARCHAR"), nullable });
  const inputs =
    state.kind === "rate"
      ? [...new Set(state.keys.map((one) => one.column))].map((name) => field(name, true))
      : state.kind === "column"
        ? [field(state.column, false)]
        : state.kind === "forecast"
          ? [
              field(state.time, true),
              ...(state.series ? [field(state.series, true)] : []),
              { name: "history", type: "double[]" as const, nullable: true },
              { name: "ahead", type: "integer" as const, nullable: true },
            ]
          : [field(key, true)];
  const kind = task.kind === "binary" ? "probability" : task.kind === "multiclass" ? "probabilities" : "number";
  const classes = task.kind === "binary" || task.kind === "multiclass" ? task.classes : undefined;
  return { inputs, output: { name: task.target, kind, ...(classes ? { classes } : {}) } };
}

/** How a set of numbers is written into evaluation.bin. */
export function flat(predictions: ArrayLike<Prediction>): { prediction: Float32Array; width: number } {
  const first = predictions[0];
  const width = typeof first === "number" || first === undefined ? 1 : first.length;
  const prediction = new Float32Array(predictions.length * width);
  for (let i = 0; i < predictions.length; i++) {
    const p = predictions[i]!;
    if (typeof p === "number") prediction[i] = p;
    else prediction.set(p, i * width);
  }
  return { prediction, width };
}

export interface BaselineParts {
  label: string;
  state: BaselineState;
  task: Task;
  split: Split;
  types: Map<string, string>;
  evaluation: Evaluation;
  ys: Float64Array;
  predictions: ArrayLike<Prediction>;
  /** records of test rows, as this baseline was asked */
  sample: object[];
  provenance: Provenance;
}

/** The baseline as `Evaluated`. `stage` writes a version whose state.json answers alone. */
export function baselinePredictor(parts: BaselineParts, context: RunContext): Evaluated {
  const { label, state, task, split, evaluation, provenance } = parts;
  const input = signatureOf(state, task, split.spec.key, parts.types);
  const params = baselineSize(state);
  const predictor: Evaluated = {
    label,
    task,
    input,
    params,
    bytes: JSON.stringify(state).length + 1,
    provenance,
    evaluation,
    [splitOf]: split,
    predict: async (rows) => predictBaseline(state, rows),
    async stage(dir, given) {
      const rival = given
        ? await rivalOf(given, { split, evaluation, judged: { ys: parts.ys }, seed: context.seed("promote"), ps: parts.predictions })
        : null;
      const names = input.inputs.map((field) => field.name);
      const records = parts.sample.map((row) =>
        Object.fromEntries(names.map((name) => [name, toWire((row as Record<string, unknown>)[name] ?? null)])),
      );
      const sample = predictBaseline(state, records).map((prediction, i): SampleLine => ({
        record: records[i] as SampleLine["record"],
        prediction: typeof prediction === "number" ? prediction : Array.from(prediction),
      }));
      const own = { label, value: evaluation.value, ci: evaluation.ci };
      const known = new Set((await (split.train as Relation).schema()).map((c) => c.name));
      const reference = await sketchRelation(context, split.train as Relation, {
        columns: names.filter((name) => known.has(name)),
        target: task.target,
      });
      return writeVersion(dir, {
        kind: "baseline",
        state,
        label,
        signature: input,
        card: {
          ...own,
          metric: evaluation.metric.name,
          better: evaluation.metric.better,
          n: evaluation.n,
          baseline: rival
            ? { label: rival.label, value: rival.evaluation.value, ci: rival.evaluation.ci, against: rival.against }
            : { ...own, against: { diff: 0, ci: [0, 0], p: 1, method: "the same predictor", n: evaluation.n } },
          split: { id: split.id, by: split.spec.by, key: split.spec.key, cut: split.spec.cut },
          task,
          ...(task.kind !== "forecast" && task.classes ? { classes: task.classes } : {}),
          notebook: context.notebook,
          cell: context.cell,
        },
        evaluation: {
          ...{ split: split.id, metric: evaluation.metric.name, value: evaluation.value, ci: evaluation.ci, n: evaluation.n, keys: evaluation.keys },
          y: parts.ys,
          ...flat(parts.predictions),
          losses: evaluation.losses,
          baselineLosses: rival ? rival.evaluation.losses : evaluation.losses,
          ...(rival?.values ? { baselinePrediction: rival.values } : {}),
        },
        sample,
        reference,
        params,
        provenance,
      });
    },
  };
  return keptBy(predictor, "baseline", parts);
}
