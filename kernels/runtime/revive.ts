/** What the library made, made again from its recipe: the counterpart of each `keptBy`. */
import type { RunContext } from "../protocol/cells.js";
import type { KeptKind } from "../protocol/kept.js";
import type { Evaluation, Predictor, Split, SplitOptions } from "../protocol/values.js";
import type { KeptModel, StageOptions } from "../models/predictor.js";
import type { BaselineParts } from "../cells/baseline/predictor.js";
import type { TableRelation } from "../data/relation.js";
import type { Tf } from "../tensors/backend.js";

export interface Reviving {
  /** of the run that takes the value from disk */
  context: RunContext;
  tf(): Promise<Tf>;
}

/** Parts are as `keptBy` got them. */
export async function revive(kind: KeptKind, parts: Record<string, unknown>, { context, tf }: Reviving): Promise<object> {
  const as = <T>() => parts as unknown as T;
  const model = async (kept: KeptModel) => {
    const { revivedModel } = await import("../models/predictor.js");
    const predictor = revivedModel(kept, tf, context);
    context.onDispose(() => predictor.release());
    return predictor;
  };
  switch (kind) {
    case "model":
      return model(as<KeptModel>());
    case "evaluated": {
      const { predictor, ...judged } = as<Omit<StageOptions, "sketch"> & { predictor: KeptModel }>();
      const [{ evaluated }, { sketchRelation }] = await Promise.all([import("../models/predictor.js"), import("../cells/drift/sketch.js")]);
      return evaluated(await model(predictor), { ...judged, sketch: (relation, columns) => sketchRelation(context, relation, columns) });
    }
    case "baseline":
      return (await import("../cells/baseline/predictor.js")).baselinePredictor(as<BaselineParts>(), context);
    case "judged": {
      const { predictor, evaluation, split } = as<{ predictor: Predictor; evaluation: Evaluation; split: Split }>();
      return (await import("../cells/baseline/judging.js")).given(predictor, evaluation, split);
    }
    case "ensemble":
      return (await import("../models/ensemble.js")).ensemble(...as<{ members: [Predictor, number][] }>().members);
    case "metric": {
      const { name, scale } = as<{ name: string; scale?: number }>();
      return (await import("../cells/baseline/judging.js")).judgingBy(name, scale);
    }
    case "split": {
      const { base, options, added } = as<{ base: TableRelation; options: SplitOptions<object>; added: TableRelation<object>[] }>();
      const { TableSplit } = await import("../data/split.js");
      return new TableSplit(base, options as never, added);
    }
    case "features":
      throw new Error("features are functions of the notebook: their cell makes them");
  }
}
