/** The cells over the kernel's own engine: relations, splits and SQL as a notebook has them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../../test/support/data.js";
import { bench, type Bench } from "../../../test/support/duck.js";
import { draw } from "../../data/draw.js";
import { sqlTag, sqlText } from "../../data/sql.js";
import { packageRoot } from "../../paths/paths.js";
import type { RunContext } from "../../protocol/cells.js";
import { run as baseline } from "../baseline/run.js";
import { run as drift } from "./run.js";

let t: TestEngine;
let b: Bench;
let context: RunContext;
let sql: ReturnType<typeof sqlTag>;
beforeAll(async () => {
  t = testEngine();
  b = await bench();
  sql = sqlTag(t.engine);
  context = { ...b.context, sql: async (text) => sqlText(t.engine, text), draw };
  t.write("data/chicago-ridership.csv", readFileSync(join(packageRoot(), "workspaces/ridership/data/chicago-ridership.csv"), "utf8"));
});
afterAll(async () => {
  b.close();
  await t.close();
});

it("ridership: the number to beat is pandas'", async () => {
  const days = sql`select date, ridership from 'data/chicago-ridership.csv' order by date`;
  const split = days.split({ by: "time", key: "date", cut: ["2013-09-01", "2014-09-01"] });
  const floor = await baseline({ split, task: { kind: "forecast", target: "ridership", time: "date", season: 7, horizon: 1 } }, context);
  // pandas: shift(7) and shift(1) against the 728 days from 2014-09-01; MASE by the training days' own step of seven
  expect(floor.bar.label).toBe("seasonal naive (m = 7)");
  expect(floor.bar.evaluation.n).toBe(728);
  expect(floor.bar.evaluation.value).toBeCloseTo(1.4693021978021978, 10);
  expect(floor.numbers["naive"]).toBeCloseTo(4.667129120879121, 10);
  const [, , , , rmse, , mase] = b.shown.at(-1)!.tables[0]!.rows[0]!;
  expect(rmse).toBeCloseTo(3.3164334800313013, 10);
  expect(mase).toBeCloseTo(1.2342583846817248, 10);
});

it("ridership: fifteen years have moved, the days of the week have not", async () => {
  const early = sql`select date, ridership, dayofweek(date) as dow from 'data/chicago-ridership.csv' where year(date) = 2001`;
  const since = sql`select date, ridership, dayofweek(date) as dow from 'data/chicago-ridership.csv' where year(date) > 2001`;
  const moved = await drift({ reference: early, current: since, columns: ["ridership", "dow"], every: "year" }, context);
  // scipy.stats.ks_2samp of the two sets of days
  expect(moved.columns).toMatchObject([
    { column: "ridership", drifted: true },
    { column: "dow", drifted: false },
  ]);
  expect(moved.columns[0]!.score).toBeCloseTo(0.3998738174457697, 10);
  expect(moved.series.map((one) => one.period)).toEqual(Array.from({ length: 15 }, (_, i) => String(2002 + i)));
});

it("flights: a month of half a million rows by SQL alone", async () => {
  const flights = sql`select date, distance, origin, delay > 15 as late from 'npm:vega-datasets/data/flights-3m.parquet' where date < timestamp '2001-07-01' and delay is not null`;
  const january = flights.where("month(date) = 1");
  const june = flights.where("month(date) = 6");
  const moved = await drift({ reference: january, current: june, columns: ["origin", "distance", "late"] }, context);
  // origin and late by a separate SQL of the shares: sqrt of half the two divergences to the mean
  const score = (name: string): number => moved.columns.find((one) => one.column === name)!.score;
  expect(score("origin")).toBeCloseTo(0.0372, 4);
  expect(score("late")).toBeCloseTo(0.0073, 4);
  expect(moved.columns.every((one) => one.drifted)).toBe(true);
  expect(moved.verdict).toBe("unsure");
});
