import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.close());

it("shows the last expression", async () => {
  const done = await kernel.run("1 + 1");
  expect(done.result).toBe("ok");
  expect(done.displays).toEqual([{ "text/plain": "2" }]);
});

it("hands names from cell to cell", async () => {
  await kernel.run("const a = 20\nlet b: number = 1\nb += 1\nexport function twice(x: number) { return x * 2 }", { id: "one" });
  expect((await kernel.run("twice(a) + b")).displays).toEqual([{ "text/plain": "42" }]);
});
