import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshName } from "./kept.js";
import { quote, unquote } from "./names.js";
import { orderBy, type Key } from "./order.js";
import { makeTop } from "./top.js";

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  connection = await instance.connect();
  await connection.run("create schema nb");
  // few values a column, so that ties are everywhere
  await connection.run(`create table t as select i as id,
    [null, 0.0, -0.0, 1.5, 'nan'::double, 'infinity'::double, '-infinity'::double][1 + (hash(i) % 7)::int] as d,
    (i * 7919) % 50 as n, (hash(i * 3) % 1000000)::bigint as many,
    [null, '', 'a', 'A', 'ä', 'a''b'][1 + (hash(i * 5) % 6)::int] as s, [true, false, null][1 + (hash(i * 7) % 3)::int] as b,
    ((hash(i * 11) % 300) / 7)::decimal(9, 3) as dec, (hash(i * 13) % 40)::hugeint * 100000000000000000000 as huge,
    case when i % 9 > 0 then timestamptz '2001-01-01 00:00:00+00' + to_seconds((hash(i * 17) % 90)::bigint) end as at,
    time '01:02:03' + to_seconds((hash(i * 19) % 90)::bigint) as clock,
    { 'x': (hash(i * 23) % 5)::int } as st, (['u', 'v', 'w'][1 + (hash(i * 29) % 3)::int])::enum('w', 'v', 'u') as e,
    md5((hash(i * 31) % 70)::varchar)::uuid as u, [interval '1 month', interval '30 days', interval '29 days', null][1 + (hash(i * 37) % 4)::int] as span,
    (['', '\\x00', '\\xFFa'][1 + (hash(i * 41) % 3)::int])::blob as bytes, ['a', 'A', 'b', null][1 + (hash(i * 43) % 4)::int] collate nocase as c
    from range(60000) r(i)`);
  await connection.run("create view v as from t where n <> 3");
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const columns = ["d", "n", "many", "s", "b", "dec", "huge", "at", "clock", "st", "e", "u", "span", "bytes", "c"];
const keys = fc.uniqueArray(fc.record({ name: fc.constantFrom(...columns).map(quote), desc: fc.boolean() }), {
  minLength: 1,
  maxLength: 3,
  selector: ({ name }) => name,
}) as fc.Arbitrary<Key[]>;

it("is what sorting everything gives, rows of equal keys in the source's order", async () => {
  const counts = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(9_000, 10_000, 100_000));
  await fc.assert(
    fc.asyncProperty(
      keys,
      counts,
      fc.constantFrom("", " where many < 500000", " where many < 30", " where false"),
      fc.boolean(),
      async (sort, count, where, numbered) => {
        const source = numbered ? "t" : "v";
        const name = freshName();
        await makeTop(connection, name, { source, numbered, where, keys: sort, count });
        const ids = async (sql: string): Promise<unknown[]> => (await connection.runAndReadAll(sql)).getRows().map(([id]) => id);
        // `id` counts the rows
        expect(await ids(`select id from ${name} order by rowid`)).toEqual(
          await ids(`select id from ${source}${where}${orderBy(sort, "id")} limit ${count}`),
        );
        await connection.run(`drop table ${name}`);
      },
    ),
    { numRuns: 60 },
  );
  expect(await connection.runAndReadAll("from duckdb_tables() where schema_name = 'nb'").then((result) => result.currentRowCount)).toBe(0);
});

it("is the same where the last row is guessed, by statistics of a file or a sample, well or badly", async () => {
  const folder = mkdtempSync(join(tmpdir(), "touchstone-top-"));
  try {
    const files = `'${join(folder, "big.parquet")}'`;
    await connection.run(`copy (select i as id, -i as down, (hash(i) % 1000003) / 7 as spread, (hash(i * 3) % 40)::int as few,
      'name ' || (hash(i * 5) % 300000) as s, case when i % 5 = 0 then 'nan'::double when i > 400000 then (hash(i * 7) % 90000)::double end as late,
      case when i > 1099990 then i::varchar end as rare, least(i, 1000) as flat, uuid() as u from range(1100000) r(i)) to ${files} (row_group_size 20000)`);
    await connection.run(`create view big as from ${files}`);
    await connection.run("create table bigtable as from big");
    // a view that has another column's name for a column: its statistics mislead
    await connection.run("create view wrong as select * replace (-spread as spread, down + 5 as few) from big");
    const types = new Map(
      (await connection.runAndReadAll("select column_name, column_type from (describe big)"))
        .getRows()
        .map(([name, type]) => [String(name), String(type)]),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ name: fc.constantFrom(...[...types.keys()].slice(1)).map(quote), desc: fc.boolean() }), {
          minLength: 1,
          maxLength: 2,
          selector: ({ name }) => name,
        }),
        fc.constantFrom(1, 25, 26, 200, 10_000),
        fc.constantFrom("", "", " where few < 8", " where spread < 100", " where id > 1099000"),
        fc.constantFrom("big", "big", "bigtable", "wrong"),
        async (sort, count, where, source) => {
          const name = freshName();
          const numbered = source === "bigtable";
          const ground = { rows: 1_100_000, files: numbered ? null : files, type: types.get(unquote(sort[0]!.name))! };
          await makeTop(connection, name, { source, numbered, where, keys: sort, count, ground });
          const ids = async (sql: string): Promise<unknown[]> => (await connection.runAndReadAll(sql)).getRows().map(([id]) => id);
          expect(await ids(`select id from ${name} order by rowid`)).toEqual(
            await ids(`select id from ${source}${where}${orderBy(sort, "id")} limit ${count}`),
          );
          await connection.run(`drop table ${name}`);
        },
      ),
      { numRuns: 20 },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
