import { afterAll, beforeAll, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { sqlText } from "./sql.js";

let t: TestEngine;
beforeAll(() => {
  t = testEngine();
});
afterAll(() => t.close());

const described = async (sql: string) => (await sqlText(t.engine, sql).describe().rows())[0]!;

/** [SQL of the column `v` over `i` from 0 to 8, what is told of it] */
const cases: [string, Record<string, unknown>][] = [
  [
    "i::integer",
    { min: "0", max: "8", avg: "4.0", q25: "2.0", q50: "4.0", q75: "6.0", count: 9, approx_unique: 9, null_percentage: 0, not_finite: 0 },
  ],
  ["case when i < 3 then null else i end", { min: "3", avg: "5.5", q50: "5.5", null_percentage: 33.33, count: 9 }],
  ["case when i = 8 then 'nan'::double else i end", { max: "nan", avg: "3.5", q50: "3.5", not_finite: 1 }],
  ["case when i = 0 then '-inf'::float when i = 8 then 'inf' else i end", { min: "-inf", max: "inf", avg: "4.0", q50: "4.0", not_finite: 2 }],
  ["'nan'::double", { avg: null, std: null, q50: null, not_finite: 9 }],
  ["case when i % 2 = 0 then 1e308 else -1e308 end", { avg: "1.1111111111111111e+307", std: "1.0540925533894597e+308", q75: "1e+308" }],
  ["0.1::decimal(38,10)", { min: "0.1000000000", q25: "0.1", q50: "0.1", std: "0.0" }],
  ["0.1::decimal(4,2)", { avg: "0.1", q50: "0.1" }],
  ["170141183460469231731687303715884105727::hugeint", { min: "170141183460469231731687303715884105727", avg: "1.7014118346046923e+38" }],
  ["340282366920938463463374607431768211455::uhugeint", { avg: "3.402823669209385e+38", std: "0.0" }],
  ["timestamp '-infinity'", { min: "-infinity", max: "-infinity", avg: null, q50: null, not_finite: 9 }],
  ["case when i = 0 then timestamptz '-infinity' else timestamptz '2001-01-02 03:00:00+02' end", { q50: "2001-01-02 01:00:00+00", not_finite: 1 }],
  ["'-infinity'::timestamp_ns", { max: "-infinity", not_finite: 9 }],
  ["timestamp '294247-01-10 04:00:54.775806'", { max: "294247-01-10 04:00:54.775806", q50: null, not_finite: 9 }],
  ["date '2001-01-01' + i::integer", { min: "2001-01-01", q50: "2001-01-05 00:00:00", avg: "2001-01-05 00:00:00", not_finite: 0 }],
  ["time '12:00:00'", { avg: "12:00:00", q50: "12:00:00", std: null }],
  ["repeat('a', 100)::blob", { min: "a".repeat(40) }],
  ["[i, null]", { min: "[0, NULL]", avg: null, q50: null }],
  ["{'a''b': i}", { column_type: `STRUCT("a'b" BIGINT)` }],
];

it.each(cases)("tells what %s is like", async (expression, told) => {
  expect(await described(`select ${expression} as v from range(9) t(i)`)).toMatchObject(told);
});

it("has one row a column, in order, also of no rows", async () => {
  const rows = await sqlText(t.engine, `select 1 as "it's ""a""", 'x' as b where false`).describe().rows();
  expect(rows.map((row) => [row["column_name"], row["count"], row["avg"]])).toEqual([
    [`it's "a"`, 0, null],
    ["b", 0, null],
  ]);
});
