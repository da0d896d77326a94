/** The teacher of a distillation, and rows without labels that it answers for the students. */
import { ensemble } from "../../models/ensemble.js";
import { answersOf, innerOf } from "../../models/predictor.js";
import type { Hold, Vectors } from "../../models/vectors.js";
import { settle, type Predictor, type Relation } from "../../protocol/values.js";
import { describe } from "../baseline/rows.js";
import { isRelation, logitsOf } from "./teach.js";

/** One predictor, or an ensemble of several in equal parts; and the features that its students get. */
export async function teacherOf(given: Predictor | Predictor[] | undefined) {
  const all = (Array.isArray(given) ? given : [given]) as (Predictor & { [settle]?(): Promise<void> })[];
  for (const one of all) {
    if (typeof one?.predict !== "function")
      throw new TypeError(`Expected \`teacher\` of distill to be a predictor or a list of them, got ${describe(one)}`);
    await one[settle]?.();
  }
  if (all.length === 0) throw new TypeError("Expected `teacher` of distill to be a predictor or a list of them, got an empty list");
  const teacher = all.length === 1 ? all[0]! : ensemble(...all.map((one): [Predictor, number] => [one, 1]));
  const members = (teacher as { members?: Predictor[] }).members ?? [teacher];
  const features = members.map((one) => innerOf(one)?.features).find((one) => one !== undefined);
  if (!features)
    throw new TypeError(
      `the teacher ${teacher.label} was not trained here, so the student has no features: train it with \`train\`, or add it to an ensemble with one that was`,
    );
  return { teacher, features };
}

/** Vectors of the transfer rows and what the teacher says of each; null where there are none. */
export async function transferOf(
  transfer: unknown,
  teacher: Predictor,
  features: Awaited<ReturnType<typeof teacherOf>>["features"],
  outcome: Parameters<typeof logitsOf>[1],
  scale: Parameters<typeof logitsOf>[2],
  { breathe, hold }: { breathe: () => Promise<void>; hold: Hold },
): Promise<{ x: Vectors; rows: number; logits: Float32Array } | null> {
  if (transfer === undefined) return null;
  if (!isRelation(transfer)) throw new TypeError(`Expected \`transfer\` of distill to be a relation, got ${describe(transfer)}`);
  await (transfer as Relation)[settle]?.();
  const { x, rows } = await features.matrix(transfer);
  hold(x);
  return { x, rows, logits: logitsOf(await answersOf(teacher, transfer, breathe), outcome, scale) };
}
