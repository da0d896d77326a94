import { writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import * as arrow from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { compressedRows, lz4File, zstdStream } from "../../test/support/arrow-compressed.js";
import { sqlTag } from "./sql.js";
import { relationOfValues } from "./values.js";

let t: TestEngine;
let sql: ReturnType<typeof sqlTag>;
beforeAll(() => {
  t = testEngine();
  sql = sqlTag(t.engine);
  mkdirSync(join(t.folder, "data"));
});
afterAll(() => t.close());

describe("compressed buffers", () => {
  it.each([
    ["LZ4", "packed.arrow", lz4File],
    ["Zstandard", "packed.arrows", zstdStream],
  ])("of %s are read", async (_, path, packed) => {
    writeFileSync(join(t.folder, path), Buffer.from(packed, "base64"));
    expect(await sql`from ${path}`.rows()).toEqual(compressedRows);
  });

  it("that are broken are told, and leave no table", async () => {
    const bytes = Buffer.from(lz4File, "base64");
    const at = bytes.indexOf(Buffer.of(4, 0x22, 0x4d, 0x18));
    bytes.fill(255, at + 11, at + 40);
    writeFileSync(join(t.folder, "torn.arrow"), bytes);
    await expect(sql`from 'torn.arrow'`.rows()).rejects.toThrow(/torn.arrow .*: LZ4 data is broken/);
  });
});

const write = (path: string, table: arrow.Table, format: "file" | "stream" = "file") =>
  writeFileSync(join(t.folder, path), arrow.tableToIPC(table, format));
const field = (name: string, type: arrow.DataType) => new arrow.Field(name, type, true);
/** A column from its buffers, as any producer may write it. */
const raw = (type: arrow.DataType, data: object, length: number) =>
  new arrow.Vector([arrow.makeData({ type, length, nullCount: 0, ...data } as never)]);
const words = (...values: bigint[]) =>
  new Uint32Array(new BigInt64Array(values.flatMap((v) => [BigInt.asIntN(64, v), BigInt.asIntN(64, v >> 64n)])).buffer);

describe("types", () => {
  const of = arrow.vectorFromArray as (values: unknown[], type: arrow.DataType) => arrow.Vector;
  it.each<[string, () => arrow.Vector, string, unknown[]]>([
    ["int8", () => of([1, null, -128], new arrow.Int8()), "TINYINT", [1, null, -128]],
    ["uint32", () => of([4e9, null], new arrow.Uint32()), "UINTEGER", [4e9, null]],
    ["int64", () => of([9007199254740993n, null], new arrow.Int64()), "BIGINT", [9007199254740993n, null]],
    ["uint64", () => of([18446744073709551615n], new arrow.Uint64()), "UBIGINT", [18446744073709551615n]],
    ["float16", () => raw(new arrow.Float16(), { data: Uint16Array.of(0x3e00, 0xfc00, 0x0001) }, 3), "FLOAT", [1.5, -Infinity, 2 ** -24]],
    ["float32", () => of([0.5, null], new arrow.Float32()), "FLOAT", [0.5, null]],
    ["float64", () => of([0.1, NaN, null], new arrow.Float64()), "DOUBLE", [0.1, NaN, null]],
    ["bool", () => of([true, false, null], new arrow.Bool()), "BOOLEAN", [true, false, null]],
    ["utf8", () => of(["é'x", "", null], new arrow.Utf8()), "VARCHAR", ["é'x", "", null]],
    ["large utf8", () => of(["long", null], new arrow.LargeUtf8()), "VARCHAR", ["long", null]],
    ["binary", () => of([Uint8Array.of(0, 255), null], new arrow.Binary()), "BLOB", [Uint8Array.of(0, 255), null]],
    ["fixed binary", () => of([Uint8Array.of(1, 2)], new arrow.FixedSizeBinary(2)), "BLOB", [Uint8Array.of(1, 2)]],
    ["decimal128", () => raw(new arrow.Decimal(2, 10, 128), { data: words(-12345n, 1n) }, 2), "DECIMAL(10,2)", [-123.45, 0.01]],
    ["decimal256", () => raw(new arrow.Decimal(3, 60, 256), { data: Uint32Array.of(...words(-1n), ...words(-1n)) }, 1), "VARCHAR", ["-0.001"]],
    ["date32", () => raw(new arrow.DateDay(), { data: Int32Array.of(-1, 11443) }, 2), "DATE", [new Date("1969-12-31"), new Date("2001-05-01")]],
    ["date64", () => raw(new arrow.DateMillisecond(), { data: BigInt64Array.of(-1n) }, 1), "DATE", [new Date("1969-12-31")]],
    ["time64", () => raw(new arrow.TimeMicrosecond(), { data: BigInt64Array.of(45_296_500_000n) }, 1), "TIME", ["12:34:56.5"]],
    ["timestamp ms", () => raw(new arrow.TimestampMillisecond(), { data: BigInt64Array.of(-1n) }, 1), "TIMESTAMP", [new Date(-1)]],
    ["timestamp ns", () => raw(new arrow.TimestampNanosecond(), { data: BigInt64Array.of(1_500_000n) }, 1), "TIMESTAMP_NS", [new Date(1)]],
    [
      "timestamp with zone",
      () => raw(new arrow.TimestampSecond("Europe/Oslo"), { data: BigInt64Array.of(5n) }, 1),
      "TIMESTAMP WITH TIME ZONE",
      [new Date(5000)],
    ],
    [
      "duration",
      () => raw(new arrow.DurationMillisecond(), { data: BigInt64Array.of(1500n) }, 1),
      "INTERVAL",
      [{ months: 0, days: 0, micros: 1_500_000 }],
    ],
    ["interval months", () => raw(new arrow.IntervalYearMonth(), { data: Int32Array.of(14) }, 1), "INTERVAL", [{ months: 14, days: 0, micros: 0 }]],
    [
      "interval days",
      () => raw(new arrow.IntervalDayTime(), { data: Int32Array.of(2, 250) }, 1),
      "INTERVAL",
      [{ months: 0, days: 2, micros: 250_000 }],
    ],
    ["list", () => of([[1, null], null, []], new arrow.List(field("item", new arrow.Int32()))), "INTEGER[]", [[1, null], null, []]],
    [
      "fixed list",
      () =>
        of(
          [
            [1, 2],
            [3, 4],
          ],
          new arrow.FixedSizeList(2, field("item", new arrow.Float32())),
        ),
      "FLOAT[2]",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "struct of lists",
      () =>
        of(
          [{ a: 1, b: ["x"] }, null],
          new arrow.Struct([field("a", new arrow.Int32()), field("b", new arrow.List(field("item", new arrow.Utf8())))]),
        ),
      "STRUCT(a INTEGER, b VARCHAR[])",
      [{ a: 1, b: ["x"] }, null],
    ],
    [
      "map",
      () =>
        of(
          [new Map([["k", 1]]), null],
          new arrow.Map_(
            field("entries", new arrow.Struct([new arrow.Field("key", new arrow.Utf8(), false), field("value", new arrow.Int32())])) as never,
          ),
        ),
      "MAP(VARCHAR, INTEGER)",
      [{ k: 1 }, null],
    ],
    ["dictionary", () => of(["x", "y", null, "x"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())), "VARCHAR", ["x", "y", null, "x"]],
    ["null", () => of([null, null], new arrow.Null()), "INTEGER", [null, null]],
  ])("%s", async (name, make, type, values) => {
    const table = new arrow.Table({ v: make() });
    for (const format of ["file", "stream"] as const) {
      const path = `data/type-${name.replaceAll(" ", "-")}-${format}.arrow`;
      write(path, table, format);
      const relation = sqlOf(path);
      expect((await relation.info()).map((column) => column.type)).toEqual([type]);
      expect((await relation.rows()).map((row) => row["v"])).toEqual(values);
    }
  });
});

/** The path stands in the SQL, as an author writes it. */
const sqlOf = (path: string) => sql(Object.assign([`from '${path}'`], { raw: [`from '${path}'`] }) as never);

describe("sources", () => {
  const table = (from: number, n: number) =>
    new arrow.Table({
      id: arrow.makeVector(Int32Array.from({ length: n }, (_, i) => from + i)),
      word: arrow.vectorFromArray(
        Array.from({ length: n }, (_, i) => `w${(from + i) % 7}`),
        new arrow.Utf8(),
      ),
    });
  it("a file is read by its path in SQL, joined, and named in the hash", async () => {
    write("data/a.arrow", table(0, 5000));
    const counts = sql`select a.word, count(*) as n from 'data/a.arrow' a join 'data/a.arrow' b on a.id = b.id where a.id < ${70} group by all order by all`;
    expect(await counts.rows()).toEqual(Array.from({ length: 7 }, (_, i) => ({ word: `w${i}`, n: 10 })));
    const hash = await sqlOf("data/a.arrow").hash();
    write("data/a.arrow", table(1, 5000));
    expect(await sqlOf("data/a.arrow").hash()).not.toBe(hash);
    expect((await sqlOf("data/a.arrow").rows(1))[0]).toEqual({ id: 1, word: "w1" });
  });
  it("the files of a pattern come one after the other, and must have one shape", async () => {
    write("data/part-1.arrow", table(0, 3000));
    write("data/part-2.arrow", table(3000, 10), "stream");
    expect(await sqlOf("data/part-*.arrow").count()).toBe(3010);
    write("data/part-3.arrow", arrow.tableFromArrays({ other: Int32Array.of(1) }));
    await expect(sqlOf("data/part-*.arrow").rows()).rejects.toThrow("part-3.arrow has other columns than part-1.arrow");
    await expect(sqlOf("data/none-*.arrow").rows()).rejects.toThrow("no file matches");
  });
  it("many batches are read in order", async () => {
    const batches = Array.from({ length: 40 }, (_, i) => table(i * 3000, 3000).batches[0]!);
    write("data/many.arrows", new arrow.Table(batches), "stream");
    expect(
      await sql`select count(*) as n, sum(id) as s, count(*) filter (id = r) as ordered from (select *, row_number() over () - 1 as r from 'data/many.arrows')`.rows(),
    ).toEqual([{ n: 120_000, s: (120_000 * 119_999) / 2, ordered: 120_000 }]);
  });
  it("bytes and streams are known by their first ones, or by what the cell says", async () => {
    for (const format of ["file", "stream"] as const) {
      const bytes = arrow.tableToIPC(table(0, 3), format);
      const rows = [0, 1, 2].map((id) => ({ id, word: `w${id}` }));
      expect(await relationOfValues(t.engine, bytes).rows()).toEqual(rows);
      expect(await relationOfValues(t.engine, new Response(bytes.slice().buffer as ArrayBuffer)).rows()).toEqual(rows);
      expect(
        await relationOfValues(t.engine, Readable.from([bytes.subarray(0, 20), bytes.subarray(20)]) as never, { format: "arrow" }).rows(),
      ).toEqual(rows);
    }
    await expect(relationOfValues(t.engine, Readable.from(["x"]) as never, { format: "arrow" }).rows()).rejects.toThrow("gives no bytes");
  });
  it("what is none, or is cut short, is an error with the file's name, and leaves nothing", async () => {
    t.write("data/no.arrow", "hello");
    await expect(sqlOf("data/no.arrow").rows()).rejects.toThrow("no.arrow is no Arrow IPC file or stream");
    const whole = arrow.tableToIPC(table(0, 5000), "stream");
    writeFileSync(join(t.folder, "data/cut.arrow"), whole.subarray(0, whole.length - 20_000));
    await expect(sqlOf("data/cut.arrow").rows()).rejects.toThrow(/cut.arrow/);
    expect(await sql`select 1 as x`.rows()).toEqual([{ x: 1 }]);
  });
});
