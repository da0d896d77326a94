/** Pages of a table of ten million rows as the grid asks for them: alone, while a cell's query keeps DuckDB busy, and over the WebSocket while a cell trains. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, type Engine } from "../../kernels/data/engine.js";
import { sqlTag } from "../../kernels/data/sql.js";
import { mime, type TableView } from "../../kernels/protocol/output.js";
import type { Filter, SortKey } from "../../kernels/protocol/document.js";
import { settle } from "../../kernels/protocol/values.js";
import { NotebookClient } from "../support/notebook.js";
import { startServer } from "../support/server.js";
import { noServing } from "../support/serving.js";
import { quantile, type Figure } from "./figure.js";

const n = 10_000_000;
const text = `select i as id, (hash(i) % 100000)::double / 7 as amount, (hash(i * 3) % 1000)::integer as code, 'name ' || (hash(i * 7) % 5000) as name,
  timestamp '2001-01-01' + to_seconds((hash(i * 5) % 100000000)::bigint) as at from range(${n}) t(i)`;
const sorted: SortKey[] = [{ column: "amount", desc: true }];
const filtered: Filter[] = [{ column: "code", op: "range", min: 100, max: 300 }];

async function timed(times: number, ask: (i: number) => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) {
    const at = performance.now();
    await ask(i);
    all.push(performance.now() - at);
  }
  return quantile(all, 0.5);
}

/** As the page asks: the first rows of a sorted view fill a window. */
const windowRows = 25;
const clicks: SortKey[][] = ["amount", "code", "name", "at", "id"].flatMap((column) => [[{ column, desc: false }], [{ column, desc: true }]]);
/** As the pointer comes to rest on a head before it is pressed, and before it goes to the next. */
const [rest, pause] = [400, 1000];
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The first rows under each sort that was never asked for before, in milliseconds from the press: as soon as it is pressed (`cold`), or asked for, as by the page,
 * when the pointer has come to rest on the head.
 */
async function pressed(page: (sort: SortKey[]) => Promise<unknown>, sorts: SortKey[][], cold: boolean): Promise<number[]> {
  const all: number[] = [];
  for (const sort of sorts) {
    await wait(pause);
    let at = performance.now();
    const here = page(sort);
    if (!cold) {
      await wait(rest);
      at = performance.now();
    }
    await here;
    all.push(performance.now() - at);
  }
  return all;
}

/** A query that keeps every thread busy until it is stopped. */
function load(engine: Engine): () => Promise<void> {
  let stopped = false;
  const running = (async () => {
    while (!stopped) await engine.query("select sum(sin(i)) from range(200000000) t(i)").catch(() => undefined);
  })();
  return async () => {
    stopped = true;
    engine.interrupt();
    await running;
  };
}

function told(presses: number[], where: string): Figure[] {
  return [
    { name: `10 M rows, press on another head, median of all columns${where}`, value: quantile(presses, 0.5), unit: "ms", goal: "<= 200" },
    { name: `10 M rows, press on another head, slowest of all columns${where}`, value: Math.max(...presses), unit: "ms", goal: "<= 200" },
  ];
}

const training = `const model = tf.sequential({ layers: [tf.layers.dense({ units: 256, activation: "relu", inputShape: [64] }), tf.layers.dense({ units: 1 })] })
model.compile({ optimizer: "adam", loss: "meanSquaredError" })
const [xs, ys] = [tf.randomNormal([20_000, 64]), tf.randomNormal([20_000, 1])]
console.log("training")
await model.fit(xs, ys, { epochs: 10_000, batchSize: 128 })`;

/** Pages of a notebook's table while one of its cells trains, as the page gets them. */
async function whileTraining(folder: string): Promise<Figure[]> {
  const home = join(folder, "workspaces/b");
  mkdirSync(home, { recursive: true });
  copyFileSync(join(folder, "big.parquet"), join(home, "big.parquet"));
  writeFileSync(join(home, "n.nb.ts"), '// %% id="first"\n');
  const server = await startServer({ root: folder, files: { "workspaces/b/package.json": "{}" }, memoryLimit: 8 * 2 ** 30, serving: noServing });
  const client = await NotebookClient.open(server, "workspaces/b/n.nb.ts");
  try {
    await client.add("t", "const big = sql`from 'big.parquet'`", "sql");
    await client.run("t");
    const shown = client.state.outputs["t"]!.find((output) => output.kind === "display" && mime.table in output.data);
    const { relation } = (shown as { data: Record<string, unknown> }).data[mime.table] as TableView;
    const page = async (offset: number, sort: SortKey[] = [], where: Filter[] = []) => {
      const reply = await client.ask({ do: "call", call: { query: "table.page", relation, offset, limit: 200, sort, where } });
      if (!reply.ok) throw new Error(reply.error.message);
    };
    await client.add("train", training);
    await client.do({ do: "run", cells: ["train"] });
    await client.until(() => (client.state.outputs["train"] ?? []).length > 0);
    const first = await timed(5, () => page(0));
    const ask = (sort: SortKey[]) => client.ask({ do: "call", call: { query: "table.page", relation, offset: 0, limit: windowRows, sort } });
    const presses = await pressed(ask, clicks, false);
    await page(0, sorted);
    const firstSorted = await timed(5, (i) => page(i * 200, sorted));
    const both = await timed(5, (i) => page(i * 200, sorted, filtered));
    await page(n / 2, sorted);
    const deep = await timed(10, (i) => page(Math.floor((n / 11) * (i + 1)), sorted));
    if (client.state.cells["train"]!.status !== "running") throw new Error("the training ended before the pages were measured");
    const where = ", while a cell trains, over the WebSocket";
    return [
      { name: `10 M rows, first page${where}`, value: first, unit: "ms", goal: "<= 200" },
      ...told(presses, where),
      { name: `10 M rows, first page sorted${where}`, value: firstSorted, unit: "ms", goal: "<= 200" },
      { name: `10 M rows, first page sorted and filtered${where}`, value: both, unit: "ms", goal: "<= 200" },
      { name: `10 M rows, deep page of a sorted view${where}`, value: deep, unit: "ms", goal: "<= 150" },
    ];
  } finally {
    client.close();
    await server.close();
  }
}

export async function bench(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "touchstone-bench-"));
  const engine = createEngine({ memoryLimit: "4GB", threads: 2, spill: join(folder, "spill"), workspace: folder, root: folder });
  const sql = sqlTag(engine);
  try {
    await engine.query(`copy (${text}) to '${join(folder, "big.parquet")}' (format parquet)`);
    const view = sql`from 'big.parquet'`;
    await view[settle]("big");
    const figures: Figure[] = [];
    // each view is new: nothing is kept of another
    const press = async (where: string, cold = false, filter: Filter[] = []) => {
      const fresh = sql`from 'big.parquet'`;
      await fresh[settle]("fresh");
      await engine.page({ relation: fresh.name, offset: 0, limit: 200 });
      // the filtered rows are on show before they are sorted
      if (filter.length > 0) await engine.page({ relation: fresh.name, offset: 0, limit: 200, where: filter });
      const ask = (sort: SortKey[]) => engine.page({ relation: fresh.name, offset: 0, limit: windowRows, sort, where: filter });
      figures.push(...told(await pressed(ask, clicks, cold), where));
    };
    const measure = async (where: string) => {
      const page = (offset: number, sort: SortKey[] = [], filter: Filter[] = []) =>
        engine.page({ relation: view.name, offset, limit: 200, sort, where: filter });
      const first = await timed(5, () => page(0));
      await page(0, sorted);
      const firstSorted = await timed(5, (i) => page(i * 200, sorted));
      const firstFiltered = await timed(5, (i) => page(i * 200, [], filtered));
      const both = await timed(5, (i) => page(i * 200, sorted, filtered));
      const order = performance.now();
      await page(n / 2, sorted);
      figures.push({ name: `10 M rows, order made for deep pages${where}`, value: performance.now() - order, unit: "ms" });
      const deep = await timed(10, (i) => page(Math.floor((n / 11) * (i + 1)), sorted));
      figures.push(
        { name: `10 M rows, first page${where}`, value: first, unit: "ms", goal: "<= 200" },
        { name: `10 M rows, first page sorted${where}`, value: firstSorted, unit: "ms", goal: "<= 200" },
        { name: `10 M rows, first page filtered${where}`, value: firstFiltered, unit: "ms", goal: "<= 200" },
        { name: `10 M rows, first page sorted and filtered${where}`, value: both, unit: "ms", goal: "<= 200" },
        { name: `10 M rows, deep page of a sorted view${where}`, value: deep, unit: "ms", goal: "<= 150" },
      );
    };
    await press(", at once", true);
    await press(", at once, filtered", true, filtered);
    await press("");
    await press(", filtered", false, filtered);
    await measure("");
    const stop = load(engine);
    await press(", while a query runs");
    await measure(", while a query runs");
    await stop();
    await engine.close();
    figures.push(...(await whileTraining(folder)));
    return figures;
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
