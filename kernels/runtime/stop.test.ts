import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";
import { runawayKernel, runaways } from "../../test/support/runaways.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await runawayKernel();
  await kernel.run(
    `import v8 from "node:v8"; import vm from "node:vm"; v8.setFlagsFromString("--expose-gc"); globalThis.gc = vm.runInNewContext("gc")`,
    { id: "gc" },
  );
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

for (const [name, source] of runaways) {
  it(`stops ${name}`, async () => {
    await stopped(source(go()));
    const after = await kernel.run("kept.length + 1", { id: "after" });
    expect(after.error).toBeUndefined();
    expect(after.displays).toEqual([{ "text/plain": "4" }]);
  });
}

it("is as good as new after 200 stops", { timeout: 240_000 }, async () => {
  await kernel.run("const warm = tf.zeros([2, 2]); const rows = sql`select range as x from range(10)`", { id: "warm" });
  await kernel.run(training, { id: "train" });
  for (const id of ["train", "loop"]) await kernel.run("0", { id });
  // tensors that nobody holds are freed as the garbage collector finds them
  const state = `for (let i = 0; i < 3; i++) { gc(); await new Promise((r) => setTimeout(r)) }
    const { state } = tf.engine(); JSON.stringify([state.scopeStack.length, state.gradientDepth, state.kernelDepth, state.activeTape, tf.memory().numTensors])`;
  const before = (await kernel.run(state, { id: "state" })).displays;
  for (let i = 0; i < 200; i++) {
    await stopped(runaways[(i * 7) % runaways.length]![1](go()));
    await kernel.run("0", { id: "loop" });
  }
  expect((await kernel.run(state, { id: "state" })).displays).toEqual(before);
  expect((await kernel.run("(await rows.count()) + kept.length", { id: "after" })).displays).toEqual([{ "text/plain": "13" }]);
  const trained = await kernel.run(training, { id: "train" });
  const fresh = await startKernel({ backend: "wasm" });
  expect(trained.displays).toEqual((await fresh.run(training, { id: "train" })).displays);
  await fresh.close();
});

it("holds no tensor of 20 stops in the middle of a back end's code", async () => {
  const [, convolutions] = runaways.find(([name]) => name === "a loop of convolutions")!;
  const count = async () => {
    await kernel.run("0", { id: "loop" });
    return (await kernel.run("for (let i = 0; i < 3; i++) { gc(); await new Promise((r) => setTimeout(r)) } tf.memory().numTensors", { id: "state" }))
      .displays;
  };
  const before = await count();
  for (let i = 0; i < 20; i++) await stopped(convolutions(go()));
  expect(await count()).toEqual(before);
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

it("keeps nothing of 500 runs", { timeout: 120_000 }, async () => {
  const lean = await startKernel({ backend: "wasm" });
  await lean.run(
    `import v8 from "node:v8"; import vm from "node:vm"; v8.setFlagsFromString("--expose-gc"); globalThis.gc = vm.runInNewContext("gc")`,
    { id: "gc" },
  );
  const counts = `for (let i = 0; i < 3; i++) { gc(); await new Promise((r) => setTimeout(r)) }
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    const [{ tables }] = await sql\`select ((select count(*) from duckdb_tables()) + (select count(*) from duckdb_views()))::integer as tables\`.rows()
    JSON.stringify({ bytes: heapUsed + arrayBuffers, tensors: tf.memory().numTensors, tables, resources: process.getActiveResourcesInfo().length })`;
  const measure = async () =>
    JSON.parse(String((await lean.run(counts, { id: "counts" })).displays[0]!["text/plain"])) as Record<
      "bytes" | "tensors" | "tables" | "resources",
      number
    >;
  const again = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const { error } = await lean.run(
        `const big: Float64Array = new Float64Array(125_000).fill(1); const read = () => big[0]; console.log(read()); display({ i: ${i}, read })
        const squares = sql\`select range * range as x from range(20)\`; const table = relation([{ a: 1 }, { a: 2 }]); display(await squares.where("x > " + (await table.count())).rows())
        const held = tf.tidy(() => tf.variable(tf.zeros([64]))); tf.tidy(() => void tf.variableGrads(() => held.square().sum()))
        setInterval(read, 1000); setTimeout(read, 1e6); cell.signal.addEventListener("abort", read); cell.onDispose(read)`,
        { id: "big" },
      );
      expect(error?.message).toBeUndefined();
    }
  };
  await again(50);
  const before = await measure();
  await again(450);
  // names that a run has dropped are freed behind it
  await expect.poll(async () => ({ ...(await measure()), bytes: 0 }), { timeout: 30_000 }).toEqual({ ...before, bytes: 0 });
  // one leaked run of 450 would be 450 MB in all; what remains is the JIT's
  expect((await measure()).bytes - before.bytes).toBeLessThan(8e6);
  await lean.close();
});

it("stops an endless loop in `cell.onDispose`, and one in a timer of a cell that is over", async () => {
  const mark = (name: string) => `writeFileSync(${JSON.stringify(join(kernel.workspace, name))}, "")`;
  const endless: [name: string, first: string, next: string][] = [
    [
      "disposer",
      `import { existsSync, mkdirSync, writeFileSync } from "node:fs"; cell.onDispose(() => { ${mark("disposer")}; for (;;); }); 1`,
      "late",
    ],
    ["timer", `import { existsSync, mkdirSync, writeFileSync } from "node:fs"; setTimeout(() => { ${mark("timer")}; for (;;); }, 20); 1`, "other"],
  ];
  for (const [name, source, next] of endless) {
    await kernel.run(source, { id: "late" });
    const { run, done } = kernel.start("kept.length", { id: next });
    await expect.poll(() => existsSync(join(kernel.workspace, name)), { timeout: 10_000 }).toBe(true);
    kernel.interrupt(run);
    await done;
    expect((await kernel.run("kept.length + 1", { id: "after" })).displays, name).toEqual([{ "text/plain": "4" }]);
  }
});

it("shows what a loop printed before it fell silent, while it runs", async () => {
  const { run, done } = kernel.start('for (let i = 0; i < 100; i++) console.log("silent " + i)\nfor (;;) {}', { id: "loop" });
  await kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes("silent 99"));
  kernel.interrupt(run);
  const { result, stdout } = await done;
  expect([result, stdout]).toEqual(["interrupted", Array.from({ length: 100 }, (_, i) => `silent ${i}\n`).join("")]);
});

it("a strike in a package's own immediate leaves those that wait behind it", async () => {
  const folder = join(kernel.workspace, "node_modules", "batch");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "name": "batch", "version": "1.0.0", "main": "index.cjs" }');
  // three in one batch; the second one loops, once
  writeFileSync(
    join(folder, "index.cjs"),
    `let looped = false; const seen = []; exports.seen = seen
    exports.start = (go) => { setImmediate(() => seen.push(1)); setImmediate(() => { if (looped) return; looped = true; go(); for (;;); }); setImmediate((x) => seen.push(x), 3) }`,
  );
  const { run, done } = kernel.start(
    `import { start, seen } from "batch"; start(() => console.log("go r${kernel.runs + 1}")); await new Promise(() => {})`,
    { id: "loop" },
  );
  await kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes(`go ${run}`));
  kernel.interrupt(run);
  expect((await done).result).toBe("interrupted");
  const after = await kernel.run('import { seen } from "batch"; await new Promise((r) => setTimeout(r, 20)); seen.join()', { id: "after" });
  expect(after.displays).toEqual([{ "text/plain": "1,3" }]);
});

it("makes a split again that was being made when a strike came", async () => {
  await kernel.run(
    'const flights = relation(Array.from({ length: 1000 }, (_, i) => ({ i, day: i % 10 })))\nconst parts = { now: flights.split({ by: "hash", key: "i" }) }',
    {
      id: "parts",
    },
  );
  for (let i = 0; i < 5; i++) {
    const { run, done } = kernel.start(`void parts.now.train.count().catch(() => {}); console.log("go r${kernel.runs + 1}"); for (;;) {}`, {
      id: "loop",
      uses: ["parts"],
    });
    await kernel.until((message) => "kind" in message && message.kind === "stream" && message.text.includes(`go ${run}`));
    kernel.interrupt(run);
    expect((await done).result).toBe("interrupted");
  }
  const counted = await kernel.run("(await parts.now.train.count()) + (await parts.now.valid.count()) + (await parts.now.test.count())", {
    id: "after",
    uses: ["parts"],
  });
  expect(counted.displays).toEqual([{ "text/plain": "1000" }]);
});
