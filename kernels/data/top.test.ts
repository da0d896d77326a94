import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshName } from "./kept.js";
import { quote } from "./names.js";
import { makeTop, orderBy, type Key } from "./top.js";

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
    { 'x': (hash(i * 23) % 5)::int } as st, (['u', 'v', 'w'][1 + (hash(i * 29) % 3)::int])::enum('w', 'v', 'u') as e
    from range(60000) r(i)`);
  await connection.run("create view v as from t where n <> 3");
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const columns = ["d", "n", "many", "s", "b", "dec", "huge", "at", "clock", "st", "e"];
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
