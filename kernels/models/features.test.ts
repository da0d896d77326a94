import { tmpdir } from "node:os";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { settle, type Relation, type Row } from "../protocol/values.js";
import * as f from "./f.js";
import { buildBundle } from "./features-bundle.js";
import { bundleFeatures, FeatureError, features, openFeatures } from "./features.js";

describe("f", () => {
  const date = new Date("2001-03-04T23:30:00Z");
  it.each([
    ["z", f.z(3, { mean: 1, sd: 2 }), 1],
    ["z of null", f.z(null, { mean: 1, sd: 2 }), 0],
    ["z of NaN", f.z(NaN, { mean: 1, sd: 2 }), 0],
    ["z far out", f.z(-Infinity, { mean: 1, sd: 2 }), -20],
    ["z of a constant column", f.z(3, { mean: 1, sd: 0 }), 0],
    ["z of a bigint", f.z(3n, { mean: 1, sd: 2 }), 1],
    ["clip", [f.clip(5, 0, 1), f.clip(-5, 0, 1), f.clip(null, 2, 3), f.clip(NaN, -1, 1)], [1, 0, 2, 0]],
    ["log", [f.log(Math.E - 1), f.log(1 - Math.E), f.log(null), f.log(Infinity)], [1, -1, 0, Math.log1p(Number.MAX_VALUE)]],
    [
      "bucket",
      [f.bucket(-1, [0, 10]), f.bucket(0, [0, 10]), f.bucket(10, [0, 10]), f.bucket(null, [0, 10])],
      [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
      ],
    ],
    [
      "oneHot",
      [f.oneHot("b", ["a", "b"]), f.oneHot("?", ["a", "b"]), f.oneHot(null, ["a", "b"]), f.oneHot(2, [1, 2])],
      [
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
        [0, 1, 0],
      ],
    ],
    ["hash of null", f.hash(null, 3), [0, 0, 0]],
    ["hash", f.hash("SFO", 8), f.hash("SFO", 8)],
    ["hour, dow, month", [f.hour(date), f.dow(date), f.month(date)], [23, 0, 3]],
    ["no date", [f.hour(null), f.dow(undefined), f.month(new Date(NaN))], [-1, -1, -1]],
    ["cyclic", f.cyclic(6, 24).map((x) => Math.round(x * 1e12) / 1e12), [1, 0]],
    [
      "cyclic of none",
      [f.cyclic(-1, 24), f.cyclic(null, 24), f.cyclic(Infinity, 24)],
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ],
    [
      "ngrams of none",
      [f.ngrams(null, 2, 3), f.ngrams("", 2, 3)],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ],
    [
      "image",
      [f.image([255, 0, NaN, -3], 5), f.image(null, 2), f.image([1, 2, 3], 2, 2)],
      [
        [1, 0, 0, 0, 0],
        [0, 0],
        [0.5, 1],
      ],
    ],
  ])("%s", (_, value, expected) => {
    expect(value).toEqual(expected);
  });

  it("is total: every helper gives finite numbers for anything", () => {
    const any = fc.oneof(fc.double(), fc.constant(null), fc.constant(undefined), fc.bigInt());
    fc.assert(
      fc.property(
        any,
        fc.option(fc.string({ unit: "binary" })),
        fc.option(fc.date({ noInvalidDate: false })),
        fc.array(fc.double()),
        (x, s, d, px) => {
          const all = [
            f.z(x, { mean: 1, sd: 1e-300 }),
            f.clip(x, -1, 1),
            f.log(x),
            ...f.bucket(x, [0, 1]),
            ...f.oneHot(s, ["a"]),
            ...f.hash(s, 4),
            f.hour(d),
            f.dow(d),
            f.month(d),
            ...f.cyclic(x, 7),
            ...f.ngrams(s, 3, 5),
            ...f.image(px, 6),
          ];
          expect(all.every((value) => Number.isFinite(value))).toBe(true);
          expect(f.bucket(x, [0, 1]).reduce((a, b) => a + b)).toBe(1);
        },
      ),
    );
  });

  it("looks long frozen lists up as it does short ones", () => {
    const values = Array.from({ length: 30 }, (_, i) => (i % 2 ? i : `v${i}`));
    const frozen = Object.freeze([...values, "v2"]);
    for (const x of ["v2", 3, "3", "v28", "nope", "constructor", null]) expect(f.oneHot(x, frozen)).toEqual(f.oneHot(x, [...frozen]));
  });

  it("fits on batches and on records alike", async () => {
    // mean and sample sd of 2 4 4 4 5 5 7 9: 5 and sqrt(32 / 7)
    const rows = [2, 4, 4, null, 4, 5, 5, 7, 9].map((x) => ({ x, s: x === null ? null : x > 4 ? "big" : "small" }));
    const expected = { n: 8, nulls: 1, mean: 5, sd: Math.sqrt(32 / 7), min: 2, max: 9 };
    const stats = await f.stats(rows, "x");
    expect(stats).toEqual({ ...expected, sd: expect.closeTo(expected.sd, 14) as number });
    async function* batches() {
      yield { x: Float64Array.from([2, 4, 4, NaN]), length: 4 };
      yield { x: [4, 5n, 5, 7, 9], length: 5 };
    }
    expect(await f.stats(batches(), "x")).toEqual(stats);
    expect(await f.top(rows, "s", 5)).toEqual(["big", "small"]);
    expect(await f.top(rows, "s", 1)).toEqual(["big"]);
    expect(await f.stats([], "x")).toEqual({ n: 0, nulls: 0, mean: 0, sd: 0, min: 0, max: 0 });
    await expect(f.stats(rows, "y")).rejects.toThrow(/no column `y`/);
    await expect(f.stats(rows, "s")).rejects.toThrow(/Expected `s` to hold numbers, got `small`/);
  });
});

describe("the declaration", () => {
  const row = () => [1];
  it.each([
    [undefined, /Expected `features` to get an object/],
    [{ input: {}, row }, /at least one field/],
    [{ input: { a: "float" }, row }, /field `a`: Expected one of double, .*, got `float`/],
    [{ input: { a: "double??" }, row }, /field `a`/],
    [{ input: { a: "double" } }, /Expected `row` to be a function/],
    [{ input: { a: "double" }, row, fit: 3 }, /Expected `fit`/],
    [{ input: { a: "double" }, row: async () => [1] }, /must not be async/],
    [{ input: { a: "double" }, row, rows: 1 }, /`rows` is not one of/],
    [{ input: ["double"], row }, /Expected `input`/],
  ])("refuses %#", (spec, why) => {
    expect(() => features(spec as never)).toThrow(why);
  });
});

describe("records", () => {
  let open: (types: Record<string, string>) => Promise<(record: object) => number[]>;
  beforeAll(() => {
    open = async (input) => {
      const $row = `export const $$row = (r) => Object.values(r).map((x) => x === null ? -1 : x instanceof Date ? x.getTime() / 1000 : typeof x === "object" ? x.length : typeof x === "string" ? x.length : Number(x))`;
      const { code } = await buildBundle({ input, folder: tmpdir(), modules: { row: $row } });
      const one = openFeatures(code, null);
      return (record) => Array.from(one.vectors([record]));
    };
  });
  const time = Date.UTC(2001, 4, 1, 10) / 1000;
  it.each([
    ["double", [1.5, 2n, NaN, null, undefined], [1.5, 2, -1, -1, -1]],
    ["integer", [3, 4n, -0, null], [3, 4, 0, -1]],
    ["bigint", [3, 4n, "5", null], [3, 4, 5, -1]],
    ["boolean", [true, false, null], [1, 0, -1]],
    ["string", ["abc", "", null], [3, 0, -1]],
    ["decimal", ["12.50", 3, null], [12.5, 3, -1]],
    [
      "timestamp",
      [
        new Date(time * 1000),
        "2001-05-01T10:00:00",
        "2001-05-01 10:00",
        "2001-05-01T12:00:00+02:00",
        "2001-05-01T10:00:00.999999Z",
        time * 1000,
        "2001-05-01",
        null,
        new Date(NaN),
      ],
      [time, time, time, time, time + 0.999, time, time - 36000, -1, -1],
    ],
    ["date", ["2001-05-01", "2001-05-01T10:00:00Z", new Date(time * 1000), null], [time - 36000, time - 36000, time - 36000, -1]],
    [
      "double[]",
      [
        [1, 2],
        new Uint8Array(3),
        [
          [1, 2],
          [3, 4],
        ],
        [],
      ],
      [2, 3, 4, 0],
    ],
    ["image", [[1, 2, 3], null], [3, -1]],
  ])("%s", async (type, values, expected) => {
    const vector = await open({ field: `${type}?` });
    expect(values.map((field) => vector({ field })[0])).toEqual(expected.map((x) => Math.fround(x)));
  });
  it.each([
    ["double", ["1", true, [], {}, 2n ** 60n], /field `field`: .*(Expected a number|too large)/],
    ["integer", [1.5, Infinity, "1"], /Expected an integer/],
    ["bigint", [1.5, "x", ""], /Expected an integer/],
    ["boolean", [1, "true"], /Expected true or false/],
    ["string", [1, new Date(0)], /Expected a text/],
    ["timestamp", ["yesterday", "2001-13-01", "2001-02-30", "2001-05-01T25:00", "05/01/2001", {}, 1e20, "2001-05-01T10:60"], /Expected a time/],
    ["double[]", [3, "12", [1, null], [[1], ["2"]]], /Expected a list of numbers/],
  ])("refuses for %s and names record and field", async (type, values, why) => {
    const vector = await open({ field: type });
    for (const field of values) {
      expect(() => vector({ field }), String(field)).toThrow(why);
      try {
        vector({ field });
      } catch (error) {
        expect(error).toBeInstanceOf(FeatureError);
        expect(error).toMatchObject({ record: 0, field: "field" });
      }
    }
  });
  it("reads own fields only, whatever they are called", async () => {
    const input = Object.fromEntries([
      ["constructor", "double?"],
      ["__proto__", "double?"],
      ["toString", "string?"],
    ]);
    const vector = await open(input);
    expect(vector({})).toEqual([-1, -1, -1]);
    expect(vector(JSON.parse('{"constructor": 1, "__proto__": 2, "toString": "abc", "extra": 9}') as object)).toEqual([1, 2, 3]);
    expect(() => vector(null as never)).toThrow(/Expected a record, got null/);
    expect(() => vector(7 as never)).toThrow(/Expected a record, got 7/);
  });
  it("never gives anything but finite float32s, or an error, for any JSON", async () => {
    const vector = await open({ a: "double?", b: "string?", c: "timestamp?", d: "double[]?", e: "bigint?" });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e", "x"), fc.jsonValue()), (record) => {
        let values: number[];
        try {
          values = vector(record);
        } catch (error) {
          expect(error).toBeInstanceOf(FeatureError);
          return;
        }
        expect(values.every((value) => Number.isFinite(value) && Math.fround(value) === value)).toBe(true);
      }),
    );
  });
  it("refuses a file that is no bundle, or one that was changed at its end", async () => {
    const { code } = await buildBundle({ input: { a: "double" }, folder: tmpdir(), modules: { row: "export const $$row = () => [1]" } });
    expect(() => openFeatures(`${code};`, null)).toThrow(/not a features bundle/);
    expect(() => openFeatures("export default () => [1]", null)).toThrow(/not a features bundle/);
  });
});

describe("identity", () => {
  const relationOf = (rows: Row[], types: Record<string, string>): Relation =>
    ({
      [settle]: () => Promise.resolve(),
      schema: () => Promise.resolve(Object.entries(types).map(([name, type]) => ({ name, type, nullable: true }))),
      count: () => Promise.resolve(rows.length),
      rows: (limit = rows.length) => Promise.resolve(rows.slice(0, limit)),
      sample: () => relationOf(rows, types),
      async *batches({ columns }: { columns: string[] }) {
        yield { ...Object.fromEntries(columns.map((name) => [name, rows.map((row) => row[name])])), length: rows.length };
      },
    }) as unknown as Relation;
  const context = { notebook: `${tmpdir()}/x.nb.ts`, breathe: () => Promise.resolve(), capture: () => Promise.reject(new Error("not used")) };
  it("takes numbers, booleans and lists as they are", async () => {
    const rows = [
      { px: [1, 2], n: 3, b: true, y: 1 },
      { px: [4, 5], n: null, b: false, y: 0 },
    ];
    const relation = relationOf(rows, { px: "UTINYINT[2]", n: "DECIMAL(9,2)", b: "BOOLEAN", y: "INTEGER" });
    const fitted = await bundleFeatures(context, "identity", relation, { exclude: ["y"] });
    expect(fitted.width).toBe(4);
    expect(Array.from((await fitted.matrix(relation)).x as Float32Array)).toEqual([1, 2, 3, 1, 4, 5, 0, 0]);
    expect(fitted.fields.map(({ name, type, nullable }) => [name, type, nullable])).toEqual([
      ["px", "double[]", false],
      ["n", "double", true],
      ["b", "boolean", true],
    ]);
    await expect(bundleFeatures(context, "identity", relationOf(rows, { px: "VARCHAR" }))).rejects.toThrow(/px \(VARCHAR\) is none/);
    await expect(bundleFeatures(context, {} as never, relation)).rejects.toThrow(/made by `features/);
    await expect(bundleFeatures(context, "identity", relationOf([rows[0]!, { ...rows[1]!, px: [1] }], { px: "DOUBLE[]" }))).rejects.toThrow(
      /record 1: Expected row to return 2 numbers, got 1/,
    );
  });
});
