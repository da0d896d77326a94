import fc from "fast-check";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import type { Filter, SortKey } from "../protocol/document.js";
import type { WireValue } from "../protocol/output.js";
import type { TableRelation } from "./relation.js";
import { sqlText } from "./sql.js";

let t: TestEngine;
let table: TableRelation;
/** the oracle's rows, in the relation's order */
let rows: Record<string, WireValue>[];
const n = 230_000;
beforeAll(async () => {
  t = testEngine();
  await t.engine
    .query(`create table nb.source as select i as id, (i * 7919) % 1000 as a, case when i % 11 = 0 then null else (i * 31) % 97 / 7.0 end as b,
    chr((65 + (i * 13) % 26)::integer) || (i % 3) as s, i % 5 = 0 as f from range(${n}) t(i)`);
  table = sqlText(t.engine, "select * from nb.source");
  rows = (await table.rows()) as Record<string, WireValue>[];
});
afterAll(() => t.close());

const sorted = (list: Record<string, WireValue>[], keys: SortKey[]): Record<string, WireValue>[] =>
  [...list].sort((x, y) => {
    for (const { column, desc } of keys) {
      const [p, q] = [x[column]!, y[column]!];
      if (p === q) continue;
      if (p === null) return 1;
      if (q === null) return -1;
      return (p < q ? -1 : 1) * (desc ? -1 : 1);
    }
    return 0;
  });
const passes = (row: Record<string, WireValue>, filter: Filter): boolean => {
  if (filter.op === "search") return Object.values(row).some((value) => value !== null && String(value).toLowerCase().includes(filter.text));
  const value = row[filter.column]!;
  switch (filter.op) {
    case "range":
      return value !== null && (filter.min === undefined || value >= filter.min) && (filter.max === undefined || value <= filter.max);
    case "contains":
      return value !== null && String(value).toLowerCase().includes(filter.text.toLowerCase());
    case "regex":
      return value !== null && new RegExp(filter.text).test(String(value));
    case "in":
      return filter.values.includes(value as never);
    case "null":
      return value === null;
    case "not-null":
      return value !== null;
  }
};

const sortKeys = fc.uniqueArray(fc.record({ column: fc.constantFrom("a", "b", "s", "f"), desc: fc.boolean() }), {
  maxLength: 2,
  selector: (key) => key.column,
});
const filters = fc.array(
  fc.oneof(
    fc.record({ column: fc.constant("a"), op: fc.constant("range" as const), min: fc.integer({ min: 0, max: 900 }) }),
    fc.record({ column: fc.constant("b"), op: fc.constantFrom("null" as const, "not-null" as const) }),
    fc.record({ column: fc.constant("s"), op: fc.constant("contains" as const), text: fc.constantFrom("a", "Z", "1") }),
    fc.record({ column: fc.constant("s"), op: fc.constant("regex" as const), text: fc.constantFrom("^[A-M]", "2$") }),
    fc.record({ column: fc.constant("s"), op: fc.constant("in" as const), values: fc.constant(["A0", "B1", "C2", null]) }),
    fc.record({ column: fc.constant("f"), op: fc.constant("in" as const), values: fc.constant([true]) }),
    fc.record({ op: fc.constant("search" as const), text: fc.constantFrom("99", "a1", "tru", "%", "'") }),
  ),
  { maxLength: 2 },
) as fc.Arbitrary<Filter[]>;

describe("pages", () => {
  it("are what sorting and filtering in JavaScript gives, shallow and deep", async () => {
    await fc.assert(
      fc.asyncProperty(sortKeys, filters, fc.double({ min: 0, max: 1, noNaN: true }), async (sort, where, at) => {
        const expected = sorted(
          rows.filter((row) => where.every((filter) => passes(row, filter))),
          sort,
        );
        const offset = Math.floor(at * expected.length);
        const page = await t.engine.page({ relation: table.name, offset, limit: 50, sort, where });
        const names = page.columns.map(({ name }) => name);
        const got = page.rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]!])));
        expect(got).toEqual(expected.slice(offset, offset + 50));
        expect(await t.engine.count({ relation: table.name, where })).toBe(expected.length);
      }),
      { numRuns: 25 },
    );
  });

  it("of a sorted view over files fit together before, while and after its rows are kept", async () => {
    const path = join(t.folder, "ties.parquet");
    await t.engine.query(`copy nb.source to '${path}' (row_group_size 20000)`);
    for (const [keys, filter] of [
      [[{ column: "s", desc: false }], []],
      [[{ column: "b", desc: true }], [{ column: "a", op: "range", max: 500 }]],
    ] as [SortKey[], Filter[]][]) {
      const view = sqlText(t.engine, "from 'ties.parquet'");
      await view.ready();
      const whole = sorted(
        rows.filter((row) => filter.every((one) => passes(row, one))),
        keys,
      ).map((row) => Object.values(row));
      // twice around: the first page comes from the files, the last ones from what was kept meanwhile
      for (const offset of [0, 150, 300, 9_850, 12_000, 0, 150, 9_800, 9_990]) {
        const page = await t.engine.page({ relation: view.name, offset, limit: 150, sort: keys, where: filter });
        expect(page.rows).toEqual(whole.slice(offset, offset + 150));
      }
    }
  });

  it("of a join or a group stay the same from page to page", async () => {
    const grouped = sqlText(t.engine, "select a, count(*) as n, sum(b) as b from nb.source group by a");
    const all: WireValue[][] = [];
    await grouped.ready();
    for (let offset = 0; offset < 1000; offset += 100) all.push(...(await t.engine.page({ relation: grouped.name, offset, limit: 100 })).rows);
    expect(new Set(all.map(([a]) => a)).size).toBe(1000);
    expect(await grouped.columns(["a"])).toEqual({ a: Float64Array.from(all, ([a]) => a as number) });
  });

  it("of columns that are called as DuckDB or the pages call rows fit together, sorted, filtered and deep", async () => {
    const names = ["RowID", "rowid~", "~n", 'a"b', "v"];
    const list = names.map((name, i) => `(i * ${i + 3}) % 7 + i / 1e6 as "${name.replaceAll('"', '""')}"`).join(", ");
    await t.engine.query(`create table nb.odd as select ${list}, [i % 3] as list from range(13000) t(i)`);
    const odd = sqlText(t.engine, "from nb.odd");
    await odd.ready();
    const all = (await t.engine.query("from nb.odd")).rows as Record<string, WireValue>[];
    for (const [column, offset] of [
      ["RowID", 0],
      ["~n", 0],
      ["RowID", 11_000],
      ['a"b', 11_000],
    ] as const) {
      const where: Filter[] = offset === 0 ? [{ column, op: "range", min: 1 }] : [];
      const expected = sorted(
        all.filter((row) => where.every((filter) => passes(row, filter))),
        [{ column, desc: true }],
      ).slice(offset, offset + 5);
      const page = await t.engine.page({ relation: odd.name, offset, limit: 5, sort: [{ column, desc: true }], where, columns: [column, "v"] });
      expect(page.columns.map(({ name }) => name)).toEqual([column, "v"]);
      expect(page.rows).toEqual(expected.map((row) => [row[column], row["v"]]));
    }
    const nested = await t.engine.page({
      relation: odd.name,
      offset: 0,
      limit: 2,
      sort: [{ column: "list", desc: false }],
      columns: ["list", "RowID"],
    });
    expect(nested.rows).toEqual([0, 3].map((i) => [[0], all[i]!["RowID"]]));
    expect((await t.engine.profile({ relation: odd.name, columns: ["~n"] })).columns[0]).toMatchObject({ name: "~n", nulls: 0 });
    await t.engine.exportTo({ relation: odd.name, format: "csv", path: join(t.folder, "odd.csv"), sort: [{ column: "~n", desc: true }] });
  });

  it("refuse what is no relation, column, filter or number", async () => {
    const page = (more: object): Promise<unknown> => t.engine.page({ relation: table.name, offset: 0, limit: 10, ...more });
    await expect(page({ relation: 'nb."x"; drop schema nb cascade; --"' })).rejects.toThrow("Expected `relation`");
    await expect(page({ relation: 'nb."x" where 1=1 --"' })).rejects.toThrow("Expected `relation`");
    await expect(page({ relation: 'nb."nothing"' })).rejects.toThrow("nothing");
    await expect(page({ columns: ["ida"] })).rejects.toThrow('no column "ida" (did you mean `id`?)');
    await expect(page({ sort: [{ column: "a desc; drop table nb.source", desc: true }] })).rejects.toThrow("no column");
    await expect(page({ offset: -1 })).rejects.toThrow("Expected `offset`");
    await expect(page({ limit: NaN })).rejects.toThrow("Expected `limit`");
    await expect(page({ where: [{ column: "s", op: "regex", text: "(" }] })).rejects.toThrow("missing )");
    await expect(page({ where: [{ column: "a", op: "range", min: "x" }] })).rejects.toThrow("x");
    await expect(page({ where: [{ column: "a", op: "drop" }] })).rejects.toThrow("Expected `op`");
    await expect(page({ where: [{ column: "s", op: "contains", text: "a\0" }] })).rejects.toThrow("NUL");
    expect(await page({ where: [{ column: "s", op: "contains", text: "'; drop table nb.source; --" }] })).toMatchObject({ rows: [] });
    expect(await table.count()).toBe(n);
  });
});

it("profiles columns", async () => {
  const { rows: all, looked, columns } = await t.engine.profile({ relation: table.name, columns: ["a", "b", "s", "f"] });
  expect([all, looked]).toEqual([n, n]);
  const [a, b, s, f] = columns as [(typeof columns)[0], (typeof columns)[0], (typeof columns)[0], (typeof columns)[0]];
  expect(a).toMatchObject({ kind: "number", nulls: 0, min: 0, max: 999 });
  expect(a.bins!.length).toBe(20);
  expect(a.bins!.reduce((sum, bin) => sum + bin.count, 0)).toBe(n);
  expect(a.quantiles![2]).toBeCloseTo(499.5, 0);
  expect(b.nulls).toBe(rows.filter((row) => row["b"] === null).length);
  expect(b.bins!.reduce((sum, bin) => sum + bin.count, 0)).toBe(n - b.nulls);
  expect(s.kind).toBe("text");
  expect(Math.abs(s.distinct - new Set(rows.map((row) => row["s"])).size)).toBeLessThan(10);
  expect(f.top).toEqual([
    { value: false, count: rows.filter((row) => !row["f"]).length },
    { value: true, count: rows.filter((row) => row["f"]).length },
  ]);
});

it("profiles dates, constants, empty and hostile names, and samples above a million rows", async () => {
  const odd = sqlText(
    t.engine,
    `select date '2001-01-01' + (i % 100)::integer as "a""b' d", 5 as c, null::integer as e, [i] as l from range(1500000) t(i)`,
  );
  await odd.ready();
  const { rows: all, looked, columns } = await t.engine.profile({ relation: odd.name, columns: ["a\"b' d", "c", "e", "l"] });
  expect(all).toBe(1_500_000);
  expect(looked).toBeGreaterThan(100_000);
  expect(looked).toBeLessThan(400_000);
  expect(columns[0]).toMatchObject({ kind: "date", min: "2001-01-01", max: "2001-04-10" });
  expect(columns[1]!.bins).toEqual([{ from: 5, to: 5, count: looked }]);
  expect(columns[2]).toMatchObject({ nulls: looked, bins: null, distinct: 0 });
  expect(columns[3]).toMatchObject({ kind: "other" });
  const none = sqlText(t.engine, "select * from nb.source where false");
  await none.ready();
  expect((await t.engine.profile({ relation: none.name, columns: ["a", "s"] })).columns[0]).toMatchObject({ nulls: 0, bins: null });
});

it("exports what the filter shows, in its order", async () => {
  const path = join(t.folder, "out.csv");
  const sort = [{ column: "id", desc: true }];
  const where: Filter[] = [{ column: "a", op: "range", min: 990 }];
  const { rows: written } = await t.engine.exportTo({ relation: table.name, format: "csv", path, sort, where });
  const lines = readFileSync(path, "utf8").trim().split("\n");
  expect(lines.length).toBe(written + 1);
  expect(lines[0]).toBe("id,a,b,s,f");
  expect(Number(lines[1]!.split(",")[0])).toBeGreaterThan(Number(lines[2]!.split(",")[0]));
  await t.engine.exportTo({ relation: table.name, format: "parquet", path: join(t.folder, "it's.parquet") });
  expect(existsSync(join(t.folder, "it's.parquet"))).toBe(true);
  expect(await sqlText(t.engine, "select count(*) as n from 'it''s.parquet'").rows()).toEqual([{ n }]);
});

it("answers another thread's port, and pages while a query runs", async () => {
  const port = t.engine.port();
  const ask = (request: object): Promise<Record<string, unknown>> =>
    new Promise((resolve) => {
      port.once("message", resolve);
      port.postMessage(request);
    });
  const long = sqlText(t.engine, "select count(*) as n from range(3000000000) a(i) where sin(i) > 2").rows();
  const failed = expect(long).rejects.toThrow("interrupted");
  const page = await ask({ id: 1, request: { do: "query", query: { query: "table.page", relation: table.name, offset: 5, limit: 1 } } });
  expect(page).toMatchObject({ id: 1, ok: true, value: { rows: [[5, 595, expect.any(Number), "N2", true]] } });
  expect(await ask({ id: 2, request: { do: "query", query: { query: "table.count", relation: "x" } } })).toMatchObject({ id: 2, ok: false });
  // the query may not have begun yet on a busy machine: an interrupt of nothing is nothing, so it is asked for until it is heard
  const again = setInterval(() => port.postMessage({ interrupt: true }), 20);
  await failed;
  clearInterval(again);
  port.close();
  expect(await t.engine.count({ relation: table.name })).toBe(n);
});
