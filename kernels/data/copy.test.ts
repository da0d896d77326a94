import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { copyRows, dropCopy, percentOf } from "./copy.js";

const folder = mkdtempSync(join(tmpdir(), "touchstone-copy-"));
const file = `'${join(folder, "a.parquet")}'`;
let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  connection = await instance.connect();
  await connection.run("create schema nb");
  await write(10, "i");
  await connection.run(`create view nb.v as from ${file}`);
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(folder, { recursive: true, force: true });
});
const write = (rows: number, x: string) => connection.run(`copy (select i, ${x} as x from range(${rows}) t(i)) to ${file}`);
const read = async (sql: string): Promise<unknown[]> => (await connection.runAndReadAll(sql)).getRows()[0]!;
/** Stops before piece number `pieces`. */
const after = (pieces: number) => () => pieces-- === 0;

it("goes on where it was stopped, from the beginning once the file has changed, and leaves nothing", async () => {
  await write(2_500_000, "i % 7");
  await expect(copyRows(connection, "nb.a", "nb.v", file, after(2))).rejects.toThrow("stopped");
  const percents: number[] = [];
  const stopped = (): boolean => {
    percents.push(percentOf(connection));
    return false;
  };
  await copyRows(connection, "nb.b", "nb.v", file, stopped);
  // of four pieces two were there
  expect(percents.length).toBe(2);
  expect(await read("select count(*)::int, count_if(rowid = i)::int, count_if(x = i % 7)::int from nb.b")).toEqual([2_500_000, 2_500_000, 2_500_000]);

  await expect(copyRows(connection, "nb.a", "nb.v", file, after(1))).rejects.toThrow("stopped");
  await write(2_400_000, "-i");
  await copyRows(connection, "nb.c", "nb.v", file, () => false);
  expect(await read("select count(*)::int, count_if(x = -i)::int from nb.c")).toEqual([2_400_000, 2_400_000]);

  await expect(copyRows(connection, "nb.a", "nb.v", file, after(1))).rejects.toThrow("stopped");
  await dropCopy(connection, "nb.v");
  expect(await read("select list(table_name order by 1)::varchar from duckdb_tables()")).toEqual(["[b, c]"]);
});

it("is one statement where there is nothing to divide, and refuses a file that changes meanwhile", async () => {
  await write(1000, "i");
  let asked = 0;
  await copyRows(connection, "nb.small", "nb.v", file, () => ++asked > 0);
  expect(asked).toBe(0);
  expect(await read("select count(*)::int from nb.small")).toEqual([1000]);
  await write(1_500_000, "i");
  let pieces = 0;
  const changes = (): boolean => {
    if (++pieces === 2) utimesSync(join(folder, "a.parquet"), new Date(), new Date(1e12));
    return false;
  };
  await expect(copyRows(connection, "nb.d", "nb.v", file, changes)).rejects.toThrow("was changed while it was read");
  expect(await read("select count(*)::int from duckdb_tables() where table_name like '~%'")).toEqual([0]);
});
