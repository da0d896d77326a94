import { runInNewContext } from "node:vm";
import { beforeEach, expect, test } from "vitest";
import type { Variable } from "@tensorflow/tfjs";
import { loadBackend, type Tf } from "./backend.js";
import { generator, seeded } from "./seeds.js";
import { counted } from "./torn.js";
import { canary, reset, savepoint, unwind } from "./unwind.js";

let tf: Tf;
beforeEach(async () => {
  tf = (await loadBackend("wasm")).tf;
});

interface State {
  scopeStack: unknown[];
  gradientDepth: number;
  kernelDepth: number;
  activeTape: unknown;
}
const state = () => (tf.engine() as unknown as { state: State }).state;
const dataIds = () => (tf.backend() as unknown as { numDataIds(): number }).numDataIds();

/** What a termination leaves behind: the same calls as tidy and variableGrads, without their ends. */
function torn(depth: number): void {
  const engine = tf.engine() as unknown as { startScope(name?: string): void; startTape(): void; state: State };
  engine.startScope("outer");
  engine.startTape();
  engine.startScope("forward");
  let x = tf.variable(tf.ones([4, 4]), true) as unknown as ReturnType<Tf["ones"]>;
  const variable = x as unknown as Variable;
  for (let i = 0; i < depth; i++)
    x = tf
      .matMul(x as never, x as never)
      .relu()
      .add(1);
  engine.startScope("inner");
  x.exp();
  engine.state.kernelDepth = 1;
  // an output that the kernel had made and no tensor owns yet
  (tf.backend() as unknown as { makeOutput(shape: number[], dtype: string): void }).makeOutput([10, 10], "float32");
  variables.push(variable);
}
const variables: Variable[] = [];

function trainOnce(): number {
  const random = generator(3);
  const w = tf.variable(
    tf.tensor2d(
      Array.from({ length: 6 }, () => random()),
      [3, 2],
    ),
    true,
    `w${Math.random()}`,
  );
  const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
  const optimizer = tf.train.sgd(0.01);
  let last = 0;
  for (let i = 0; i < 5; i++) {
    const cost = optimizer.minimize(
      () =>
        tf
          .matMul(x, w as never)
          .square()
          .mean() as never,
      true,
      [w],
    )!;
    last = cost.dataSync()[0] as number;
    cost.dispose();
  }
  tf.dispose([w, x]);
  optimizer.dispose();
  return last;
}

test("after 50 torn training steps nothing is left and training gives a fresh kernel's losses", async () => {
  const fresh = trainOnce();
  const kept = tf.tensor([1, 2, 3]);
  const before = tf.memory();
  const ids = dataIds();
  const point = savepoint(tf);
  for (let i = 0; i < 50; i++) {
    torn(i % 5);
    const { reset, lost, scopes } = await unwind(tf, point);
    expect({ reset, lost, scopes }).toEqual({ reset: false, lost: [], scopes: 3 });
  }
  for (const variable of variables.splice(0)) variable.dispose();
  expect(state()).toMatchObject({ gradientDepth: 0, kernelDepth: 0, activeTape: null, scopeStack: { length: 0 } });
  expect(tf.memory().numTensors).toBe(before.numTensors);
  expect(tf.memory().numBytes).toBe(before.numBytes);
  expect(dataIds()).toBe(ids);
  expect([...kept.dataSync()]).toEqual([1, 2, 3]);
  expect(trainOnce()).toBe(fresh);
  kept.dispose();
});

test("scopes open at the savepoint stay open", async () => {
  const engine = tf.engine();
  engine.startScope("mine");
  const point = savepoint(tf);
  const x = tf.tensor([5]);
  torn(1);
  await unwind(tf, point);
  expect(state().scopeStack.length).toBe(1);
  expect(x.dataSync()[0]).toBe(5);
  engine.endScope();
  expect(x.isDisposed).toBe(true);
  for (const variable of variables.splice(0)) variable.dispose();
});

test("unwinding when nothing was left open changes nothing", async () => {
  const x = tf.tensor([5]);
  const before = tf.memory().numTensors;
  expect(await unwind(tf, savepoint(tf))).toEqual({ scopes: 0, disposed: 0, reset: false, lost: [] });
  expect(tf.memory().numTensors).toBe(before);
  x.dispose();
});

/** Ends `f`, which never returns, as Interrupt does: V8 unwinds it without running any `finally`. */
function terminate(f: () => void, ms: number): void {
  expect(() => runInNewContext("f()", { f }, { timeout: ms })).toThrow("timed out");
}

test("Math.random is given back after a stop inside a seeded call", async () => {
  const before = Math.random;
  const point = savepoint(tf);
  terminate(
    () =>
      seeded(
        () => 0.5,
        () => {
          for (;;);
        },
      ),
    // enough to get there on a busy machine
    500,
  );
  expect(Math.random()).toBe(0.5);
  await unwind(tf, point);
  expect(Math.random).toBe(before);
});

test("60 real terminations of training loops leave the tensors as before, and training gives a fresh kernel's losses", async () => {
  const fresh = trainOnce();
  const init = () => tf.initializers.glorotUniform({ seed: 1 });
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: "relu", kernelInitializer: init() }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 64, activation: "relu", kernelInitializer: init() }),
      tf.layers.dense({ units: 4, kernelInitializer: init() }),
    ],
  });
  const x = tf.ones([32, 8, 8, 1]);
  const y = tf.ones([32, 4]);
  const optimizer = tf.train.adam(1e-4);
  const step = () =>
    tf.tidy(() => void optimizer.minimize(() => tf.losses.meanSquaredError(y, model.apply(x, { training: true }) as never) as never));
  step();
  const ids = dataIds();
  const before = tf.memory();
  const point = savepoint(tf);
  for (let i = 0; i < 60; i++) {
    terminate(
      () => {
        for (;;) step();
      },
      3 + (i % 7),
    );
    expect((await unwind(tf, point)).lost).toEqual([]);
    expect(state()).toMatchObject({ gradientDepth: 0, kernelDepth: 0, activeTape: null, scopeStack: { length: 0 } });
  }
  expect({ tensors: tf.memory().numTensors, bytes: tf.memory().numBytes, ids: dataIds() }).toEqual({
    tensors: before.numTensors,
    bytes: before.numBytes,
    ids,
  });
  expect(trainOnce()).toBe(fresh);
  tf.dispose([x, y]);
  model.dispose();
  optimizer.dispose();
});

test("a back end that was cut in its C code is started afresh, with its values carried over", async () => {
  const kept = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const before = tf.memory();
  const ids = dataIds();
  const point = savepoint(tf);
  const old = tf.backend() as unknown as { wasm: { _malloc(bytes: number): number } };
  // the check that the timeout waits for is in here, below the count of calls
  old.wasm._malloc = counted(() => {
    for (;;);
  });
  terminate(() => void tf.ones([3, 3]), 500);
  // a second stop drops what the first unwinding waits for, and it is begun again
  const dropped = unwind(tf, point);
  expect(await unwind(tf, point)).toMatchObject({ reset: true, lost: [] });
  await dropped;
  expect(tf.backend()).not.toBe(old);
  expect([...tf.matMul(kept, kept).dataSync()]).toEqual([7, 10, 15, 22]);
  kept.dispose();
  expect({ tensors: tf.memory().numTensors - before.numTensors, ids: dataIds() - ids }).toEqual({ tensors: 0, ids: 0 });
});

test("a back end that multiplies wrongly is started afresh, with its values carried over", async () => {
  const kept = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const variable = tf.variable(tf.tensor([7, 8]));
  const clone = kept.clone();
  // break the product: the canary must notice
  const kernel = tf.getKernel("Sum", "wasm")!;
  const original = kernel.kernelFunc;
  (kernel as { kernelFunc: unknown }).kernelFunc = (args: {
    inputs: { x: { shape: number[]; dtype: string } };
    backend: { makeOutput(s: number[], d: string): unknown };
  }) => args.backend.makeOutput([], "float32");
  expect(canary(tf)).toBe(false);
  (kernel as { kernelFunc: unknown }).kernelFunc = original;
  const old = tf.backend();
  expect(await reset(tf)).toEqual([]);
  expect(tf.backend()).not.toBe(old);
  expect(tf.getBackend()).toBe("wasm");
  expect([...tf.matMul(kept, clone).dataSync()]).toEqual([7, 10, 15, 22]);
  expect([...variable.dataSync()]).toEqual([7, 8]);
  tf.dispose([kept, clone, variable]);
  expect(canary(tf)).toBe(true);
});
