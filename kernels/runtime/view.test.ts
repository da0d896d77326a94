/** `view(input)` in a real kernel: the control is told, its value is the cell's. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Control } from "../protocol/controls.js";
import type { FromKernel } from "../protocol/kernel.js";
import type { Run } from "./run.js";
import { sourceWith } from "./view.js";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.close());

const controls = (run: string): Control[] =>
  kernel.messages.flatMap((message: FromKernel) => (message.type === "control" && message.run === run ? [message.control] : []));
const alpha = "const alpha = view(input.range({ min: 0, max: 1, step: 0.1, value: 0.5 }))\nalpha * 2";

it("yields the default, then what is held, which other cells read", async () => {
  const first = await kernel.run(alpha, { id: "a", defines: ["alpha"] });
  expect([first.result, first.displays.map((each) => each["text/plain"])]).toEqual(["ok", ["1"]]);
  expect(controls(first.run)).toMatchObject([{ key: "alpha", value: 0.5, spec: { type: "range", label: "alpha", min: 0, max: 1, step: 0.1 } }]);
  const second = await kernel.run(alpha, { id: "a", defines: ["alpha"], controls: { alpha: 0.7 } });
  expect(controls(second.run)).toMatchObject([{ key: "alpha", value: 0.7, spec: { value: 0.5 } }]);
  expect((await kernel.run("alpha + 1", { uses: ["alpha"] })).displays[0]).toMatchObject({ "text/plain": "1.7" });
});

it("keeps its order in loops, after awaits and in other cells' functions", async () => {
  await kernel.run("const ask = (label: string) => view(input.number({ label, value: 3 }))", { id: "f", defines: ["ask"] });
  const done = await kernel.run(
    'const got: number[] = []\nfor (const name of ["x", "y", "x"]) { await 0; got.push(ask(name)) }\nview(input.text({ label: "t" }))\ngot.join()',
    { id: "g", uses: ["ask"], controls: { "x 2": 9 } },
  );
  expect(done.displays.at(-1)).toMatchObject({ "text/plain": "3,3,9" });
  expect(kernel.messages.filter((message) => message.type === "control" && message.cell === "g")).toHaveLength(4);
  expect(controls(done.run).map(({ key }) => key)).toEqual(["x", "y", "x 2", "t"]);
});

it("fails the cell with a sentence, also from a timer after its run", async () => {
  expect((await kernel.run("view(3)")).error).toMatchObject({
    message: expect.stringContaining("Expected view() to get an input") as string,
    line: 1,
  });
  expect((await kernel.run("input.range({ min: 0, max: 1, step: 5 })")).error?.message).toContain("needs `step` above 0");
  const late = await kernel.run("setTimeout(() => { try { view(input.text()) } catch (error) { console.log(error.message) } }, 1)");
  await kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes("while its cell runs"));
  expect(late.result).toBe("ok");
});

it("is part of what names a result on disk, which brings its controls back", async () => {
  const run = (value?: number) => kernel.run(alpha, { id: "kept", cache: true, ...(value !== undefined && { controls: { alpha: value } }) });
  const cached = async (value?: number) => {
    const done = await run(value);
    return [done.cached !== undefined, done.displays[0]?.["text/plain"], controls(done.run)[0]?.value];
  };
  expect([await cached(), await cached(0.7), await cached(0.9)]).toEqual([
    [false, "1", 0.5],
    [false, "1.4", 0.7],
    [false, "1.8", 0.9],
  ]);
  expect([await cached(0.7), await cached()]).toEqual([
    [true, "1.4", 0.7],
    [true, "1", 0.5],
  ]);
});

it("is part of what a result is made of", () => {
  const of = (value: number) => {
    const spec = { type: "number" as const, label: "n", value: 1, min: null, max: null, step: null, debounce: false };
    return sourceWith({ cell: { source: "n" }, controls: [{ key: "n", spec, value }] } as unknown as Run);
  };
  expect([of(1), of(2)]).toEqual(["n", 'n\n[["n",2]]']);
});

it("is text in a console", async () => {
  const done = await kernel.run('const n = view(input.number({ label: "n", value: 4 }))', { console: true });
  expect(done.displays).toMatchObject([{ "text/plain": "n: 4" }]);
  expect(controls(done.run)).toEqual([]);
});

it("stands for itself in `import` and shadows nothing", async () => {
  expect((await kernel.run('import { view as show, input as of } from "touchstone"\nshow(of.number({ value: 2 }))')).displays[0]).toMatchObject({
    "text/plain": "2",
  });
  expect((await kernel.run("const input = 3; const view = (x: number) => x\nview(input)")).displays[0]).toMatchObject({ "text/plain": "3" });
});
