/** Rows of a split as a task's numbers: what every built-in that judges on the test rows reads first. */
import type { Columns, Relation, Split, Task } from "../../protocol/values.js";
import { settle } from "../../protocol/values.js";
import { clustersOf, keysHash } from "../../stats/keys.js";
import { millis } from "../../stats/moments.js";
import { blockLength } from "../../stats/resample.js";
import type { Dependence } from "../../stats/types.js";

export interface JudgedRows {
  ys: Float64Array;
  /** `keysHash` of the split's key over the rows */
  keys: string;
  /** how the rows hang together: blocks of a time series, days of a time key, rows of one key */
  dependence: Dependence;
}

const isTime = (type: string): boolean => /^(DATE|TIMESTAMP)/.test(type);

/** Settles a split and says what is wrong when it is none. */
export async function settled<R extends object>(split: Split<R> | undefined, call: string): Promise<Split<R>> {
  if (!split || typeof split !== "object" || !("train" in split) || !("test" in split))
    throw new TypeError(`Expected \`split\` of ${call} to be a split, such as \`rows.split({ by: "hash", key: "id" })\`, got ${describe(split)}`);
  await split[settle]?.();
  return split;
}

/** What a value is, for an error. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value !== "object") return `\`${String(value)}\``;
  return "schema" in value ? "a relation" : Array.isArray(value) ? "a list" : "an object";
}

/** Target values as numbers: classes by their index, booleans 0 and 1. Throws on nulls and on values that the task does not know. */
export function encodeTarget(values: ArrayLike<unknown>, task: Task, part: string): Float64Array {
  const out = new Float64Array(values.length);
  const classes = task.kind === "forecast" || task.kind === "regression" ? null : task.classes;
  const index = classes ? new Map(classes.map((name, i) => [name, i])) : null;
  let missing = 0;
  /** "12 of 4,200 training rows" have this value */
  const having = (value: unknown): string => {
    let count = 0;
    for (let i = 0; i < values.length; i++) if (values[i] === value) count++;
    return `${count.toLocaleString("en")} of ${values.length.toLocaleString("en")} ${part} rows`;
  };
  for (let i = 0; i < out.length; i++) {
    const value = values[i];
    if (value === null || value === undefined || (typeof value === "number" && Number.isNaN(value))) {
      missing++;
      continue;
    }
    if (task.kind === "multiclass" || (task.kind === "binary" && index && typeof value === "string")) {
      const at = index?.get(String(value));
      if (at === undefined)
        throw new RangeError(
          `Expected \`${task.target}\` to be one of the classes ${classes?.join(", ")}, got \`${String(value)}\` in ${having(value)}`,
        );
      out[i] = at;
      continue;
    }
    const number = typeof value === "number" ? value : typeof value === "boolean" || typeof value === "bigint" ? Number(value) : Number.NaN;
    if (Number.isNaN(number))
      throw new RangeError(
        `Expected \`${task.target}\` to be ${task.kind === "binary" ? "true or false, 0 or 1" : "a number"}, got \`${String(value)}\` in ${having(value)}`,
      );
    // a square of it, or the float32 that a network gets, would be infinite
    if (!Number.isFinite(Math.fround(number)))
      throw new RangeError(
        `Expected \`${task.target}\` to be a number of float32's range, got \`${number}\` in ${having(value)}: leave such rows out`,
      );
    if (task.kind === "binary" && number !== 0 && number !== 1)
      throw new RangeError(`Expected \`${task.target}\` of a binary task to be 0 or 1, got \`${number}\` in ${having(value)}`);
    out[i] = number;
  }
  if (missing > 0)
    throw new RangeError(
      `${missing.toLocaleString("en")} of ${out.length.toLocaleString("en")} ${part} rows have no \`${task.target}\`: leave them out, for example by .where('"${task.target}" is not null')`,
    );
  return out;
}

/** Columns of one part, with a clear error for a name that it lacks. */
export async function readColumns(relation: Relation<never> | Relation, names: string[], what: string): Promise<Columns> {
  const schema = await relation.schema();
  const known = new Set(schema.map((c) => c.name));
  for (const name of names)
    if (!known.has(name))
      throw new RangeError(`Expected ${what} to be a column of the rows, got \`${name}\`; they have ${schema.map((c) => c.name).join(", ")}`);
  // what is missing is counted and told by whoever needs the column
  return (relation as Relation).columns([...new Set(names)], { nulls: NaN });
}

/** How rows hang together, from the split's key and the task: the same for every call, so that comparisons are paired alike. */
export function dependenceOf(task: Task, keys: ArrayLike<unknown>, keyIsTime: boolean, series: ArrayLike<unknown> | null): Dependence {
  if (task.kind === "forecast" && !series) return { block: blockLength(keys.length, task.season) };
  return { clusters: series ? clustersOf(series, false) : clustersOf(keys, keyIsTime) };
}

/** Truth, identity and dependence of the test rows, in the order of the split's key. */
export async function judgedRows<R extends object>(split: Split<R>, task: Task<R>): Promise<JudgedRows> {
  const test = split.test as unknown as Relation;
  const key = split.spec.key;
  const series = task.kind === "forecast" ? task.series : undefined;
  const columns = await readColumns(test, [task.target, key, ...(series ? [series] : [])], "`task.target`");
  const keyIsTime = isTime((await test.schema()).find((c) => c.name === key)?.type ?? "");
  const keyed = keyIsTime ? Float64Array.from(columns[key]!, millis) : columns[key]!;
  return {
    ys: encodeTarget(columns[task.target]!, task as unknown as Task, "test"),
    keys: keysHash(keyed),
    dependence: dependenceOf(task as unknown as Task, keyed, keyIsTime, series ? columns[series]! : null),
  };
}
