/** Rows that a finding points at: drawn once, kept as what the page shows is. */
import type { Drawn } from "../protocol/cells.js";
import type { Relation } from "../protocol/values.js";
import type { TableRelation } from "./relation.js";

export async function draw(from: Relation, condition: string, n: number, seed: number): Promise<Drawn> {
  const whole = from.where(condition);
  const total = await whole.count();
  const sample = whole.sample(n, { seed }) as TableRelation;
  const { relation } = await sample.view(1);
  return { relation, rows: Math.min(n, total), total, hash: await sample.hash() };
}
