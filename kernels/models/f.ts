/**
 * Stock helpers for features, `f.` in cells. This file stands alone (no imports but types): it is bundled into every features.mjs that uses it.
 * Row helpers are total: each says what it gives for null, NaN, unseen and out-of-range values, and never gives NaN. Dates are read in UTC.
 */
import type { Relation } from "../protocol/values.js";

/** What `f.stats` gives. */
export interface Stats {
  /** values that are numbers */
  n: number;
  /** null and NaN */
  nulls: number;
  mean: number;
  /** sample standard deviation (n - 1); 0 for fewer than two values */
  sd: number;
  min: number;
  max: number;
}

type Maybe<T> = T | null | undefined;

const number = (x: unknown): number | null => {
  const value = typeof x === "bigint" ? Number(x) : x;
  return typeof value === "number" && value === value ? value : null;
};
const between = (x: number, low: number, high: number) => (x < low ? low : x > high ? high : x);

/** (x - mean) / sd, limited to -20..20. Null and NaN: 0, the mean. A constant column (sd 0): 0. */
export function z(x: Maybe<number | bigint>, stats: { mean: number; sd: number }): number {
  const value = number(x);
  if (value === null || !(stats.sd > 0)) return 0;
  return between((value - stats.mean) / stats.sd, -20, 20);
}

/** x limited to low..high. Null and NaN: 0, limited likewise. */
export function clip(x: Maybe<number | bigint>, low: number, high: number): number {
  return between(number(x) ?? 0, low, high);
}

/** sign(x) * ln(1 + |x|), so that zero and negative values have one. Null and NaN: 0. Infinite: as the largest number, 709.78. */
export function log(x: Maybe<number | bigint>): number {
  const value = between(number(x) ?? 0, -Number.MAX_VALUE, Number.MAX_VALUE);
  return value < 0 ? -Math.log1p(-value) : Math.log1p(value);
}

/** One of `edges.length + 2` places set to 1: below the first edge, from each edge up to the next, from the last edge on, and the last place for null and NaN. */
export function bucket(x: Maybe<number | bigint>, edges: readonly number[]): number[] {
  const out = new Array<number>(edges.length + 2).fill(0);
  const value = number(x);
  let place = edges.length + 1;
  if (value !== null) for (place = 0; place < edges.length && value >= edges[place]!;) place++;
  out[place] = 1;
  return out;
}

/**
 * One of `values.length + 1` places set to 1: that of the value; the last for unseen values and null. Numbers and booleans are compared as text.
 * A number n stands for the values 0 to n - 1: `f.oneHot(f.hour(r.date), 24)`.
 */
export function oneHot(x: Maybe<string | number | bigint | boolean>, values: readonly (string | number | boolean)[] | number): number[] {
  if (typeof values === "number") {
    const out = new Array<number>(values + 1).fill(0);
    const value = typeof x === "string" ? null : number(typeof x === "boolean" ? Number(x) : x);
    out[value !== null && Number.isInteger(value) && value >= 0 && value < values ? value : values] = 1;
    return out;
  }
  const out = new Array<number>(values.length + 1).fill(0);
  out[x === null || x === undefined ? values.length : placeOf(String(x), values)] = 1;
  return out;
}

/** Places by text of long lists that cannot change (the fitted state is frozen), so that a row costs one look-up. */
const places = new WeakMap<object, Map<string, number>>();

function placeOf(text: string, values: readonly (string | number | boolean)[]): number {
  if (values.length > 8 && Object.isFrozen(values)) {
    let known = places.get(values);
    if (known === undefined) {
      known = new Map();
      for (let i = values.length - 1; i >= 0; i--) known.set(String(values[i]), i);
      places.set(values, known);
    }
    return known.get(text) ?? values.length;
  }
  for (let i = 0; i < values.length; i++) if (values[i] === text || String(values[i]) === text) return i;
  return values.length;
}

/** One of `size` places set to 1, by a hash of the text (32-bit FNV-1a over UTF-16 units). Null: all 0. Nothing is unseen; different values may share a place. */
export function hash(x: Maybe<string | number | bigint | boolean>, size: number): number[] {
  const out = new Array<number>(size).fill(0);
  if (x !== null && x !== undefined && size > 0) out[fnv(String(x)) % size] = 1;
  return out;
}

function fnv(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  // the low bits of FNV are weak: mix before the remainder
  value ^= value >>> 15;
  value = Math.imul(value, 0x2c1b3c6d);
  return (value ^ (value >>> 12)) >>> 0;
}

const time = (date: Maybe<Date | number>): Date | null => {
  if (date === null || date === undefined) return null;
  const value = typeof date === "number" ? new Date(date) : date;
  return value.getTime() === value.getTime() ? value : null;
};

/** Hour of the day in UTC, 0 to 23. No date: -1, which `f.cyclic` turns into [0, 0]. */
export function hour(date: Maybe<Date | number>): number {
  return time(date)?.getUTCHours() ?? -1;
}

/** Day of the week in UTC, 0 = Sunday to 6 = Saturday, as DuckDB's `dayofweek`. No date: -1. */
export function dow(date: Maybe<Date | number>): number {
  return time(date)?.getUTCDay() ?? -1;
}

/** Month in UTC, 1 to 12, as DuckDB's `month`. No date: -1. */
export function month(date: Maybe<Date | number>): number {
  const value = time(date);
  return value === null ? -1 : value.getUTCMonth() + 1;
}

/** [sin, cos] of x on a circle of this period, so that 23 h lies beside 0 h. Null, NaN, negative and infinite: [0, 0]. */
export function cyclic(x: Maybe<number | bigint>, period: number): [number, number] {
  const value = number(x);
  if (value === null || value < 0 || value === Infinity || !(period > 0)) return [0, 0];
  const angle = (2 * Math.PI * (value % period)) / period;
  return [Math.sin(angle), Math.cos(angle)];
}

/** Counts of the text's character n-grams (lower case, a space at both ends), hashed into `size` places and scaled to length 1. Null and empty: all 0. */
export function ngrams(text: Maybe<string>, n: number, size: number): number[] {
  const out = new Array<number>(size).fill(0);
  if (text === null || text === undefined || text === "" || !(size > 0)) return out;
  const units = ` ${text.toLowerCase()} `;
  for (let i = 0; i + n <= units.length; i++) {
    const place = fnv(units.slice(i, i + n)) % size;
    out[place] = out[place]! + 1;
  }
  let sum = 0;
  for (const count of out) sum += count * count;
  if (sum > 0) {
    const length = Math.sqrt(sum);
    for (let i = 0; i < size; i++) out[i] = out[i]! / length;
  }
  return out;
}

/** Exactly `size` pixels, each divided by `max` and limited to 0..1; missing pixels, null and NaN: 0, surplus ones are dropped. */
export function image(pixels: Maybe<ArrayLike<number>>, size: number, max = 255): number[] {
  if (!Number.isInteger(size) || size < 1)
    throw new TypeError(`Expected \`size\` of f.image to be the number of pixels, as in f.image(r.image, 784), got \`${String(size)}\``);
  const out = new Array<number>(size).fill(0);
  if (pixels === null || pixels === undefined) return out;
  const length = Math.min(size, pixels.length);
  for (let i = 0; i < length; i++) out[i] = between((number(pixels[i]) ?? 0) / max, 0, 1);
  return out;
}

/** Rows to fit on: a relation, or batches of columns, or plain records. */
export type FitRows = Pick<Relation, "batches"> | AsyncIterable<Batch> | Iterable<Record<string, unknown>>;
type Batch = Record<string, unknown> & { length: number };

/** Mean, spread and range of a column: one thread, in row order (Welford 1962), so that the same rows always give the same bits. */
export async function stats(rows: FitRows, column: string): Promise<Stats> {
  let n = 0;
  let nulls = 0;
  let mean = 0;
  let squares = 0;
  let min = Infinity;
  let max = -Infinity;
  await each(rows, column, (raw) => {
    const value = number(raw);
    if (value === null) {
      if (raw !== null && raw !== undefined && typeof raw !== "number")
        throw new TypeError(`f.stats: Expected \`${column}\` to hold numbers, got \`${String(raw)}\``);
      nulls++;
      return;
    }
    if (value === Infinity || value === -Infinity) throw new RangeError(`f.stats: \`${column}\` holds an infinite value`);
    n++;
    const step = value - mean;
    mean += step / n;
    squares += step * (value - mean);
    if (value < min) min = value;
    if (value > max) max = value;
  });
  return { n, nulls, mean, sd: n > 1 ? Math.sqrt(squares / (n - 1)) : 0, min: n > 0 ? min : 0, max: n > 0 ? max : 0 };
}

/** The `count` most frequent values as text, most frequent first, equal ones in code-unit order; null is not counted. */
export async function top(rows: FitRows, column: string, count: number): Promise<string[]> {
  const counts = new Map<string, number>();
  await each(rows, column, (value) => {
    if (value === null || value === undefined || value !== value) return;
    const text = String(value);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  });
  return [...counts.entries()]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, count)
    .map(([text]) => text);
}

async function each(rows: FitRows, column: string, visit: (value: unknown) => void): Promise<void> {
  if (typeof (rows as Partial<Relation>).batches !== "function" && typeof (rows as Iterable<unknown>)[Symbol.iterator] === "function") {
    for (const row of rows as Iterable<Record<string, unknown>>) {
      if (!(column in row)) throw new RangeError(`The rows have no column \`${column}\``);
      visit(row[column]);
    }
    return;
  }
  const batches =
    typeof (rows as Partial<Relation>).batches === "function"
      ? (rows as Relation).batches({ columns: [column], nulls: NaN })
      : (rows as AsyncIterable<Batch>);
  for await (const batch of batches) {
    const values = (batch as Batch)[column] as ArrayLike<unknown> | undefined;
    if (values === undefined || typeof values !== "object") throw new RangeError(`The rows have no column \`${column}\``);
    for (let i = 0; i < batch.length; i++) visit(values[i]);
  }
}
