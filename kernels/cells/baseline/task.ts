import type { Relation, Row, Split, Task } from "../../protocol/values.js";
import { quote } from "../../data/names.js";
import { season } from "../../stats/acf.js";

type Schema = { name: string; type: string; nullable: boolean }[];
const numeric = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|FLOAT|REAL|DOUBLE|DECIMAL)/;
const time = /^(DATE|TIMESTAMP)/;
const likely = /^(target|label|y|class|outcome|late|churn|clicked|converted|survived)$/i;

/** How many of the last training rows a season is looked for in. */
const longestLook = 3000;

/** Most classes that a task may have. */
const mostClasses = 1000;

/** The classes of a column in order, over training and test rows: numbers by size, texts by code unit. */
async function classesOf(split: Split, target: string): Promise<string[]> {
  const seen = new Set<unknown>();
  for (const part of [split.train, split.test] as Relation[])
    for (const value of Array.from((await part.columns([target], { nulls: NaN }))[target]!))
      if (value !== null && !Number.isNaN(value)) seen.add(value);
  const values = [...seen];
  if (values.length > mostClasses)
    throw new RangeError(
      `\`${target}\` has ${values.length.toLocaleString("en")} different values: Expected at most ${mostClasses} classes; is it a regression?`,
    );
  const numbers = values.every((value) => typeof value === "number");
  values.sort((a, b) => (numbers ? (a as number) - (b as number) : String(a) < String(b) ? -1 : 1));
  return values.map(String);
}

/** Rows whose target a double does not hold: integers beyond 2^53 and decimals of more than 15 digits are rounded. */
async function roundedTarget(part: Relation, { name, type }: { name: string; type: string }): Promise<string[]> {
  const digits = /^DECIMAL\((\d+),/.exec(type)?.[1];
  if (!/^U?(BIG|HUGE)INT$/.test(type) && !(Number(digits) > 15)) return [];
  const column = quote(name);
  const rounded = await part.where(`${column} is not null and coalesce(try_cast(${column}::double as ${type}) <> ${column}, true)`).count();
  if (rounded === 0) return [];
  const all = await part.count();
  return [
    `\`${name}\` (${type}) is rounded to the nearest double in ${rounded.toLocaleString("en")} of ${all.toLocaleString("en")} training rows: digits past the 16th do not count`,
  ];
}

/** A task with what was left out filled in, and one sentence for each thing that was guessed. */
export async function resolveTask<R extends object>(given: Task<R> | undefined, split: Split<R>): Promise<{ task: Task<R>; said: string[] }> {
  const relation = split.train as unknown as Relation<Row>;
  const schema = await relation.schema();
  const said: string[] = [];
  let task = (given as Task | undefined) ?? guessTask(schema, split as unknown as Split);
  if (!given) {
    if (task.kind === "forecast") {
      const y = (await relation.columns([task.target]))[task.target]!;
      task = { ...task, season: season(Float64Array.from(Array.from(y).slice(-longestLook), Number)) };
    }
    said.push(
      `the task was left out: taken as ${task.kind} of \`${task.target}\`${task.kind === "forecast" ? `, season of ${task.season} found` : ""}`,
    );
  }
  const found = schema.find((c) => c.name === task.target);
  if (!found)
    throw new RangeError(
      `Expected \`task.target\` to be a column of the rows, got \`${task.target}\`; they have ${schema.map((c) => c.name).join(", ")}`,
    );
  if (task.kind === "regression" || task.kind === "forecast") said.push(...(await roundedTarget(relation, found)));
  if (task.kind === "forecast") {
    for (const [field, name] of [
      ["time", task.time],
      ["series", task.series],
    ] as const)
      if (name !== undefined && !schema.some((c) => c.name === name))
        throw new RangeError(
          `Expected \`task.${field}\` to be a column of the rows, got \`${name}\`; they have ${schema.map((c) => c.name).join(", ")}`,
        );
    if (split.spec.by !== "time")
      throw new RangeError(`a forecast is judged on what comes later: Expected a split by "time", got "${split.spec.by}"`);
    return { task: { ...task, season: task.season ?? 1, horizon: task.horizon ?? 1 } as Task<R>, said };
  }
  if (task.kind === "regression" && !numeric.test(found.type))
    throw new RangeError(`Expected \`task.target\` of a regression to be a number, got \`${task.target}\` of type ${found.type}`);
  if (task.kind === "multiclass" && !task.classes) task = { ...task, classes: await classesOf(split as unknown as Split, task.target) };
  if (task.kind === "binary" && !task.classes && found.type === "VARCHAR")
    task = { ...task, classes: await classesOf(split as unknown as Split, task.target) };
  if (task.kind === "binary" && task.classes && task.classes.length !== 2)
    throw new RangeError(
      `Expected a binary target of two classes, got \`${task.target}\` with ${task.classes.length}: ${task.classes.slice(0, 8).join(", ")}`,
    );
  return { task: task as Task<R>, said };
}

function guessTask(schema: Schema, split: Split): Task {
  const key = split.spec.key;
  const others = schema.filter((c) => c.name !== key);
  const boolean = others.find((c) => c.type === "BOOLEAN" && likely.test(c.name)) ?? others.find((c) => c.type === "BOOLEAN");
  if (boolean) return { kind: "binary", target: boolean.name };
  const told = others.find((c) => likely.test(c.name));
  if (told && !numeric.test(told.type)) return { kind: "multiclass", target: told.name };
  const number = told ?? others.findLast((c) => numeric.test(c.type));
  if (!number)
    throw new RangeError(`Expected \`task\`: no column of the rows looks like a target; they have ${schema.map((c) => c.name).join(", ")}`);
  const keyType = schema.find((c) => c.name === key)?.type ?? "";
  if (split.spec.by === "time" && keyType === "DATE") return { kind: "forecast", target: number.name, time: key, season: 1, horizon: 1 };
  return { kind: "regression", target: number.name };
}

/** The metric that a task is judged by when none is named. */
export function defaultMetric(task: { kind: Task["kind"] }): "log loss" | "RMSE" | "MAE" {
  return task.kind === "forecast" ? "MAE" : task.kind === "regression" ? "RMSE" : "log loss";
}

/** Metrics that fit a task, the first being its default. */
export function metricsOf(task: { kind: Task["kind"] }): string[] {
  return task.kind === "forecast"
    ? ["MAE", "RMSE", "sMAPE", "MASE"]
    : task.kind === "regression"
      ? ["RMSE", "MAE", "sMAPE"]
      : ["log loss", "accuracy", "AUC"];
}

export const isTimeType = (type: string): boolean => time.test(type);
