/** What a baseline cell adds to a predictor that it was given, and to a metric. */
import { keptBy } from "../../protocol/kept.js";
import { splitOf, type Evaluated, type Evaluation, type Predictor, type Split } from "../../protocol/values.js";
import { metricNamed } from "../../stats/metrics.js";
import type { Metric } from "../../stats/types.js";

/** A predictor that was passed in keeps its methods, with the evaluation on this split's test rows. */
export function given(predictor: Predictor, evaluation: Evaluation, split: Split): Evaluated {
  const judged: Evaluated = {
    ...predictor,
    ...{ label: predictor.label, task: predictor.task, input: predictor.input, params: predictor.params, bytes: predictor.bytes },
    ...{ provenance: predictor.provenance, evaluation, [splitOf]: split },
    predict: (rows) => predictor.predict(rows),
    stage: (dir, bar) => predictor.stage(dir, bar),
  };
  return keptBy(judged, "judged", { predictor, evaluation, split });
}

/** A metric that evaluations hold. */
export function judgingBy(name: string, scale?: number): Metric {
  return keptBy({ ...metricNamed(name, scale) }, "metric", { name, scale });
}
