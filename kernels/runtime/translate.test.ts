import { expect, it } from "vitest";
import { translate } from "./translate.js";

const cases: [source: string, exports: string[], free: string[]][] = [
  ["const { a, b: [c = d], ...e } = f", ["a", "c", "e"], ["d", "f"]],
  ["for (var i = 0; i < n; i++); var v = 1", ["v"], ["n"]],
  ["function o(x: string): void; function o(x: unknown) { return x }", ["o"], []],
  ["declare const q: number; type T = typeof r; interface I { a: T }", [], ["r"]],
  ["import x, { y as z, type W } from 'p'; import type { V } from 'q'; let w: W & V = z", ["x", "z", "w"], []],
  ["class K { private x = outer; static { inner() } }", ["K"], ["outer", "inner"]],
  ["enum E { A } namespace N { export const q = 1 } namespace Types { export type T = 1 }", ["E", "N"], []],
  ["using r = open(); const _p = 1; label: for (;;) break label", [], ["open"]],
  ["export const a = 1; export default a + b; export { a as c }", ["a"], ["b"]],
];
it.each(cases)("knows the names of %s", async (source, exports, free) => {
  const translation = await translate(source);
  expect(translation.exports).toEqual(exports);
  expect(translation.free.sort()).toEqual(free.sort());
});

const run = async (source: string): Promise<{ shown: unknown[]; exported: object }> => {
  const { code } = await translate(source);
  const shown: unknown[] = [];
  let exported = {};
  const body = new Function("$$x", "$$show", "$$w", "$$wi", "$$imp", "$$meta", code) as (...args: unknown[]) => Promise<void>;
  await body(
    (getters: object) => (exported = getters),
    (value: unknown) => void shown.push(value),
    (value: unknown) => value,
    (value: unknown) => value,
    (spec: string) => Promise.resolve({ default: spec, name: spec }),
    { url: "here" },
  );
  return { shown, exported };
};

it("shows the last expression only", async () => {
  expect((await run("1; 2")).shown).toEqual([2]);
  expect((await run("({ a: 1 }) // comment")).shown).toEqual([{ a: 1 }]);
  expect((await run("if (true) { 3 }")).shown).toEqual([]);
  expect((await run("(await (async () => { for await (const x of [4]) return x })()) as number")).shown).toEqual([4]);
});

it.each([
  "arguments.length",
  "const f = () => arguments[0]\nf()",
  "1\narguments",
  "({ arguments })",
  "class A { f = () => 1; [arguments[0]]() {} }",
  "const a: number = arguments[0]",
])("knows no arguments of its own: %s", async (source) => {
  await expect(run(source)).rejects.toThrow(new ReferenceError("arguments is not defined"));
});

it("leaves a function its arguments", async () => {
  expect(
    (await run("function f() { return (() => arguments.length)() }\n[f(1, 2), { m() { return arguments[0] } }.m(3), typeof arguments]")).shown,
  ).toEqual([[2, 3, "undefined"]]);
});

it("rewrites imports wherever they stand", async () => {
  expect((await run("const before = name + d; import d, { name } from 'p'; [before, (await import('q')).name, import.meta.url]")).shown).toEqual([
    ["pp", "q", "here"],
  ]);
});

it("keeps exports live", async () => {
  expect((await run("let n = 1; n = 2")).exported).toMatchObject({ n: 2 });
});

it.each(["const a = 1\nthrowing()", "type T = { a: 1 }\nconst b: T = { a: 1 }\n  throwing()", "throwing()"])(
  "finds the place in %j again",
  async (source) => {
    const { code, locate } = await translate(source);
    const lines = code.split("\n");
    const line = lines.findIndex((each) => each.includes("throwing("));
    const at = locate(line + 1, lines[line]!.indexOf("throwing(") + 1)!;
    expect(source.split("\n")[at.line - 1]!.slice(at.column - 1)).toBe("throwing()");
  },
);

it("refuses what does not parse, with the place", async () => {
  await expect(translate("const a = 1\nlet = ;")).rejects.toMatchObject({ name: "SyntaxError", offset: expect.any(Number) as number });
});

it("leaves short names with a dollar to the author", async () => {
  expect((await run("const $x = 1, $w = 2, $wi = 3, $imp = 4, $meta = 5, $show = 6, $r0 = 7, $default = 8; $x + (await $w)")).shown).toEqual([3]);
});

it("takes auto-accessors", async () => {
  expect((await run("class Q { accessor x = 5; static accessor y = 6 }; [new Q().x, Q.y]")).shown).toEqual([[5, 6]]);
});

it("defines no name that stands in no cell", async () => {
  expect(Object.keys((await run("export * from 'p'; export { name as other } from 'p'; export const own = 1")).exported)).toEqual(["own"]);
});
