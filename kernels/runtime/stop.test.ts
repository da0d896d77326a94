import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await startKernel({ backend: "wasm" });
  writeFileSync(
    join(kernel.workspace, "spin.ts"),
    "export function spin(): never { for (;;); }\nexport async function later(): Promise<never> { await null; for (;;); }\n",
  );
  await kernel.run("const kept = [1, 2, 3]", { id: "kept" });
});
afterAll(() => kernel.close());

const training = `const net = tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 8, activation: "relu" }), tf.layers.dense({ units: 1 })] })
net.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError" })
const xs = tf.randomNormal([200, 4], 0, 1, "float32", 7), ys = xs.sum(1, true)
const { history } = await net.fit(xs, ys, { epochs: 3, batchSize: 32, verbose: 0 })
history.loss.join()`;

/** Runs `source`, waits until it has printed "go", stops it. */
async function stopped(source: string): Promise<string> {
  const { run, done } = kernel.start(source, { id: "loop" });
  const stop = kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes(`go ${run}`));
  await stop;
  kernel.interrupt(run);
  const { result } = await done;
  const told = await kernel.until((message) => "how" in message && message.run === run && message.how !== "stuck");
  expect(result).toBe("interrupted");
  return (told as { how: string }).how;
}
const go = () => `console.log("go r${kernel.runs + 1}");`;

const cases: [name: string, source: () => string][] = [
  ["a loop", () => `${go()} for (;;) {}`],
  ["a loop after an await", () => `await new Promise((r) => setTimeout(r, 1)); ${go()} for (;;) {}`],
  ["a loop that catches all", () => `${go()} for (;;) { try { null.x } catch {} }`],
  [
    "a storm of timers",
    () =>
      `${go()} const spin = () => { for (let i = 0; i < 1e5; i++); setTimeout(spin, 0); setTimeout(spin, 0) }; spin(); await new Promise(() => {})`,
  ],
  ["a loop in a timer", () => `setTimeout(() => { ${go()} for (;;) {} }, 1); await new Promise(() => {})`],
  ["a regular expression that blows up", () => `${go()} /(a+)+$/.test("a".repeat(40) + "b")`],
  ["a storm of microtasks", () => `${go()} const again = async () => { for (;;) await null }; await again()`],
  ["microtasks behind the compiler's back", () => `${go()} const again = () => Promise.resolve().then(again); await again()`],
  ["an await that never ends", () => `${go()} await new Promise(() => {})`],
  ["a tidy loop", () => `${go()} for (;;) tf.tidy(() => void tf.ones([50, 50]).matMul(tf.ones([50, 50])))`],
  [
    "a gradient loop",
    () => `const v = tf.tidy(() => tf.variable(tf.scalar(2))); ${go()} for (;;) tf.tidy(() => void tf.variableGrads(() => v.square()))`,
  ],
  ["a generator that never ends", () => `function* all() { for (let i = 0; ; i++) yield i } ${go()} for (const i of all()) void i`],
  [
    "an async generator that never ends",
    () => `async function* all() { for (let i = 0; ; i++) yield i } ${go()} for await (const i of all()) void i`,
  ],
  [
    "an async iterator that never answers",
    () => `${go()} for await (const i of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) void i`,
  ],
  ["a chain of immediates", () => `${go()} const next = () => { setImmediate(next); setImmediate(() => {}) }; next(); await new Promise(() => {})`],
  ["a storm of nextTicks", () => `${go()} const next = () => process.nextTick(next); next(); await new Promise(() => {})`],
  [
    "a recursion that catches its own overflow",
    () => `${go()} const deep = () => { try { deep() } catch {} deep() }; for (;;) { try { deep() } catch {} }`,
  ],
  ["an allocation loop", () => `${go()} for (;;) { const list = []; for (let i = 0; i < 1e4; i++) list.push({ i }) }`],
  ["a loop in a getter", () => `const odd = { get x() { for (;;) {} } }; ${go()} display({ ...odd })`],
  ["a loop in a proxy that display reads", () => `${go()} display(new Proxy({}, { ownKeys() { for (;;) {} }, get() { for (;;) {} } }))`],
  ["a loop in toString", () => `${go()} display(\`\${{ toString() { for (;;) {} } }}\`)`],
  ["a loop in a getter of the last value", () => `${go()} ;({ get [Symbol.toStringTag]() { for (;;) {} } })`],
  [
    "a loop in an event of an emitter",
    () => `import { EventEmitter } from "node:events"; const e = new EventEmitter(); e.on("x", () => { for (;;) {} }); ${go()} e.emit("x")`,
  ],
  ["a wait for memory that nobody changes", () => `${go()} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`],
  ["a loop in an imported file", () => `import { spin } from "./spin.ts"; ${go()} spin()`],
  ["a loop behind an await in an imported file", () => `import { later } from "./spin.ts"; ${go()} await later()`],
  [
    "a sort by a comparison that never tires",
    () => `${go()} for (;;) Array.from({ length: 1e4 }, (_, i) => (i * 7919) % 10007).sort((a, b) => a - b)`,
  ],
  [
    "a request that is never answered",
    () =>
      `import { createServer } from "node:http"; const dumb = createServer(() => {}); await new Promise((r) => dumb.listen(0, "127.0.0.1", r)); cell.onDispose(() => { dumb.closeAllConnections(); dumb.close() }); ${go()} await fetch("http://127.0.0.1:" + dumb.address().port)`,
  ],
  ["a loop that prints", () => `${go()} for (let i = 0; ; i++) { console.log(i); for (let j = 0; j < 1e5; j++); }`],
  ["a loop that prints after an await", () => `${go()} for (let i = 0; ; i++) { await null; if (i % 1000 === 0) console.log("x".repeat(1000)) }`],
  ["a loop that displays", () => `${go()} for (let i = 0; ; i++) { display({ i }, { id: "same" }); for (let j = 0; j < 1e6; j++); }`],
  ["a query", () => `${go()} await sql\`select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = 7\`.rows()`],
  ["the wait for a request", () => `${go()} await fetch("http://127.0.0.1:1/").catch(() => new Promise(() => {}))`],
  [
    "a training",
    () => `const m = tf.sequential({ layers: [tf.layers.dense({ inputShape: [8], units: 16 }), tf.layers.dense({ units: 1 })] })
m.compile({ optimizer: "sgd", loss: "meanSquaredError" })
const x = tf.ones([2000, 8]), y = tf.ones([2000, 1])
${go()} await m.fit(x, y, { epochs: 1e6, verbose: 0 })`,
  ],
];
for (const [name, source] of cases) {
  it(`stops ${name}`, async () => {
    await stopped(source());
    const after = await kernel.run("kept.length + 1", { id: "after" });
    expect(after.error).toBeUndefined();
    expect(after.displays).toEqual([{ "text/plain": "4" }]);
  });
}

it("is as good as new after 200 stops", { timeout: 240_000 }, async () => {
  await kernel.run("const warm = tf.zeros([2, 2]); const rows = sql`select range as x from range(10)`", { id: "warm" });
  await kernel.run(training, { id: "train" });
  for (const id of ["train", "loop"]) await kernel.run("0", { id });
  const state = `const { state } = tf.engine(); JSON.stringify([state.scopeStack.length, state.gradientDepth, state.kernelDepth, state.activeTape, tf.memory().numTensors])`;
  const before = (await kernel.run(state, { id: "state" })).displays;
  const quick = cases.filter(([name]) =>
    /^(a loop|a loop after an await|a loop that catches all|a storm of \w+|a loop in a timer|microtasks behind.*|an await that never ends|a \w+ loop|a query|the wait for a request|a training)$/.test(
      name,
    ),
  );
  for (let i = 0; i < 200; i++) {
    await stopped(quick[(i * 7) % quick.length]![1]());
    await kernel.run("0", { id: "loop" });
  }
  expect((await kernel.run(state, { id: "state" })).displays).toEqual(before);
  expect((await kernel.run("(await rows.count()) + kept.length", { id: "after" })).displays).toEqual([{ "text/plain": "13" }]);
  const trained = await kernel.run(training, { id: "train" });
  const fresh = await startKernel({ backend: "wasm" });
  expect(trained.displays).toEqual((await fresh.run(training, { id: "train" })).displays);
  await fresh.close();
});

it("cancels a run that waits in the queue", async () => {
  const first = kernel.start(`${go()} await new Promise(() => {})`, { id: "loop" });
  const second = kernel.start("1", { id: "second" });
  kernel.interrupt(second.run);
  expect((await second.done).result).toBe("interrupted");
  kernel.interrupt(first.run);
  expect((await first.done).result).toBe("interrupted");
});

it("only sets the signal when asked to stop softly", async () => {
  const { run, done } = kernel.start(`${go()} await new Promise((r) => cell.signal.addEventListener("abort", r)); "kept best"`, { id: "loop" });
  await kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes(`go ${run}`));
  kernel.interrupt(run, true);
  expect(await done).toMatchObject({ result: "ok", displays: [{ "text/plain": "kept best" }] });
});

it("stops a cell that nears the memory limit", async () => {
  const small = await startKernel({ memoryLimit: 400 * 2 ** 20 });
  const done = await small.run("const hoard = []; for (;;) { hoard.push(new Float64Array(1e5).fill(1)); for (let i = 0; i < 1e6; i++); }");
  expect(done.result).toBe("interrupted");
  expect(small.controls.some((message) => message.type === "near-limit")).toBe(true);
  expect((await small.run("hoard.length > 0")).displays).toEqual([{ "text/plain": "true" }]);
  await small.close();
});

it("keeps nothing of 500 runs", async () => {
  const lean = await startKernel();
  const heap = async () =>
    (
      await lean.run(
        "for (let i = 0; i < 3; i++) { gc(); await new Promise((r) => setTimeout(r)) } process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers",
        { id: "heap" },
      )
    ).displays;
  await lean.run(
    `import v8 from "node:v8"; import vm from "node:vm"; v8.setFlagsFromString("--expose-gc"); globalThis.gc = vm.runInNewContext("gc")`,
    { id: "gc" },
  );
  const again = async (times: number) => {
    for (let i = 0; i < times; i++)
      await lean.run(
        "const big: Float64Array = new Float64Array(125_000).fill(1); const read = () => big[0]; console.log(read()); setInterval(read, 1000)",
        { id: "big" },
      );
  };
  await again(50);
  const before = Number((await heap())[0]!["text/plain"]);
  await again(450);
  const after = Number((await heap())[0]!["text/plain"]);
  // one leaked run of 450 would be 450 MB; what remains is the JIT's
  expect(after - before).toBeLessThan(4e6);
  await lean.close();
});
