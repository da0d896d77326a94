/** How well one input alone tells the target: what is known only afterwards gives itself away (the leakage gate). */
import type { Field } from "../protocol/values.js";
import { auc } from "../stats/auc.js";

export interface Single {
  field: string;
  score: number;
  measure: string;
}

/** fewest rows that say anything */
const fewest = 30;

/**
 * The input that tells the most: AUC for two classes, |correlation| for numbers. A value that is missing is a value too: a date of closing that only closed
 * accounts have tells everything by being there. Null when no input can be measured. `columns[i]`: the values of `fields[i]` as the wire brings them.
 */
export function strongestInput(
  fields: readonly Field[],
  columns: readonly (readonly unknown[])[],
  y: readonly number[],
  kind: string,
): Single | null {
  let best: Single | null = null;
  const consider = (field: string, values: readonly number[]): void => {
    const usable = values.map((_, i) => i).filter((i) => Number.isFinite(values[i]) && Number.isFinite(y[i]));
    if (usable.length < fewest || kind === "multiclass") return;
    const xs = usable.map((i) => values[i]!);
    const ys = usable.map((i) => y[i]!);
    const score = kind === "binary" ? twoSided(auc(ys, xs)) : Math.abs(correlation(xs, ys));
    if (Number.isFinite(score) && (best === null || score > best.score)) best = { field, score, measure: kind === "binary" ? "AUC" : "correlation" };
  };
  for (const [i, field] of fields.entries()) {
    if (field.type === "double[]" || field.type === "image" || ["history", "ahead"].includes(field.name)) continue;
    const values = columns[i]!.map((value) =>
      value instanceof Date ? value.getTime() : typeof value === "boolean" ? Number(value) : (value ?? null),
    );
    if (!values.every((value) => value === null || typeof value === "number")) {
      consider(field.name, foldedRates(values.map(String), y));
      continue;
    }
    consider(
      field.name,
      values.map((value) => value ?? NaN),
    );
    if (!values.includes(null)) continue;
    consider(
      field.name,
      values.map((value) => Number(value === null)),
    );
    // below and above all others: what the value tells and what its absence tells, together
    if (kind !== "binary") continue;
    for (const end of [-Number.MAX_VALUE, Number.MAX_VALUE])
      consider(
        field.name,
        values.map((value) => value ?? end),
      );
  }
  return best;
}

const twoSided = (value: number): number => Math.max(value, 1 - value);

/** Mean target of a category in the other half of the rows: a category seen once tells nothing about itself. */
function foldedRates(categories: readonly string[], y: readonly number[]): number[] {
  const sums = [new Map<string, [number, number]>(), new Map<string, [number, number]>()];
  categories.forEach((category, i) => {
    const one = sums[i % 2]!.get(category) ?? [0, 0];
    sums[i % 2]!.set(category, [one[0] + y[i]!, one[1] + 1]);
  });
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  return categories.map((category, i) => {
    const other = sums[1 - (i % 2)]!.get(category);
    return other ? other[0] / other[1] : mean;
  });
}

function correlation(x: readonly number[], y: readonly number[]): number {
  const n = x.length;
  const mx = x.reduce((sum, value) => sum + value, 0) / n;
  const my = y.reduce((sum, value) => sum + value, 0) / n;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    xy += (x[i]! - mx) * (y[i]! - my);
    xx += (x[i]! - mx) ** 2;
    yy += (y[i]! - my) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}
