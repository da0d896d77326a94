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
 * The input that tells the most: AUC for two classes, |correlation| for numbers, for more classes Goodman and Kruskal's lambda: which share of the errors of the
 * commonest class the input's value takes away. A value that is missing is a value too: a date of closing that only closed
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
    if (usable.length < fewest) return;
    const xs = usable.map((i) => values[i]!);
    const ys = usable.map((i) => y[i]!);
    const score = kind === "binary" ? twoSided(auc(ys, xs)) : Math.abs(correlation(xs, ys));
    if (Number.isFinite(score) && (best === null || score > best.score)) best = { field, score, measure: kind === "binary" ? "AUC" : "correlation" };
  };
  for (const [i, field] of fields.entries()) {
    if (field.type === "double[]" || field.type === "image" || ["history", "ahead"].includes(field.name)) continue;
    if (kind === "multiclass") {
      const score = columns[i]!.length < fewest ? NaN : lambda(columns[i]!, y);
      if (Number.isFinite(score) && (best === null || score > best.score)) best = { field: field.name, score, measure: "lambda" };
      continue;
    }
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

/** Most different values of numbers that are taken as they are; of more, a row looks at its nearest. */
const mostValues = 50;

/**
 * (right - prior) / (1 - prior): a row's class is guessed from the other half of the rows, as the commonest class at its value (or its absence), or for a number
 * of many values as that of the nearest one. 0 tells nothing, 1 everything; symmetric in the classes, so that the middle one of three counts too.
 */
function lambda(column: readonly unknown[], y: readonly number[]): number {
  const values = column.map((value) => (value instanceof Date ? value.getTime() : (value ?? null)));
  const all = new Map<number, number>();
  for (const one of y) all.set(one, (all.get(one) ?? 0) + 1);
  const otherwise = commonest(all);
  const prior = all.get(otherwise)! / y.length;
  if (prior === 1) return NaN;
  const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
  const nearest = new Set(values.filter(isNumber)).size > mostValues ? nearestOf(values.map((value) => (isNumber(value) ? value : NaN))) : null;
  const counts = [new Map<string, Map<number, number>>(), new Map<string, Map<number, number>>()];
  values.forEach((value, i) => {
    const half = counts[i % 2]!;
    const classes = half.get(String(value)) ?? new Map<number, number>();
    half.set(String(value), classes.set(y[i]!, (classes.get(y[i]!) ?? 0) + 1));
  });
  let right = 0;
  values.forEach((value, i) => {
    const classes = counts[1 - (i % 2)]!.get(String(value));
    const near = nearest?.[i] ?? -1;
    if ((near >= 0 ? y[near] : classes ? commonest(classes) : otherwise) === y[i]) right++;
  });
  return (right / y.length - prior) / (1 - prior);
}

function commonest(classes: Map<number, number>): number {
  return [...classes].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

/** For each row the row of the other half (even and odd places) whose value is nearest; -1 where there is none, or the value is NaN. */
function nearestOf(values: readonly number[]): Int32Array {
  const order = values.map((_, i) => i).filter((i) => !Number.isNaN(values[i]!));
  order.sort((a, b) => values[a]! - values[b]! || a - b);
  const found = new Int32Array(values.length).fill(-1);
  const pass = (rows: number[]): void => {
    const last = [-1, -1];
    for (const i of rows) {
      const near = last[1 - (i % 2)]!;
      const gap = (j: number) => Math.abs(values[j]! - values[i]!);
      if (near >= 0 && (found[i]! < 0 || gap(near) < gap(found[i]!))) found[i] = near;
      last[i % 2] = i;
    }
  };
  pass(order);
  pass(order.reverse());
  return found;
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
