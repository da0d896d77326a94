/** Reads a split as tables of numbers, and refuses what cannot be learned from in words that name the column and the count. */
import type { Against, Evaluated, Relation, Split, Task } from "../../protocol/values.js";
import { settle } from "../../protocol/values.js";
import { quote } from "../../data/names.js";
import type { Outcome } from "../../models/build.js";
import type { FittedFeatures } from "../../models/features.js";
import type { Table } from "../../models/fit.js";
import { blocksOf, isStored, rowsFrom, type Hold, type Vectors } from "../../models/vectors.js";
import { holeOf, refuseLarge } from "./holes.js";
import { describe, encodeTarget, judgedRows, readColumns, type JudgedRows } from "../baseline/rows.js";

/** The bar of `against`: what `baseline` returned, or any evaluated predictor. */
export async function barOf(against: Against | undefined, call: string): Promise<Evaluated> {
  await (against as { [settle]?(): Promise<void> } | undefined)?.[settle]?.();
  const bar = (against as { bar?: Evaluated } | undefined)?.bar ?? (against as Evaluated | undefined);
  if (!bar || typeof bar !== "object" || typeof bar.predict !== "function" || !bar.evaluation) {
    throw new TypeError(
      `Expected \`against\` of ${call} to be what \`baseline\` returned, or a predictor with an evaluation, got ${describe(against)}: nothing is trained without a number to beat`,
    );
  }
  return bar;
}

/** The bar's evaluation on the test rows of this split. A split with more training rows has another id and the same test rows. */
export function onSameRows(bar: Evaluated, split: Split, judged: JudgedRows): Evaluated["evaluation"] {
  const { evaluation } = bar;
  if (evaluation.split === split.id) return evaluation;
  if (evaluation.keys === judged.keys && evaluation.n === judged.ys.length) return { ...evaluation, split: split.id };
  throw new RangeError(
    `the baseline ${bar.label} was judged on other test rows (${evaluation.n.toLocaleString("en")} against ${judged.ys.length.toLocaleString("en")} here): give both calls the same split`,
  );
}

export function outcomeOf(task: Task): Outcome {
  return task.kind === "forecast" ? "regression" : task.kind;
}

export interface Tables {
  train: Table;
  valid: Table;
  judged: JudgedRows;
  /** vectors of the test rows, in the order of `judged` */
  test: { x: Vectors; rows: number };
  /** one a training row; absent without a weight column or class weights */
  weights?: Float32Array;
  warnings: string[];
  /** bytes of the vectors that are read from files, as they are too many for memory */
  stored: number;
}

/** Vectors and truths of the three parts. `say` names what is read now, `hold` gets what the caller closes. */
export async function readTables(
  split: Split,
  task: Task,
  features: FittedFeatures,
  options: { weight?: string; classWeights?: "balanced" | Record<string, number> },
  { say, hold }: { say(label: string): void; hold: Hold },
): Promise<Tables> {
  const warnings: string[] = [];
  say("reading the training rows");
  const train = await readTable(split.train, task, features, "training", hold);
  refuse(train, task);
  await refuseLarge(train, { part: split.train, name: "training", inputs: features.fields.map((field) => field.name) });
  warnings.push(...absent(train, task), ...constants(train), ...(await constantColumns(split.train, features)));
  say("reading the validation rows");
  let valid = await readTable(split.valid, task, features, "validation", hold);
  let kept = train;
  if (valid.rows === 0) {
    const n = Math.max(1, Math.round(train.rows / 10));
    if (train.rows < 20) throw new RangeError(`the split has no validation rows and only ${train.rows} training rows: give it more data`);
    // the last rows in the split's order: for a split by time, the latest
    valid = slice(train, train.rows - n, train.rows);
    kept = slice(train, 0, train.rows - n);
    warnings.push(`the split has no validation rows: the last ${n.toLocaleString("en")} training rows were used instead`);
  }
  say("reading the test rows");
  const judged = await judgedRows(split, task);
  const test = await features.matrix(split.test);
  hold(test.x);
  if (test.rows === 0) throw new RangeError("the split has no test rows: the model could not be judged");
  for (const [part, name] of [
    [split.valid, "validation"],
    [split.test, "test"],
  ] as const)
    warnings.push(...(await newNulls(part, features, name)));
  if (test.rows !== judged.ys.length) throw new Error(`the test part gave ${test.rows} vectors for ${judged.ys.length} rows`);
  const weights = await rowWeights(split.train, kept, task, options);
  const stored = [train, valid, test].reduce((sum, { x }) => sum + (isStored(x) ? x.bytes : 0), 0);
  return { train: kept, valid, judged, test, warnings, stored, ...(weights ? { weights } : {}) };
}

/** Vectors and truths of one part. */
export async function readTable(part: Relation, task: Task, features: FittedFeatures, name: string, hold: Hold): Promise<Table> {
  const columns = await readColumns(part, [task.target], "`task.target`");
  const y = encodeTarget(columns[task.target]!, task, name);
  if (y.length === 0) return { x: new Float32Array(0), y, rows: 0, width: features.width };
  const { x, rows, width } = await features.matrix(part).catch(async (error: unknown) => {
    throw await holeOf(error, { part, name, inputs: features.fields.map((field) => field.name) });
  });
  hold(x);
  if (rows !== y.length) throw new Error(`the ${name} part gave ${rows} vectors for ${y.length} rows`);
  return { x, y, rows, width };
}

/** Numbers of the vector that are the same in every row: they tell nothing, and a scale by their deviation would divide by 0. */
function constants({ x, rows, width }: Table): string[] {
  if (rows < 2) return [];
  const firsts = rowsFrom(x, width, 0, 1).slice();
  let same = Array.from(firsts, (_, j) => j);
  for (const block of blocksOf(x, rows, width)) {
    same = same.filter((j) => {
      for (let i = j; i < block.x.length; i += width) if (block.x[i] !== firsts[j]) return false;
      return true;
    });
    if (same.length === 0) break;
  }
  const found = same.map(
    (j) => `number ${j + 1} of ${width} of the features is ${firsts[j]} in all ${rows.toLocaleString("en")} training rows: it tells nothing`,
  );
  // pixels at the edge of images are constant by nature
  if (found.length > 3)
    return [
      `${found.length} of the ${width} numbers of the features are the same in all ${rows.toLocaleString("en")} training rows: they tell nothing`,
    ];
  return found;
}

/** Columns that the features read and that have one value in all rows. */
async function constantColumns(part: Relation, features: FittedFeatures): Promise<string[]> {
  const first = new Map<string, unknown>();
  let open = features.fields.map((field) => field.name);
  let rows = 0;
  const plain = (value: unknown): unknown => (value instanceof Date ? value.getTime() : value === null || value !== value ? null : value);
  for await (const batch of part.batches({ columns: [...new Set(open)], nulls: NaN })) {
    open = open.filter((name) => {
      const values = batch[name] as ArrayLike<unknown>;
      if (!first.has(name)) first.set(name, plain(values[0]));
      const one = first.get(name);
      if (typeof one === "object" && one !== null) return false;
      for (let i = 0; i < batch.length; i++) if (plain(values[i]) !== one) return false;
      return true;
    });
    rows += batch.length;
    if (open.length === 0) return [];
  }
  if (rows < 2) return [];
  return open.map(
    (name) =>
      `column \`${name}\` is ${first.get(name) === null ? "NULL or NaN" : String(first.get(name))} in all ${rows.toLocaleString("en")} training rows: it tells nothing`,
  );
}

/** NULL and NaN in columns where the training rows had none: the features get null there, and a record like it is no valid request when served. */
async function newNulls(part: Relation, features: FittedFeatures, name: string): Promise<string[]> {
  const types = new Map((await part.schema()).map((column) => [column.name, column.type]));
  const said: string[] = [];
  for (const field of features.fields) {
    if (field.nullable) continue;
    const column = quote(field.name);
    const nan = /^(FLOAT|DOUBLE)$/.test(types.get(field.name) ?? "") ? ` or isnan(${column})` : "";
    const count = await part.where(`${column} is null${nan}`).count();
    if (count > 0)
      said.push(
        `column \`${field.name}\` is NULL${nan ? " or NaN" : ""} in ${count.toLocaleString("en")} ${name} rows and in no training row: \`row\` gets null there, and such a record is refused when served`,
      );
  }
  return said;
}

function refuse(train: Table, task: Task): void {
  if (train.rows === 0) throw new RangeError("the split has no training rows: there is nothing to learn from");
  for (let i = 0; i < train.rows; i++) {
    if (!Number.isFinite(train.y[i]))
      throw new RangeError(`\`${task.target}\` is ${train.y[i]} in row ${i + 1} of the training rows: leave such rows out`);
  }
  const first = train.y[0];
  if (task.kind === "binary" || task.kind === "multiclass") {
    if (train.y.every((y) => y === first)) {
      const name = task.classes?.[first!] ?? String(first);
      throw new RangeError(
        `all ${train.rows.toLocaleString("en")} training rows have the same \`${task.target}\` (${name}): there is nothing to tell apart`,
      );
    }
  } else if (train.y.every((y) => y === first)) {
    throw new RangeError(
      `all ${train.rows.toLocaleString("en")} training rows have the same \`${task.target}\` (${first}): there is nothing to learn`,
    );
  }
}

async function rowWeights(
  part: Relation,
  kept: Table,
  task: Task,
  { weight, classWeights }: { weight?: string; classWeights?: "balanced" | Record<string, number> },
): Promise<Float32Array | undefined> {
  if (weight === undefined && classWeights === undefined) return undefined;
  const weights = new Float32Array(kept.rows).fill(1);
  if (weight !== undefined) {
    const column = (await readColumns(part, [weight], "`weight`"))[weight]!;
    for (let i = 0; i < kept.rows; i++) {
      const w = Number(column[i] ?? Number.NaN);
      if (!isWeight(w)) {
        const bad = Array.from({ length: kept.rows }, (_, k) => k).filter((k) => !isWeight(Number(column[k] ?? Number.NaN))).length;
        throw new RangeError(
          `Expected \`${weight}\` to be a weight of 0 or more, got \`${String(column[i])}\` in row ${i + 1}; ${bad.toLocaleString("en")} of ${kept.rows.toLocaleString("en")} training rows have none`,
        );
      }
      weights[i] = w;
    }
    if (weights.every((w) => w === 0)) throw new RangeError(`all weights in \`${weight}\` are 0: there is nothing to learn from`);
  }
  if (classWeights !== undefined) {
    if (task.kind !== "binary" && task.kind !== "multiclass")
      throw new RangeError(`\`classWeights\` needs a task of classes, this is a ${task.kind}`);
    const names = task.classes ?? ["0", "1"];
    const counts = new Float64Array(names.length);
    for (const y of kept.y) counts[y]!++;
    // scikit-learn's "balanced": rows / (classes x rows of the class)
    const factors = names.map((name, c) =>
      classWeights === "balanced" ? kept.rows / (names.length * Math.max(1, counts[c]!)) : (classWeights[name] ?? 1),
    );
    const unknown = classWeights === "balanced" ? undefined : Object.keys(classWeights).find((name) => !names.includes(name));
    if (unknown !== undefined) throw new RangeError(`Expected each of \`classWeights\` to be one of ${names.join(", ")}, got \`${unknown}\``);
    for (let i = 0; i < kept.rows; i++) weights[i]! *= factors[kept.y[i]!]!;
    if (weights.every((w) => w === 0))
      throw new RangeError(
        `\`classWeights\` leave all ${kept.rows.toLocaleString("en")} training rows a weight of 0: there is nothing to learn from`,
      );
  }
  return weights;
}

/** Held in float32, and added up over a batch. */
const isWeight = (w: number): boolean => w >= 0 && w < 1e30;

/** Classes that the task knows and that no row has: a network cannot learn them, and the first row of such a class costs a great loss. */
function absent(train: Table, task: Task): string[] {
  if (task.kind !== "binary" && task.kind !== "multiclass") return [];
  const seen = new Set(train.y);
  const names = (task.classes ?? []).filter((_, c) => !seen.has(c));
  if (names.length === 0) return [];
  const shown = names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");
  return [`none of ${train.rows.toLocaleString("en")} training rows has \`${task.target}\` = ${shown}: what no row shows cannot be learned`];
}

function slice(table: Table, from: number, to: number): Table {
  const x = isStored(table.x) ? table.x.part(from, to) : table.x.subarray(from * table.width, to * table.width);
  return { x, y: table.y.subarray(from, to), rows: to - from, width: table.width };
}

/** Mean and population deviation of a target that changes. */
export function scaleOf(y: Float64Array): { mean: number; sd: number } {
  let mean = 0;
  for (const v of y) mean += v / y.length;
  let square = 0;
  for (const v of y) square += (v - mean) ** 2 / y.length;
  return { mean, sd: Math.sqrt(square) || 1 };
}
