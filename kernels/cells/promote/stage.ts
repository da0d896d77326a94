/** What `promote` hands to the server: the version's folder, and beside it the test rows and the training keys as Parquet. */
import { join } from "node:path";
import type { RunContext } from "../../protocol/cells.js";
import { settle, splitOf, type Evaluated, type Manifest, type Relation, type Split, type Task } from "../../protocol/values.js";
import { longestHistory } from "../../stats/forecast.js";

export interface Staged {
  dir: string;
  manifest: Manifest;
  testRows: string;
  trainKeys: string;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The split by which a predictor was judged; that of the bar when it has none of its own. Throws when neither says. */
export function judgedBy(model: Evaluated, bar: Evaluated): Split {
  const split = model[splitOf] ?? bar[splitOf];
  if (!split) throw new TypeError("Expected `model` to be the result of train, distill or baseline: it does not say which split has judged it");
  if (model.evaluation.split !== bar.evaluation.split)
    throw new RangeError("`model` and `against` were judged on different splits: compare them on the same test rows first");
  return split;
}

/** The rows that a forecast may look back on come before the test rows, marked `__warm`. */
export function testSql(split: Split, task: Task): string {
  const key = quote(split.spec.key);
  const columns = `*, ${quote(task.target)} as __y, ${key} as __key`;
  const test = `select ${columns}, false as __warm from ${split.test.name}`;
  if (task.kind !== "forecast") return test;
  const before = `(select * from ${split.train.name} union all by name select * from ${split.valid.name})`;
  const series = task.series === undefined ? "" : `partition by ${quote(task.series)} `;
  const last = `select * from ${before} qualify row_number() over (${series}order by ${quote(task.time)} desc) <= ${longestHistory} order by ${quote(task.time)}`;
  return `select ${columns}, true as __warm from (${last}) union all by name ${test}`;
}

/** Writes everything into a fresh staging folder. */
export async function stageVersion(model: Evaluated, bar: Evaluated, split: Split, context: RunContext): Promise<Staged> {
  await split[settle]?.();
  const folder = await context.staging();
  const dir = join(folder, "version");
  context.progress({ label: "writing the version", done: 0, total: 2, eta: null });
  const manifest = await model.stage(dir, bar);
  context.progress({ label: "writing the test rows", done: 1, total: 2, eta: null });
  const testRows = join(folder, "test.parquet");
  const trainKeys = join(folder, "train-keys.parquet");
  for (const part of [split.train, split.valid, split.test] as Relation[]) await part[settle]?.();
  await (await context.sql(testSql(split, model.task))).save(testRows);
  await (await context.sql(`select distinct ${quote(split.spec.key)} as __key from ${split.train.name} order by 1`)).save(trainKeys);
  return { dir, manifest, testRows, trainKeys };
}
