/** Numbers that no network can learn from, told by the column that they came from. */
import type { Relation } from "../../protocol/values.js";
import { FeatureError, firstRows } from "../../models/features.js";
import type { Table } from "../../models/fit.js";
import { blocksOf } from "../../models/vectors.js";

interface Part {
  part: Relation;
  /** "training" */
  name: string;
  /** columns that the features read */
  inputs: string[];
  sampled?: boolean;
}

/**
 * A vector's NaN or infinity said by column, count and first row; any other error as it is. `record` of the error is a row of the part; if `sampled`,
 * one of the first rows and of some others, and of the others a column that holds such a value anywhere is named.
 */
export async function holeOf(error: unknown, { part, name, inputs, sampled = false }: Part): Promise<unknown> {
  if (!(error instanceof FeatureError)) return error;
  if (error.index === null) return error.field === null ? error : await misfitOf(error, error.field, part, name);
  const { record, index } = error;
  const exact = !sampled || record < firstRows;
  const seen = new Map(inputs.map((column) => [column, { here: undefined as unknown, count: 0, first: -1, value: undefined as unknown }]));
  let rows = 0;
  for await (const batch of part.batches({ columns: inputs, nulls: NaN })) {
    for (const [column, one] of seen) {
      const values = batch[column] as ArrayLike<unknown>;
      for (let i = 0; i < batch.length; i++) {
        if (!isHole(values[i])) continue;
        if (one.count++ === 0) [one.first, one.value] = [rows + i, values[i]];
      }
      if (record >= rows && record < rows + batch.length) one.here = values[record - rows];
    }
    rows += batch.length;
  }
  const total = `${rows.toLocaleString("en")} ${name} rows`;
  const place = `number ${index + 1} of the features`;
  for (const [column, { here, count, first, value }] of seen)
    if (exact ? isHole(here) : count > 0)
      return new RangeError(
        `column \`${column}\` is no finite number in ${count.toLocaleString("en")} of ${total} (${shown(value)} in row ${first + 1}), and so is ${place}: leave such rows out, or let \`row\` give a number for them`,
        { cause: error },
      );
  if (!exact) return error;
  const told = [...seen].slice(0, 4).map(([column, { here }]) => `\`${column}\` is ${shown(here)}`);
  return new RangeError(
    `${place} is no finite number in row ${record + 1} of ${total}, where ${told.join(", ")}: let \`row\` give one for such values`,
    { cause: error },
  );
}

/** From about here on the square of a gradient, by which optimisers divide, is infinite in float32: such an input trains nothing, without an error. */
const largest = 1e18;

/** Throws where a number of the vectors is too large to learn from, naming column and count. */
export async function refuseLarge({ x, rows, width }: Table, { part, name, inputs }: Part): Promise<void> {
  let [place, first, count] = [-1, 0, 0];
  for (const block of blocksOf(x, rows, width))
    for (let i = 0; i < block.x.length; i++) {
      if (Math.abs(block.x[i]!) < largest) continue;
      if (place < 0) [place, first] = [i % width, block.from + Math.floor(i / width)];
      if (i % width === place) count++;
    }
  if (place < 0) return;
  let at = 0;
  let columns: string[] = [];
  for await (const batch of part.batches({ columns: inputs, nulls: NaN })) {
    if (first < at + batch.length) {
      columns = inputs.filter((column) => Math.abs(Number((batch[column] as ArrayLike<unknown>)[first - at])) >= largest);
      break;
    }
    at += batch.length;
  }
  const from = columns.length > 0 ? `, from column \`${columns[0]}\`` : "";
  throw new RangeError(
    `number ${place + 1} of the features is 1e18 or larger in ${count.toLocaleString("en")} of ${rows.toLocaleString("en")} ${name} rows (first in row ${first + 1}${from}), which is too large to learn from in float32: scale it, for example by \`f.z\` or \`f.log\``,
  );
}

/** A value of another type than the features declare: how many rows have one like it. */
async function misfitOf(error: FeatureError, field: string, part: Relation, name: string): Promise<unknown> {
  const kinds = new Map<string, number>();
  let rows = 0;
  for await (const batch of part.batches({ columns: [field], nulls: NaN })) {
    const values = batch[field] as ArrayLike<unknown>;
    for (let i = 0; i < batch.length; i++) kinds.set(kindOf(values[i]), (kinds.get(kindOf(values[i])) ?? 0) + 1);
    rows += batch.length;
  }
  const told = [...kinds].map(([kind, count]) => `${kind} in ${count.toLocaleString("en")}`).join(", ");
  const reason = error.message.slice(error.message.indexOf(": ") + 2);
  return new RangeError(`column \`${field}\` does not fit the features: ${reason}. Of ${rows.toLocaleString("en")} ${name} rows it is ${told}`, {
    cause: error,
  });
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined || value !== value) return "NULL or NaN";
  if (value instanceof Date) return "a date";
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `a list of ${(value as unknown as ArrayLike<unknown>).length}`;
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}

/** NULL of a column of numbers comes as NaN; what float32 cannot hold becomes infinite. */
const isHole = (value: unknown): boolean => value === null || (typeof value === "number" && !Number.isFinite(Math.fround(value)));

function shown(value: unknown): string {
  if (value === null || (typeof value === "number" && Number.isNaN(value))) return "NULL or NaN";
  if (typeof value === "number" && !Number.isFinite(value)) return value > 0 ? "infinite" : "minus infinite";
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return Array.isArray(value) || ArrayBuffer.isView(value) ? "a list" : `a ${typeof value}`;
}
