/** The one-pass steps are those of tf.train: the same losses and weights as on cpu, where the stock step runs. */
import type { Optimizer, Variable } from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { loadBackend, type Tf } from "../backend.js";

const makers: [string, (tf: Tf) => Optimizer][] = [
  ["sgd", (tf) => tf.train.sgd(0.1)],
  ["momentum", (tf) => tf.train.momentum(0.05, 0.9)],
  ["momentum, Nesterov", (tf) => tf.train.momentum(0.05, 0.9, true)],
  ["adagrad", (tf) => tf.train.adagrad(0.1)],
  ["adadelta", (tf) => tf.train.adadelta(0.5)],
  ["rmsprop", (tf) => tf.train.rmsprop(0.01)],
  ["rmsprop with momentum", (tf) => tf.train.rmsprop(0.01, 0.9, 0.5)],
  ["rmsprop, centred", (tf) => tf.train.rmsprop(0.01, 0.9, 0.2, 1e-10, true)],
  ["adam", (tf) => tf.train.adam(0.05)],
  ["adam with its own betas", (tf) => tf.train.adam(0.05, 0.8, 0.95, 1e-5)],
  ["adamax", (tf) => tf.train.adamax(0.05)],
  ["adamax with decay", (tf) => tf.train.adamax(0.05, 0.9, 0.999, 1e-7, 0.1)],
];

const wave = (n: number, by: number) => Array.from({ length: n }, (_, i) => Math.sin(i * by));

/** Losses of 30 steps, the weights after them and the optimiser's own state. */
async function run(tf: Tf, make: (tf: Tf) => Optimizer) {
  const before = tf.memory().numTensors;
  const x = tf.tensor2d(wave(60, 1.7), [20, 3]);
  const y = tf.tensor2d(wave(40, 0.9), [20, 2]);
  const a = tf.variable(tf.tensor2d(wave(24, 2.3), [3, 8]));
  const b = tf.variable(tf.tensor2d(wave(16, 3.1), [8, 2]));
  const optimizer = make(tf);
  const losses: number[] = [];
  for (let i = 0; i < 30; i++) {
    const loss = optimizer.minimize(() => x.matMul(a).tanh().matMul(b).sub(y).square().mean().asScalar(), true, [a, b] as Variable[])!;
    losses.push(loss.dataSync()[0]!);
    loss.dispose();
  }
  // TFJS gives no state of Adamax
  const state = optimizer.getClassName() === "Adamax" ? [] : await optimizer.getWeights();
  const result = {
    losses,
    weights: [...a.dataSync(), ...b.dataSync()],
    state: state.map(({ name, tensor }) => ({ kind: name.split("/").at(-1), values: [...tensor.dataSync()] })),
  };
  state[0]?.tensor.dispose();
  optimizer.dispose();
  tf.dispose([x, y, a, b]);
  return { ...result, left: tf.memory().numTensors - before };
}

test.each(makers)("%s on wasm takes the steps of tf.train on cpu", async (_, make) => {
  const cpu = await run((await loadBackend("cpu")).tf, make);
  const wasm = await run((await loadBackend("wasm")).tf, make);
  for (const [i, loss] of cpu.losses.entries()) expect(wasm.losses[i]).toBeCloseTo(loss, 4);
  for (const [i, w] of cpu.weights.entries()) expect(wasm.weights[i]).toBeCloseTo(w, 3);
  expect(wasm.state.map(({ kind }) => kind)).toEqual(cpu.state.map(({ kind }) => kind));
  for (const [i, { values }] of cpu.state.entries()) for (const [j, v] of values.entries()) expect(wasm.state[i]!.values[j]).toBeCloseTo(v, 3);
  expect(wasm.losses[29]).toBeLessThan(wasm.losses[0]!);
  expect(wasm.left).toBe(cpu.left);
});

test("one step is one pass: no kernel of the engine runs for it but the few on scalars", async () => {
  const { tf } = await loadBackend("wasm");
  const w = tf.variable(tf.ones([32, 32]), true, "one-pass");
  const optimizer = tf.train.adam(0.01);
  const gradient = tf.ones([32, 32]);
  const { kernels } = await tf.profile(() => {
    optimizer.applyGradients({ "one-pass": gradient } as never);
    return gradient;
  });
  expect(kernels.filter((k) => k.outputShapes.some((shape) => shape?.length === 2)).map((k) => k.name)).toEqual(["Fill", "Fill"]);
  expect(w.dataSync()[0]).toBeCloseTo(0.99, 5);
  optimizer.dispose();
  tf.dispose([w, gradient]);
});

test("a gradient that is absent leaves its variable, and another dtype takes the stock step", async () => {
  const { tf } = await loadBackend("wasm");
  const w = tf.variable(tf.ones([2]), true, "absent-gradient");
  const optimizer = tf.train.sgd(0.5);
  optimizer.applyGradients([{ name: "absent-gradient", tensor: null as never }]);
  expect([...w.dataSync()]).toEqual([1, 1]);
  expect(() => optimizer.applyGradients({ "absent-gradient": tf.tensor1d([1, 1], "int32") })).not.toThrow();
  expect([...w.dataSync()]).toEqual([0.5, 0.5]);
  optimizer.dispose();
  w.dispose();
});

test("weights given out, and restored, are not written to by later steps", async () => {
  const { tf } = await loadBackend("wasm");
  tf.variable(tf.ones([3]), true, "given-out");
  const [first, second] = [tf.train.momentum(0.1, 0.9), tf.train.momentum(0.1, 0.9)];
  const step = (optimizer: Optimizer) => optimizer.applyGradients({ "given-out": tf.ones([3]) });
  step(first);
  const saved = (await first.getWeights()).map(({ name, tensor }) => ({ name, tensor: tensor.clone() }));
  await second.setWeights(saved);
  step(second);
  expect([...saved[1]!.tensor.dataSync()]).toEqual([1, 1, 1]);
  const [, now] = await second.getWeights();
  expect(now!.tensor.dataSync()[0]).toBeCloseTo(1.9, 6);
});
