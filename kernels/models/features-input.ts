/** The declared input of features: its check, its fields for the signature, and the state's check. */
import { quote } from "../data/names.js";
import type { RunContext } from "../protocol/cells.js";
import type { Field, Relation } from "../protocol/values.js";

const types: readonly Field["type"][] = ["double", "integer", "bigint", "boolean", "string", "timestamp", "date", "decimal", "double[]", "image"];

/** A frozen copy of `input`. Throws a TypeError that names the field. */
export function checkInput(input: unknown): Record<string, string> {
  if (input === null || typeof input !== "object" || Array.isArray(input))
    throw new TypeError(`Expected \`input\` to be an object of field types, got \`${String(input)}\``);
  const entries = Object.entries(input);
  if (entries.length === 0) throw new TypeError("Expected `input` to declare at least one field");
  for (const [name, type] of entries) {
    if (typeof type !== "string" || !types.includes(type.replace(/\?$/, "") as Field["type"]))
      throw new TypeError(`features: field \`${name}\`: Expected one of ${types.join(", ")} (with ? when it may be null), got \`${String(type)}\``);
  }
  return Object.freeze(Object.fromEntries(entries) as Record<string, string>);
}

/** The state as it comes back from JSON. Throws a TypeError that names the path of what JSON cannot hold. */
export function checkState(state: unknown): unknown {
  const open = new Set<unknown>();
  const visit = (value: unknown, path: string): void => {
    const fail = (what: string): never => {
      throw new TypeError(`features: \`${path}\` is ${what}; \`fit\` must return JSON: numbers, texts, lists, plain objects`);
    };
    if (value === null || typeof value === "string" || typeof value === "boolean") return;
    if (typeof value === "number") return Number.isFinite(value) ? undefined : fail(String(value));
    if (typeof value !== "object") return fail(value === undefined ? "undefined" : `a ${typeof value}`);
    if (open.has(value)) fail("part of itself");
    open.add(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value)) for (let i = 0; i < value.length; i++) visit(value[i], `${path}[${i}]`);
    else if (prototype === null || Object.getPrototypeOf(prototype as object) === null) {
      for (const key of Reflect.ownKeys(value)) {
        if (typeof key === "symbol") fail("an object with a symbol key");
        visit((value as Record<string, unknown>)[key as string], `${path}.${String(key)}`);
      }
    } else fail(`a ${(value as object).constructor?.name || "class instance"}`);
    open.delete(value);
  };
  visit(state ?? null, "state");
  return JSON.parse(JSON.stringify(state ?? null)) as unknown;
}

const numeric = new Set(["double", "integer", "bigint", "decimal"]);
const upcasts: Record<string, RegExp> = {
  double: /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|UHUGEINT|DECIMAL.*)$/,
  timestamp: /^DATE$/,
  date: /^TIMESTAMP/,
};

/**
 * Fields for the signature, from the declaration and one pass over the training rows. NULL makes a field nullable and is noted; NaN and infinite times,
 * which reach `row` as null too, are refused where the declaration does not say `?`, and by `identity`, which would train on 0.
 */
export async function describeFields(
  input: Record<string, string>,
  relation: Relation,
  context: Pick<RunContext, "breathe">,
  { identity = false } = {},
): Promise<{ fields: Field[]; notes: string[] }> {
  const schema = new Map((await relation.schema()).map((column) => [column.name, column.type]));
  const names = Object.keys(input);
  const notes: string[] = [];
  for (const name of names) {
    const type = schema.get(name);
    if (type === undefined)
      throw new RangeError(`features: the training rows have no column \`${name}\`; they have ${[...schema.keys()].join(", ")}`);
    const declared = input[name]!.replace("?", "");
    if (upcasts[declared]?.test(type.toUpperCase())) notes.push(`${name}: ${type} is read as ${declared}`);
  }
  if (names.includes("length")) throw new RangeError("features: a field cannot be called `length`, batches of rows use that name; rename it in SQL");
  const seen = names.map(() => ({ nulls: 0, far: 0, infinite: 0, numbers: new Thinned(), counts: new Map<string, number>(), full: false }));
  let rows = 0;
  for await (const batch of relation.batches({ columns: names, nulls: NaN })) {
    for (const [i, name] of names.entries()) {
      const type = input[name]!.replace("?", "");
      const column = (batch as Record<string, unknown>)[name] as ArrayLike<unknown>;
      const one = seen[i]!;
      for (let row = 0; row < batch.length; row++) {
        const value = column[row];
        if (value === null || value === undefined || value !== value) one.nulls++;
        else if (numeric.has(type)) {
          const number = Number(value);
          if (number - number !== 0) one.infinite++;
          one.numbers.add(number);
        } else if (value instanceof Date) one.far += isFar(value) ? 1 : 0;
        else if (type === "string" && !one.full) {
          one.counts.set(value as string, (one.counts.get(value as string) ?? 0) + 1);
          one.full = one.counts.size > 100_000;
        }
      }
    }
    rows += batch.length;
    await context.breathe();
  }
  const of = `${rows.toLocaleString("en")} training rows`;
  for (const [i, name] of names.entries()) {
    const { nulls, far, infinite } = seen[i]!;
    const strict = identity || !input[name]!.endsWith("?");
    const nans = strict && nulls > 0 && /^(FLOAT|DOUBLE)$/.test(schema.get(name)!) ? await relation.where(`isnan(${quote(name)})`).count() : 0;
    const lost = nans > 0 ? nans : strict ? far : 0;
    if (lost > 0) {
      const advice = identity
        ? "leave such rows out, or write `features({...})`, whose `row` says what stands for it"
        : `leave such rows out, or declare it as "${input[name]!}?", so that \`row\` gets null for it`;
      throw new RangeError(`column \`${name}\` is ${nans > 0 ? "NaN" : "infinite"} in ${lost.toLocaleString("en")} of ${of}: ${advice}`);
    }
    if (infinite > 0) notes.push(`${name}: infinite in ${infinite.toLocaleString("en")} of ${of}`);
    if (far > 0) notes.push(`${name}: infinite in ${far.toLocaleString("en")} of ${of}, where \`row\` gets null`);
    if (identity && nulls > 0) notes.push(`${name}: NULL in ${nulls.toLocaleString("en")} of ${of}, where the model gets 0`);
  }
  const fields = names.map((name, i): Field => {
    const { nulls, counts } = seen[i]!;
    const { numbers } = seen[i]!.numbers;
    const type = input[name]!.replace("?", "") as Field["type"];
    const declared = input[name]!.endsWith("?");
    if (nulls > 0 && !declared)
      notes.push(`${name}: NULL in ${nulls.toLocaleString("en")} of ${of}, where \`row\` gets null, so it may be null when served`);
    const field: Field = { name, type, nullable: declared || nulls > 0 };
    if (numbers.length > 0) {
      const sorted = Float64Array.from(numbers).sort();
      const at = (p: number) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]!;
      field.range = [at(0.001), at(0.999)];
    }
    if (type === "string") {
      const ranked = [...counts.entries()].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
      field.seen = ranked.slice(0, 1000).map(([text]) => text);
    }
    return field;
  });
  return { fields, notes };
}

/** Infinite, or outside of what a Date holds: DuckDB's values become the ends of its range. */
const isFar = (date: Date): boolean => Math.abs(date.getTime()) === 8.64e15;

/** Numbers whose quantiles are asked for: past a million every second one is dropped, again and again, so that any number of rows takes the same room. */
class Thinned {
  numbers: number[] = [];
  #every = 1;
  #count = 0;
  add(value: number): void {
    if (this.#count++ % this.#every !== 0) return;
    this.numbers.push(value);
    if (this.numbers.length < 1_048_576) return;
    this.numbers = this.numbers.filter((_, i) => i % 2 === 0);
    this.#every *= 2;
  }
}

/** The parts of a bundle that passes numbers and lists of numbers through, in the relation's column order; null is 0, booleans 0 and 1. */
export async function identityParts(
  relation: Relation,
  exclude: readonly string[],
): Promise<{ input: Record<string, string>; modules: Record<string, string> }> {
  const input: Record<string, string> = {};
  const other: string[] = [];
  for (const { name, type } of await relation.schema()) {
    if (exclude.includes(name)) continue;
    if (/^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|DOUBLE|FLOAT|REAL|DECIMAL.*)$/i.test(type)) input[name] = "double?";
    else if (/^BOOLEAN$/i.test(type)) input[name] = "boolean?";
    else if (/^(U?(TINYINT|SMALLINT|INTEGER|BIGINT)|DOUBLE|FLOAT|REAL)(\[\d*\])+$/i.test(type)) input[name] = "double[]";
    else other.push(`${name} (${type})`);
  }
  if (other.length > 0)
    throw new TypeError(
      `features: "identity" takes numbers as they are, but ${other.join(", ")} is none; leave it out of the rows or write \`features({...})\``,
    );
  if (Object.keys(input).length === 0) throw new TypeError('features: "identity" found no column of numbers');
  const row = `export const $$row = (record: Record<string, unknown>) => {
  const out: number[] = [];
  for (const name of Object.keys(record)) {
    const value = record[name];
    if (value === null) out.push(0);
    else if (typeof value === "object") for (const one of value as Iterable<number>) out.push(one);
    else out.push(Number(value));
  }
  return out;
};`;
  return { input: Object.freeze(input), modules: { row } };
}
