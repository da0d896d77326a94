import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleFeatures, f, features, openFeatures, type FittedFeatures } from "../models/features.js";
import { settle, type Relation, type Row } from "../protocol/values.js";
import { analyse } from "../reactive/references.js";
import { capture, CaptureError, type CaptureScope } from "./capture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "touchstone-capture-"));
  const file = (path: string, text: string) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  file("package.json", "{}");
  file("node_modules/half/package.json", '{"name":"half","version":"1.0.0","main":"index.cjs"}');
  file("node_modules/half/index.cjs", "exports.half = function (x) { return x / 2 }; exports.default = exports.half");
  file("node_modules/counts/package.json", '{"name":"counts","version":"1.0.0","type":"module","main":"index.js"}');
  file(
    "node_modules/counts/index.js",
    "let n = 0; export const next = () => ++n % 3; export const now = () => Date.now(); export const env = () => process.env.HOME.length; export const zone = (d) => d.getHours()",
  );
  file("good.ts", "export enum Size { S = 1, L = 2 }\nexport function twice(x: number): number { return x * Size.L }\n");
  file("counter.ts", "let n = 0\nexport const next = () => ++n\n");
  file("clock.ts", "export const age = (d: Date) => Date.now() - d.getTime()\n");
  file("loading.ts", "export const born = globalThis.Date.now()\n");
  file("memo.ts", "const memo: Record<string, number> = {}\nexport const cached = (x: string) => (memo[x] ??= Object.keys(memo).length)\n");
  file("data.json", '{ "weights": [1, 2, 3] }');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Cells as the kernel would have run them: values by name, sources as run. */
class Notebook implements CaptureScope {
  readonly notebookPath = join(folder, "test.nb.ts");
  readonly workspace = folder;
  readonly sources = new Map<string, string>();
  readonly owners = new Map<string, string>();
  readonly values = new Map<string, () => unknown>();

  async run(id: string, source: string): Promise<void> {
    const analysis = analyse({ id, kind: "code", source });
    expect(analysis.problems).toEqual([]);
    const imports = analysis.bindings.filter((binding) => binding.how === "import").map((binding) => binding.name);
    const { code } = await transform(source, { loader: "ts", target: "es2022", tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } } });
    const body = code.replace(/^import .*$/gm, "");
    const library: Record<string, unknown> = {
      f,
      features: (spec: never) => features(spec, id),
      relation: () => relationOf([{ x: 1 }]),
      secret: () => "s3cret",
    };
    const free = analysis.uses.filter((name) => this.values.has(name) || name in library);
    const given = free.map((name) => (this.values.has(name) ? this.values.get(name)!() : library[name]));
    const getters = analysis.defines.filter((name) => !imports.includes(name)).map((name) => `${name}: () => ${name}`);
    const run = new Function(...free, ...imports, `"use strict"; return (async () => { ${body}\n; return { ${getters.join(", ")} } })()`) as (
      ...all: unknown[]
    ) => Promise<Record<string, () => unknown>>;
    const out = await run(...given);
    this.sources.set(id, source);
    for (const name of analysis.defines) {
      this.owners.set(name, id);
      this.values.set(name, out[name] ?? (() => undefined));
    }
  }
  cell(id: string) {
    const source = this.sources.get(id);
    return source === undefined ? null : { id, source };
  }
  cellOf(name: string) {
    const id = this.owners.get(name);
    return id === undefined ? null : this.cell(id);
  }
  value(cell: string, name: string) {
    return this.owners.get(name) === cell ? this.values.get(name)!() : undefined;
  }
  fit(rows: Row[] = sample, name = "feats"): Promise<FittedFeatures> {
    const context = { notebook: this.notebookPath, breathe: () => Promise.resolve(), capture: (feature: unknown) => capture(feature, this) };
    return bundleFeatures(context, this.values.get(name)!() as never, relationOf(rows));
  }
}

function relationOf(rows: Row[]): Relation {
  const typeOf = (name: string) => {
    const value = rows.map((row) => row[name]).find((one) => one !== null && one !== undefined);
    return value instanceof Date
      ? "TIMESTAMP"
      : typeof value === "string"
        ? "VARCHAR"
        : typeof value === "bigint"
          ? "BIGINT"
          : typeof value === "boolean"
            ? "BOOLEAN"
            : Array.isArray(value)
              ? "DOUBLE[]"
              : "DOUBLE";
  };
  return {
    [settle]: () => Promise.resolve(),
    name: "t",
    schema: () => Promise.resolve(Object.keys(rows[0] ?? {}).map((name) => ({ name, type: typeOf(name), nullable: true }))),
    count: () => Promise.resolve(rows.length),
    rows: (limit = rows.length) => Promise.resolve(rows.slice(0, limit)),
    sample: (n: number) => relationOf(rows.slice(-n)),
    async *batches(options: { columns?: string[] } = {}) {
      for (let at = 0; at < rows.length; at += 50) {
        const part = rows.slice(at, at + 50);
        const columns = (options.columns ?? Object.keys(rows[0]!)).map((name) => {
          const values = part.map((row) => row[name]);
          return [name, typeOf(name) === "DOUBLE" ? Float64Array.from(values, (x) => (x as number | null) ?? NaN) : values];
        });
        yield { ...Object.fromEntries(columns), length: part.length };
      }
    },
  } as unknown as Relation;
}

const sample: Row[] = Array.from({ length: 300 }, (_, i) => ({
  x: i % 17 === 3 ? null : Math.sin(i) * 100,
  s: i % 11 === 5 ? null : ["SFO", "LAX", "JFK", "ß", "__proto__"][i % 5]!,
  d: i % 13 === 2 ? null : new Date(Date.UTC(2001, i % 12, 1 + (i % 28), i % 24, i % 60)),
}));
const input = `input: { x: "double?", s: "string?", d: "timestamp?" }`;
const feats = (row: string, before = "") => `${before}\nconst feats = features({ ${input}, row: ${row} })`;

/** Each case: cells in the order in which they run; the last must give `feats`. */
interface Case {
  name: string;
  cells: Record<string, string>;
  /** what the row gives for sample[0], computed by hand or by the plain function beside it */
  gives?: (r: { x: number | null; s: string | null; d: Date | null }) => number[];
  /** cell, name and words of the refusal */
  refused?: [cell: string | null, name: string | null, words: RegExp];
}
const n = (x: number | null) => x ?? 0;
const topTwo = () => {
  const count = (s: string) => sample.filter((row) => row.s === s).length;
  return ["JFK", "LAX", "SFO", "__proto__", "ß"].sort((a, b) => count(b) - count(a) || (a < b ? -1 : 1)).slice(0, 2);
};

const cases: Case[] = [
  { name: "numbers alone", cells: { a: feats("(r) => [r.x ?? 0, 1]") }, gives: (r) => [n(r.x), 1] },
  {
    name: "stock helpers and fitted state",
    cells: {
      a: `const feats = features({ ${input}, fit: async (rows) => ({ x: await f.stats(rows, "x"), s: await f.top(rows, "s", 2) }), row: (r, s) => [f.clip(r.x, -1, 1), ...f.oneHot(r.s, s.s), ...f.cyclic(f.hour(r.d), 24)] })`,
    },
    gives: (r) => [Math.max(-1, Math.min(1, n(r.x))), ...f.oneHot(r.s, topTwo()), ...f.cyclic(f.hour(r.d), 24)],
  },
  {
    name: "a helper in a third cell",
    cells: {
      a: "const third = (x: number): number => x / 3",
      b: "function helper(x: number) { return third(x) + 1 }",
      c: feats("(r) => [helper(r.x ?? 0)]"),
    },
    gives: (r) => [n(r.x) / 3 + 1],
  },
  { name: "an npm import (CommonJS)", cells: { a: `import { half } from "half"\n${feats("(r) => [half(r.x ?? 0)]")}` }, gives: (r) => [n(r.x) / 2] },
  {
    name: "an import of another cell",
    cells: { a: `import { half as h } from "half"`, b: feats("(r) => [h(r.x ?? 0)]") },
    gives: (r) => [n(r.x) / 2],
  },
  {
    name: "a relative file with an enum",
    cells: { a: `import * as good from "./good.ts"\n${feats("(r) => [good.twice(r.x ?? 0)]")}` },
    gives: (r) => [n(r.x) * 2],
  },
  { name: "a JSON file", cells: { a: `import data from "./data.json"\n${feats("() => data.weights")}` }, gives: () => [1, 2, 3] },
  {
    name: "JSON by value",
    cells: {
      a: "const config = { w: [1, { k: 2 }], 'odd key': 3, __proto__: null }",
      b: feats("(r) => [config.w[0], config.w[1].k, config['odd key']]"),
    },
    gives: () => [1, 2, 3],
  },
  {
    name: "an own __proto__ key",
    cells: { a: `const table = JSON.parse('{"__proto__": 4}')`, b: feats("(r) => [Object.hasOwn(table, '__proto__') ? table['__proto__'] : 9]") },
    gives: () => [4],
  },
  {
    name: "-0, Infinity, NaN by value",
    cells: {
      a: "const odd = { z: -0, i: -Infinity, n: NaN }",
      b: feats("(r) => [1 / odd.z < 0 ? 1 : 0, odd.i < 0 ? 1 : 0, Number.isNaN(odd.n) ? 1 : 0]"),
    },
    gives: () => [1, 1, 1],
  },
  {
    name: "a bigint by value",
    cells: { a: "const big = 2n ** 70n", b: feats("(r) => [Number(big % 1000n)]") },
    gives: () => [Number(2n ** 70n % 1000n)],
  },
  {
    name: "the same object twice keeps its identity",
    cells: {
      a: "const one = {}; const pair = { a: one, b: one, c: {} }",
      b: feats("() => [pair.a === pair.b ? 1 : 0, pair.a === pair.c ? 1 : 0, pair.a === one ? 1 : 0]"),
    },
    gives: () => [1, 0, 1],
  },
  {
    name: "a date by value",
    cells: { a: "const cut = new Date('2001-05-01')", b: feats("(r) => [r.d !== null && r.d < cut ? 1 : 0]") },
    gives: (r) => [r.d !== null && r.d < new Date("2001-05-01") ? 1 : 0],
  },
  {
    name: "a regular expression without state",
    cells: { a: "const re = /^s/i", b: feats("(r) => [re.test(r.s ?? '') ? 1 : 0]") },
    gives: (r) => [/^s/i.test(r.s ?? "") ? 1 : 0],
  },
  {
    name: "a name shadowed inside",
    cells: { a: "let x = 1; const y = 2", b: feats("(r) => { const x = r.x ?? 0; { const y = 3; return [x + y] } }") },
    gives: (r) => [n(r.x) + 3],
  },
  {
    name: "a cell's own f",
    cells: { a: "const f = { z: (x: number) => 0 }, z = (x: number) => x * 5", b: feats("(r) => [z(r.x ?? 0)]") },
    gives: (r) => [n(r.x) * 5],
  },
  { name: "a cell's own Math", cells: { a: "const Math = { random: 7 }", b: feats("() => [Math.random]") }, gives: () => [7] },
  {
    name: "default parameters that use captured names",
    cells: { a: "const k = 4", b: feats("(r, s, w = k) => [w, r.x ?? 0]") },
    gives: (r) => [4, n(r.x)],
  },
  {
    name: "destructured captures",
    cells: { a: "const { p, q: [w = 9] } = { p: 1, q: [2] }", b: feats("({ x }) => [p, w, x ?? 0]") },
    gives: (r) => [1, 2, n(r.x)],
  },
  {
    name: "a class with private fields",
    cells: {
      a: "class Scale { #k: number; static one = 1; constructor(k: number) { this.#k = k } of(x: number) { return x * this.#k + Scale.one } }",
      b: feats("(r) => [new Scale(2).of(r.x ?? 0)]"),
    },
    gives: (r) => [n(r.x) * 2 + 1],
  },
  {
    name: "a class that extends another cell's",
    cells: { a: "class Base { k() { return 2 } }", b: "class Sub extends Base { k() { return super.k() + 1 } }", c: feats("() => [new Sub().k()]") },
    gives: () => [3],
  },
  {
    name: "recursion, and mutual recursion",
    cells: {
      a: "const even = (k: number): boolean => k === 0 ? true : odd(k - 1)\nfunction odd(k: number): boolean { return k === 0 ? false : even(k - 1) }",
      b: feats("(r) => [even(10) ? 1 : 0]"),
    },
    gives: () => [1],
  },
  { name: "an enum", cells: { a: "enum Kind { A, B = 5, C }", b: feats("() => [Kind.C]") }, gives: () => [6] },
  {
    name: "a template tag",
    cells: { a: "const tag = (parts: TemplateStringsArray, x: number) => parts[0]!.length + x", b: feats("(r) => [tag`ab${r.x ?? 0}`]") },
    gives: (r) => [2 + n(r.x)],
  },
  {
    name: "a generator function",
    cells: { a: "function* two(x: number) { yield x; yield -x }", b: feats("(r) => [...two(r.x ?? 0)]") },
    gives: (r) => [n(r.x), -n(r.x)],
  },
  {
    name: "a method, and arguments of its own",
    cells: { a: `const feats = features({ ${input}, row(r) { return [arguments.length, r.x ?? 0] } })` },
    gives: (r) => [2, n(r.x)],
  },
  {
    name: "row by name",
    cells: { a: "const row = (r: { x: number | null }) => [r.x ?? 0]", b: `const feats = features({ ${input}, row })` },
    gives: (r) => [n(r.x)],
  },
  {
    name: "aliases of helpers",
    cells: {
      a: "const { clip: limit } = f; const sqrt = Math.sqrt; const hot = f.oneHot",
      b: feats("(r) => [limit(r.x, 0, 1), sqrt(4), ...hot(r.s, ['SFO'])]"),
    },
    gives: (r) => [Math.min(1, Math.max(0, n(r.x))), 2, r.s === "SFO" ? 1 : 0, r.s === "SFO" ? 0 : 1],
  },
  {
    name: "private names that are literals or functions",
    cells: { a: `const _k = [2, 3]; const _g = (x: number) => x * _k[1]!\n${feats("(r) => [_g(r.x ?? 0)]")}` },
    gives: (r) => [n(r.x) * 3],
  },
  {
    name: "two private names of the same spelling",
    cells: { a: "const _k = 2; const g = (x: number) => x * _k", b: `const _k = 5\n${feats("(r) => [g(r.x ?? 0) + _k]")}` },
    gives: (r) => [n(r.x) * 2 + 5],
  },
  {
    name: "types, satisfies and assertions",
    cells: {
      a: "type R = { x: number | null }\nconst k = { a: 1 } satisfies object",
      b: feats("(r: { x: number | null }): number[] => [(r.x ?? 0) as number, k.a!]"),
    },
    gives: (r) => [n(r.x), 1],
  },
  { name: "two features in one cell", cells: { a: `const other = features({ ${input}, row: () => [0] })\n${feats("() => [1]")}` }, gives: () => [1] },
  {
    name: "counting words by name, constructor too",
    cells: {
      a: feats(
        "(r) => { const c: Record<string, number> = {}; for (const w of ['constructor', r.s ?? '']) c[w] = 1; return [Object.keys(c).length] }",
      ),
    },
    gives: (r) => [r.s === "__proto__" ? 1 : 2],
  },
  {
    name: "local hours are UTC",
    cells: { a: feats("(r) => [r.d?.getHours() ?? -1, new Date(2001, 0, 1, 5).getTime() / 1e9]") },
    gives: (r) => [r.d?.getUTCHours() ?? -1, Date.UTC(2001, 0, 1, 5) / 1e9],
  },
  {
    name: "zone of an imported package",
    cells: { a: `import { zone } from "counts"\n${feats("(r) => [r.d ? zone(r.d) : -1]")}` },
    gives: (r) => [r.d?.getUTCHours() ?? -1],
  },

  {
    name: "a relation",
    cells: { q1: "const flights = relation([{ x: 1 }])", c: feats("(r) => [flights.name.length]") },
    refused: ["q1", "flights", /is a relation/],
  },
  {
    name: "a relation, through a helper",
    cells: { q1: "const flights = relation([{ x: 1 }])", b: "const g = () => flights", c: feats("(r) => [g().name.length]") },
    refused: ["q1", "flights", /is a relation/],
  },
  { name: "a let", cells: { a: "let k = 1", b: feats("() => [k]") }, refused: ["a", "k", /declared with `let`/] },
  { name: "a var", cells: { a: "var k = 1", b: feats("() => [k]") }, refused: ["a", "k", /declared with `var`/] },
  {
    name: "a function that is assigned again",
    cells: { a: "function g() { return 1 }\n;(g as unknown) = () => 2", b: feats("() => [g()]") },
    refused: ["a", "g", /assigned after/],
  },
  {
    name: "a tensor",
    cells: { a: "const t = { dataId: {}, shape: [1], dtype: 'float32', dataSync() { return [1] } }", b: feats("() => [t.shape[0]]") },
    refused: ["a", "t", /is a tensor/],
  },
  { name: "Date.now", cells: { a: feats("() => [Date.now()]") }, refused: ["a", "row", /clock/] },
  { name: "new Date()", cells: { a: "const age = () => new Date().getTime()", b: feats("() => [age()]") }, refused: ["a", "age", /clock/] },
  {
    name: "Date.now by another name",
    cells: { a: "const D = Date", b: feats("() => [D.now()]") },
    refused: [null, null, /Date\.now\(\) is not allowed/],
  },
  { name: "Math.random", cells: { a: feats("() => [Math['random']()]") }, refused: ["a", "row", /random/] },
  {
    name: "Math.random by destructuring",
    cells: { a: "const { random } = Math", b: feats("() => [random()]") },
    refused: ["a", "random", /a call made|cannot/],
  },
  { name: "process", cells: { a: feats("() => [process.pid]") }, refused: ["a", "process", /environment/] },
  { name: "fetch", cells: { a: feats("() => [fetch.length]") }, refused: ["a", "fetch", /network/] },
  { name: "a secret", cells: { a: feats("() => [secret('K').length]") }, refused: ["a", "secret", /secret/] },
  { name: "sql inside", cells: { a: feats("() => [sql`select 1`.length]") }, refused: ["a", "sql", /SQL shapes rows/] },
  { name: "async", cells: { a: "const g = async () => 1", b: feats("() => [g() as never]") }, refused: ["a", "g", /async/] },
  { name: "an unknown name", cells: { a: feats("() => [nothing]") }, refused: ["a", "nothing", /not defined by any cell/] },
  { name: "a getter", cells: { a: "const o = { get k() { return 1 } }", b: feats("() => [o.k]") }, refused: ["a", "o", /getter/] },
  { name: "a proxy", cells: { a: "const o = { p: new Proxy({ k: 1 }, {}) }", b: feats("() => [o.p.k]") }, refused: ["a", "o", /`o\.p` is a proxy/] },
  { name: "a Map", cells: { a: "const m = new Map([[1, 2]])", b: feats("() => [m.get(1)!]") }, refused: ["a", "m", /Map/] },
  { name: "a symbol", cells: { a: "const y = { k: Symbol('x') }", b: feats("() => [String(y.k).length]") }, refused: ["a", "y", /symbol/] },
  {
    name: "a symbol key",
    cells: { a: "const y = { [Symbol.iterator]: 1 }", b: feats("() => [Object.keys(y).length]") },
    refused: ["a", "y", /symbol key/],
  },
  { name: "a cycle", cells: { a: "const y: any = { a: [] }; y.a.push(y)", b: feats("() => [y.a.length]") }, refused: ["a", "y", /part of itself/] },
  { name: "a typed array", cells: { a: "const y = new Float32Array(2)", b: feats("() => [y[0]!]") }, refused: ["a", "y", /typed array/] },
  { name: "an instance", cells: { a: "class K { k = 1 }; const y = new K()", b: feats("() => [y.k]") }, refused: ["a", "y", /class K/] },
  { name: "a list with holes", cells: { a: "const y = [1, , 3]", b: feats("() => [y.length]") }, refused: ["a", "y", /holes/] },
  {
    name: "an iterator",
    cells: { a: "function* g() { yield 1 }; const it = g()", b: feats("() => [it.next().value as number]") },
    refused: ["a", "it", /iterator/],
  },
  {
    name: "a closure counter",
    cells: { a: "const next = (() => { let k = 0; return () => ++k })()", b: feats("() => [next()]") },
    refused: ["a", "next", /a call made/],
  },
  {
    name: "a memo in another cell",
    cells: { a: "const memo: Record<string, number> = {}", b: feats("(r) => [memo[r.s ?? ''] ??= 1]") },
    refused: ["b", "row", /changes `memo`/],
  },
  {
    name: "a list that is pushed to",
    cells: { a: "const seen: number[] = []", b: feats("(r) => { seen.push(1); return [seen.length] }") },
    refused: ["b", "row", /changes `seen`/],
  },
  {
    name: "a list that is pushed to by another name",
    cells: { a: "const seen: number[] = []", b: feats("(r) => { const t = seen; t.push(1); return [t.length] }") },
    refused: [null, null, /not extensible|read only|frozen/],
  },
  {
    name: "state on a function",
    cells: { a: "function g() { return (g as any).k = ((g as any).k ?? 0) + 1 }", b: feats("() => [g()]") },
    refused: ["a", "g", /changes `g`/],
  },
  {
    name: "state on a function, from before",
    cells: { a: "const g = () => 1; (g as any).k = 1", b: feats("() => [(g as any).k]") },
    refused: ["a", "g", /property of its own/],
  },
  {
    name: "a static field that counts",
    cells: { a: "class K { static #k = 0; static next() { return ++K.#k } }", b: feats("() => [K.next()]") },
    refused: ["a", "K", /static private|changes/],
  },
  {
    name: "a static block",
    cells: { a: "class K { static next: () => number; static { let k = 0; this.next = () => ++k } }", b: feats("() => [K.next()]") },
    refused: ["a", "K", /static block/],
  },
  { name: "lastIndex state", cells: { a: "const re = /a/g", b: feats("(r) => [re.test('aa') ? 1 : 0]") }, refused: ["a", "re", /lastIndex/] },
  {
    name: "RegExp.$1",
    cells: { a: feats("(r) => { const was = (RegExp as any).$1; /(.)/.exec(r.s ?? ''); return [String(was).length] }") },
    gives: () => ["undefined".length],
  },
  { name: "Intl", cells: { a: feats("(r) => [new Intl.NumberFormat().format(1).length]") }, refused: ["a", "Intl", /language/] },
  { name: "toLocaleString", cells: { a: feats("(r) => [(r.x ?? 0).toLocaleString().length]") }, refused: ["a", "row", /language/] },
  {
    name: "localeCompare in disguise",
    cells: { a: feats("(r) => [(r.s ?? '')['locale' + 'Compare']('a')]") },
    refused: [null, null, /localeCompare\(\) depends/],
  },
  {
    name: "prototype pollution",
    cells: { a: feats("(r) => { (Object.prototype as any).k = ((Object.prototype as any).k ?? 0) + 1; return [(Object.prototype as any).k] }") },
    refused: ["a", "row", /changes `Object`/],
  },
  {
    name: "state on a built-in",
    cells: { a: feats("(r) => { const m: any = Math; m.k = (m.k ?? 0) + 1; return [m.k] }") },
    refused: [null, null, /extensible/],
  },
  { name: "state on the record", cells: { a: feats("(r: any) => [r.k = (r.k ?? 0) + 1]") }, refused: [null, null, /extensible/] },
  {
    name: "state on the fitted state",
    cells: { a: `const feats = features({ ${input}, fit: () => ({ k: 0 }), row: (r, s) => [++s.k] })` },
    refused: [null, null, /read only/],
  },
  { name: "eval", cells: { a: feats("() => [eval('1')]") }, refused: ["a", "eval", /text as code/] },
  { name: "new Function", cells: { a: feats("() => [new Function('return 1')()]") }, refused: ["a", "Function", /text as code/] },
  {
    name: "Function by constructor",
    cells: { a: feats("() => [(() => 0).constructor('return process.pid')()]") },
    refused: [null, null, /Code generation from strings disallowed/],
  },
  { name: "globalThis", cells: { a: feats("() => [(globalThis as any).k ?? 1]") }, refused: ["a", "globalThis", /environment/] },
  {
    name: "this",
    cells: { a: `const feats = features({ ${input}, row(r) { return [Object.keys(this).length] } })` },
    refused: ["a", "row", /`this`/],
  },
  { name: "this of the cell", cells: { a: feats("() => [(this as any) ? 1 : 0]") }, refused: ["a", "row", /`this`/] },
  { name: "arguments of the cell", cells: { a: feats("() => [arguments.length]") }, refused: ["a", "arguments", /no value/] },
  { name: "import()", cells: { a: feats("() => [import('./good.ts') as never]") }, refused: ["a", "row", /imports while it runs/] },
  {
    name: "a Node built-in",
    cells: { a: `import { readFileSync } from "node:fs"\n${feats("() => [readFileSync.length]")}` },
    refused: ["a", "feats", /node:fs belongs to Node/],
  },
  {
    name: "a package that is not there",
    cells: { a: `import { x } from "not-installed"\n${feats("() => [x]")}` },
    refused: ["a", "feats", /not-installed/],
  },
  {
    name: "a package that counts",
    cells: { a: `import { next } from "counts"\n${feats("() => [next()]")}` },
    refused: [null, null, /differs when the same record is/],
  },
  {
    name: "a package that reads the clock",
    cells: { a: `import { now } from "counts"\n${feats("() => [now()]")}` },
    refused: [null, null, /Date\.now\(\) is not allowed/],
  },
  {
    name: "a package that reads the environment",
    cells: { a: `import { env } from "counts"\n${feats("() => [env()]")}` },
    refused: [null, null, /row failed/],
  },
  {
    name: "a file that counts",
    cells: { a: `import { next } from "./counter.ts"\n${feats("() => [next()]")}` },
    refused: ["counter.ts", "n", /written by a function/],
  },
  {
    name: "a file that remembers",
    cells: { a: `import { cached } from "./memo.ts"\n${feats("(r) => [cached(r.s ?? '')]")}` },
    refused: ["memo.ts", "cached", /changes `memo`/],
  },
  {
    name: "a JSON file that is changed",
    cells: { a: `import data from "./data.json"\n${feats("(r) => { const w = data.weights; return [w.push(1) > 1e6 ? 1 : 0] }")}` },
    refused: [null, null, /extensible|read only/],
  },
  { name: "a JSON file by name", cells: { a: `import { weights } from "./data.json"\n${feats("() => weights")}` }, gives: () => [1, 2, 3] },
  {
    name: "a list inside of a private literal",
    cells: { a: `const _k = [[1]]\n${feats("(r) => [_k[0]!.push(1) > 1e6 ? 1 : 0]")}` },
    refused: [null, null, /extensible/],
  },
  {
    name: "a list in a static field",
    cells: { a: "class K { static t = [1]; static next() { const t = K.t; return t.push(1) > 1e6 ? 1 : 0 } }", b: feats("() => [K.next()]") },
    refused: [null, null, /extensible/],
  },
  {
    name: "state on a method",
    cells: { a: "class K { m() { const m: any = this.m; m.k = 1; return 1 } }", b: feats("() => [new K().m()]") },
    refused: [null, null, /extensible/],
  },
  {
    name: "cells that use the bundle's own names",
    cells: {
      a: "const $row = 1, $fix = 2, bundle = 3, v0 = { a: 4 }, x0 = 5, $features = 6",
      b: feats("() => [$row, $fix, bundle, v0.a, x0, $features]"),
    },
    gives: () => [1, 2, 3, 4, 5, 6],
  },
  {
    name: "an import as the row",
    cells: { a: `import { twice } from "./good.ts"\nconst feats = features({ ${input}, row: (r) => [twice(r.x ?? 0)] })` },
    gives: (r) => [n(r.x) * 2],
  },
  {
    name: "a subclass of Date",
    cells: { a: feats("() => [new (class extends Date {})().getTime()]") },
    refused: [null, null, /new Date\(\) without/],
  },
  { name: "the clock by Reflect", cells: { a: feats("() => [Number(Reflect.construct(Date, []))]") }, refused: [null, null, /new Date\(\) without/] },
  {
    name: "a value of a cell that failed",
    cells: { a: "const k = [].find(() => true)", b: feats("() => [k]") },
    refused: ["a", "k", /has no value/],
  },
  {
    name: "features themselves",
    cells: { a: `const feats = features({ ${input}, row: () => [Object.keys(feats.input).length] })` },
    refused: ["a", "feats", /class FeatureSet/],
  },
  { name: "a promise", cells: { a: "const p = Promise.resolve(1)", b: feats("() => [Number(p)]") }, refused: ["a", "p", /promise/] },
  { name: "a string cut by language", cells: { a: feats("(r) => [(r.s ?? '').toLocaleUpperCase().length]") }, refused: ["a", "row", /language/] },
  {
    name: "old-style words",
    cells: { a: "const g = function (this: unknown) { return this === undefined ? 1 : 0 }", b: feats("() => [g()]") },
    refused: ["a", "g", /`this`/],
  },
  {
    name: "a file that reads the clock",
    cells: { a: `import { age } from "./clock.ts"\n${feats("(r) => [age(r.d ?? new Date(0))]")}` },
    refused: ["clock.ts", null, /clock/],
  },
  { name: "a private value", cells: { a: `const _k = Math.max(1, 2)\n${feats("() => [_k]")}` }, refused: ["a", "_k", /private/] },
  {
    name: "features made in a function",
    cells: { a: `const make = (k: number) => features({ ${input}, row: () => [k] }); const feats = make(3)` },
    refused: ["a", "features", /inside a function/],
  },
  {
    name: "row made by a call",
    cells: { a: `const feats = features({ ${input}, row: ((k) => () => [k])(3) })` },
    refused: ["a", "features", /computed by a call/],
  },
  {
    name: "row replaced by a spread",
    cells: { a: `const more = { row: () => [2] }; const feats = features({ ${input}, row: () => [1], ...more })` },
    refused: ["a", "features", /spread/],
  },
  { name: "a function in a value", cells: { a: "const o = { g: () => 1 }", b: feats("() => [o.g()]") }, refused: ["a", "o", /`o\.g` is a function/] },
  {
    name: "NaN in a vector",
    cells: { a: feats("(r) => [1, r.x! / r.x! - 1 + NaN]") },
    refused: [null, null, /record 0: number 1 of the vector is NaN/],
  },
  { name: "too large for float32", cells: { a: feats("(r) => [1e39]") }, refused: [null, null, /not a finite float32/] },
  {
    name: "vectors of different widths",
    cells: { a: feats("(r) => r.s === 'LAX' ? [1] : [1, 2]") },
    refused: [null, null, /Expected row to return 2 numbers, got 1/],
  },
  { name: "a text in a vector", cells: { a: feats("(r) => ['1' as never]") }, refused: [null, null, /number 0 of the vector is "1"/] },
  {
    name: "state that is no JSON",
    cells: { a: `const feats = features({ ${input}, fit: () => ({ a: [1, NaN] }), row: () => [1] })` },
    refused: [null, null, /`state\.a\[1\]` is NaN/],
  },
];

describe("hostile cases", () => {
  it.each(cases)("$name", async ({ cells, gives, refused }) => {
    const notebook = new Notebook();
    for (const [id, source] of Object.entries(cells)) await notebook.run(id, source);
    let fitted: FittedFeatures | null = null;
    let error: unknown = null;
    try {
      fitted = await notebook.fit();
    } catch (caught) {
      error = caught;
    }
    if (gives) {
      if (error) throw error;
      expect(fitted!.vectors(sample)).toEqual(Float32Array.from(sample.flatMap((row) => gives(row as never))));
      const matrix = await fitted!.matrix(relationOf(sample));
      expect(matrix.x).toEqual(fitted!.vectors(sample));
      expect(openFeatures(fitted!.code, fitted!.state).vectors(sample)).toEqual(matrix.x);
      return;
    }
    const [cell, name, words] = refused!;
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(words);
    if (cell !== null) {
      expect(error).toBeInstanceOf(CaptureError);
      expect((error as CaptureError).cell).toBe(cell);
      if (name !== null) expect((error as CaptureError).fault).toBe(name);
      expect((error as Error).message).toContain(cell);
    }
  });

  it("has at least thirty of each", () => {
    expect(cases.filter((one) => one.gives).length).toBeGreaterThanOrEqual(30);
    expect(cases.filter((one) => one.refused).length).toBeGreaterThanOrEqual(30);
  });
});

describe("lists that spread", () => {
  it("mean the same when written as calls", async () => {
    const notebook = new Notebook();
    await notebook.run("a", "function* gen() { yield 5; yield 6 } const big = [7, 8]");
    await notebook.run(
      "b",
      feats(
        "(r) => { const [first, ...rest] = [1, ...[2, 3], /* , */ ...new Set([4]), ...gen() , ...[[...big, 9].length, ...[]], ...new Float32Array([10]),]; let p, q; [p, ...q] = [...rest]; return [...[first], ...rest, p, ...(q as number[]), ...[...[r.x ?? 0]]] }",
      ),
    );
    const rest = [2, 3, 4, 5, 6, 3, 10];
    expect((await notebook.fit()).vectors([{ x: 0.5, s: null, d: null }])).toEqual(Float32Array.from([1, ...rest, 2, ...rest.slice(1), 0.5]));
  });
});

describe("a bundle", () => {
  it("does not change with its cells or their values afterwards", async () => {
    const notebook = new Notebook();
    await notebook.run("a", "const table = { k: 2 }; const g = (x: number) => x * table.k");
    await notebook.run("b", feats("(r) => [g(r.x ?? 0)]"));
    const fitted = await notebook.fit();
    const before = fitted.vectors(sample);
    const again = await notebook.fit();
    expect(again.hash).toBe(fitted.hash);
    (notebook.value("a", "table") as { k: number }).k = 100;
    expect(fitted.vectors(sample)).toEqual(before);
    await notebook.run("a", "const table = { k: 3 }; const g = (x: number) => x + table.k");
    expect(fitted.vectors(sample)).toEqual(before);
    expect(openFeatures(fitted.code, fitted.state).vectors(sample)).toEqual(before);
    const later = await notebook.fit();
    expect(later.hash).not.toBe(fitted.hash);
    // edited but not run: capture reads what ran
    notebook.sources.set("unrelated", "const g = broken(");
    expect((await notebook.fit()).hash).toBe(later.hash);
  });

  it("refuses features of an earlier run of their cell", async () => {
    const notebook = new Notebook();
    await notebook.run("a", feats("() => [1]"));
    const old = notebook.value("a", "feats");
    await notebook.run("a", feats("() => [2]"));
    await expect(capture(old, notebook)).rejects.toThrow(/earlier run/);
  });

  it("holds no absolute path", async () => {
    const notebook = new Notebook();
    await notebook.run("a", `import { half } from "half"\nimport { twice } from "./good.ts"\n${feats("(r) => [half(twice(r.x ?? 0))]")}`);
    const { code } = await notebook.fit();
    expect(code).not.toContain(folder);
    expect(code).not.toContain(process.cwd());
  });

  it("describes its fields and says what it converts", async () => {
    const notebook = new Notebook();
    await notebook.run("a", `const feats = features({ input: { big: "double", s: "string", d: "date" }, row: (r) => [r.big ?? 0] })`);
    const rows = Array.from({ length: 1000 }, (_, i) => ({
      big: BigInt(i),
      s: i % 3 === 0 ? null : `v${i % 5}`,
      d: new Date(Date.UTC(2001, 0, 1, 5)),
    }));
    const { fields, notes, width } = await notebook.fit(rows);
    expect(width).toBe(1);
    expect(fields).toEqual([
      { name: "big", type: "double", nullable: false, range: [1, 999] },
      {
        name: "s",
        type: "string",
        nullable: true,
        seen: ["v1", "v2", "v3", "v4", "v0"].sort(
          (a, b) => rows.filter((r) => r.s === b).length - rows.filter((r) => r.s === a).length || (a < b ? -1 : 1),
        ),
      },
      { name: "d", type: "date", nullable: false },
    ]);
    expect(notes).toEqual([
      "big: BIGINT is read as double",
      "d: TIMESTAMP is read as date",
      "s: NULL in 334 of 1,000 training rows, where `row` gets null, so it may be null when served",
    ]);
    await expect(notebook.fit([{ big: 1, s: "x" }])).rejects.toThrow(/no column `d`; they have big, s/);
    await expect(notebook.fit([])).rejects.toThrow(/no column|empty/);
    await expect(notebook.fit([{ big: 2n ** 60n, s: "", d: new Date(0) }])).rejects.toThrow(
      /record 0, field `big`: 1152921504606846976 is too large for a double/,
    );
  });

  it("gives a fresh process the same bits for 10,000 random records, in another time zone and language", async () => {
    const notebook = new Notebook();
    await notebook.run(
      "a",
      "const edges = [-50, 0, 50]; class Poly { #k = [1, 0.5, -0.25]; at(x: number) { return this.#k.reduce((s, k, i) => s + k * x ** i, 0) } }",
    );
    await notebook.run("b", `import { half } from "half"\nconst soft = (x: number) => Math.tanh(half(x) / 40) + Math.exp(-Math.abs(x))`);
    await notebook.run(
      "c",
      `const feats = features({ input: { x: "double?", y: "double?", s: "string?", d: "timestamp?", t: "date?", b: "boolean?", k: "bigint?", v: "double[]?" },
        fit: async (rows) => ({ x: await f.stats(rows, "x"), s: await f.top(rows, "s", 6) }),
        row: (r, s) => [f.z(r.x, s.x), f.log(r.y), ...f.bucket(r.x, edges), ...f.oneHot(r.s, s.s), ...f.hash(r.s, 5), ...f.ngrams(r.s, 2, 7), ...f.cyclic(f.hour(r.d), 24), ...f.cyclic(f.dow(r.t), 7),
          f.month(r.d), soft(r.x ?? 0), new Poly().at((r.y ?? 0) / 1e3), r.b === null ? 0.5 : Number(r.b), Number((r.k ?? 0n) % 97n), ...f.image(r.v, 4, 10), (r.d?.getHours() ?? -1) + (r.d?.getTimezoneOffset() ?? 0)] })`,
    );
    let seed = 12345;
    const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32;
    const maybe = <T>(make: () => T) => (random() < 0.1 ? null : make());
    const texts = ["SFO", "LAX", "", "ünï", "😀", "constructor", "__proto__", "İstanbul", "a".repeat(300), "\u0000", "\ud800"];
    const records = Array.from({ length: 10_000 }, () => ({
      x: maybe(() => (random() - 0.5) * 10 ** Math.floor(random() * 12)),
      y: maybe(() => (random() < 0.05 ? -0 : random() * 1e4 - 5e3)),
      s: maybe(() => texts[Math.floor(random() * texts.length)]!),
      d: maybe(() => new Date(Math.floor((random() - 0.3) * 4e12))),
      t: maybe(() => new Date(Math.floor(random() * 2e4) * 86_400_000)),
      b: maybe(() => random() < 0.5),
      k: maybe(() => BigInt(Math.floor(random() * 2 ** 50)) * 1024n),
      v: maybe(() => [random() * 12, random() * 10, -1]),
    }));
    const fitted = await notebook.fit(records);
    const native = fitted.vectors(records);
    expect((await fitted.matrix(relationOf(records))).x).toEqual(native);
    // as they come over the wire: ISO texts, numbers or digits
    const wire = records.map((r) => ({
      ...r,
      d: r.d?.toISOString() ?? null,
      t: r.t?.toISOString().slice(0, 10) ?? null,
      k: r.k === null ? null : r.k > 2n ** 53n ? String(r.k) : Number(r.k),
    }));
    expect(fitted.vectors(wire)).toEqual(native);
    const run = join(folder, "run");
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, "features.mjs"), fitted.code);
    writeFileSync(join(run, "records.json"), JSON.stringify({ state: fitted.state, wire }));
    const loader = await (
      await import("esbuild")
    ).build({ entryPoints: ["kernels/models/features-load.ts"], bundle: true, write: false, format: "esm", platform: "node" });
    writeFileSync(join(run, "load.mjs"), loader.outputFiles[0]!.text);
    writeFileSync(
      join(run, "main.mjs"),
      `import { readFileSync, writeFileSync } from "node:fs"; import { loadFeatures } from "./load.mjs";
       const { state, wire } = JSON.parse(readFileSync("records.json", "utf8"));
       const vectors = await loadFeatures(readFileSync("features.mjs", "utf8"), state);
       writeFileSync("out.bin", new Uint8Array(vectors(wire).buffer));
       const plain = await import("./features.mjs");
       if (typeof plain.default(wire[0], state).length !== "number") throw new Error("not a plain module");`,
    );
    await promisify(execFile)(process.execPath, ["main.mjs"], {
      cwd: run,
      env: { PATH: process.env.PATH, TZ: "Asia/Kathmandu", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
    });
    const { readFileSync } = await import("node:fs");
    const bytes = readFileSync(join(run, "out.bin"));
    expect(Buffer.compare(bytes, Buffer.from(native.buffer))).toBe(0);
    expect(native.length).toBe(10_000 * fitted.width);
  });
});
