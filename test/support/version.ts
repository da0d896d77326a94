/** Small versions made by hand, so that serving is tested without a notebook: TF Serving's half_plus_three and a classifier of two inputs. */
import { DuckDBInstance } from "@duckdb/node-api";
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { trailer } from "../../kernels/models/features-realm.js";
import { vectorHex, writeVersion, type VersionParts } from "../../kernels/models/version.js";
import type { ProposeRequest } from "../../kernels/protocol/serving.js";
import type { Field } from "../../kernels/protocol/values.js";

export interface TinyOptions {
  /** y = slope x + intercept; the truth is 0.5 x + 3 */
  slope?: number;
  intercept?: number;
  /** a field that the row function ignores */
  more?: Field[];
  /** time split: the first test key */
  testFrom?: string;
  /** makes the host end itself when x is this */
  poison?: number;
  label?: string;
  n?: number;
}

/** A bundle as kernels/models/features-bundle.ts writes it, for the row function given as source. */
export function tinyBundle(row: string, width: number, input: Record<string, string>): string {
  return `const bundle = (() => {
const row = ${row};
const fill = (source, count, byColumn, state, out, at, width, first) => {
  for (let i = 0; i < count; i++) {
    const record = byColumn ? Object.fromEntries(Object.keys(source).map((name) => [name, source[name][i]])) : source[i];
    out.set(row(record, state), at + i * width);
  }
};
return { input: ${JSON.stringify(input)}, row, fill, measure: () => ${width}, state: (json) => JSON.parse(json) };
})();${trailer}`;
}

/** Test rows: x = 0, 0.5, 1 ... with noise of up to 6 around 0.5 x + 3. */
export function tinyRows(n = 200): { x: number; y: number; at: string }[] {
  return Array.from({ length: n }, (_, i) => ({
    x: i / 2,
    y: i / 4 + 3 + (((i * 7) % 13) - 6),
    at: new Date(Date.UTC(2001, 0, 1 + i)).toISOString(),
  }));
}

export function tinyParts(options: TinyOptions = {}): VersionParts {
  const { slope = 0.5, intercept = 3, more = [], testFrom = "2001-01-01", label = "half plus three", n = 200 } = options;
  const rows = tinyRows(n);
  const predict = (x: number): number => Math.fround(slope * x + intercept);
  const losses = Float64Array.from(rows, ({ x, y }) => Math.abs(y - predict(x)));
  const baselineLosses = Float64Array.from(rows, ({ y }) => Math.abs(y - 28));
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const field: Field = { name: "x", type: "double", nullable: false, range: [0, n / 2] };
  const layer = (name: string): object => ({
    class_name: "Dense",
    config: { name, trainable: true, batch_input_shape: [null, 1], dtype: "float32", units: 1, activation: "linear", use_bias: true },
  });
  const against = { diff: mean(losses) - mean(baselineLosses), ci: [-30, -1] as [number, number], p: 0, method: "paired", n };
  return {
    kind: "model",
    label,
    model: {
      modelTopology: {
        class_name: "Sequential",
        config: { name: "tiny", layers: [layer("dense")] },
        keras_version: "tfjs",
        backend: "tensor_flow.js",
      },
      weightSpecs: [
        { name: "dense/kernel", shape: [1, 1], dtype: "float32" },
        { name: "dense/bias", shape: [1], dtype: "float32" },
      ],
      weightData: new Uint8Array(Float32Array.of(slope, intercept).buffer),
    },
    features: { code: tinyBundle("(record) => [record.x]", 1, { x: "double" }), state: null },
    signature: { inputs: [field, ...more], output: { name: "y", kind: "number" } },
    card: {
      ...{ label, metric: "MAE", better: "lower", value: mean(losses), ci: [mean(losses) * 0.9, mean(losses) * 1.1], n },
      baseline: { label: "mean", value: mean(baselineLosses), ci: [mean(baselineLosses) * 0.9, mean(baselineLosses) * 1.1], against },
      split: { id: `split-${testFrom}`, by: "time", key: "at", cut: [testFrom, testFrom] },
      task: { kind: "regression", target: "y" },
      ...{ notebook: "workspaces/tiny/tiny.nb.ts", cell: "t1" },
    },
    evaluation: {
      ...{ split: `split-${testFrom}`, metric: "MAE", value: mean(losses), ci: [mean(losses) * 0.9, mean(losses) * 1.1], n, keys: "keys", width: 1 },
      y: Float64Array.from(rows, ({ y }) => y),
      prediction: Float32Array.from(rows, ({ x }) => predict(x)),
      ...{ losses, baselineLosses, seed: 7 },
    },
    sample: rows.slice(0, 64).map(({ x }) => ({
      record: { x, ...Object.fromEntries(more.map((one) => [one.name, null])) },
      vector: vectorHex(Float32Array.of(x)),
      prediction: predict(x),
    })),
    reference: {},
    params: 2,
    provenance: { cell: "t1", sources: "s", data: "d", seed: 1, backend: "cpu", packages: "p" },
    source: { "t1.ts": "const model = await train({})" },
  };
}

/** Runs SQL in a DuckDB of its own. */
export async function duck(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJS();
  connection.closeSync();
  return rows;
}

/** Stages a version under ROOT's workspace and gives the request that proposes it. */
export async function stageTiny(
  root: string,
  name: string,
  options: TinyOptions = {},
  request: Partial<ProposeRequest> = {},
): Promise<ProposeRequest> {
  const home = join(root, "workspaces", "tiny", ".touchstone", "staging");
  mkdirSync(home, { recursive: true });
  const folder = mkdtempSync(join(home, "s-"));
  const dir = join(folder, "version");
  writeVersion(dir, tinyParts(options));
  const testRows = join(folder, "test.parquet");
  const more = (options.more ?? []).map((field) => `, null::varchar as "${field.name}"`).join("");
  const values = tinyRows(options.n)
    .map(({ x, y, at }) => `(${x}::double, ${y}::double, timestamp '${at.slice(0, 19).replace("T", " ")}')`)
    .join(", ");
  await duck(`copy (select x${more}, y as __y, k as __key from (values ${values}) t(x, y, k) order by k) to '${testRows}' (format parquet)`);
  return { name, dir, testRows, margin: 0, budget: {}, slices: [], rollout: null, notebook: "workspaces/tiny/tiny.nb.ts", ...request };
}
