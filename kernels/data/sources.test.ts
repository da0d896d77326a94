import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { settle } from "../protocol/values.js";
import { CsvRelation } from "./csv.js";
import { database } from "./database.js";
import { sqlTag, sqlText } from "./sql.js";
import { relationOfValues } from "./values.js";

let t: TestEngine;
let sql: ReturnType<typeof sqlTag>;
let said: string[] = [];
beforeAll(() => {
  t = testEngine();
  sql = sqlTag(t.engine);
});
afterAll(() => t.close());
const csv = (path: string, options = {}) => {
  said = [];
  return new CsvRelation(t.engine, path, options, (sentence) => said.push(sentence));
};

describe("csv", () => {
  const written = (name: string, bytes: Uint8Array) => writeFileSync(join(t.folder, name), bytes);
  const text = "id,name\n1,Zoë\n2,Müller\n";
  const people = [
    { id: 1, name: "Zoë" },
    { id: 2, name: "Müller" },
  ];
  const utf16be = (from: string) => Buffer.from(from, "utf16le").swap16();
  it.each<[string, Buffer, string | undefined]>([
    ["UTF-8 with a mark", Buffer.from(`\ufeff${text}`), undefined],
    ["UTF-16 with a mark", Buffer.from(`\ufeff${text}`, "utf16le"), undefined],
    ["UTF-16 with a mark, the high byte first", utf16be(`\ufeff${text}`), undefined],
    ["the same, asked for", utf16be(`\ufeff${text}`), "utf-16"],
    ["UTF-16 without a mark", Buffer.from(text, "utf16le"), "utf-16"],
    ["UTF-16 without a mark, the high byte first", utf16be(text), "utf-16be"],
    ["latin-1", Buffer.from(text, "latin1"), "latin-1"],
    ["latin-1 by another name", Buffer.from(text, "latin1"), "ISO-8859-1"],
  ])("reads %s", async (_, bytes, encoding) => {
    written("letters.csv", bytes);
    expect(await csv("letters.csv", encoding === undefined ? {} : { encoding }).rows()).toEqual(people);
    expect(said).toEqual([]);
    expect(readdirSync(t.engine.options.spill).filter((name) => name.startsWith("csv-"))).toEqual([]);
  });
  it.each<[string, Uint8Array, string]>([
    ["latin-1", Buffer.from(text, "latin1"), "windows-1252"],
    ["UTF-16 without a mark", Buffer.from(text, "utf16le"), "utf-16le"],
    ["shift_jis", Uint8Array.of(0x61, 0x0a, ...[0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea, 0x82, 0xcc], 0x0a), "shift_jis"],
  ])("says what a file in %s seems to be", async (_, bytes, guess) => {
    written("letters.csv", bytes);
    const failed = csv("letters.csv", { rejects: "error" }).rows();
    await expect(failed).rejects.toThrow(`letters.csv is not written in UTF-8. The file seems to be written in ${guess}: say`);
  });
  it("says it of a line far down, which is left out", async () => {
    written("letters.csv", Buffer.from(`id,name\n${"5,plain\n".repeat(50_000)}6,Zoë\n`, "latin1"));
    expect(await csv("letters.csv").count()).toBe(50_000);
    expect(said[0]).toMatch(/^1 of 50,001 lines of letters.csv does not fit.*line 50,002.*seems to be written in windows-1252: say/s);
    expect(await csv("letters.csv", { encoding: "latin-1" }).count()).toBe(50_001);
    expect(said).toEqual([]);
  });
  it("counts bad rows of another encoding by the file's own lines, and says what was read amiss", async () => {
    written("letters.csv", Buffer.from(`\ufeffid,name\n${"5,ö\n".repeat(30_000)}x,ü\n`, "utf16le"));
    const relation = csv("letters.csv");
    expect(await relation.count()).toBe(30_000);
    expect(await relation.rejects.rows()).toMatchObject([{ line: 30_002, column: "id", text: "x,ü" }]);
    t.write("letters.csv", text);
    expect((await csv("letters.csv", { encoding: "latin-1" }).rows())[0]).toEqual({ id: 1, name: "ZoÃ«" });
    expect(said).toEqual([expect.stringContaining("letters.csv is valid UTF-8, and reading it as windows-1252 most likely garbles its letters")]);
    t.write("letters.csv", "a,b\n1,2\n");
    await csv("letters.csv", { encoding: "utf-16" }).count();
    expect(said[0]).toContain("letters.csv is valid UTF-8, and reading it as utf-16");
    t.write("letters.csv", text);
    await expect(csv("letters.csv", { encoding: "utf-16" }).rows()).rejects.toThrow("letters.csv is not written in utf-16.");
  });
  const good = Array.from({ length: 30_000 }, (_, i) => `${i},${i % 90},n${i}\n`).join("");
  it("sets bad rows aside, says them, and lists them", async () => {
    t.write("data/bad.csv", `id,age,name\n${good}x,5,bad\n7,old,worse\n8,9\n9,10,a,b,c\n10,11,fine\n`);
    const relation = csv("data/bad.csv");
    await relation[settle]("people");
    expect(await relation.count()).toBe(30_001);
    expect(await sql`select max(id) as id, count(*) filter (name = 'fine') as fine from people`.rows()).toEqual([{ id: 29_999, fine: 1 }]);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^4 of 30,005 lines of data\/bad.csv do not fit and were left out: line 30,002, column `id`: .*"x" to 'BIGINT'/);
    const rejects = await relation.rejects.rows();
    expect(rejects.map(({ line, column }) => [line, column])).toEqual([
      [30_002, "id"],
      [30_003, "age"],
      [30_004, "name"],
      [30_005, null],
      [30_005, null],
    ]);
    expect(rejects[3]!.text).toBe("9,10,a,b,c");
  });
  it("says nothing of a clean file, and has no rejects", async () => {
    t.write("data/good.csv", "a;b\n1;x\n2;NA\n");
    const relation = csv("data/good.csv", { delimiter: ";", nulls: ["NA"], types: { a: "DOUBLE" } });
    expect(await relation.rows()).toEqual([
      { a: 1, b: "x" },
      { a: 2, b: null },
    ]);
    expect((await relation.info()).map(({ type }) => type)).toEqual(["DOUBLE", "VARCHAR"]);
    expect(await relation.rejects.rows()).toEqual([]);
    expect(said).toEqual([]);
  });
  it("stops at the first bad row when it is told to", async () => {
    await expect(csv("data/bad.csv", { rejects: "error" }).rows()).rejects.toThrow(/30002|30004/);
    expect(await csv("data/good.csv", { rejects: "error", delimiter: ";" }).count()).toBe(2);
  });
  it.each([
    [{ delimeter: ";" }, "csv has no option `delimeter`"],
    [{ skip: -1 }, "Expected `skip`"],
    [{ types: [5] }, "Expected `types`"],
    [{ types: { a: 5 } }, "Expected `types`"],
    [{ header: "yes" }, "Expected `header`"],
    [{ rejects: "no" }, "Expected `rejects`"],
    [{ nulls: 5 }, "Expected `nulls`"],
    [{ encoding: "klingon" }, "Expected `encoding` to be the name of an encoding"],
    [{ quote: "'); drop schema nb cascade; --" }, null],
  ])("refuses %j", async (options, message) => {
    const work = async () => csv("data/good.csv", options).rows();
    if (message === null) await expect(work()).rejects.toThrow();
    else await expect(work()).rejects.toThrow(message);
    expect(await sql`select 1 as x`.rows()).toEqual([{ x: 1 }]);
  });
  it("refuses paths outside, and follows the file in its hash", async () => {
    expect(() => csv("../x.csv")).toThrow("leads out of the workspace");
    const before = await csv("data/good.csv", { delimiter: ";" }).hash();
    expect(await csv("data/good.csv", { delimiter: "," }).hash()).not.toBe(before);
    t.write("data/good.csv", "a;b\n1;x\n2;y\n3;z\n");
    expect(await csv("data/good.csv", { delimiter: ";" }).hash()).not.toBe(before);
  });
});

describe("relation of an iterator", () => {
  const of = (source: unknown) => relationOfValues(t.engine, source as never);
  it("takes generators, sets and maps, sync and async, in pieces", async () => {
    const relation = of(
      (async function* () {
        for (let i = 0; i < 120_000; i++) yield { i, s: i % 2 === 0 ? `x${i % 7}` : null };
      })(),
    );
    expect(await relation.count()).toBe(120_000);
    expect(await sql`select sum(i) as i, count(s) as s from ${relation}`.rows()).toEqual([{ i: (120_000 * 119_999) / 2, s: 60_000 }]);
    expect(await of(new Set([{ a: 1 }, { a: 2 }])).rows()).toEqual([{ a: 1 }, { a: 2 }]);
    const pairs = new Map([["k", 1]]);
    expect(
      await of(
        (function* () {
          for (const [k, v] of pairs) yield { k, v };
        })(),
      ).rows(),
    ).toEqual([{ k: "k", v: 1 }]);
  });
  it("widens numbers and adds columns as they come", async () => {
    const relation = of(
      (function* () {
        for (let i = 0; i < 50_000; i++) yield { a: 1, late: null };
        yield { a: 2.5, late: "x", more: new Date(0) };
        yield { a: 3 };
      })(),
    );
    const last = await sqlText(t.engine, "select 1 as one").rows();
    expect(last).toEqual([{ one: 1 }]);
    const rows = await relation.rows();
    expect(rows).toHaveLength(50_002);
    expect(rows[0]).toEqual({ a: 1, late: null, more: null });
    expect(rows.slice(-2)).toEqual([
      { a: 2.5, late: "x", more: new Date(0) },
      { a: 3, late: null, more: null },
    ]);
  });
  it("keeps a column that was NULL throughout", async () => {
    expect(await of(new Set([{ a: 1, b: null }])).rows()).toEqual([{ a: 1, b: null }]);
  });
  it("refuses mixed types and odd values with the row of the whole, and an empty iterator", async () => {
    const mixed = function* () {
      for (let i = 0; i < 50_000; i++) yield { a: 1 };
      yield { a: "x" };
    };
    await expect(of(mixed()).rows()).rejects.toThrow("column `a` is INTEGER up to row 50000 and VARCHAR after it");
    const odd = function* () {
      for (let i = 0; i < 50_000; i++) yield { a: 1 };
      yield { a: 1 };
      yield { a: () => 1 };
    };
    await expect(of(odd()).rows()).rejects.toThrow("a function in row 50001");
    await expect(of(new Set()).rows()).rejects.toThrow("gave no record");
    await expect(of([1, 2].values()).rows()).rejects.toThrow("Expected `values[0]`");
  });
  it("has a hash of its content", async () => {
    const hash = (n: number) => of(new Set([{ a: n }])).hash();
    expect(await hash(1)).toBe(await hash(1));
    expect(await hash(1)).not.toBe(await hash(2));
  });
  it("an endless one stops with the cell", async () => {
    const endless = (async function* () {
      for (let i = 0; ; i++) {
        if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
        if (i === 60_000) t.engine.interrupt();
        yield { i };
      }
    })();
    await expect(of(endless).rows()).rejects.toThrow("interrupted");
  });
});

describe("relation of bytes", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  it("reads CSV, JSON and Parquet by their own signs", async () => {
    const relation = (source: unknown, options = {}) => relationOfValues(t.engine, source as never, options);
    expect(await relation(bytes("a,b\n1,x\n")).rows()).toEqual([{ a: 1, b: "x" }]);
    expect(await relation(bytes('\n [{"a":1,"b":[2]}]')).rows()).toEqual([{ a: 1, b: [2] }]);
    expect(await relation(bytes('{"a":1}\n{"a":2}\n')).rows()).toEqual([{ a: 1 }, { a: 2 }]);
    await sqlText(t.engine, "select 5 as v").save("data/five.parquet");
    const parquet = readFileSync(join(t.folder, "data/five.parquet"));
    expect(await relation(new Uint8Array(parquet)).rows()).toEqual([{ v: 5 }]);
    expect(await relation(new Blob([parquet])).rows()).toEqual([{ v: 5 }]);
    expect(await relation(new Response("a\n7\n")).rows()).toEqual([{ a: 7 }]);
    expect(await relation(bytes("[1\n2\n"), { format: "csv" }).count()).toBeGreaterThan(0);
  });
  it("a stream goes to the disk piece by piece, once", async () => {
    const { spill } = t.engine.options;
    const sizes: number[] = [];
    const kept = () => readdirSync(spill).filter((name) => name.startsWith("bytes-"));
    const before = new Set(kept());
    async function* pieces(rows: number, broken = false): AsyncGenerator<Uint8Array> {
      yield bytes("a,b\n");
      for (let i = 0; i < rows; i++) {
        yield bytes(`${i},x\n`);
        sizes.push(kept().reduce((sum, name) => sum + (before.has(name) ? 0 : statSync(join(spill, name)).size), 0));
      }
      if (broken) throw new Error("the line was cut");
    }
    const relation = relationOfValues(t.engine, pieces(5) as never, { format: "csv" });
    expect(await relation.columns()).toMatchObject({ a: Float64Array.of(0, 1, 2, 3, 4) });
    expect(sizes).toEqual([8, 12, 16, 20, 24]);
    expect(await relation.hash()).toBe(await relationOfValues(t.engine, bytes("a,b\n0,x\n1,x\n2,x\n3,x\n4,x\n") as never, { format: "csv" }).hash());
    const count = kept().length;
    const cut = relationOfValues(t.engine, pieces(2, true) as never, { format: "csv" });
    await expect(cut.rows()).rejects.toThrow("the line was cut");
    // what is left of it is not the whole
    await expect(cut.rows()).rejects.toThrow("can be read once");
    expect(kept().length).toBe(count);
  });
  it("refuses what is none", async () => {
    await expect(relationOfValues(t.engine, new Uint8Array(0) as never).rows()).rejects.toThrow("no bytes");
    expect(() => relationOfValues(t.engine, new Uint8Array(1) as never, { format: "xls" } as never)).toThrow("Expected `format`");
    await expect(relationOfValues(t.engine, new Response("no", { status: 404, statusText: "Not Found" }) as never).rows()).rejects.toThrow("404");
    await expect(relationOfValues(t.engine, bytes("PAR1xxxx") as never).rows()).rejects.toThrow();
  });
});

describe("sources by an extension that cannot be had", () => {
  // the folder of extensions is empty, and no host answers
  it.each([
    ["from 's3://bucket/x.parquet'", "httpfs"],
    ["from 'https://127.0.0.1:9/x.parquet'", "httpfs"],
    ["from postgres_scan('host=127.0.0.1', 'public', 't')", "postgres_scanner"],
    ["from sqlite_scan('x.db', 't')", "sqlite_scanner"],
    ["from read_xlsx('x.xlsx')", "excel"],
  ])("%s", async (text, extension) => {
    const lone = testEngine();
    await lone.engine.query(`set extension_directory = '${lone.folder}'`);
    await lone.engine.query("set custom_extension_repository = 'http://127.0.0.1:9'");
    await expect(sqlText(lone.engine, text).rows()).rejects.toThrow(
      new RegExp(`^This needs DuckDB's extension \`${extension}\`, which is downloaded when it is first used, and that did not work here`),
    );
    expect(await sqlText(lone.engine, "select 1 as one").rows()).toEqual([{ one: 1 }]);
    await lone.close();
  });
});

describe("database", () => {
  it("is written whole, read by others, and read again when it has changed", async () => {
    await sqlText(t.engine, "select 1 as id, 'a' as name").save("data/shop.duckdb", { table: "orders" });
    await sqlText(t.engine, "select 2 as n").save("data/shop.duckdb", { table: "more" });
    const shop = database(t.engine, "data/shop.duckdb");
    expect(await shop.tables()).toEqual(["more", "orders"]);
    const orders = shop.table("orders");
    await orders[settle]!("orders");
    expect(await sql`select name from orders`.rows()).toEqual([{ name: "a" }]);
    const before = await orders.hash();
    // another kernel writes while this one reads
    const other = testEngine({ workspace: t.folder });
    try {
      expect(await database(other.engine, "data/shop.duckdb").table("orders").rows()).toEqual([{ id: 1, name: "a" }]);
      await sqlText(other.engine, "select 7 as id, 'b' as name").save("data/shop.duckdb", { table: "orders" });
    } finally {
      await other.close();
    }
    expect(await orders.rows()).toEqual([{ id: 1, name: "a" }]);
    const again = database(t.engine, "data/shop.duckdb").table("orders");
    expect(await again.rows()).toEqual([{ id: 7, name: "b" }]);
    expect(await again.hash()).not.toBe(before);
    expect(existsSync(join(t.folder, "data/shop.duckdb.lock"))).toBe(false);
  });
  it("says what is wrong, and leaves the file as it was", async () => {
    const size = statSync(join(t.folder, "data/shop.duckdb")).size;
    expect(() => database(t.engine, "data/none.duckdb")).toThrow("no file");
    await expect(database(t.engine, "data/shop.duckdb").table("order").rows()).rejects.toThrow("did you mean `orders`?");
    await expect(sqlText(t.engine, "select 1 as x").save("data/shop.duckdb")).rejects.toThrow("Expected `table`");
    await expect(sqlText(t.engine, "select 'x'::integer as x from range(2)").save("data/shop.duckdb", { table: "t" })).rejects.toThrow();
    t.write("data/junk.duckdb", "this is no database, it is a text that is long enough to be looked at");
    await expect(database(t.engine, "data/junk.duckdb").tables()).rejects.toThrow("not a valid DuckDB");
    expect(statSync(join(t.folder, "data/shop.duckdb")).size).toBe(size);
  });
  it("a lock of a writer that lives refuses, one of a dead writer does not", async () => {
    const lock = join(t.folder, "data/shop.duckdb.lock");
    writeFileSync(lock, String(process.pid));
    await expect(sqlText(t.engine, "select 1 as x").save("data/shop.duckdb", { table: "t" })).rejects.toThrow("is being written by another kernel");
    const gone = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => gone.once("exit", resolve));
    writeFileSync(lock, String(gone.pid));
    await sqlText(t.engine, "select 1 as x").save("data/shop.duckdb", { table: "t" });
    expect(await database(t.engine, "data/shop.duckdb").table("t").rows()).toEqual([{ x: 1 }]);
    rmSync(lock, { force: true });
  });
});
