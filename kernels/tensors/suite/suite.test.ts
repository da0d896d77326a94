/**
 * One suite for every back end: operations with their gradients, layers before and after five steps, optimisers over twelve, against TensorFlow and Keras in
 * double precision (`reference.py`). cpu and wasm always; webgpu and node where they load (`npm run test:backends` fetches them).
 */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs";
import { loadBackend, type BackendName, type Tf } from "../backend.js";
import { generator, seeded } from "../seeds.js";
import { layers, operations, optimizers, rows, seededModel, wave } from "./cases.js";

interface Reference {
  operations: Record<string, { value: number[]; gradients: number[][] }>;
  layers: Record<string, { predicted: number[]; after: number[] }>;
  training: Record<string, number[]>;
}
const reference = JSON.parse(readFileSync(new URL("reference.json", import.meta.url), "utf8")) as Reference;

/** Largest difference to the reference, relative to the largest of its values: docs/backends.md states these. */
const tolerances: Record<Exclude<BackendName, "cuda">, { operation: number; layer: number; training: number }> = {
  cpu: { operation: 5e-6, layer: 1e-5, training: 1e-5 },
  wasm: { operation: 5e-6, layer: 1e-5, training: 1e-5 },
  node: { operation: 5e-6, layer: 1e-5, training: 1e-5 },
  // SwiftShader rounds sines coarsely
  webgpu: { operation: 1e-3, layer: 1e-5, training: 1e-5 },
};
const required: BackendName[] = ["cpu", "wasm"];
const names = Object.keys(tolerances) as (keyof typeof tolerances)[];
const loading = new Map<string, Promise<Tf | string>>();
for (const name of names) {
  loading.set(
    name,
    loadBackend(name).then(
      ({ tf }) => tf,
      (error: Error) => error.message,
    ),
  );
}
const loads = new Map<string, boolean>();
for (const name of names) loads.set(name, typeof (await loading.get(name)) !== "string");

const worst: Record<string, number> = {};
function near(actual: ArrayLike<number>, expected: number[], tolerance: number, what: string): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  let difference = 0;
  for (const [i, e] of expected.entries()) difference = Math.max(difference, Math.abs(actual[i]! - e) / scale);
  worst[what] = Math.max(worst[what] ?? 0, difference);
  expect(difference).toBeLessThan(tolerance);
}
afterAll(() => {
  if (process.env["TOUCHSTONE_BACKENDS"]) console.log("largest differences", worst);
});

test("cpu and wasm load", () => {
  for (const name of required) expect(loads.get(name)).toBe(true);
});

test("each operation, layer and optimiser has its reference", () => {
  expect(Object.keys(operations).sort()).toEqual(Object.keys(reference.operations).sort());
  expect(Object.keys(layers).sort()).toEqual(Object.keys(reference.layers).sort());
  expect(Object.keys(optimizers).sort()).toEqual(Object.keys(reference.training).sort());
});

// a software adapter compiles a program for each shape: minutes for a recurrent layer on a busy machine
describe.each(names.filter((name) => loads.get(name)))("on %s", { timeout: 600_000 }, (name) => {
  const tolerance = tolerances[name];
  const use = async () => (await loadBackend(name)).tf;

  test.each(Object.keys(operations))("operation: %s", async (key) => {
    const tf = await use();
    const { inputs, run } = operations[key]!;
    const expected = reference.operations[key]!;
    const before = tf.memory().numTensors;
    const given = inputs.map(([shape, by]) => wave(tf, shape, by));
    const value = tf.tidy(() => run(tf, ...given));
    near(await value.data(), expected.value, tolerance.operation, `${name} operation`);
    const gradients = tf.tidy(() =>
      tf.grads((...x: Tensor[]) =>
        run(tf, ...x)
          .mul(wave(tf, value.shape, 0.37))
          .sum(),
      )(given),
    );
    for (const [i, gradient] of gradients.entries()) near(await gradient.data(), expected.gradients[i]!, tolerance.operation, `${name} operation`);
    tf.dispose([value, ...given, ...gradients]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each(Object.keys(layers))("layer: %s", async (key) => {
    const tf = await use();
    const [shape, build] = layers[key]!;
    const expected = reference.layers[key]!;
    const before = tf.memory().numTensors;
    const model = seededModel(tf, build(tf, { inputShape: shape }));
    const x = rows(tf, key, shape);
    const predict = async () => {
      const z = model.predict(x) as Tensor;
      const values = await z.data();
      z.dispose();
      return values;
    };
    const predicted = await predict();
    near(predicted, expected.predicted, tolerance.layer, `${name} layer`);
    const y = wave(tf, [8, predicted.length / 8], 0.53);
    if (model.trainableWeights.length > 0) {
      model.compile({ optimizer: tf.train.sgd(0.05), loss: "meanSquaredError" });
      for (let i = 0; i < 5; i++) await model.trainOnBatch(x, y);
    }
    near(await predict(), expected.after, tolerance.layer, `${name} layer`);
    model.dispose();
    tf.dispose([x, y]);
    // the counter of the optimiser, which stays with the class
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(1);
  });

  const train = async (tf: Tf, key: string) => {
    const model = seededModel(tf, [
      tf.layers.dense({ inputShape: [6], units: 8, activation: "tanh" }),
      tf.layers.dense({ units: 3, activation: "softmax" }),
    ]);
    const x = wave(tf, [24, 6], 1.3);
    const y = tf.oneHot(
      Array.from({ length: 24 }, (_, i) => i % 3),
      3,
    );
    const optimizer = optimizers[key]!(tf);
    const variables = model.trainableWeights.map((w) => (w as unknown as { val: Variable }).val);
    const losses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const loss = optimizer.minimize(
        () => tf.metrics.categoricalCrossentropy(y, model.apply(x, { training: true }) as Tensor).mean() as Scalar,
        true,
        variables,
      )!;
      losses.push((await loss.data())[0]!);
      loss.dispose();
    }
    tf.dispose([x, y]);
    optimizer.dispose();
    model.dispose();
    return losses;
  };
  test.each(Object.keys(optimizers))("training by %s", async (key) => {
    near(await train(await use(), key), reference.training[key]!, tolerance.training, `${name} training`);
  });

  test("the same seed gives the same result, bit for bit", async () => {
    const tf = await use();
    const run = async (seed: number) => {
      const random = generator(seed);
      const model = seeded(random, () =>
        tf.sequential({
          layers: [
            tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 3, kernelSize: 3, activation: "relu" }),
            tf.layers.flatten(),
            tf.layers.dropout({ rate: 0.3 }),
            tf.layers.dense({ units: 3 }),
          ],
        }),
      );
      const x = wave(tf, [16, 8, 8, 1], 1.3);
      const y = wave(tf, [16, 3], 0.7);
      const optimizer = tf.train.adam(0.01);
      for (let i = 0; i < 5; i++) {
        const loss = optimizer.minimize(
          () => tf.losses.meanSquaredError(y, seeded(random, () => model.apply(x, { training: true })) as Tensor),
          true,
        )!;
        loss.dispose();
      }
      const weights = await Promise.all(model.getWeights().map(async (w) => [...(await w.data())]));
      tf.dispose([x, y]);
      optimizer.dispose();
      model.dispose();
      return weights;
    };
    const first = await run(5);
    expect(await run(5)).toEqual(first);
    expect(await run(6)).not.toEqual(first);
  });
});
