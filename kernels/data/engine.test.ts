import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { settle } from "../protocol/values.js";
import type { SqlError } from "./fault.js";
import { sqlTag, sqlText } from "./sql.js";
import { relationOfValues } from "./values.js";

let t: TestEngine;
let sql: ReturnType<typeof sqlTag>;
beforeAll(() => {
  t = testEngine();
  sql = sqlTag(t.engine);
  t.write("data/people.csv", "name,age\nAda,36\nAlan,41\nGrace,85\n");
  t.write("data/rows.ndjson", '{"a":1,"b":[1,2]}\n{"a":2,"b":[]}\n');
  t.write("data/bad.csv", "a,b\n1,2\nx,3\n");
});
afterAll(() => t.close());

const failure = async (work: Promise<unknown>): Promise<SqlError> => {
  try {
    await work;
  } catch (error) {
    return error as SqlError;
  }
  throw new Error("nothing was thrown");
};
const alive = async (): Promise<void> => expect(await sql`select 1 as x`.rows()).toEqual([{ x: 1 }]);

describe("errors", () => {
  it("say the place in the author's text, past bound values, paths and names of other cells", async () => {
    await sql`select * from 'data/people.csv'`[settle]("people");
    const error = await failure(
      sql`
  select name, ${"é'long"} as k, agee
  from people where age > ${3}`[settle]("x"),
    );
    expect(error).toMatchObject({ name: "SqlError", type: "Binder", line: 2, piece: 1 });
    expect(error.column).toBe("  select name, ${...} as k, agee".indexOf("agee") + 1);
    expect(error.message).toContain('"agee" not found');
    expect(error.message).toContain("age");
    expect(await failure(sql`selec 1`[settle]())).toMatchObject({ type: "Parser", line: 1, column: 1 });
    expect(await failure(sqlText(t.engine, "select 1\nfrom 'data/nope.csv'")[settle]())).toMatchObject({ type: "IO", line: 2, column: 6 });
    await alive();
  });

  it("name what is like the missing table or file", async () => {
    expect((await failure(sql`from peeple`[settle]())).message).toBe("There is no table or view `peeple` (did you mean `people`?).");
    expect((await failure(sql`from main.people`[settle]())).message).toBe(
      "There is no table or view `people` in that schema; the result of a cell is called `people` or `nb.people`.",
    );
    expect((await failure(sql`from 'data/peple.csv'`[settle]())).message).toMatch(
      /no file "data\/peple.csv" \(tried .*w\/data\/peple.csv\) \(did you mean `people.csv`\?\)/,
    );
    expect((await failure(sql`from 'dat/people.csv'`[settle]())).message).toContain("the folder");
    await alive();
  });

  it("of reading say what cannot be read", async () => {
    const error = await failure(sqlText(t.engine, "select 1 as one,\n 'x'::integer as n from range(2)").rows());
    expect(error).toMatchObject({ type: "Conversion", line: 2 });
    const bad = sqlText(t.engine, "select a::integer as a from 'data/bad.csv'");
    expect((await failure(bad.rows())).message).toContain("'x'");
    // half-way through many rows: never a part of them as if it were all
    const late = sqlText(t.engine, "select case when i = 3000000 then 'x' else '1' end::integer as v from range(5000000) t(i)");
    expect(await failure(late.columns())).toMatchObject({ type: "Conversion" });
    let seen = 0;
    const drain = async () => {
      for await (const { length } of late.batches()) seen += length;
    };
    expect(await failure(drain())).toMatchObject({ type: "Conversion" });
    expect(seen).toBeLessThanOrEqual(3_000_000);
    await alive();
  });

  it("of wrong SQL leave everything as it was", async () => {
    for (const [text, message] of [
      ["", "The SQL is empty"],
      ["select 'a", "ends inside a string"],
      ["select 1; select 2", "two statements"],
      ["drop schema nb", "holds the results of the cells"],
      ["select $1", "arameter"],
    ] as const)
      expect((await failure(sqlText(t.engine, text)[settle]())).message).toContain(message);
    expect(() => (sql as unknown as (text: string) => unknown)("select 1")).toThrow("template tag");
    await alive();
  });
});

describe("files", () => {
  it("CSV, NDJSON, lists and patterns are read from the workspace", async () => {
    expect(await sql`select count(*) as n from read_csv(['data/people.csv', 'data/people.csv'])`.rows()).toEqual([{ n: 6 }]);
    expect(await sql`select * from 'data/rows.ndjson'`.rows()).toEqual([
      { a: 1, b: [1, 2] },
      { a: 2, b: [] },
    ]);
    expect(await sql`select count(*) as n from 'data/p*.csv' p, "data/people.csv" q`.rows()).toEqual([{ n: 9 }]);
    expect(await sql`select * from 'data/people.csv' where name = 'data/people.csv'`.rows()).toEqual([]);
    expect(await sql`select extract(year from date '2001-01-01') as y, 'x' || 'data/nope.csv' as s`.rows()).toEqual([
      { y: 2001, s: "xdata/nope.csv" },
    ]);
    expect(await sql`select count(*) as n from ${"data/people.csv"}`.rows()).toEqual([{ n: 3 }]);
  });

  it("outside the workspace are refused, by dots, by links, by npm", async () => {
    writeFileSync(join(t.folder, "..", "secret.csv"), "a\n1\n");
    mkdirSync(join(t.folder, "links"), { recursive: true });
    symlinkSync(join(t.folder, "..", "secret.csv"), join(t.folder, "links", "s.csv"));
    symlinkSync(join(t.folder, ".."), join(t.folder, "links", "up"));
    for (const path of ["../secret.csv", "data/../../secret.csv", "/etc/passwd", "links/s.csv", "links/up/secret.csv", "links/up/*.csv"])
      expect((await failure(sql`from ${path}`[settle]())).message, path).toContain("leads out of the workspace");
    expect(() => t.engine.files.resolve("npm:vega-datasets/../../package.json")).toThrow("..");
    expect(() => t.engine.files.resolve("npm:../x/y")).toThrow("..");
    expect(() => t.engine.files.resolve("npm:no-such-package/data.csv")).toThrow("is not installed");
    expect(() => t.engine.files.resolve("npm:vega-datasets/data/birdstrike.csv")).toThrow("birdstrikes.csv");
    expect(() => t.engine.files.resolve("npm:vega-datasets")).toThrow("Expected a path such as");
    expect(readFileSync(t.engine.files.resolve("npm:vega-datasets/data/birdstrikes.csv")).length).toBeGreaterThan(1000);
    for (const statement of ["copy (select 1 as a) to '../out.csv'", "COPY (from 'data/people.csv') TO 'links/up/out.csv' (format csv)"])
      expect((await failure(sqlText(t.engine, statement)[settle]())).message, statement).toContain("leads out of the workspace");
    for (const statement of ["attach '../out.db' as o", "attach if not exists '/tmp/out.db'", "export database '../all'"])
      expect((await failure(sqlText(t.engine, statement)[settle]())).message, statement).toContain("leads out of the workspace");
    expect(() => t.engine.files.target("../out.csv")).toThrow("out of the workspace");
    expect(() => t.engine.files.target("links/up/out.csv")).toThrow("by a link");
    await alive();
  });

  it("are written by COPY and opened by ATTACH under the workspace", async () => {
    await sqlText(t.engine, "copy (select 1 as a) to 'data/copied.csv'")[settle]();
    expect(readFileSync(join(t.folder, "data", "copied.csv"), "utf8")).toBe("a\n1\n");
    await sqlText(t.engine, "attach 'data/side.db' as side")[settle]();
    await sqlText(t.engine, "attach ':memory:' as nowhere")[settle]();
    await sqlText(t.engine, "detach side")[settle]();
    expect(existsSync(join(t.folder, "data", "side.db"))).toBe(true);
  });

  it("are saved whole, by the ending", async () => {
    const people = sql`from 'data/people.csv'`;
    for (const ending of ["csv", "parquet", "json", "ndjson"]) {
      await people.save(`data/out.${ending}`);
      expect(await sqlText(t.engine, `from 'data/out.${ending}'`).rows()).toEqual(await people.rows());
    }
    await expect(people.save("data/out.xlsx")).rejects.toThrow("Expected `path`");
    await expect(people.save("../out.csv")).rejects.toThrow("out of the workspace");
  });
});

describe("relations", () => {
  it("with hostile names and columns", async () => {
    const name = 'a"b; drop schema nb; -- é';
    await sqlText(t.engine, `select 1 as "x""y; --", 2 as "__proto__", 3 as "constructor"`)[settle](name);
    const rows = await sqlText(t.engine, `from "${name.replaceAll('"', '""')}"`).rows();
    expect(Object.entries(rows[0]!)).toEqual([
      ['x"y; --', 1],
      ["__proto__", 2],
      ["constructor", 3],
    ]);
    expect(await t.engine.exports.get(name.toLowerCase())!.columns(['x"y; --'] as never)).toEqual({ 'x"y; --': Int32Array.of(1) });
  });

  it("keep what they read when the cell above runs again; later cells see the new", async () => {
    await sql`select 1 as v`[settle]("up");
    const old = sql`select v * 10 as w from up`;
    await old[settle]("down");
    await sql`select 2 as v, 3 as more`[settle]("up");
    expect(await old.rows()).toEqual([{ w: 10 }]);
    expect(await sql`select w from down`.rows()).toEqual([{ w: 10 }]);
    expect(await sql`with x as (from up) select up.v, x.more from up, x`.rows()).toEqual([{ v: 2, more: 3 }]);
    expect(await sql`with up as (select 9 as v) from up`.rows()).toEqual([{ v: 9 }]);
    expect(await sql`describe up`.rows()).toHaveLength(2);
    await t.engine.forget("up");
    expect((await failure(sql`from up`[settle]())).message).toContain("no table or view `up`");
    expect(await old.rows()).toEqual([{ w: 10 }]);
  });

  it("take a name that is being dropped, each time", async () => {
    await sqlText(t.engine, "select 0 as i")[settle]("again");
    for (let i = 1; i <= 300; i++) {
      const gone = t.engine.forget("again");
      await sqlText(t.engine, `select ${i} as i`)[settle]("again");
      await gone;
      expect((await t.engine.query("from nb.again")).rows).toEqual([{ i }]);
    }
  });

  it("of random values are the same at each reading", async () => {
    const noise = sql`select random() as x from range(1000)`;
    const first = await noise.columns();
    expect(await noise.columns()).toEqual(first);
    expect((await noise.view()).first[0]![0]).toBe((first["x"] as Float64Array)[0]);
  });

  it("come in batches; reading others meanwhile and stopping early are fine", async () => {
    const many = sql`select i::integer as i, 'x' || i as s from range(200000) t(i)`;
    let next = 0;
    let batches = 0;
    for await (const { i, s, length } of many.batches()) {
      expect(length).toBeLessThanOrEqual(2048);
      expect([i![0], s![0], i!.length]).toEqual([next, `x${next}`, length]);
      next += length;
      if (batches++ % 40 === 0) expect(await sql`select 1 as one from ${many} limit 1`.rows()).toEqual([{ one: 1 }]);
    }
    expect(next).toBe(200_000);
    for (let k = 0; k < 5; k++) for await (const _ of many.batches({ columns: ["i"], size: 10 })) break;
    await expect(many.batches({ columns: ["nope"] }).next()).rejects.toThrow("no column");
    await alive();
  });

  it("have a hash that follows text, files and what is above", async () => {
    const a = await sql`from 'data/people.csv'`.hash();
    expect(await sql`from 'data/people.csv'`.hash()).toBe(a);
    t.write("data/people.csv", "name,age\nAda,37\nAlan,41\nGrace,85\n");
    const b = await sql`from 'data/people.csv'`.hash();
    expect(b).not.toBe(a);
    expect(b).toMatch(/^[0-9a-f]{32}$/);
    const people = sql`from 'data/people.csv'`;
    expect(await people.where("age > 1").hash()).not.toBe(await people.where("age > 2").hash());
    await people[settle]("people");
    const below = await sql`select name from people`.hash();
    await sql`from 'data/people.csv' where age < 80`[settle]("people");
    expect(await sql`select name from people`.hash()).not.toBe(below);
  });

  it("of statements that are no queries hold their result", async () => {
    expect(await sql`summarize select 1 as a`.rows()).toMatchObject([{ column_name: "a" }]);
    await sql`create or replace table made as select 5 as v`[settle]();
    expect(await sql`from made`.rows()).toEqual([{ v: 5 }]);
    expect(await sql`explain select 1`.rows()).toHaveLength(1);
    expect((await sql`pivot (select 'a' as k, 1 as v union all select 'b', 2) on k using sum(v)`.rows())[0]).toEqual({ a: 1, b: 2 });
  });
});

describe("relation of values", () => {
  it("takes records and columns", async () => {
    const rows = [
      { a: 1, s: "x", d: new Date(5), b: true, n: null, big: 2n ** 60n, v: [1, 2.5], o: { k: [1] }, y: new Uint8Array([1, 2]) },
      { a: 2.5, s: null, d: null, b: false, n: null, big: 1n, v: [], o: null, y: null },
    ];
    const relation = relationOfValues(t.engine, rows as never[]);
    expect(await relation.rows()).toEqual([rows[0], { ...rows[1], big: 1n }]);
    expect((await relation.info()).map(({ type }) => type)).toEqual([
      "DOUBLE",
      "VARCHAR",
      "TIMESTAMP",
      "BOOLEAN",
      "VARCHAR",
      "BIGINT",
      "DOUBLE[]",
      "JSON",
      "BLOB",
    ]);
    const typed = relationOfValues(t.engine, {
      i: Int32Array.of(1, 2),
      f: Float32Array.of(0.5, NaN),
      u: Uint8Array.of(7, 8),
      images: [new Uint8Array(784).fill(1), new Uint8Array(784).fill(2)],
    } as never);
    const columns = await typed.columns();
    expect(columns["i"]).toEqual(Int32Array.of(1, 2));
    expect(columns["f"]).toEqual(Float32Array.of(0.5, NaN));
    expect(columns["images"]).toEqual([new Uint8Array(784).fill(1), new Uint8Array(784).fill(2)]);
    expect(await relationOfValues(t.engine, { x: [] } as never).count()).toBe(0);
    expect(await relationOfValues(t.engine, { x: [1] } as never).hash()).not.toBe(await relationOfValues(t.engine, { x: [2] } as never).hash());
  });

  it.each([
    [null, "Expected `values`"],
    [5, "Expected `values`"],
    [[], "no columns"],
    [{}, "no columns"],
    [[1], "Expected `values[0]`"],
    [{ a: [1], b: [1, 2] }, "column `a` has 1 values and `b` has 2"],
    [{ a: 5 }, "Expected `a`"],
    [[{ a: 1 }, { a: "x" }], 'column `a` holds 1 (number) in row 0 and "x" in row 1'],
    [[{ a: () => 1 }], "column `a` holds a function in row 0"],
    [[{ a: new Date(NaN) }], "an invalid Date"],
    [[{ a: "x\0" }], "column `a`"],
    [[{ a: new Map() }], "an object of Map"],
    [{ a: [1], A: [2] }, "differ only in case"],
  ])("refuses %j", (values, message) => {
    expect(() => relationOfValues(t.engine, values as never)).toThrow(message);
  });
});

describe("limits", () => {
  it("an interrupt stops the queries and the engine goes on", async () => {
    const long = sql`select count(*) as n from range(3000000000) t(i) where sin(i) > 2`;
    const failures = [failure(long.rows()), failure(long.count())];
    await alive();
    t.engine.interrupt();
    for (const error of await Promise.all(failures)) expect(error).toMatchObject({ type: "Interrupt", message: "The query was interrupted." });
    const reading = failure(
      (async () => {
        for await (const _ of sql`select i from range(100000000) t(i)`.batches()) t.engine.interrupt();
      })(),
    );
    expect(await reading).toMatchObject({ type: "Interrupt" });
    await alive();
  });

  it("a memory error is a sentence and the engine goes on", async () => {
    const small = testEngine({ memoryLimit: "60MB", spillLimit: 1e6 });
    try {
      const error = await failure(sqlText(small.engine, "select list(i) as l, list('some text ' || i) as m from range(30000000) t(i)").rows());
      expect(error).toMatchObject({ type: "Out of Memory" });
      expect(error.message).toContain("needs more memory than DuckDB may use here");
      expect(await sqlText(small.engine, "select 1 as x").rows()).toEqual([{ x: 1 }]);
    } finally {
      await small.close();
    }
  });

  it("what does not fit into memory is sorted on disk, up to a limit that is said", async () => {
    const made = "select md5(i::varchar) as m, i from range(1500000) t(i) order by m";
    const sorted = `select count(*) as n, count(*) filter (m < before) as wrong from (select m, lag(m) over () as before from (${made}))`;
    const roomy = testEngine({ memoryLimit: "60MB" });
    const tight = testEngine({ memoryLimit: "60MB", spillLimit: 1e6 });
    try {
      expect(await sqlText(roomy.engine, sorted).rows()).toEqual([{ n: 1_500_000, wrong: 0 }]);
      const error = await failure(sqlText(tight.engine, sorted).rows());
      expect(error.message).toMatch(/^The query needs more memory than DuckDB may use here, and more disk than it may fill/);
      expect(await sqlText(tight.engine, "select 1 as x").rows()).toEqual([{ x: 1 }]);
    } finally {
      await roomy.close();
      await tight.close();
    }
  });

  it("a closed engine says so", async () => {
    const gone = testEngine();
    await gone.engine.query("select 1");
    const waiting = failure(sqlText(gone.engine, "select count(*) from range(3000000000) t(i) where sin(i) > 2").rows());
    await gone.close();
    expect((await waiting).message).toMatch(/DuckDB/);
    await expect(gone.engine.query("select 1")).rejects.toThrow("DuckDB is closed");
  });

  it("closes amid work without taking the process with it", async () => {
    for (let i = 0; i < 5; i++) {
      const busy = testEngine();
      const batches = sqlText(busy.engine, "select i from range(5000000) t(i)").batches();
      await batches.next();
      const work = Array.from({ length: 20 }, (_, k) => {
        busy.engine.drop(`nb."none${k}"`);
        return busy.engine.query(`select sum(sin(i)) from range(${k * 100_000}) t(i)`).then(
          () => "ok",
          () => "stopped",
        );
      });
      await Promise.all([busy.close(), ...work]);
    }
  });
});
