import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { literal } from "./literal.js";
import { sqlTag } from "./sql.js";

let t: TestEngine;
let sql: ReturnType<typeof sqlTag>;
beforeAll(() => {
  t = testEngine();
  sql = sqlTag(t.engine);
});
afterAll(() => t.close());

const back = async (value: unknown): Promise<unknown> => (await sql`select ${value} as v`.rows())[0]!["v"];

describe("bound values", () => {
  it("come back equal, whatever the string holds", async () => {
    const hostile = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("'; drop schema nb cascade; --", "''", "\\'", "$1", "${x}", "/* */ '", "é\n'\"", "\u{1f600}'", "?"),
    );
    await fc.assert(
      fc.asyncProperty(
        hostile.filter((s) => !s.includes("\0")),
        async (s) => {
          expect(await back(s)).toBe(s);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("keep numbers, bigints, dates, bytes and lists exactly", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ noNaN: true }),
        fc.maxSafeInteger(),
        fc.date({ noInvalidDate: true }),
        fc.uint8Array({ maxLength: 20 }),
        async (x, n, d, b) => {
          const row = (await sql`select ${x} as x, ${n} as n, ${d} as d, ${b} as b, ${[x, n]} as xs, ${["a'b", '"']} as ss`.rows())[0]!;
          expect(row["x"]).toBe(Object.is(x, -0) ? -0 : x);
          expect(row["n"]).toBe(n);
          expect(row["d"]).toEqual(d);
          expect(row["b"]).toEqual(b);
          expect(row["ss"]).toEqual(["a'b", '"']);
          expect(row["xs"]).toEqual([x, n]);
        },
      ),
      { numRuns: 100 },
    );
    expect(await back(2n ** 62n)).toBe(2n ** 62n);
    expect(await back(-(2n ** 100n))).toBe(-(2n ** 100n));
    expect(await back(null)).toBe(null);
    expect(await back(true)).toBe(true);
    expect(await back(NaN)).toBe(NaN);
    expect(await back(-Infinity)).toBe(-Infinity);
    expect(await back({ a: 1, "b'": "x" })).toEqual({ a: 1, "b'": "x" });
  });

  it("have the types of SQL", async () => {
    const values = [1, 2 ** 40, 0.1, 5n, 2n ** 80n, "x", new Date(0), true, [1, 2], ["a"], [1, 0.5], new Uint8Array([1])];
    const types = [];
    for (const value of values) types.push((await sql`select typeof(${value}) as t`.rows())[0]!["t"]);
    expect(types).toEqual([
      "INTEGER",
      "BIGINT",
      "DOUBLE",
      "BIGINT",
      "HUGEINT",
      "VARCHAR",
      "TIMESTAMP",
      "BOOLEAN",
      "INTEGER[]",
      "VARCHAR[]",
      "DOUBLE[]",
      "BLOB",
    ]);
  });

  it.each([
    [undefined, "hole 1 of the SQL (`select ${...}`) is undefined"],
    [() => 1, "is a function"],
    [Symbol("x"), "is a symbol"],
    ["a\0b", "NUL"],
    ["\ud800", "surrogate"],
    [new Date(NaN), "invalid Date"],
    [new Map(), "is a Map"],
    [Promise.resolve(1), "is a promise"],
    [2n ** 200n, "128 bits"],
    [[1, undefined], "holds an item [1] that is undefined"],
    [{}, "empty object"],
  ])("refuse %s", (value, message) => {
    expect(() => sql`select ${value}`).toThrow(message);
  });

  it("refuse a hole inside quotes or a comment", () => {
    expect(() => sql`select '${"x"}'`).toThrow("hole 1 of the SQL stands inside quotes");
    expect(() => sql`select 1 -- ${"x"}`).toThrow("stands inside a comment");
    expect(() => sql`select "${"x"}"`).toThrow("inside quotes");
  });

  it("render as one literal", () => {
    expect(literal(-3)).toBe("(-3)");
    expect(literal(new Date("2001-05-01T00:00:00Z"))).toBe("'2001-05-01 00:00:00.000'::TIMESTAMP");
  });
});
