import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let kernel: TestKernel;
beforeAll(async () => {
  kernel = await startKernel({ backend: "wasm" });
  await kernel.run("const kept = [1, 2, 3]", { id: "kept" });
});
afterAll(() => kernel.close());

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
let count = 1;
const go = () => `console.log("go r${++count}");`;

const cases: [name: string, source: () => string][] = [
  ["a loop", () => `${go()} for (;;) {}`],
  ["a loop after an await", () => `await new Promise((r) => setTimeout(r, 1)); ${go()} for (;;) {}`],
  ["a loop that catches all", () => `${go()} for (;;) { try { null.x } catch {} }`],
  ["a storm of timers", () => `${go()} const spin = () => { for (let i = 0; i < 1e5; i++); setTimeout(spin, 0); setTimeout(spin, 0) }; spin(); await new Promise(() => {})`],
  ["a loop in a timer", () => `setTimeout(() => { ${go()} for (;;) {} }, 1); await new Promise(() => {})`],
  ["a regular expression that blows up", () => `${go()} /(a+)+$/.test("a".repeat(40) + "b")`],
  ["a storm of microtasks", () => `${go()} const again = async () => { for (;;) await null }; await again()`],
  ["microtasks behind the compiler's back", () => `${go()} const again = () => Promise.resolve().then(again); await again()`],
  ["an await that never ends", () => `${go()} await new Promise(() => {})`],
  ["a tidy loop", () => `${go()} for (;;) tf.tidy(() => tf.ones([50, 50]).matMul(tf.ones([50, 50])))`],
  ["a gradient loop", () => `const v = tf.variable(tf.scalar(2)); ${go()} for (;;) tf.variableGrads(() => v.square()).value.dispose()`],
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
    count++;
    const after = await kernel.run("kept.length + 1", { id: "after" });
    expect(after.error).toBeUndefined();
    expect(after.displays).toEqual([{ "text/plain": "4" }]);
  });
}
