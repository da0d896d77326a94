import { DuckDBInstance } from "@duckdb/node-api";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { quote } from "./names.js";
import { parquetUnder } from "./parquet-under.js";

it("finds the files of a view that reads all of them, and says nothing of any other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "touchstone-parquet-"));
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const [a, b] = [join(folder, "it's.parquet"), join(folder, "b.parquet")].map((path) => `'${path.replaceAll("'", "''")}'`) as [string, string];
    await connection.run("create schema nb");
    await connection.run("set search_path = 'nb,main'");
    for (const path of [a, b]) await connection.run(`copy (select i as x, i % 3 as y from range(10) t(i)) to ${path}`);
    const under = async (sql: string, name = 'odd " AS name') => {
      const view = `nb.${quote(name)}`;
      await connection.run(`create or replace view ${view} as ${sql}`);
      return parquetUnder(connection, view);
    };
    expect(await under(`from ${a}`)).toEqual({ files: a, same: true });
    expect(await under('select x, y as z from "odd "" AS name"', "plain")).toEqual({ files: a, same: false });
    expect(await under("from plain", "deeper")).toEqual({ files: a, same: false });
    expect(await under('from "odd "" AS name"', "straight")).toEqual({ files: a, same: true });
    for (const sql of [`select * exclude (y) from ${a}`, `select * rename (y as z) from ${a}`, `from ${a} t(p)`])
      expect(await under(sql), sql).toMatchObject({ same: false });
    expect(await under(`from read_parquet([${a}, ${b}], union_by_name = true)`)).toEqual({ files: `[${a}, ${b}]`, same: false });
    for (const sql of [
      `from ${a} where x > 3`,
      `select distinct x from ${a}`,
      `from ${a} limit 3`,
      `select x + 1 as x from ${a}`,
      `select max(x) from ${a}`,
      `select y from ${a} group by y`,
      `from ${a} using sample 3`,
      `from ${a} join ${b} using (x)`,
      `from ${a} union all from ${a}`,
      "values (1)",
      `with q as (from ${a}) from q`,
      "from range(3)",
      "select 1",
    ])
      expect(await under(sql), sql).toBeNull();
    await connection.run("create table nb.t as select 1 as x");
    expect(await under("from t", "over")).toBeNull();
  } finally {
    connection.closeSync();
    instance.closeSync();
    rmSync(folder, { recursive: true, force: true });
  }
});
