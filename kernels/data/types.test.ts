import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { sqlText } from "./sql.js";
import type { TableRelation } from "./relation.js";

let t: TestEngine;
beforeAll(() => {
  t = testEngine({ tensor: ((values: Float32Array, rows: number, width: number) => ({ values: [...values], rows, width })) as never });
});
afterAll(() => t.close());

const wire = async (relation: TableRelation): Promise<unknown> => (await relation.view()).first[0]![0];

/** [SQL, rows(), columns(), wire] */
const rules: [string, unknown, unknown, unknown][] = [
  ["true", true, [true], true],
  ["null::boolean", null, [null], null],
  ["5::tinyint", 5, new Int32Array([5]), 5],
  ["-7::integer", -7, new Int32Array([-7]), -7],
  ["null::integer", null, new Float64Array([NaN]), null],
  ["null::bigint", null, new Float64Array([NaN]), null],
  ["null::decimal(4,2)", null, new Float64Array([NaN]), null],
  ["null::timestamp", null, [null], null],
  ["null::varchar", null, [null], null],
  ["4000000000::uinteger", 4e9, new Float64Array([4e9]), 4e9],
  ["9007199254740991::bigint", 9007199254740991, new Float64Array([9007199254740991]), 9007199254740991],
  ["-9007199254740993::bigint", -9007199254740993n, [-9007199254740993n], "-9007199254740993"],
  ["18446744073709551615::ubigint", 18446744073709551615n, [18446744073709551615n], "18446744073709551615"],
  ["5::hugeint", 5, new Float64Array([5]), 5],
  ["170141183460469231731687303715884105727::hugeint", 2n ** 127n - 1n, [2n ** 127n - 1n], "170141183460469231731687303715884105727"],
  ["1.5::float", 1.5, new Float32Array([1.5]), 1.5],
  ["0.1::double", 0.1, new Float64Array([0.1]), 0.1],
  ["'nan'::double", NaN, new Float64Array([NaN]), "NaN"],
  ["'-inf'::double", -Infinity, new Float64Array([-Infinity]), "-Infinity"],
  ["null::double", null, new Float64Array([NaN]), null],
  ["0.1::decimal(4,2)", 0.1, new Float64Array([0.1]), "0.10"],
  ["12345678901234567890.12::decimal(38,2)", 12345678901234567000, new Float64Array([12345678901234567000]), "12345678901234567890.12"],
  ["date '2001-05-01'", new Date("2001-05-01"), [new Date("2001-05-01")], "2001-05-01"],
  ["date '-infinity'", new Date(-8.64e15), [new Date(-8.64e15)], "-infinity"],
  ["timestamp '1969-12-31 23:59:59.9995'", new Date(-1), [new Date(-1)], "1969-12-31T23:59:59.999Z"],
  ["timestamp '3001-01-01 00:00:00'", new Date("3001-01-01"), [new Date("3001-01-01")], "3001-01-01T00:00:00.000Z"],
  ["timestamptz '2001-05-01 02:00:00+02'", new Date("2001-05-01"), [new Date("2001-05-01")], "2001-05-01T00:00:00.000Z"],
  ["'2001-05-01 00:00:00'::timestamp_ns", new Date("2001-05-01"), [new Date("2001-05-01")], "2001-05-01T00:00:00.000Z"],
  ["'2001-05-01'::timestamp_s", new Date("2001-05-01"), [new Date("2001-05-01")], "2001-05-01T00:00:00.000Z"],
  ["time '12:34:56.5'", "12:34:56.5", ["12:34:56.5"], "12:34:56.5"],
  ["interval '1 month 2 days'", { months: 1, days: 2, micros: 0 }, [{ months: 1, days: 2, micros: 0 }], "1 month 2 days"],
  ["'b'::enum('a','b')", "b", ["b"], "b"],
  ["'a''b é'", "a'b é", ["a'b é"], "a'b é"],
  [
    "uuid '00000000-0000-0000-0000-00000000000a'",
    "00000000-0000-0000-0000-00000000000a",
    ["00000000-0000-0000-0000-00000000000a"],
    "00000000-0000-0000-0000-00000000000a",
  ],
  ["'\\x00\\xFF'::blob", new Uint8Array([0, 255]), [new Uint8Array([0, 255])], "AP8="],
  ["[1, null, 3]", [1, null, 3], [[1, null, 3]], [1, null, 3]],
  ["array_value(1.5::float, 2)", [1.5, 2], [[1.5, 2]], [1.5, 2]],
  ["{a: 1, b: [date '2001-05-01']}", { a: 1, b: [new Date("2001-05-01")] }, [{ a: 1, b: [new Date("2001-05-01")] }], { a: 1, b: ["2001-05-01"] }],
  ["map {'k': 1}", { k: 1 }, [{ k: 1 }], [["k", 1]]],
  ["map {2: 'x'}", [[2, "x"]], [[[2, "x"]]], [[2, "x"]]],
  ["union_value(n := 5)", 5, [5], 5],
  ["'101'::bit", "101", ["101"], "101"],
  ["'{\"a\": [1]}'::json", { a: [1] }, [{ a: [1] }], '{"a": [1]}'],
];

describe("one rule for each type", () => {
  it.each(rules)("%s", async (expression, row, column, onWire) => {
    const relation = sqlText(t.engine, `select ${expression} as v`);
    expect((await relation.rows())[0]!["v"]).toEqual(row);
    expect((await relation.columns(undefined, { nulls: NaN }))["v"]).toEqual(column);
    expect(await wire(relation)).toEqual(onWire);
  });
});

it("makes a mask of nothing: NULLs among many rows stay where they are", async () => {
  const relation = sqlText(
    t.engine,
    "select case when i % 1000 = 7 then null else i end as i, case when i % 777 = 3 then null else 'x' || (i % 5) end as s from range(10000) t(i)",
  );
  const { i, s } = await relation.columns(undefined, { nulls: NaN });
  for (let k = 0; k < 10_000; k++) {
    expect(i![k]).toEqual(k % 1000 === 7 ? NaN : k);
    expect(s![k]).toBe(k % 777 === 3 ? null : `x${k % 5}`);
  }
  const rows = await relation.rows();
  expect(rows[7]).toEqual({ i: null, s: "x2" });
});

describe("NULL where a number must stand", () => {
  const holes = () =>
    sqlText(
      t.engine,
      "select case when i % 4 = 1 then null else i end::integer as i, case when i = 2 then null else i / 2 end::double as d, case when i = 3 then null else 'x' end as s, case when i = 0 then null else true end as b from range(4) t(i)",
    );
  it("is an error that says column, count and what to do", async () => {
    await expect(holes().columns()).rejects.toThrow("column `i` has 1 NULL in 4 rows");
    await expect(holes().columns(["d"])).rejects.toThrow('say { nulls: "mask" }');
    expect(await holes().columns(["s", "b"])).toEqual({ s: ["x", "x", "x", null], b: [null, true, true, true] });
    await expect(holes().batches().next()).rejects.toThrow("column `i` has 1 NULL");
  });
  it("is filled with the number that is asked for, of the column's type where that holds it", async () => {
    expect(await holes().columns(["i", "d"], { nulls: -1 })).toEqual({ i: Int32Array.of(0, -1, 2, 3), d: Float64Array.of(0, 0.5, -1, 1.5) });
    expect(await holes().columns(["i"], { nulls: 0.5 })).toEqual({ i: Float64Array.of(0, 0.5, 2, 3) });
    const batch = await holes()
      .batches({ columns: ["i"], nulls: 9 })
      .next();
    expect(batch.value).toEqual({ i: Int32Array.of(0, 9, 2, 3), length: 4 });
  });
  it("has a mask beside it", async () => {
    expect(await holes().columns(undefined, { nulls: "mask" })).toEqual({
      i: { values: Int32Array.of(0, 0, 2, 3), nulls: Uint8Array.of(0, 1, 0, 0) },
      d: { values: Float64Array.of(0, 0.5, 0, 1.5), nulls: Uint8Array.of(0, 0, 1, 0) },
      s: { values: ["x", "x", "x", null], nulls: Uint8Array.of(0, 0, 0, 1) },
      b: { values: [null, true, true, true], nulls: Uint8Array.of(1, 0, 0, 0) },
    });
    expect(await sqlText(t.engine, "select 1 as one").columns(undefined, { nulls: "mask" })).toEqual({
      one: { values: Int32Array.of(1), nulls: null },
    });
  });
  it("in a tensor is filled, or marked in a column of its own", async () => {
    expect(await holes().tensor(["i", "b"], { nulls: 7 })).toEqual({ values: [0, 7, 7, 1, 2, 1, 3, 1], rows: 4, width: 2 });
    expect(await holes().tensor(["i", "b"], { nulls: "mask" })).toEqual({
      values: [0, 0, 0, 1, 0, 1, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0],
      rows: 4,
      width: 4,
    });
    await expect(sqlText(t.engine, "select [1.5] as v union all select null").tensor(undefined, { nulls: 0 })).rejects.toThrow("no one number");
    await expect(sqlText(t.engine, "select 'nan'::double as v union all select null").tensor(undefined, { nulls: 0 })).rejects.toThrow("1 NaN");
  });
  it("refuses a rule that is none", async () => {
    await expect(holes().columns(undefined, { nulls: "zero" } as never)).rejects.toThrow('Expected `nulls` to be "error", "mask" or a number');
    await expect(
      holes()
        .batches({ nulls: "mask" } as never)
        .next(),
    ).rejects.toThrow("Expected `nulls`");
    await expect(holes().tensor(undefined, { nulls: NaN })).rejects.toThrow("Expected `nulls`");
  });
});

describe("tensor", () => {
  it("puts columns side by side, booleans as 0 and 1, bytes and lists as many columns", async () => {
    const tensor = (await sqlText(
      t.engine,
      "select 1.5 as a, true as b, '\\x01\\x02'::blob as c, [7.0, 8.0] as d from range(2)",
    ).tensor()) as unknown;
    expect(tensor).toEqual({ values: [1.5, 1, 1, 2, 7, 8, 1.5, 1, 1, 2, 7, 8], rows: 2, width: 6 });
  });
  it.each([
    ["select case when i < 2 then null else i end as x from range(5) t(i)", "column `x` has 2 NULLs"],
    ["select 'nan'::double as x from range(3)", "column `x` has 3 NaNs"],
    ["select 'a' as x", "column `x` is VARCHAR"],
    ["select [1, 2] as x union all select [1]", "column `x` has"],
  ])("refuses %s", async (text, message) => {
    await expect(sqlText(t.engine, text).tensor()).rejects.toThrow(message);
  });
});
