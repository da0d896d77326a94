import { afterAll, beforeAll, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { settle } from "../protocol/values.js";
import { sqlTag } from "./sql.js";

let t: TestEngine;
let sql: ReturnType<typeof sqlTag>;
beforeAll(() => {
  t = testEngine();
  sql = sqlTag(t.engine);
  t.write("data/people.csv", "name,age\nAda,36\nAlan,41\nGrace,85\n");
});
afterAll(() => t.close());

it("reads a CSV of the workspace, chains by name and by hole", async () => {
  const people = sql`select * from 'data/people.csv'`;
  await people[settle]("people");
  const old = sql`select name from people where age > ${40} order by name`;
  expect(await old.rows()).toEqual([{ name: "Alan" }, { name: "Grace" }]);
  expect(await sql`select count(*) as n from ${people}`.rows()).toEqual([{ n: 3 }]);
  expect(await people.where("age < 50").count()).toBe(2);
});

it("reads files of npm packages", async () => {
  const flights = sql`select file_row_number as id, date, delay, distance, origin, delay > 15 as late
    from read_parquet('npm:vega-datasets/data/flights-3m.parquet', file_row_number = true) where delay is not null`;
  await flights[settle]("flights");
  expect(await flights.count()).toBeGreaterThan(2_900_000);
  const parts = flights.sample(30_000, { key: "id" } as never).split({ by: "time", key: "date" as never, cut: ["2001-04-01", "2001-05-01"] });
  await parts[settle]();
  expect(parts.id).toMatch(/^[0-9a-f]{32}$/);
  expect((await parts.train.count()) + (await parts.valid.count()) + (await parts.test.count())).toBe(30_000);
});

it.each([
  "select * from base",
  "pivot base on year using sum(pop)",
  "from base pivot (sum(pop) for year in (2000, 2001)) join base using (k)",
  "unpivot base on k, year into name n value v",
  "table base",
  "summarize base",
  "describe base",
  "show base",
  "select * from (pivot base on year using sum(pop)) p",
  "with p as (pivot base on year using sum(pop)) from p",
  "with base as (select k from base) select base.k from base",
  "with other as (from base), base as (select 1 as one) select * from other, base",
  "with recursive r as (select k from base union all select k + 1 from r where k < 3) from r",
  "select * from range(2) t join range(2) u on t.range = u.range and 1 in (select k from base), base",
  "select base.k, b.* from base as b, (select k from base where base.k > 0) base",
  "(select k from base) union all (from base select pop)",
  "explain select base.k from base where k > 0",
])("holds what the names meant when it was made: %s", async (statement) => {
  const raw = (text: string) => Object.assign([text], { raw: [text] }) as unknown as TemplateStringsArray;
  const base = sql(raw("select * from (values (1, 2000, 5), (2, 2001, 6)) t(k, year, pop)"));
  await base[settle]("base");
  const made = sql(raw(statement));
  await made[settle]("made");
  const copy = await made.rows();
  const again = sql(raw("select * from (values (7::bigint, 1999, 8)) t(k, year, pop)"));
  await again[settle]("base");
  const other = sql(raw(statement));
  await other[settle]("other");
  expect(await other.hash()).not.toBe(await made.hash());
  expect(await made.rows()).toEqual(copy);
});

it.each([
  ["begin transaction", /leave BEGIN out/],
  ["commit", /leave COMMIT out/],
  ["Rollback", /leave ROLLBACK out/],
  ["use main", /write the schema/],
  ["set search_path = 'main'", /belongs to Touchstone/],
  ["reset errors_as_json", /belongs to Touchstone/],
  ["set TimeZone = 'Asia/Tokyo'", /at time zone/],
  ["create or replace temp table t as select 1", /leave TEMP out/],
  ["drop schema if exists nb cascade", /results of the cells/],
  ["drop view held", /`held` is the result of a cell/],
  ['create or replace view nb."Held" as select 2 as n', /`Held` is the result of a cell/],
  ["alter table held rename to x", /is the result of a cell/],
])("refuses what would bind the statements after it: %s", async (text, said) => {
  await sql`select 1 as n`[settle]("held");
  await expect(sql(Object.assign([text], { raw: [text] }) as unknown as TemplateStringsArray)[settle]()).rejects.toThrow(said);
  expect(await sql`from held`.rows()).toEqual([{ n: 1 }]);
});

it("takes strings among the rows of VALUES for values, not for files", async () => {
  expect(await sql`select * from (values ('b', 1), ('a', 2)) t(s, n) order by s`.rows()).toEqual([
    { s: "a", n: 2 },
    { s: "b", n: 1 },
  ]);
});
