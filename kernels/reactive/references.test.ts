import { describe, expect, it } from "vitest";
import { analyse, libraryNames } from "./references.js";
import { sqlTables } from "./tables.js";

const of = (source: string, kind: "code" | "sql" = "code") => analyse({ id: "c", kind, source });
const builtin = new Set(["Math", "Date", "Promise", "Object", "undefined", "Error", "JSON", ...libraryNames]);
const free = (source: string) => of(source).uses.filter((name) => !builtin.has(name));

describe("names", () => {
  it.each([
    ["const a = 1, b = a + c", ["a", "b"], ["c"]],
    ["let { a, x: { y: [z = q] }, ...rest } = w", ["a", "z", "rest"], ["q", "w"]],
    ["const { [k]: v = d } = o", ["v"], ["k", "d", "o"]],
    ["function f(a, b = c) { return g(a) + b + h }", ["f"], ["c", "g", "h"]],
    ["class A extends B { static { s() } #p = q; [m]() { return this.#p } }", ["A"], ["B", "s", "q", "m"]],
    ["for (var i = 0; i < n; i++) { const t = u }", [], ["n", "u"]],
    ["var v = 1", ["v"], []],
    ["if (x) { var hidden = 1 }", [], ["x"]],
    ["const _p = q; const r = _p", ["r"], ["q"]],
    ["outer: for (const a of b) { continue outer }", [], ["b"]],
    ["try { a() } catch (e) { e; b(e) }", [], ["a", "b"]],
    ["const f = (a) => { const b = a; return () => b + c }", ["f"], ["c"]],
    ["tag`x${y}`", [], ["tag", "y"]],
    ["import d, { e as g, type T } from 'm'; import * as ns from 'n'; import type { U } from 'o'; d(g, ns)", ["d", "g", "ns"], []],
    ["declare const z: number; type W = typeof foo; interface I { a: J } let y: K<typeof bar> = a as L", ["y"], ["a"]],
    ["enum E { A, B = k } ", ["E"], ["k"]],
    ["const a = b satisfies C; x!.y", ["a"], ["b", "x"]],
    ["const o = { p, q: r, [s]: 1, get t() { return u } }", ["o"], ["p", "r", "s", "u"]],
    ["await using h = open(); h.x", [], ["open"]],
    ["const x = typeof maybe", ["x"], ["maybe"]],
    ["x += 1", [], ["x"]],
    ["function over(a: string): void; function over(a: any) { use(a) }", ["over"], ["use"]],
    ["export const e1 = 1; export function e2() {}", ["e1", "e2"], []],
    ["const f = function self() { return self }", ["f"], []],
    ["a?.b.c?.[d]", [], ["a", "d"]],
    ["new.target", [], []],
  ])("%s", (source, defines, uses) => {
    const analysis = of(source);
    if (source === "new.target") return expect(analysis.problems).toHaveLength(1);
    expect(analysis.problems).toEqual([]);
    expect(analysis.defines).toEqual(defines);
    expect(free(source).sort()).toEqual([...uses].sort());
  });

  it("says where names are written and changed", () => {
    const analysis = of(
      "a = 1\nb.c = 2; [d, e.f] = g\nh.push(1)\ndelete i.j\nk[0]++\nconst own = []; own.push(2)\nObject.assign(m, n)\nconst t = p.add(q); set.add(1);\n({ r: s } = u)",
    );
    expect(analysis.writes.map(({ name, line }) => [name, line])).toEqual([
      ["a", 1],
      ["d", 2],
      ["s", 9],
    ]);
    expect(analysis.mutations.map(({ name, line }) => [name, line])).toEqual([
      ["b", 2],
      ["e", 2],
      ["h", 3],
      ["i", 4],
      ["k", 5],
      ["m", 7],
      ["set", 8],
    ]);
    expect(analysis.mutations[2]!.code).toBe("h.push(1)");
  });

  it("says where the syntax is wrong, and keeps the names of the last good source", () => {
    const good = of("const a = b");
    const bad = analyse({ id: "c", kind: "code", source: "const 😀 = 1\nconst a = b +\n" }, good);
    expect(bad.problems[0]).toMatchObject({ type: "syntax", severity: "error", line: 1, column: 7 });
    expect(bad.defines).toEqual(["a"]);
    expect(bad.uses).toEqual(["b"]);
    expect(of("return 1").problems).toHaveLength(1);
  });

  it("knows a last expression and a top-level await", () => {
    expect(of("const a = 1; a").displays).toBe(true);
    expect(of("a; const b = 1").displays).toBe(false);
    expect(of("'use strict'").displays).toBe(false);
    expect(of("await x").awaits).toBe(true);
    expect(of("async () => { await x; for await (const a of b); }").awaits).toBe(false);
    expect(of("for await (const a of b);").awaits).toBe(true);
    expect(of("").displays).toBe(false);
  });

  it("reads no names from markdown", () => {
    expect(analyse({ id: "m", kind: "markdown", source: "const a = `" })).toMatchObject({ defines: [], uses: [], problems: [] });
  });
});

describe("tables", () => {
  it.each([
    ["select * from flights", ["flights"]],
    ["from flights select a", ["flights"]],
    ["select a, b from x, y z, w as v where a in (select q from u)", ["x", "y", "w", "u"]],
    ["select * from a left join b on a.x = b.x, c cross join d", ["a", "b", "c", "d"]],
    ["with t as (select * from base) select * from t join other using (k, l)", ["base", "other"]],
    ["with flights as (select * from flights) select * from flights", ["flights"]],
    ["with recursive r as (select 1 union all select n + 1 from r) from r", []],
    ["with a as (from x), b(c, d) as materialized (from a) select * from b, y", ["x", "y"]],
    ["select * from 'data/flights.parquet'", []],
    ["select * from read_csv('x.csv', sep = flights)", []],
    ["select extract(year from date), trim(both from name) from t", ["t"]],
    ["select a is distinct from b from t", ["t"]],
    ["select 'from x' -- from y\n/* from z */ from \"My Table\"", ["My Table"]],
    ["select e'it\\'s from x' from t", ["t"]],
    ["select $$ from x $$ from t", ["t"]],
    ["select * from main.flights, nb.mine, information_schema.tables", ["mine"]],
    ["select * from (a join b using (c)) x, (select * from d) y", ["a", "b", "d"]],
    ["select * from $1 where x = $1", []],
    ["pivot cities on year using sum(pop)", ["cities"]],
    ["summarize t", ["t"]],
    ["select count(*) filter (where a) over (partition by b order by c) from t order by d, e", ["t"]],
    ["select [x for x in list] from t", ["t"]],
    ["select * from t group by a, b union all by name select * from u", ["t", "u"]],
    ["(select 1 from a) union (from b)", ["a", "b"]],
    ["select * from a asof join b on a.t >= b.t positional join c", ["a", "b", "c"]],
    ["select x.from_date from x where exists (from y)", ["x", "y"]],
    ["select * from unnest([1]) u, lateral (select * from w) v", ["w"]],
    ["select * from (values (a, 'x'), (b, 'y')) t(p, q), u", ["u"]],
  ])("%s", (sql, tables) => {
    expect(sqlTables(sql)).toEqual(tables);
  });
  it("are read from sql texts, with holes as values", () => {
    const analysis = of("const q = sql`select * from flights where date < ${cutoff} and x in (select a from ${other})`", "sql");
    expect(analysis.tables).toEqual(["flights"]);
    expect(analysis.uses).toEqual(["sql", "cutoff", "other"]);
  });
});
