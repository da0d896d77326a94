/** Tensors that nobody holds are freed; those that anybody may hold are not. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await startKernel({ backend: "wasm" });
  await kernel.run(
    `import v8 from "node:v8"; import vm from "node:vm"; v8.setFlagsFromString("--expose-gc"); globalThis.gc = vm.runInNewContext("gc")`,
    { id: "gc" },
  );
});
afterAll(() => kernel.close());

const shown = async (source: string, id = "shown") => {
  const { displays, error } = await kernel.run(source, { id });
  expect(error?.message).toBeUndefined();
  return displays[0]!["text/plain"];
};
/** living tensors, once what is to be freed is freed */
const count = async () =>
  Number(await shown("for (let i = 0; i < 5; i++) { gc(); await new Promise((r) => setTimeout(r)) } tf.memory().numTensors", "count"));

it("500 runs of a cell that leaks leave the number of tensors and the back end's memory as they were", { timeout: 120_000 }, async () => {
  const leak = (i: number) =>
    `const w = tf.ones([50, 50]); let s = 0; for (let i = 0; i < 4; i++) { const y = w.matMul(w).add(${i}); s += y.shape[0] } s`;
  for (let i = 0; i < 20; i++) await kernel.run(leak(i), { id: "leak" });
  const before = await count();
  const memory = "process.memoryUsage().arrayBuffers + process.memoryUsage().external";
  const bytes = Number(await shown(memory, "memory"));
  for (let i = 0; i < 480; i++) await kernel.run(leak(i), { id: "leak" });
  await expect.poll(count, { timeout: 30_000 }).toBe(before);
  // 480 runs that kept their 8 products would hold 38 MB
  expect(Number(await shown(memory, "memory")) - bytes).toBeLessThan(20e6);
});

it("frees them by itself when many came, without being asked", async () => {
  await kernel.run("0", { id: "leak" });
  const before = await count();
  await kernel.run("for (let i = 0; i < 1000; i++) tf.ones([10]).square()", { id: "many" });
  const told = await kernel.until((message) => "type" in message && message.type === "backend" && message.tensors.count >= before + 2000);
  expect(told).toBeDefined();
  await expect
    .poll(() => kernel.messages.findLast((message) => message.type === "backend")!.tensors.count, { timeout: 20_000 })
    .toBeLessThan(before + 50);
});

it("frees none that a name, a list, a closure, a timer, a promise, a package or a display holds", async () => {
  await kernel.run(
    `const named = tf.tensor([1]); const list = [new Map([["a", { deep: tf.tensor([2]) }]])]; const read = ((t) => () => t.dataSync()[0])(tf.tensor([3]));
    globalThis.there = tf.tensor([4]); class Box { #inner = tf.tensor([5]); get() { return this.#inner.dataSync()[0] } } const box = new Box()
    const later = new Promise((done) => { const t = tf.tensor([6]); setTimeout(() => done(t.dataSync()[0]), 300) })
    display(tf.tensor([7])); const loss = tf.variable(tf.tensor([8]))`,
    { id: "holds" },
  );
  await count();
  expect(
    await shown(
      "const values = [named.dataSync()[0], list[0].get('a').deep.dataSync()[0], read(), there.dataSync()[0], box.get(), await later, loss.dataSync()[0]]; values.join()",
    ),
  ).toBe("1,2,3,4,5,6,8");
});

it("keeps what a stale cell has read until that cell runs again", async () => {
  const uses = (names: string[]) => ({ uses: names });
  await kernel.run("const t = tf.tensor([1, 2])", { id: "maker" });
  await kernel.run("const use = () => t.sum().dataSync()[0]", { id: "reader", ...uses(["t"]) });
  await kernel.run("const twice = () => 2 * use()", { id: "second", ...uses(["use"]) });
  const before = await count();
  // the maker runs again: the reader is stale, and so is who reads from it
  for (let i = 0; i < 3; i++) await kernel.run("const t = tf.tensor([10, 20])", { id: "maker" });
  expect(await shown("const results = [use(), twice()]; results.join()")).toBe("3,6");
  // one tensor is the present one, one is the reader's
  expect(await count()).toBe(before + 1);
  await kernel.run("const use = () => t.sum().dataSync()[0]", { id: "reader", ...uses(["t"]) });
  expect(await shown("const results = [use(), twice()]; results.join()")).toBe("30,6");
  await kernel.run("const twice = () => 2 * use()", { id: "second", ...uses(["use"]) });
  expect(await shown("const results = [use(), twice()]; results.join()")).toBe("30,60");
  await kernel.run("0", { id: "shown" });
  expect(await count()).toBe(before);
});

it("a model whose cell runs again is freed when nobody may use it any more", async () => {
  const model = "const net = tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 8 })] })";
  await kernel.run(model, { id: "net" });
  await kernel.run("const ask = () => tf.tidy(() => net.predict(tf.ones([1, 4])).shape[1])", { id: "ask", uses: ["net"] });
  const before = await count();
  await kernel.run(model, { id: "net" });
  expect(await shown("ask()")).toBe("8");
  expect(await count()).toBe(before + 2);
  await kernel.run("const ask = 0", { id: "ask", uses: ["net"] });
  await kernel.run("0", { id: "shown" });
  expect(await count()).toBe(before);
});

it("says what stands inside other values, not the engines' own fields", async () => {
  const made =
    "const rows = sql`select 1 as a`; const split = sql`select range as k from range(9)`.split({ by: 'hash', key: 'k' }); const net = tf.sequential({ name: 'net', layers: [tf.layers.dense({ inputShape: [1], units: 1 })] }); const pair = [rows, tf.ones([2, 3])]";
  await kernel.run(made, { id: "made" });
  expect(await shown("[rows, { split, net }, pair[1], `${rows}`, JSON.stringify({ rows })]")).toBe(
    "[\n  Relation rows,\n  { split: Split by hash of k, net: Sequential net, 1 layer },\n  Tensor float32 [2, 3],\n  'Relation rows',\n  '{\"rows\":\"Relation rows\"}'\n]",
  );
  const told = await kernel.until(
    (message) => "type" in message && message.type === "variables" && message.variables.some(({ name }) => name === "pair"),
  );
  const variables = Object.fromEntries(
    (told as { variables: { name: string; type: string; preview: string }[] }).variables.map((one) => [one.name, one]),
  );
  expect(variables["rows"]).toMatchObject({ type: "Relation", preview: "Relation rows" });
  expect(variables["split"]).toMatchObject({ type: "Split", preview: "Split by hash of k" });
  expect(variables["net"]).toMatchObject({ type: "Model", preview: "Sequential net, 1 layer" });
  expect(variables["pair"]).toMatchObject({ preview: "[ [Relation], [Tensor] ]" });
});

it("a back end that is disposed of does not take the kernel's listeners for stray errors along", async () => {
  const other = await startKernel({ backend: "wasm" });
  await other.run("tf.ones([2]).sum().dataSync()[0]");
  await other.run("tf.removeBackend('wasm')\nPromise.reject(new Error('nobody waits'))\nundefined");
  await other.until((message) => "kind" in message && message.kind === "error" && message.error.message === "nobody waits");
  expect((await other.run("1 + 1")).displays).toEqual([{ "text/plain": "2" }]);
  await other.close();
});
