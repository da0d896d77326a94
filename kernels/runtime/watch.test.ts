/** Changes of other cells' values that no analysis of the code sees: found by a real kernel, with their place, and without false alarms. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let workspace: string;
let kernel: TestKernel;
beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), "watch-"));
  const folder = join(workspace, "node_modules", "helpers");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `{ "name": "helpers", "version": "1.0.0", "type": "module", "exports": "./index.js" }`);
  writeFileSync(
    join(folder, "index.js"),
    `export const sorted = (rows) => rows.sort((a, b) => a.price - b.price);
     export const fill = (numbers, value, at = 0) => void numbers.fill(value, at);
     export const put = (target, values) => Object.assign(target, values);
     export const settings = { cache: {}, get(key) { return (this.cache[key] ??= key.length); } };
     export class Table { constructor() { this.memo = null; this.sizes = {} } total() { this.sizes.all = 3; return (this.memo ??= 3); } }`,
  );
  kernel = await startKernel({ workspace });
});
afterAll(async () => {
  await kernel.close();
  rmSync(workspace, { recursive: true, force: true });
});

const helpers = `import { sorted, fill, put, settings, Table } from "helpers"\n`;
/** what `b` is told to have changed after `a` (and `others`, before it) ran; their imports are cells' own */
const told = async (a: string, b: string, others: Record<string, string> = {}) => {
  kernel.send({ type: "forget", cells: ["a", "b", "c", "imports"] });
  await kernel.run(helpers, { id: "imports" });
  for (const [id, source] of Object.entries({ a, ...others })) expect((await kernel.run(source, { id })).error, id).toBeUndefined();
  const { changed = [] } = await kernel.run(b, { id: "b" });
  return changed.map(({ path, cell }) => `${cell}: ${path}`);
};

const rows = "const rows = [{ price: 3 }, { price: 1 }, { price: 2 }]";
const changes: [string, string, string, string[], Record<string, string>?][] = [
  ["a package that sorts in place", rows, "const first = sorted(rows)[0]", ["a: rows[0]"]],
  [
    "another cell's function that sorts",
    rows,
    "const first = sort(rows)",
    ["a: rows[0]"],
    { c: "const sort = (list) => list.sort((a, b) => a.price - b.price)" },
  ],
  ["Object.assign in a package", "const config = { rate: 1 }", "put(config, { rate: 2 })", ["a: config.rate"]],
  ["a property that comes", "const config = { rate: 1 }", "put(config, { 'learning rate': 2 })", ['a: config["learning rate"]']],
  [
    "by way of another cell's alias",
    "const config = { rate: 1 }",
    "put(alias.config, { rate: 2 })",
    ["c: alias.config.rate"],
    { c: "const alias = { config }" },
  ],
  ["deep inside", "const tree = { a: [{ b: new Map([['k', { c: 1 }]]) }] }", "put(tree.a[0].b.get('k'), { c: 2 })", ['a: tree.a[0].b.get("k").c']],
  ["a row's field", rows, "put(rows[2], { price: 9 })", ["a: rows[2].price"]],
  ["a list that grows", "const list = [1]", "(function (x) { x.push(2) })(...[list])", ["a: list.length"]],
  [
    "a map through a closure",
    "const counts = new Map([['x', 1]])\nconst count = (key) => void counts.set(key, 2)",
    "count('x')",
    ['a: counts.get("x")'],
    { c: "counts.size" },
  ],
  ["a variable through a closure", "let n = 0\nconst next = () => ++n", "next()", ["a: n"], { c: "n" }],
  ["what a closure's cell read", "const list = []", "add(1)", ["a: list.length"], { c: "const add = (x) => void list.push(x)" }],
  ["a set", "const seen = new Set()", "[1].forEach(seen.add, seen)", ["a: seen.size"]],
  ["a date", "const day = new Date(0)", "Date.prototype.setTime.call(day, 5)", ["a: day"]],
  ["a typed array, one element", "const weights = new Float32Array(1000)", "fill(weights.subarray(17, 18), 1)", ["a: weights[17]"]],
  ["a long typed array", "const weights = new Float64Array(5_000_000)", "fill(weights, 1, 2_000_000)", ["a: weights[2"]],
  ["a hundred thousand rows", "const many = Array.from({ length: 100_000 }, (_, i) => ({ price: -i }))", "sorted(many)", ["a: many[0]"]],
  [
    "an instance of a cell's class",
    "class Account { balance = 1; add(n) { this.balance += n } }\nconst account = new Account()",
    "account.add(1)",
    ["a: account.balance"],
  ],
  ["a variable that another cell trains", "const w = tf.variable(tf.scalar(1))", "tf.train.sgd(0.1).minimize(() => w.square())\nundefined", ["a: w"]],
  ["after an await", rows, "await null\nsorted(rows)", ["a: rows[0]"]],
  ["before it fails", rows, "sorted(rows)\nthrow new Error('no')", ["a: rows[0]"]],
  ["a cycle", "const ring = { n: 1 }\nring.self = ring", "put(ring.self, { n: 2 })", ["a: ring.n"]],
];
it.each(changes)("says what changed: %s", async (_, a, b, expected, others) => {
  const found = await told(a, b, others);
  // of a long one, the place that was looked at
  expect(found.map((each, i) => each.slice(0, /\[\d+$/.test(expected[i] ?? "") ? expected[i]!.length : undefined))).toEqual(expected);
});

const silent: [string, string, string, Record<string, string>?][] = [
  ["reading", rows, "rows.map((row) => row.price).sort()"],
  ["a changed copy", rows, "sorted([...rows])\nput(structuredClone(rows[0]), { price: 1 })"],
  ["the same value again", "const config = { rate: 1 }", "put(config, { rate: 1 })"],
  ["its own value", rows, "const mine = [3, 1]\nsorted(mine)"],
  ["a package's object that fills its cache", "1", "settings.get('abc')"],
  ["an instance of a package's class", "const table = new Table()", "table.total()"],
  ["a getter that would throw", "const odd = { get x() { throw new Error('looked at') } }", "odd"],
  ["a getter that counts", "let reads = 0\nconst odd = { get x() { return ++reads } }", "odd"],
  ["a proxy", "const odd = new Proxy({}, { ownKeys() { throw new Error('looked at') }, get() { throw new Error('looked at') } })", "typeof odd"],
  ["a memory that only its own cell looks at", "const memo = {}\nconst double = (n) => (memo[n] ??= n * 2)", "double(4)"],
  ["a value worked out when asked first", "class Lazy { _all; get all() { return (this._all ??= [1]) } }\nconst lazy = new Lazy()", "lazy.all"],
  ["NaN", "const odd = [NaN, -0]", "odd"],
  [
    "a timer of its own cell",
    "const ticks = []\nconst until = () => new Promise((done) => { const id = setInterval(() => { ticks.push(1); if (ticks.length > 3) { clearInterval(id); done() } }, 1) })\nconst ready = until()",
    "ticks.length\nawait ready",
  ],
  [
    "its own cell that goes on after an await",
    "const state = { n: 0 }\nlet go\nconst gate = new Promise((done) => (go = done))\nvoid (async () => { await gate; state.n = 1 })()\nconst open = () => go()",
    "state.n\nopen()\nawait new Promise((done) => setTimeout(done, 5))",
  ],
  ["a tensor that is used", "const t = tf.tensor([1, 2])", "t.square().dispose()\nundefined"],
  ["a relation that is read", "const r = relation([{ a: 1 }])", "await r.rows()"],
];
it.each(silent)("stays silent: %s", async (_, a, b, others) => {
  expect(await told(a, b, others)).toEqual([]);
});

it("says it of a cell that reads later what another changed through a function", async () => {
  const found = await told("const counts = new Map()\nconst count = (key) => void counts.set(key, 1)", "counts.size", { c: "count('x')" });
  expect(found).toEqual(["a: counts"]);
});

it("names the cell, the way and the line, and tells a console too", async () => {
  await kernel.run(helpers, { id: "imports" });
  await kernel.run(rows, { id: "a" });
  const { changed } = await kernel.run("1 + 1\nconst cheapest = sorted(rows)[0]", { id: "b" });
  expect(changed?.map(({ message }) => message)).toEqual([
    "this run changed `rows[0]` of cell a; cells that use `rows` do not run again for it. Make a changed copy, or do it in cell a (line 2)",
  ]);
  const { warnings } = await kernel.run("put(rows[1], { price: 7 })", { id: "console", console: true });
  expect(warnings).toEqual([expect.stringMatching(/^this run changed `rows\[1\]\.price` of cell a;/)]);
});
