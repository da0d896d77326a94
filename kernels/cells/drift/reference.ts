/** The two sides of a drift run: which columns both have, and the reference's sketches. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readEvaluation } from "../../models/version.js";
import type { RunContext } from "../../protocol/cells.js";
import { settle, type Relation, type VersionRef } from "../../protocol/values.js";
import type { ColumnSketch, Sketch } from "../../stats/sketch.js";
import { describe } from "../baseline/rows.js";
import { probesOf, quote, sketchColumns, type Probe } from "./sketch.js";

/** One comparison: how to read the column on either side. */
export interface Pair {
  probe: Probe;
  /** of a version; of a relation it is counted beside the others */
  stored: ColumnSketch | null;
  /** of a log: what the model answered */
  prediction: boolean;
}

/** A column of the reference that is not compared. */
export interface Skipped {
  column: string;
  why: string;
  /** it is gone or has another type now: that is a change, which no score can say */
  changed: boolean;
}

export interface Sides {
  pairs: Pair[];
  /** the reference's sketches, in the order of the pairs */
  references(): Promise<ColumnSketch[]>;
  label: string;
  skipped: Skipped[];
  /** dates of the current side, first choice for `every` first */
  times: string[];
}

const isRelation = (value: unknown): value is Relation =>
  typeof value === "object" && value !== null && typeof (value as Relation).schema === "function";
const isRef = (value: unknown): value is VersionRef =>
  typeof value === "object" && value !== null && typeof (value as VersionRef).name === "string" && "version" in value;

/** Checks and settles both sides. Throws an error that names the side and what was got. */
export async function sidesOf(reference: unknown, current: unknown, columns: string[] | undefined, context: RunContext): Promise<Sides> {
  if (!isRelation(current))
    throw new TypeError(`drift: Expected \`current\` to be a relation, such as rows or log("name"), got ${describe(current)}`);
  if (!isRelation(reference) && !isRef(reference))
    throw new TypeError(
      `drift: Expected \`reference\` to be a relation or a version such as { name: "flights", version: "champion" }, got ${describe(reference)}`,
    );
  await current[settle]?.();
  const now = await current.schema();
  const times = now.filter((c) => /^(DATE|TIMESTAMP)/.test(c.type)).map((c) => c.name);
  if (isRelation(reference)) {
    await reference[settle]?.();
    return { ...(await betweenRelations(reference, now, columns, context)), times };
  }
  return { ...(await againstVersion(reference, now, columns, context)), times: times.sort((a, b) => Number(b === "at") - Number(a === "at")) };
}

type Schema = { name: string; type: string }[];

async function betweenRelations(reference: Relation, now: Schema, columns: string[] | undefined, context: RunContext): Promise<Omit<Sides, "times">> {
  const then = await reference.schema();
  const types = new Map(now.map((c) => [c.name, c.type]));
  for (const name of columns ?? [])
    for (const [side, schema] of [
      ["reference", then],
      ["current", now],
    ] as const)
      if (!schema.some((c) => c.name === name))
        throw new RangeError(
          `drift: Expected \`columns\` to be columns of both sides, got \`${name}\`; the ${side} has ${schema.map((c) => c.name).join(", ")}`,
        );
  const skipped: Skipped[] = [];
  const pairs: Pair[] = [];
  for (const { name, type } of then) {
    if (columns && !columns.includes(name)) continue;
    const typeNow = types.get(name);
    if (typeNow === undefined) {
      skipped.push({ column: name, why: `\`${name}\` is not in the current rows`, changed: true });
      continue;
    }
    const [old, fresh] = [probesOf(name, type), probesOf(name, typeNow)];
    const same = fresh.filter((probe) => old.some((one) => one.column === probe.column && one.kind === probe.kind));
    if (same.length === 0) skipped.push({ column: name, why: `\`${name}\` (${type} and ${typeNow}) cannot be compared`, changed: typeNow !== type });
    for (const probe of same) pairs.push({ probe, stored: null, prediction: false });
  }
  // nothing to compare it with, and whoever reads the result should know of it
  if (!columns)
    for (const { name } of now)
      if (!then.some((c) => c.name === name)) skipped.push({ column: name, why: `\`${name}\` is new in the current rows`, changed: false });
  if (pairs.length === 0)
    throw new RangeError(
      `drift: the two sides share no column that can be compared; the reference has ${then.map((c) => c.name).join(", ")}, the current ${now.map((c) => c.name).join(", ")}`,
    );
  const references = (): Promise<ColumnSketch[]> =>
    sketchColumns(
      context,
      reference.name,
      pairs.map((pair) => pair.probe),
    );
  return { pairs, references, skipped, label: "the reference" };
}

/** The stored sketches of a version against rows or its own log (`record`, `prediction`). */
async function againstVersion(ref: VersionRef, now: Schema, columns: string[] | undefined, context: RunContext): Promise<Omit<Sides, "times">> {
  const found = await context.call("registry.resolve", ref);
  if (!found) throw new RangeError(`drift: there is no version ${String(ref.version)} of \`${ref.name}\``);
  const sketch = JSON.parse(readFileSync(join(found.dir, "reference.json"), "utf8")) as Partial<Sketch>;
  if (!Array.isArray(sketch.columns))
    throw new RangeError(`drift: version ${found.version} of \`${ref.name}\` holds no sketches of its training rows`);
  const record = now.find((c) => c.name === "record");
  const skipped: Skipped[] = [];
  const pairs: Pair[] = [];
  for (const stored of sketch.columns) {
    const [name, part] = stored.column.split(/: (?=hour$|day of week$)/) as [string, string | undefined];
    if (columns && !columns.includes(name) && !columns.includes(stored.column)) continue;
    if (name === sketch.target && record) continue;
    const source = sourceOf(name, now, record);
    if (!source) {
      skipped.push({ column: name, why: `\`${name}\` is not in the current rows`, changed: true });
      continue;
    }
    const expression = part
      ? `${part === "hour" ? "hour" : "isodow"}(try_cast(${source} as timestamp))::varchar`
      : stored.kind === "number"
        ? `try_cast(${source} as double)`
        : `(${source})::varchar`;
    pairs.push({ probe: { column: stored.column, kind: stored.kind, expression }, stored, prediction: false });
  }
  for (const name of columns ?? [])
    if (!sketch.columns.some((one) => one.column === name || one.column.startsWith(`${name}: `)))
      throw new RangeError(
        `drift: Expected \`columns\` to be columns of the version, got \`${name}\`; it holds ${sketch.columns.map((one) => one.column).join(", ")}`,
      );
  const answered = now.find((c) => c.name === "prediction");
  if (answered && record) pairs.push(predictionPair(found.dir, answered.type));
  if (pairs.length === 0)
    throw new RangeError(
      `drift: version ${found.version} of \`${ref.name}\` and the current rows share no column; the current rows have ${now.map((c) => c.name).join(", ")}`,
    );
  return { pairs, references: async () => pairs.map((pair) => pair.stored!), skipped, label: `version ${found.version} of ${ref.name}` };
}

/** A column of the rows, or a field of the logged record. */
function sourceOf(name: string, now: Schema, record: { type: string } | undefined): string | null {
  if (record?.type.startsWith("STRUCT"))
    return new RegExp(`[( ]"?${name.replaceAll(/[^\w]/g, "\\$&")}"? `).test(record.type)
      ? `record.${quote(name)}`
      : now.some((c) => c.name === name)
        ? quote(name)
        : null;
  if (record) return `json_extract_string(record, '$."${name.replaceAll("'", "''").replaceAll('"', '\\"')}"')`;
  return now.some((c) => c.name === name) ? quote(name) : null;
}

/** Answers on the version's own test rows against the logged ones; of several classes the likeliest is compared. */
function predictionPair(dir: string, type: string): Pair {
  const stored = readEvaluation(dir);
  const width = stored.width;
  const text = /^(JSON|VARCHAR)/.test(type);
  const list = text ? "json_extract(prediction, '$[*]')::double[]" : "prediction::double[]";
  const probe: Probe =
    width === 1
      ? { column: "prediction", kind: "number", expression: "round(try_cast(prediction as double), 2)" }
      : { column: "prediction", kind: "category", expression: `(list_position(${list}, list_max(${list})) - 1)::varchar` };
  const counts = new Map<number, number>();
  for (let i = 0; i < stored.n; i++) {
    let value = Math.round(stored.prediction[i * width]! * 100) / 100;
    if (width > 1) {
      value = 0;
      for (let c = 1; c < width; c++) if (stored.prediction[i * width + c]! > stored.prediction[i * width + value]!) value = c;
    }
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const rows = [...counts].sort((a, b) => a[0] - b[0]);
  const values = rows.map(([value]) => (width > 1 ? String(value) : value));
  const sketch: ColumnSketch = {
    column: "prediction",
    kind: probe.kind,
    rows: stored.n,
    missing: 0,
    values,
    counts: rows.map(([, n]) => n),
    edges: null,
    other: 0,
  };
  return { probe, stored: sketch, prediction: true };
}
