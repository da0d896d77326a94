import { afterAll, beforeAll, expect, it } from "vitest";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

const seed = 20261127;
const strikes = 300;

let kernel: TestKernel;
beforeAll(async () => {
  // a thread that is busy for 3 ms is struck: at any moment of a cell's life, also where it begins and ends
  kernel = await startKernel({ backend: "wasm", env: { TOUCHSTONE_PATIENCE: "3" } });
});
afterAll(() => kernel.close());

/** mulberry32 */
function draws(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Cells that are busy for about `ms` and then end by themselves, most of the time inside of what the kernel gives them. */
const busy: [name: string, source: (ms: number) => string][] = [
  ["prints", (ms) => `const end = performance.now() + ${ms}; for (let i = 0; performance.now() < end; i++) console.log("line " + i)`],
  [
    "prints between awaits",
    (ms) => `const end = performance.now() + ${ms}; for (let i = 0; performance.now() < end; i++) { await null; console.log("line " + i) }`,
  ],
  [
    "displays",
    (ms) => `const end = performance.now() + ${ms}; for (let i = 0; performance.now() < end; i++) display({ i, list: [1, 2, { deep: i }] })`,
  ],
  [
    "figures",
    (ms) =>
      `const end = performance.now() + ${ms}; while (performance.now() < end) display({ data: [{ type: "bar", y: [1, 2] }], layout: {} }, { id: "one" })`,
  ],
  ["timers", (ms) => `const end = performance.now() + ${ms}; while (performance.now() < end) clearTimeout(setTimeout(() => {}, 1e6))`],
  [
    "timers that print",
    (ms) =>
      `for (let t = 0; t < ${ms}; t++) setTimeout(() => { const end = performance.now() + 2; while (performance.now() < end); console.log("line") }, t); await new Promise((r) => setTimeout(r, ${ms}))`,
  ],
  [
    "an error at the end",
    (ms) => `const end = performance.now() + ${ms}; while (performance.now() < end); throw new Error("at the end", { cause: new Error("of it") })`,
  ],
  ["progress", (ms) => `const end = performance.now() + ${ms}; for (let i = 0; performance.now() < end; i++) progress("work", i, 1e6)`],
  [
    "tensors",
    (ms) =>
      `const end = performance.now() + ${ms}; const v = tf.tidy(() => tf.variable(tf.scalar(2))); while (performance.now() < end) tf.tidy(() => void tf.variableGrads(() => v.square().mul(v)))`,
  ],
  [
    "queries",
    (ms) => `const end = performance.now() + ${ms}; while (performance.now() < end) await sql\`select count(*) as n from range(1000)\`.rows()`,
  ],
  [
    "queries beside a storm",
    (ms) =>
      `const end = performance.now() + ${ms}; const again = () => performance.now() < end ? Promise.resolve().then(again) : 0; const t = sql\`select range as x from range(100)\`; void t.rows(); await again(); await t.rows()`,
  ],
  [
    "disposers and listeners",
    (ms) =>
      `const spin = () => { const end = performance.now() + ${ms}; while (performance.now() < end); }; cell.onDispose(spin); cell.signal.addEventListener("abort", spin); spin()`,
  ],
];

const state = `const { state } = tf.engine(); JSON.stringify([state.scopeStack.length, state.gradientDepth, state.kernelDepth, state.activeTape, tf.memory().numTensors])`;
const answer = async (source: string, id: string) => {
  const done = await kernel.run(source, { id });
  expect(done.error).toBeUndefined();
  return done.displays.at(-1)?.["text/plain"];
};

it(`never a cut inside the kernel's own code (${strikes} strikes at random moments, seed ${seed})`, { timeout: 300_000 }, async () => {
  const draw = draws(seed);
  await kernel.run("const kept = [1, 2, 3]", { id: "kept" });
  await kernel.run("const warm = tf.zeros([2, 2]); const rows = sql`select range as x from range(10)`", { id: "warm" });
  for (const [, source] of busy) await kernel.run(source(5), { id: "busy" });
  await kernel.run("0", { id: "busy" });
  const before = await answer(state, "state");

  let struck = 0;
  for (let i = 0; struck < strikes; i++) {
    const [name, source] = busy[Math.floor(draw() * busy.length)]!;
    const { run, done } = kernel.start(source(5 + draw() * 25), { id: "busy" });
    // the moment is random, nothing waits for it
    await new Promise((resolve) => setTimeout(resolve, draw() * 20));
    kernel.interrupt(run);
    // `done` has come with as many outputs as it says
    const { stdout } = await done;
    const { how } = (await kernel.until((message) => "how" in message && message.run === run)) as { how: string };
    if (how === "hard") struck++;
    // every line whole and in its place
    const lines = stdout.split("\n");
    expect(lines.pop(), name).toBe("");
    if (name.startsWith("prints")) expect(lines, name).toEqual(lines.map((_, at) => `line ${at}`));
    if (i % 20 === 0) expect(await answer("(await rows.count()) + kept.length", "after")).toBe("13");
    expect(i).toBeLessThan(20 * strikes);
  }
  await kernel.run("0", { id: "busy" });
  expect(await answer("(await rows.count()) + kept.length", "after")).toBe("13");
  expect(await answer(state, "state")).toBe(before);
  // the kernel's own questions and timers still work
  expect(await kernel.query({ query: "variables" })).toEqual(expect.arrayContaining([expect.objectContaining({ name: "kept" })]));
  const printed = await kernel.run('for (let i = 0; i < 1000; i++) console.log("line " + i)', { id: "last" });
  expect(printed.stdout.split("\n")).toHaveLength(1001);
  expect((await kernel.run("await new Promise((r) => setTimeout(r, 5)); await sql`select 1 as a`.rows()", { id: "last" })).error).toBeUndefined();
});
