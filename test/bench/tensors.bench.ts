/** Four FLOAT columns of 2,000,000 rows in DuckDB to one float32 tensor, against rows as objects, which is what a notebook without `.tensor()` would do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor2D } from "@tensorflow/tfjs";
import { DuckDBInstance } from "@duckdb/node-api";
import { createEngine } from "../../kernels/data/engine.js";
import { sqlTag } from "../../kernels/data/sql.js";
import { settle } from "../../kernels/protocol/values.js";
import { loadBackend } from "../../kernels/tensors/backend.js";
import { quantile, type Figure } from "./figure.js";

const [rows, width] = [2_000_000, 4];
const table = `select (i % 1000)::float as a, (i % 777)::float as b, sin(i)::float as c, (i / 3)::float as d from range(${rows}) t(i)`;

/** Sum of the last thousand rows: both ways must give the same tensor. */
async function tail(tensor: Tensor2D): Promise<number> {
  const values = (await tensor.slice([tensor.shape[0] - 1000, 0], [1000, width]).data()) as Float32Array;
  return values.reduce((total, value) => total + value, 0);
}

export async function bench(): Promise<Figure[]> {
  const { tf } = await loadBackend("wasm");
  const folder = mkdtempSync(join(tmpdir(), "touchstone-bench-"));
  const engine = createEngine({
    ...{ memoryLimit: "1GB", threads: 2, spill: join(folder, "spill"), workspace: folder, root: folder },
    tensor: (values, n, wide) => tf.tensor2d(values, [n, wide]),
  });
  try {
    await engine.request({ do: "create", name: "numbers", sql: table, table: true });
    const relation = sqlTag(engine)`from numbers`;
    await relation[settle]("relation");
    const ours: number[] = [];
    let sum = 0;
    for (let i = 0; i < 6; i++) {
      const at = performance.now();
      const tensor = await relation.tensor();
      if (i > 0) ours.push((performance.now() - at) / 1000);
      sum = await tail(tensor);
      tensor.dispose();
    }

    const connection = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
    await connection.run(`create table numbers as ${table}`);
    // a tenth of the rows: two million objects would be measured by the garbage collector
    const part = rows / 10;
    const at = performance.now();
    const objects = (await connection.runAndReadAll(`from numbers offset ${rows - part}`)).getRowObjectsJS();
    const tensor = tf.tensor2d(Float32Array.from(objects.flatMap((row) => Object.values(row) as number[])), [part, width]);
    const theirs = (performance.now() - at) / 1000;
    const same = await tail(tensor);
    if (same !== sum) throw new Error(`the tensors differ: ${sum} and ${same}`);
    const seconds = quantile(ours, 0.5);
    return [
      { name: "columns to a tensor", value: rows / 1e6 / seconds, unit: "million rows/s" },
      { name: "columns to a tensor, values", value: (rows * width) / 1e6 / seconds, unit: "million values/s", goal: ">= 40" },
      { name: "columns to a tensor", value: (rows * theirs) / part / seconds, unit: "times as fast", peer: "row objects of @duckdb/node-api" },
    ];
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
