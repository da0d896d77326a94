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
