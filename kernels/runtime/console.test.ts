/** Requests of a console beside the notebook's cells (Jupyter): names live from one to the next, and no cell sees them. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type Done, type TestKernel } from "../../test/support/kernel.js";
import type { Look } from "../protocol/document.js";

let kernel: TestKernel;
let count = 0;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.close());

const ask = (source: string): Promise<Done> => kernel.run(source, { id: `jupyter-${++count}`, console: true });
const text = async (source: string) => {
  const done = await ask(source);
  return done.error ? `${done.error.name}: ${done.error.message}` : done.displays.map((data) => data["text/plain"]).join("\n");
};

it.each<[name: string, ...steps: (readonly [code: string, shown: string])[]]>([
  ["a name lives on", ["const a = 1", ""], ["a + 1", "2"]],
  ["the last definition wins", ["const b = 1", ""], ["const b = 'two'", ""], ["b", "two"]],
  ["let is assigned to by a later request", ["let c = 1", ""], ["c += 41", "42"], ["c", "42"], ["c++; c", "43"]],
  ["a function sees the last definition", ["let d = 1; function readD() { return d }", ""], ["d = 2", "2"], ["readD()", "2"]],
  [
    "a function of an earlier request reads a later one",
    ["const later = () => afterwards()", ""],
    ["const afterwards = () => 'here'", ""],
    ["later()", "here"],
  ],
  [
    "patterns are targets",
    ["let e = 1, e2 = 2", ""],
    ["({ e, x: e2 = 7 } = { e: 5 })\n;[e, e2]", "[ 5, 7 ]"],
    ["[e, e2] = [1, 2]\n;[e, e2]", "[ 1, 2 ]"],
  ],
  ["shorthand properties", ["const g = 3", ""], ["({ g })", "{ g: 3 }"]],
  ["calls have no `this`", ["function who() { return this }", ""], ["const h = 1\nwho()\nwho() === undefined", "true"]],
  ["tags and classes", ["const tag = (s: TemplateStringsArray) => s[0]; class K { v = 1 }", ""], ["[tag`x`, new K().v]", "[ 'x', 1 ]"]],
  ["a failed definition leaves the older value", ["const k = 1", ""], ["const k = nowhere()", "ReferenceError: nowhere is not defined"], ["k", "1"]],
  ["a constant is constant", ["const m = 1", ""], ["m = 2", "TypeError: m is constant: declare it again to give it another value"]],
  [
    "an unknown name is an error",
    ["neverSeen", "ReferenceError: neverSeen is not defined"],
    ["neverSeen = 1", "ReferenceError: neverSeen is not defined"],
  ],
  ["messages name the variable", ["const n = 1", ""], ["n()", "TypeError: n is not a function"]],
  ["private names are kept too", ["const _p = 1", ""], ["_p", "1"]],
  ["types are no values", ["let t: { u: typeof console } | null = null; type T = typeof t", ""], ["const v: T = null; v", "null"]],
  ["typeof of an unknown name", ["typeof zilch", "undefined"]],
])("%s", async (_, ...steps) => {
  for (const [code, shown] of steps) expect([code, await text(code)]).toEqual([code, shown]);
});

it("reads the notebook's names, and changes none", async () => {
  await kernel.run("const rate = 0.5; let level = 1", { id: "cell" });
  expect(await text("rate * 4")).toBe("2");
  expect(await text("level = 3")).toMatch(/^TypeError: level belongs to cell cell of the notebook and cannot be assigned here/);
  expect(await text("const rate = 9\nrate")).toBe("9");
  expect((await kernel.run("[rate, typeof a]", { id: "other" })).displays.map((data) => data["text/plain"])).toEqual(["[ 0.5, 'undefined' ]"]);
  expect((await kernel.query({ query: "variables" })) as { name: string }[]).toMatchObject([{ name: "rate" }, { name: "level" }]);
});

it("marks results, named displays and updates", async () => {
  const done = await ask("display(1); display(2, { id: 'n' }); display(3, { id: 'n', update: true }); 4");
  expect(done.outputs.map((output) => output.kind === "display" && [output.id, output.as, output.data["text/plain"]])).toEqual([
    ["d1", undefined, "1"],
    ["n", "named", "2"],
    ["n", "update", "3"],
    ["d2", "result", "4"],
  ]);
});

it("shows a relation once, as its rows", async () => {
  await ask("const numbers = sql`select 1 as x`");
  const done = await ask("sql`select x + 1 as y from numbers`");
  expect(done.outputs.length).toBe(1);
  expect(done.displays[0]!["text/plain"]).toContain("y\n2");
});

it("gives an error its line in the request", async () => {
  const { error } = await ask("const fine = 1\nfunction deep() {\n  throw new Error('here')\n}\ndeep()");
  expect(error).toMatchObject({ message: "here", line: 3, code: "  throw new Error('here')" });
  expect(error!.frames.map(({ line }) => line)).toEqual([3, 5]);
});

it("an interrupted request leaves the names", async () => {
  await ask("let kept = 'kept'");
  const { run, done } = kernel.start("kept = 'changed'; console.log('begun'); for (;;) {}", { id: `jupyter-${++count}`, console: true });
  await kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes("begun"));
  kernel.interrupt(run);
  expect((await done).result).toBe("interrupted");
  expect(await text("kept")).toBe("changed");
});

it("looks at values without running a getter", async () => {
  await ask(
    "globalThis.got = 0; const thing = { inner: { deep: [1], get bad() { globalThis.got++; return 1 } }, say(word: string) { return word } }",
  );
  const look = (...path: string[]) => kernel.query({ query: "look", path }) as Promise<Look | null>;
  expect((await look("thing"))!.properties.slice(0, 2)).toEqual([
    { name: "inner", type: "object" },
    { name: "say", type: "function" },
  ]);
  expect((await look("thing", "inner", "deep"))!.properties.map(({ name }) => name)).toContain("map");
  expect((await look("thing", "inner"))!.properties).toContainEqual({ name: "bad", type: "property" });
  expect(await look("thing", "inner", "bad", "x")).toBeNull();
  expect((await look("thing", "say"))!.source).toContain("return word");
  expect((await look())!.properties).toContainEqual({ name: "thing", type: "Object" });
  expect((await look("Math"))!.properties.map(({ name }) => name)).toContain("max");
  expect(await text("globalThis.got")).toBe("0");
});
