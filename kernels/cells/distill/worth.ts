/** Was the teacher worth asking: the student against the same network, from the same first weights, taught by the labels alone. */
import type { Paired } from "../../protocol/values.js";
import { verdictOf } from "../../stats/paired.js";

export interface Worth {
  word: "better" | "worse" | "alike";
  sentence: string;
}

/** `gap`: share of the way from scratch to the teacher; `scratch`: the metric of the network taught by labels alone, as text. */
export function worthOf(difference: Paired, better: "lower" | "higher", gap: number, scratch: string): Worth {
  const found = verdictOf(difference, better);
  if (found === "does not beat")
    return { word: "worse", sentence: `Distilling did not help: the same network taught by the labels alone has ${scratch}, which is better.` };
  if (found === "too close to call") return { word: "alike", sentence: `The same network taught by the labels alone is as good (${scratch}).` };
  // a teacher that is no better than the student's rival has no gap to close
  const closed = Number.isFinite(gap) && gap > 0 ? `, which closes ${Math.round(100 * gap)} % of the gap to the teacher` : "";
  return { word: "better", sentence: `It beats the same network taught by the labels alone (${scratch})${closed}.` };
}
