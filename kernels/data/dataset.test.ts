import { afterAll, beforeAll, expect, test } from "vitest";
import type { Tensor2D } from "@tensorflow/tfjs";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { settle, type Dataset } from "../protocol/values.js";
import { loadBackend, type Tf } from "../tensors/backend.js";
import { sqlTag } from "./sql.js";

let t: TestEngine;
const said: string[] = [];
let tf: Tf;
let sql: ReturnType<typeof sqlTag>;
beforeAll(async () => {
  tf = (await loadBackend("wasm")).tf;
  t = testEngine({ warn: (sentence) => said.push(sentence), tensor: (values, rows, width) => tf.tensor2d(values, [rows, width]) });
  sql = sqlTag(t.engine);
});
afterAll(() => t.close());

let names = 0;
async function relation(query: string) {
  const made = sql(Object.assign([query], { raw: [query] }));
  await made[settle](`d${++names}`);
  return made;
}
const rows = (n: number) => relation(`select i as id, (i * 2)::double as twice, i % 3 as c from range(${n}) r(i)`);

/** One epoch: sizes of the batches, and the rows in their order. */
async function epoch(dataset: Dataset): Promise<{ sizes: number[]; x: number[][]; y: number[][] }> {
  const iterator = await dataset.iterator();
  const seen = { sizes: [] as number[], x: [] as number[][], y: [] as number[][] };
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return seen;
    const list = (tensor: Tensor2D) => tensor.arraySync();
    seen.sizes.push(value.xs.shape[0]);
    seen.x.push(...list(value.xs));
    seen.y.push(...list(value.ys));
    tf.dispose(value);
  }
}

test("without a shuffle: the relation's rows in their order, the last batch short", async () => {
  const { sizes, x, y } = await epoch((await rows(2500)).dataset({ x: ["id", "twice"], y: "c", batch: 1000 }));
  expect(sizes).toEqual([1000, 1000, 500]);
  expect(x).toEqual(Array.from({ length: 2500 }, (_, i) => [i, 2 * i]));
  expect(y).toEqual(Array.from({ length: 2500 }, (_, i) => [i % 3]));
});

test("a shuffle gives each row once, pairs kept, another order each epoch, the same for a seed", async () => {
  const source = await rows(5000);
  const take = async (seed: number) => {
    const dataset = source.dataset({ x: ["id", "twice"], y: "c", batch: 128, shuffle: 700, seed });
    return [await epoch(dataset), await epoch(dataset)] as const;
  };
  const [first, second] = await take(1);
  const ids = (of: typeof first) => of.x.map((row) => row[0]!);
  expect([...ids(first)].sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  for (const [i, row] of first.x.entries()) expect([row[1], first.y[i]![0]]).toEqual([2 * row[0]!, row[0]! % 3]);
  expect(ids(second)).not.toEqual(ids(first));
  expect([...ids(second)].sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  expect((await take(1)).map(ids)).toEqual([ids(first), ids(second)]);
  expect((await take(2)).map(ids)).not.toEqual([ids(first), ids(second)]);
  // no row comes earlier than the buffer lets it
  for (const [at, id] of ids(first).entries()) expect(id).toBeLessThanOrEqual(at + 700);
});

test("fitDataset trains on it and leaves no tensor; a class number becomes a column a class", async () => {
  const source = await relation("select sin(i * 1.3) as a, sin(i * 2.6) as b, (sin(i * 1.3) > 0)::int as label from range(4000) r(i)");
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 2, activation: "softmax" })] });
  model.compile({ optimizer: tf.train.adam(0.05), loss: "categoricalCrossentropy" });
  const dataset = source.dataset({ y: "label", classes: 2, batch: 100, shuffle: 500, seed: 3 });
  await model.fitDataset(dataset as never, { epochs: 1, verbose: 0 });
  const before = tf.memory().numTensors;
  const { history } = await model.fitDataset(dataset as never, { epochs: 5, verbose: 0 });
  expect(tf.memory().numTensors).toBe(before);
  expect(history["loss"]![4] as number).toBeLessThan(0.3);
  expect(history["loss"]![4] as number).toBeLessThan(history["loss"]![0] as number);
  model.dispose();
});

test("a relation of any size streams in flat memory", async () => {
  const source = await relation(
    "select (i % 1000)::float as a, (i % 777)::float as b, (i % 7)::float as c, (i % 2)::float as y from range(4000000) r(i)",
  );
  const iterator = await source.dataset({ y: "y", batch: 4096, shuffle: 20_000, seed: 1 }).iterator();
  let [seen, peak, sum] = [0, 0, 0];
  const start = process.memoryUsage();
  for (let result = await iterator.next(); !result.done; result = await iterator.next()) {
    seen += result.value.xs.shape[0];
    sum += (result.value.ys.dataSync() as Float32Array).reduce((total, y) => total + y, 0);
    tf.dispose(result.value);
    const { arrayBuffers } = process.memoryUsage();
    peak = Math.max(peak, arrayBuffers - start.arrayBuffers);
  }
  expect([seen, sum]).toEqual([4_000_000, 2_000_000]);
  // the values are 64 MB
  expect(peak / 1e6).toBeLessThan(40);
});

test("what cannot be trained on is named before the first step", async () => {
  const source = await rows(10);
  expect(() => source.dataset({ y: "c", batch: 0 })).toThrow("Expected `batch` of dataset to be a whole number from 1, got `0`");
  expect(() => source.dataset({ y: [] })).toThrow("Expected `y` of dataset to be a column name");
  expect(() => source.dataset({ y: "c", shuffle: -1 })).toThrow("Expected `shuffle` of dataset to be a number of rows from 0");
  await expect(epoch(source.dataset({ x: ["id"], y: "nope" }))).rejects.toThrow(/nope/);
  await expect(epoch(source.dataset({ x: ["id"], y: "c", classes: 2 }))).rejects.toThrow(
    /^`c` is no class in 3 of 10 rows: a class is a whole number from 0 to 1$/,
  );
  await expect(epoch((await rows(0)).dataset({ y: "c" }))).rejects.toThrow("the relation has no rows: there is nothing to train on");
  const holes = await relation("select case when i = 4 then null else i end as a, 'nan'::double as b, 1 as y from range(9) r(i)");
  await expect(epoch(holes.dataset({ x: ["a"], y: "y" }))).rejects.toThrow(/^column `a` has 1 NULL in 9 rows.*nulls: 0/);
  expect((await epoch(holes.dataset({ x: ["a"], y: "y", nulls: -1 }))).x[4]).toEqual([-1]);
  await expect(epoch(holes.dataset({ x: ["b"], y: "y" }))).rejects.toThrow(/^column `b` has 9 NaNs in 9 rows/);
});

test.each([
  ["case when i = 199999 then null else i end as a", {}, "column `a` has 1 NULL in 200,000 rows"],
  ["case when i = 199999 then 'nan'::float else i end as a", {}, "column `a` has 1 NaN in 200,000 rows"],
  ["case when i > 199989 then '-inf'::double else i end as a", {}, "column `a` has 10 infinite values in 200,000 rows"],
  ["case when i = 199999 then 1e39 else i end as a", {}, "column `a` has 1 value beyond 3.4e38 in 200,000 rows"],
  ["case when i = 199999 then 9007199254740993 else i end as a", {}, "column `a` has 1 value beyond 2^53 in 200,000 rows"],
  ["case when i = 199999 then [1.0] else [1.0, 2.0] end as a", {}, "column `a` has from 1 to 2 values a row in 200,000 rows"],
  ["case when i = 199999 then [1, null] else [1, 2] end as a", {}, "column `a` has 1 list with a NULL in 200,000 rows"],
  ["case when i = 199999 then [1, 'nan'::double] else [1, 2] end as a", {}, "column `a` has 1 list with a value that is no finite float32"],
  ["case when i = 199999 then null else '\\x00'::blob end as a", { nulls: 0 }, "column `a` has 1 NULL in 200,000 rows, which no one number"],
  ["i as a, case when i = 199999 then null else 1 end as y", { nulls: 0 }, "column `y` has 1 NULL in 200,000 rows"],
  ["i::varchar as a", {}, "column `a` is VARCHAR, and a tensor holds numbers"],
  [
    "i as a, case when i = 199999 then 2.5 else 1 end as y",
    { classes: 3 },
    "`y` is no class in 1 of 200,000 rows: a class is a whole number from 0 to 2",
  ],
  ["i as a, case when i = 199999 then -1 else 1 end as y", { classes: 3 }, "`y` is no class in 1 of 200,000 rows"],
])("a flaw of the last row is told before the first batch: %s", async (columns, options, message) => {
  const source = await relation(`select ${columns}${columns.endsWith("y") ? "" : ", i % 2 as y"} from range(200000) r(i)`);
  await expect(source.dataset({ y: "y", ...options }).iterator()).rejects.toThrow(message);
});

test("what tells nothing is said once, by column and count", async () => {
  const source = await relation("select 7 as seven, i as a, 1 as y from range(50) r(i)");
  const dataset = source.dataset({ y: "y", shuffle: 10 });
  said.length = 0;
  await epoch(dataset);
  await epoch(dataset);
  expect(said).toEqual([
    "column `seven` has one value in all 50 rows: it tells nothing",
    "`y` has one value in all 50 rows: there is nothing to tell apart",
  ]);
});

test("the order is that of a seed of any size", async () => {
  const source = await rows(500);
  const order = async (seed: number) => (await epoch(source.dataset({ x: ["id"], y: "c", shuffle: 100, seed }))).x.flat();
  const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, -1, 2 ** 52];
  expect(new Set((await Promise.all(seeds.map(order))).map(String)).size).toBe(seeds.length);
});
