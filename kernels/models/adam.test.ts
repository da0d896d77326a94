import { expect, test } from "vitest";
import { loadBackend } from "../tensors/backend.js";
import { generator } from "../tensors/seeds.js";
import { wasmAdam, type Stepper } from "./adam.js";

test("takes the same steps as tf.train.adam", async () => {
  const { tf } = await loadBackend("wasm");
  const x = tf.tensor2d(
    Array.from({ length: 60 }, (_, i) => Math.sin(i * 1.7)),
    [20, 3],
  );
  const y = tf.tensor2d(
    Array.from({ length: 40 }, (_, i) => Math.cos(i * 0.9)),
    [20, 2],
  );
  const run = (stepper: Stepper) => {
    const random = generator(5);
    const init = (shape: [number, number]) =>
      tf.variable<import("@tensorflow/tfjs").Rank.R2>(
        tf.tensor2d(
          Array.from({ length: shape[0] * shape[1] }, () => random() - 0.5),
          shape,
        ),
      );
    const [a, b] = tf.tidy(() => [init([3, 8]), init([8, 2])]) as [ReturnType<typeof init>, ReturnType<typeof init>];
    const losses: number[] = [];
    for (let i = 0; i < 40; i++) {
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => x.matMul(a).tanh().matMul(b).sub(y).square().mean(), [a, b]);
        stepper.applyGradients(grads);
        losses.push(value.dataSync()[0]!);
      });
    }
    const weights = [...a.dataSync(), ...b.dataSync()];
    tf.dispose([a, b]);
    stepper.dispose();
    return { losses, weights };
  };
  const before = tf.memory().numTensors;
  const own = run(wasmAdam(tf, 0.05));
  expect(tf.memory().numTensors).toBe(before);
  const stock = run(tf.train.adam(0.05) as unknown as Stepper);
  for (const [i, loss] of stock.losses.entries()) expect(own.losses[i]).toBeCloseTo(loss, 5);
  for (const [i, w] of stock.weights.entries()) expect(own.weights[i]).toBeCloseTo(w, 4);
  expect(own.losses[39]).toBeLessThan(own.losses[0]!);
});
