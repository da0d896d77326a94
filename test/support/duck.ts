/** A relation and a run context over a plain in-memory DuckDB, for the tests of the built-in cells. */
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { mkdtempSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunContext } from "../../kernels/protocol/cells.js";
import type { FindingView, Progress } from "../../kernels/protocol/output.js";
import type { Columns, Relation, Row, Split } from "../../kernels/protocol/values.js";

export interface Bench {
  context: RunContext;
  shown: FindingView[];
  progress: (Progress | null)[];
  /** runs a query and gives it a view's name */
  table(sql: string): Promise<Relation>;
  exec(sql: string): Promise<void>;
  /** rows by three conditions, ordered by key */
  split(sql: string, key: string, parts: [string, string, string], by?: "time" | "hash"): Promise<Split>;
  close(): void;
}

const native = (value: unknown): unknown => {
  if (value === null || typeof value !== "object") return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if ("micros" in value) return new Date(Number((value as { micros: bigint }).micros / 1000n));
  if ("days" in value) return new Date((value as { days: number }).days * 86_400_000);
  return value;
};

export async function bench(calls: Record<string, (params: unknown) => unknown> = {}): Promise<Bench> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection: DuckDBConnection = await instance.connect();
  let made = 0;
  const read = async (sql: string): Promise<Row[]> => {
    const result = await connection.runAndReadAll(sql);
    return result.getRowObjects().map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, native(value)])));
  };
  const relation = (name: string): Relation => {
    const schema: Relation["schema"] = async () =>
      (await read(`describe ${name}`)).map((row) => ({
        name: String(row["column_name"]),
        type: String(row["column_type"]),
        nullable: row["null"] === "YES",
      }));
    const rows = (limit?: number): Promise<Row[]> => read(`from ${name}${limit === undefined ? "" : ` limit ${limit}`}`);
    return {
      name,
      schema,
      rows,
      count: async () => Number((await read(`select count(*) as n from ${name}`))[0]!["n"]),
      async columns(names) {
        const types = new Map((await schema()).map((c) => [c.name, c.type]));
        const wanted = names ?? [...types.keys()];
        const all = await read(`select ${wanted.map((n) => `"${n}"`).join(", ")} from ${name}`);
        const out: Columns = {};
        for (const column of wanted) {
          const values = all.map((row) => row[column]);
          out[column] = types.get(column) === "DOUBLE" ? Float64Array.from(values, (v) => (v === null ? NaN : Number(v))) : values;
        }
        return out;
      },
      hash: async () => `hash of ${name}`,
    } as Relation;
  };
  const table = async (sql: string): Promise<Relation> => {
    const name = `t${++made}`;
    await connection.run(`create table ${name} as ${sql}`);
    return relation(name);
  };
  const shown: FindingView[] = [];
  const progress: (Progress | null)[] = [];
  const folder = mkdtempSync(join(tmpdir(), "touchstone-cells-"));
  const context: RunContext = {
    ...{ cell: "c1", run: "r1", notebook: "test.nb.ts", workspace: folder, root: folder, mayCommit: false, signal: new AbortController().signal },
    seed: (purpose) => [...purpose].reduce((h, c) => (Math.imul(h, 31) + c.charCodeAt(0)) >>> 0, 7),
    progress: (one) => void progress.push(one),
    show: (view) => void shown.push(view),
    provenance: async ({ data, split }) => ({ cell: "c1", sources: "s", data, ...(split ? { split } : {}), seed: 1, backend: "none", packages: "p" }),
    async staging() {
      const dir = join(folder, `stage-${++made}`);
      mkdirSync(dir);
      return dir;
    },
    async call(method, params) {
      const answer = calls[method];
      if (!answer) throw new Error(`no answer for ${method}`);
      return answer(params) as never;
    },
    async sql(text) {
      const name = `q${++made}`;
      await connection.run(`create temp view ${name} as ${text}`);
      return relation(name);
    },
    async draw(from, condition, n, seed) {
      const whole = await context.sql(`select * from ${from.name} where ${condition}`);
      const total = await whole.count();
      const name = `d${++made}`;
      await connection.run(`create table ${name} as select * from ${whole.name} w order by md5(concat(${seed}, w::varchar)) limit ${n}`);
      return { relation: name, rows: Math.min(n, total), total, hash: `${from.name} ${condition} ${n} ${seed}` };
    },
    capture: async () => ({ code: "", hash: "" }),
    breathe: async () => undefined,
    onDispose: () => undefined,
  };
  return {
    context,
    shown,
    progress,
    table,
    exec: async (sql) => void (await connection.run(sql)),
    async split(sql, key, parts, by = "time") {
      const [train, valid, test] = await Promise.all(parts.map((where) => table(`select * from (${sql}) where ${where} order by "${key}"`)));
      return { id: `split ${++made}`, train, valid, test, spec: { by, key, cut: parts } } as unknown as Split;
    },
    close: () => instance.closeSync(),
  };
}
