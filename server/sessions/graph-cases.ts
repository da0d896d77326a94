/** The reactive rules as a table. Each row is checked against the analysis, the graph and the reducer by `graph-cases.test.ts`. */

export interface GraphCase {
  name: string;
  /** id -> source, in document order; "q sql" is a cell q of that kind, "q disabled" one with that option */
  cells: Record<string, string>;
  /** "a>b": b reads a name of a */
  edges: string;
  /** ids in the order in which they run */
  order: string;
  /** in lazy mode, after all have run: what happens then; left out: the first cell runs again */
  then?:
    | { run: string }
    | { set: [cell: string, source: string]; run?: string }
    | { delete: string }
    | { move: [cell: string, after: string | null] }
    | { disable: string }
    | { rename: [cell: string, from: string, to: string]; run?: string }
    | { insert: [cell: string, source: string]; run?: string }
    | { during: [cell: string, source: string] };
  /** cells that are stale afterwards */
  stale: string;
  /** "cell type" of each problem at the start */
  errors: string;
}

const row = (
  name: string,
  cells: Record<string, string>,
  edges: string,
  order: string,
  stale: string,
  errors = "",
  then?: GraphCase["then"],
): GraphCase => ({
  name,
  cells,
  edges,
  order,
  stale,
  errors,
  ...(then !== undefined && { then }),
});

export const graphCases: GraphCase[] = [
  // ---- names that a cell defines
  row("const", { a: "const x = 1", b: "x" }, "a>b", "a b", "b"),
  row("let", { a: "let x = 1; x = 2", b: "x" }, "a>b", "a b", "b"),
  row("function", { a: "function x() {}", b: "x()" }, "a>b", "a b", "b"),
  row("async generator function", { a: "async function* x() { yield 1 }", b: "for await (const i of x()) i" }, "a>b", "a b", "b"),
  row("class", { a: "class X { static n = 1 }", b: "X.n" }, "a>b", "a b", "b"),
  row("a class that extends another cell's", { a: "class X {}", b: "class Y extends X {}" }, "a>b", "a b", "b"),
  row("enum", { a: "enum Color { red }", b: "Color.red" }, "a>b", "a b", "b"),
  row("namespace", { a: "namespace N { export const x = 1 }", b: "N.x" }, "a>b", "a b", "b"),
  row("exported declarations", { a: "export const x = 1; export function f() {}", b: "f(x)" }, "a>b", "a b", "b"),
  row("top-level var of its own statement", { a: "var x = 1", b: "x" }, "a>b", "a b", "b"),
  row("using stays in its cell", { a: "using x = open()", b: "x" }, "", "a b", ""),
  row("two of one statement", { a: "const x = 1, y = 2", b: "x", c: "y" }, "a>b a>c", "a b c", "b c"),
  row("object destructuring", { a: "const { x, y: z } = o", b: "x", c: "z", d: "y" }, "a>b a>c", "a b c d", "b c"),
  row("nested destructuring", { a: "const { p: { q: [x] } } = o", b: "x", c: "q" }, "a>b", "a b c", "b"),
  row("array destructuring with holes and rest", { a: "const [, x, ...y] = o", b: "x + y" }, "a>b", "a b", "b"),
  row("rest of an object", { a: "const { x, ...others } = o", b: "others" }, "a>b", "a b", "b"),
  row("a default in a pattern reads", { a: "const d = 1", b: "const { x = d } = o" }, "a>b", "a b", "b"),
  row("a default that reads an earlier part of its pattern", { a: "const { x, y = x } = o", b: "y" }, "a>b", "a b", "b"),
  row("a computed key in a pattern reads", { a: "const k = 'x'", b: "const { [k]: x } = o" }, "a>b", "a b", "b"),
  row("destructuring of another cell's value", { a: "const o = { x: 1 }", b: "const { x } = o", c: "x" }, "a>b b>c", "a b c", "b c"),

  // ---- names that a cell reads
  row("shorthand property", { a: "const x = 1", b: "({ x })" }, "a>b", "a b", "b"),
  row("a property's name is not read", { a: "const x = 1", b: "({ x: 1 }).x" }, "", "a b", ""),
  row("a method's name is not read", { a: "const x = 1", b: "({ x() {} })" }, "", "a b", ""),
  row("a computed property reads", { a: "const x = 'k'", b: "({ [x]: 1 })" }, "a>b", "a b", "b"),
  row("optional chaining", { a: "const x = null", b: "x?.y?.()" }, "a>b", "a b", "b"),
  row("spread", { a: "const x = [1]", b: "[...x]" }, "a>b", "a b", "b"),
  row("a template's hole", { a: "const x = 1", b: "`${x}`" }, "a>b", "a b", "b"),
  row("a template's text is not read", { a: "const x = 1", b: "`x`" }, "", "a b", ""),
  row("a template tag", { a: "const tag = String.raw", b: "tag`x`" }, "a>b", "a b", "b"),
  row("a string is not read", { a: "const x = 1", b: "'x'" }, "", "a b", ""),
  row("a comment is not read", { a: "const x = 1", b: "// x\n1" }, "", "a b", ""),
  row("a regular expression is not read", { a: "const x = 1", b: "/x/" }, "", "a b", ""),
  row("a label is not a name", { a: "const x = 1", b: "x: for (;;) { break x }" }, "", "a b", ""),
  row("typeof reads", { a: "const x = 1", b: "typeof x" }, "a>b", "a b", "b"),
  row("delete of a property reads and changes", { a: "const x = { y: 1 }", b: "delete x.y" }, "a>b", "a b", "b", "b mutation"),
  row("in reads", { a: "const x = {}", b: "'y' in x" }, "a>b", "a b", "b"),
  row("instanceof reads", { a: "class X {}", b: "o instanceof X" }, "a>b", "a b", "b"),
  row("new reads", { a: "class X {}", b: "new X()" }, "a>b", "a b", "b"),
  row("a switch case reads", { a: "const x = 1", b: "switch (1) { case x: }" }, "a>b", "a b", "b"),
  row("await reads", { a: "const x = Promise.resolve(1)", b: "await x" }, "a>b", "a b", "b"),
  row("for await reads", { a: "const x = [1]", b: "for await (const y of x) y" }, "a>b", "a b", "b"),
  row("yield in a generator reads", { a: "const x = 1", b: "function* g() { yield x }" }, "a>b", "a b", "b"),
  row("a decorator-free static block reads", { a: "const x = 1", b: "class Y { static { x } }" }, "a>b", "a b", "b"),
  row("a field reads", { a: "const x = 1", b: "class Y { y = x }" }, "a>b", "a b", "b"),
  row("a private member is not a name", { a: "const x = 1", b: "class Y { #x = 1; y() { return this.#x } }" }, "", "a b", ""),
  row("this reads nothing", { a: "const x = 1", b: "this" }, "", "a b", ""),
  row("a global is no edge", { a: "Math.max(1)", b: "Math.min(1)" }, "", "a b", ""),
  row("a name that nobody defines is no edge", { a: "nobody" }, "", "a", ""),
  row("a library name is no edge", { a: "display(1)", b: "display(2)" }, "", "a b", ""),
  row("a cell may shadow a library name for all", { a: "const display = 1", b: "display" }, "a>b", "a b", "b"),
  row("import.meta reads nothing", { a: "const meta = 1", b: "import.meta.url" }, "", "a b", ""),

  // ---- closures and shadowing
  row("a closure reads", { a: "const x = 1", b: "() => x" }, "a>b", "a b", "b"),
  row("a parameter shadows", { a: "const x = 1", b: "(x) => x" }, "", "a b", ""),
  row("a parameter's default reads outside", { a: "const x = 1", b: "(y = x) => y" }, "a>b", "a b", "b"),
  row("a destructured parameter shadows", { a: "const x = 1", b: "({ x }) => x" }, "", "a b", ""),
  row("a block's const shadows only there", { a: "const x = 1", b: "{ const x = 2; x }\nx" }, "a>b", "a b", "b"),
  row("a block's const does not leave it", { a: "{ const x = 1 }", b: "x" }, "", "a b", ""),
  row("a var in a function shadows the whole of it", { a: "const x = 1", b: "function f() { x; var x = 2 }" }, "", "a b", ""),
  row("a function in a function is hoisted there", { a: "const g = 1", b: "function f() { g(); function g() {} }" }, "", "a b", ""),
  row("a function's own name shadows inside", { a: "const f = 1", b: "(function f() { f })" }, "", "a b", ""),
  row("a class expression's own name shadows inside", { a: "const C = 1", b: "(class C { m() { C } })" }, "", "a b", ""),
  row("catch shadows", { a: "const e = 1", b: "try {} catch (e) { e }" }, "", "a b", ""),
  row("a catch without a binding does not", { a: "const e = 1", b: "try {} catch { e }" }, "a>b", "a b", "b"),
  row("a loop's let shadows", { a: "const i = 1", b: "for (let i = 0; i < 1; i++) i" }, "", "a b", ""),
  row("a loop's var stays in its cell", { a: "for (var i = 0; i < 1; i++);", b: "for (var i = 0; i < 1; i++);", c: "i" }, "", "a b c", ""),
  row("a var in a block stays in its cell", { a: "if (true) { var x = 1 }", b: "x" }, "", "a b", ""),
  row("arguments is a function's own", { a: "const arguments_ = 1", b: "function f() { return arguments }" }, "", "a b", ""),
  row("a function uses a name of its cell declared later", { a: "function f() { return x }\nconst x = 1", b: "f()" }, "a>b", "a b", "b"),
  row(
    "an exported function closes over other cells' names",
    { a: "const x = 1", b: "export function f() { return x }", c: "f()" },
    "a>b b>c",
    "a b c",
    "b c",
  ),
  row("a closure over two cells", { a: "const x = 1", b: "const y = 2", c: "const f = () => x + y", d: "f()" }, "a>c b>c c>d", "a b c d", "c d"),
  row("a function that calls itself is no cycle", { a: "function f() { f() }" }, "", "a", ""),
  row("a cell that reads its own name only is no cycle", { a: "const x = 1\nx" }, "", "a", ""),

  // ---- types
  row("a type alias makes no edge", { a: "type T = number", b: "const x: T = 1" }, "", "a b", ""),
  row("an interface makes no edge", { a: "interface T { x: number }", b: "const x: T = { x: 1 }" }, "", "a b", ""),
  row("the same type in two cells is no clash", { a: "type T = 1", b: "type T = 2" }, "", "a b", ""),
  row("typeof in a type reads no value", { a: "const x = 1", b: "let y: typeof x = 1" }, "", "a b", ""),
  row("a type annotation of a class reads no value", { a: "class X {}", b: "const f = (x: X) => 1" }, "", "a b", ""),
  row("a generic parameter is no value", { a: "const T = 1", b: "function f<T>(x: T): T { return x }" }, "", "a b", ""),
  row("declare defines nothing", { a: "declare const x: number", b: "const x = 1" }, "", "a b", ""),
  row(
    "overloads are one name",
    { a: "function f(x: number): void\nfunction f(x: string): void\nfunction f(x: unknown) {}", b: "f(1)" },
    "a>b",
    "a b",
    "b",
  ),
  row("a value and a type of one name", { a: "interface X {}\nconst X = 1", b: "X" }, "a>b", "a b", "b"),
  row("satisfies and as read the value", { a: "const x = 1", b: "(x satisfies number) as unknown" }, "a>b", "a b", "b"),
  row("a parameter property is no name", { a: "const x = 1", b: "class Y { constructor(readonly x: number) {} }" }, "", "a b", ""),

  // ---- imports
  row("a named import", { a: "import { join } from 'node:path'", b: "join()" }, "a>b", "a b", "b"),
  row("a renamed import", { a: "import { join as glue } from 'node:path'", b: "glue()", c: "join()" }, "a>b", "a b c", "b"),
  row("a default import", { a: "import path from 'node:path'", b: "path.sep" }, "a>b", "a b", "b"),
  row("a namespace import", { a: "import * as path from 'node:path'", b: "path.sep" }, "a>b", "a b", "b"),
  row("default and named together", { a: "import path, { sep } from 'node:path'", b: "path", c: "sep" }, "a>b a>c", "a b c", "b c"),
  row("a type-only import defines nothing", { a: "import type { Stats } from 'node:fs'", b: "const Stats = 1" }, "", "a b", ""),
  row(
    "a type-only specifier defines nothing",
    { a: "import { type Stats, readFileSync } from 'node:fs'", b: "readFileSync", c: "const Stats = 1" },
    "a>b",
    "a b c",
    "b",
  ),
  row("an import for its effects defines nothing", { a: "import 'node:fs'", b: "1" }, "", "a b", ""),
  row("a dynamic import's path reads", { a: "const p = 'node:fs'", b: "const fs = await import(p)", c: "fs" }, "a>b b>c", "a b c", "b c"),
  row(
    "the same import in two cells is a clash",
    { a: "import { join } from 'node:path'", b: "import { join } from 'node:path'" },
    "",
    "a b",
    "",
    "a clash b clash",
  ),

  // ---- one name, one cell
  row("a clash", { a: "const x = 1", b: "const x = 2" }, "", "a b", "", "a clash b clash"),
  row("who reads a clashing name waits for the first", { a: "const x = 1", b: "const x = 2", c: "x" }, "a>c", "a b c", "c", "a clash b clash"),
  row("_private never clashes and is never read elsewhere", { a: "const _x = 1", b: "const _x = 2", c: "_x" }, "", "a b c", ""),
  row("_private in its own cell", { a: "const _x = 1; const y = _x", b: "y" }, "a>b", "a b", "b"),
  row("assigning another cell's name", { a: "let x = 1", b: "x = 2" }, "", "a b", "", "b foreign-write"),
  row("counting another cell's name up", { a: "let x = 1", b: "x++" }, "a>b", "a b", "b", "b foreign-write"),
  row("destructuring into another cell's name", { a: "let x = 1", b: "({ x } = o)" }, "", "a b", "", "b foreign-write"),
  row("assigning inside a function", { a: "let x = 1", b: "function f() { x = 2 }" }, "", "a b", "", "b foreign-write"),
  row("a loop that assigns another cell's name", { a: "let x = 1", b: "for (x of [1]);" }, "", "a b", "", "b foreign-write"),
  row("a name of nobody assigned is no error of the graph", { a: "x = 1" }, "", "a", ""),

  // ---- mutations: warnings, the edge stays
  row("push", { a: "const x = [1]", b: "x.push(2)" }, "a>b", "a b", "b", "b mutation"),
  row("a property assigned", { a: "const x = {}", b: "x.y = 1" }, "a>b", "a b", "b", "b mutation"),
  row("an index counted up", { a: "const x = [1]", b: "x[0]++" }, "a>b", "a b", "b", "b mutation"),
  row("deep inside", { a: "const x = { y: [1] }", b: "x.y[0] += 1" }, "a>b", "a b", "b", "b mutation"),
  row("sort in place", { a: "const x = [1]", b: "const y = x.sort()" }, "a>b", "a b", "b", "b mutation"),
  row("toSorted is pure", { a: "const x = [1]", b: "x.toSorted()" }, "a>b", "a b", "b"),
  row("Object.assign", { a: "const x = {}", b: "Object.assign(x, { y: 1 })" }, "a>b", "a b", "b", "b mutation"),
  row("Object.assign to a part", { a: "const x = { y: {} }", b: "Object.assign(x.y, { z: 1 })" }, "a>b", "a b", "b", "b mutation"),
  row("Object.assign from it is pure", { a: "const x = {}", b: "Object.assign({}, x)" }, "a>b", "a b", "b"),
  row("Map.set", { a: "const x = new Map()", b: "x.set(1, 2)" }, "a>b", "a b", "b", "b mutation"),
  row("inside a function of the cell", { a: "const x = [1]", b: "function f() { x.push(2) }\nf()" }, "a>b", "a b", "b", "b mutation"),
  row("by another name for it", { a: "const x = [1]", b: "const y = x\ny.push(2)" }, "a>b", "a b", "b", "b mutation"),
  row(
    "by a parameter of a function of the cell",
    { a: "const x = [1]", b: "function f(list: number[]) { list.push(2) }\nf(x)" },
    "a>b",
    "a b",
    "b",
    "b mutation",
  ),
  row("by a part taken out of it", { a: "const x = { y: [1] }", b: "const { y } = x\ny.push(2)" }, "a>b", "a b", "b", "b mutation"),
  row("by each item of a loop", { a: "const x = [{ n: 1 }]", b: "for (const item of x) item.n = 2" }, "a>b", "a b", "b", "b mutation"),
  row("a copy may be changed", { a: "const x = [1]", b: "const y = [...x]\ny.push(2)" }, "a>b", "a b", "b"),
  row("a local of the same name may be changed", { a: "const x = [1]", b: "{ const x = [2]; x.push(3) }" }, "", "a b", ""),
  row("its own value may be changed", { a: "const x = [1]\nx.push(2)", b: "x" }, "a>b", "a b", "b"),

  // ---- order and cycles
  row("use before definition in the text", { a: "x", b: "const x = 1" }, "b>a", "b a", "a", "", { run: "b" }),
  row("document order among independent cells", { a: "1", b: "2", c: "3" }, "", "a b c", ""),
  row("a chain against the text", { c: "y", b: "const y = x", a: "const x = 1" }, "b>c a>b", "a b c", "b c", "", { run: "a" }),
  row("a diamond", { a: "const x = 1", b: "const y = x", c: "const z = x", d: "y + z" }, "a>b a>c b>d c>d", "a b c d", "b c d"),
  row("a cycle of two", { a: "const x = y", b: "const y = x" }, "b>a a>b", "a b", "", "a cycle b cycle"),
  row(
    "a cycle of three and who reads it",
    { a: "const x = z", b: "const y = x", c: "const z = y", d: "z" },
    "c>a a>b b>c c>d",
    "a b c d",
    "d",
    "a cycle b cycle c cycle",
  ),
  row("a cycle through a closure is one", { a: "const f = () => g()", b: "const g = () => f()" }, "b>a a>b", "a b", "", "a cycle b cycle"),
  row(
    "cells beside a cycle run",
    { a: "const x = y", b: "const y = x", c: "const z = 1", d: "z" },
    "b>a a>b c>d",
    "c d a b",
    "d",
    "a cycle b cycle",
    { run: "c" },
  ),

  // ---- nothing to do
  row("an empty cell", { a: "", b: "1" }, "", "a b", ""),
  row("a cell of comments", { a: "// only\n/* words */", b: "1" }, "", "a b", ""),
  row("an expression defines nothing", { a: "1 + 1", b: "2" }, "", "a b", ""),
  row("a text cell is no code", { "a markdown": "const x = 1", b: "x" }, "", "a b", "", "", { run: "b" }),
  row("a syntax error", { a: "const = 1", b: "1" }, "", "a b", "", "a syntax"),

  // ---- SQL
  row("a SQL cell reads a SQL cell", { "a sql": "const q = sql`select 1 as n`", "b sql": "const r = sql`select n from q`" }, "a>b", "a b", "b"),
  row("code reads a SQL cell", { "a sql": "const q = sql`select 1`", b: "await q.rows()" }, "a>b", "a b", "b"),
  row("a bound value reads", { a: "const n = 1", "b sql": "const q = sql`select ${n}`" }, "a>b", "a b", "b"),
  row(
    "a join reads both",
    { "a sql": "const p = sql`select 1 k`", "b sql": "const q = sql`select 1 k`", "c sql": "const r = sql`select * from p join q using (k)`" },
    "a>c b>c",
    "a b c",
    "c",
  ),
  row(
    "a comma in FROM reads both",
    { "a sql": "const p = sql`select 1`", "b sql": "const q = sql`select 2`", "c sql": "const r = sql`select * from p, q`" },
    "a>c b>c",
    "a b c",
    "c",
  ),
  row("a quoted name", { "a sql": "const q = sql`select 1`", "b sql": 'const r = sql`select * from "q"`' }, "a>b", "a b", "b"),
  row("SQL has no case", { "a sql": "const Flights = sql`select 1`", "b sql": "const r = sql`select * from flights`" }, "a>b", "a b", "b"),
  row(
    "a common table expression shadows a cell",
    { "a sql": "const q = sql`select 1`", "b sql": "const r = sql`with q as (select 2) select * from q`" },
    "",
    "a b",
    "",
  ),
  row(
    "inside its own expression the name is still the cell's",
    { "a sql": "const q = sql`select 1 n`", "b sql": "const r = sql`with q as (select n from q) select * from q`" },
    "a>b",
    "a b",
    "b",
  ),
  row(
    "a recursive expression reads itself, not the cell",
    { "a sql": "const t = sql`select 1`", "b sql": "const r = sql`with recursive t as (select 1 union all select 1 from t) select * from t`" },
    "",
    "a b",
    "",
  ),
  row("a subquery reads", { "a sql": "const q = sql`select 1 n`", "b sql": "const r = sql`select * from (select n from q) x`" }, "a>b", "a b", "b"),
  row(
    "a subquery in WHERE reads",
    { "a sql": "const q = sql`select 1 n`", "b sql": "const r = sql`select 1 where 1 in (select n from q)`" },
    "a>b",
    "a b",
    "b",
  ),
  row(
    "a column of a cell's name is not read",
    { "a sql": "const q = sql`select 1`", "b sql": "const r = sql`select q from range(3) t(q)`" },
    "",
    "a b",
    "",
  ),
  row(
    "an alias of a cell's name is not read",
    { "a sql": "const q = sql`select 1`", "b sql": "const r = sql`select q.n from range(3) q(n)`" },
    "",
    "a b",
    "",
  ),
  row("a table function is not a table", { "a sql": "const range = sql`select 1`", "b sql": "const r = sql`select * from range(3)`" }, "", "a b", ""),
  row(
    "a table of another schema is not a cell",
    { "a sql": "const q = sql`select 1`", "b sql": "const r = sql`select * from other.q`" },
    "",
    "a b",
    "",
  ),
  row("a string of SQL is not read", { "a sql": "const q = sql`select 1`", "b sql": "const r = sql`select 'from q'`" }, "", "a b", ""),
  row("a comment of SQL is not read", { "a sql": "const q = sql`select 1`", "b sql": "const r = sql`select 1 -- from q`" }, "", "a b", ""),
  row("a file is no cell", { "a sql": "const q = sql`select 1`", "b sql": "const r = sql`select * from 'q.parquet'`" }, "", "a b", ""),
  row(
    "extract(... from ...) reads no table",
    { "a sql": "const d = sql`select 1`", "b sql": "const r = sql`select extract(year from d) from range(1) t(d)`" },
    "",
    "a b",
    "",
  ),
  row(
    "a view over a view",
    { "a sql": "const p = sql`select 1 n`", "b sql": "const q = sql`select n from p`", "c sql": "const r = sql`select n from q`" },
    "a>b b>c",
    "a b c",
    "b c",
  ),
  row("sql in a code cell reads too", { "a sql": "const q = sql`select 1`", b: "const n = await sql`select * from q`.rows()" }, "a>b", "a b", "b"),

  // ---- SQL, statements of every kind
  ...(
    [
      ["a PIVOT reads its table alone", "pivot q on y, other using sum(n)", "a>c", "c"],
      ["an UNPIVOT reads its table alone", "unpivot q on n, other into name k value v", "a>c", "c"],
      ["a PIVOT in a FROM list does not end it", "from q pivot (sum(n) for y in (1, 2)) p join other using (k)", "a>c b>c", "c"],
      ["a PIVOT in parentheses", "select * from (pivot q on y using sum(n)) p, other", "a>c b>c", "c"],
      ["SUMMARIZE and DESCRIBE read", "from (summarize q) s, (describe other) d", "a>c b>c", "c"],
      ["TABLE reads", "table q", "a>c", "c"],
      ["a table made of a query reads", "create or replace table t as from q", "a>c", "c"],
      ["COPY reads", "copy q to 'q.csv'", "a>c", "c"],
      ["EXPLAIN reads", "explain analyze from q", "a>c", "c"],
      ["a lateral join reads", "from q, lateral (select * from other where other.k = q.k) l", "a>c b>c", "c"],
      ["a comma after a join's condition reads", "from range(1) t join range(1) u on t.range = u.range and 1 in (from q), other", "a>c b>c", "c"],
      ["a name that a later WITH makes is the cell's before it", "with x as (from q), q as (select 1) from x, q", "a>c", "c"],
      ["a name of an inner WITH is the cell's outside", "select * from (with q as (select 1) from q) x, q", "a>c", "c"],
      ["a recursive expression with a key reads itself", "with recursive q(n) using key (n) as (select 1 union select n + 1 from q) from q", "", ""],
      [
        "a recursive expression may read a cell too",
        "with recursive r as (select k from q union all select k + 1 from r where k < 3) from r",
        "a>c",
        "c",
      ],
      ["a quoted name has no case either", 'from "Q" as "other"', "a>c", "c"],
      ["nested comments, dollars and escapes are not read", "select $$ from other $$, e'\\\\' from other' /* from /* q */ other */", "", ""],
      ["words of calls are no FROM", "select trim(both from q), substring(q from 2), extract(day from other) from range(1) t(q)", "", ""],
      ["is distinct from reads nothing", "select q is not distinct from other from range(1) t(q)", "", ""],
      ["holes keep their place in a FROM list", "from ${c1}, q", "a>c", "c"],
    ] as const
  ).map(([name, sql, edges, stale]) =>
    row(
      name,
      { "a sql": "const q = sql`select 1 k, 2 y, 3 n`", "b sql": "const other = sql`select 1 k`", "c sql": `const r = sql\`${sql}\`` },
      edges,
      "a b c",
      stale,
    ),
  ),

  // ---- what happens to a notebook
  row("another edit of the definer", { a: "const x = 1", b: "x" }, "a>b", "a b", "b", "", { set: ["a", "const x = 2"], run: "a" }),
  row("an edit alone makes nothing stale", { a: "const x = 1", b: "x" }, "a>b", "a b", "", "", { set: ["a", "const x = 2"] }),
  row("a definition taken out", { a: "const x = 1", b: "x" }, "a>b", "a b", "b", "", { set: ["a", "1"], run: "a" }),
  row("a definition moved to another cell", { a: "const x = 1", b: "1", c: "x" }, "a>c", "a b c", "c", "", { set: ["a", "1"], run: "a" }),
  row("a cell deleted", { a: "const x = 1", b: "x", c: "1" }, "a>b", "a b c", "b", "", { delete: "a" }),
  row("a reader deleted", { a: "const x = 1", b: "x" }, "a>b", "a b", "", "", { delete: "b" }),
  row("a move changes nothing", { a: "const x = 1", b: "x" }, "a>b", "a b", "", "", { move: ["a", "b"] }),
  row("disabling makes nothing stale", { a: "const x = 1", b: "x" }, "a>b", "a b", "", "", { disable: "a" }),
  row("a rename makes its readers stale", { a: "const x = 1", b: "x" }, "a>b", "a b", "b", "", { rename: ["a", "x", "y"], run: "a" }),
  row("a definition that arrives later", { a: "1", b: "x" }, "", "a b", "b", "", { insert: ["c", "const x = 1"], run: "c" }),
  row("a redefinition while it runs", { a: "const x = 1", b: "x" }, "a>b", "a b", "b", "", { during: ["a", "const x = 2"] }),
  row("running a reader alone makes nothing stale", { a: "const x = 1", b: "const y = x", c: "y" }, "a>b b>c", "a b c", "c", "", { run: "b" }),
  row("staleness passes through", { a: "const x = 1", b: "const y = x", c: "const z = y", d: "z" }, "a>b b>c c>d", "a b c d", "b c d"),
];
