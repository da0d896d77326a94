import { beforeAll, expect, test } from "vitest";
import type { Tensor } from "@tensorflow/tfjs";
import { loadBackend, type Tf } from "../tensors/backend.js";
import { distilled, hard } from "./loss.js";

let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend("wasm")).tf;
});

const teacher = [5, 2, 0];
const student = [3, 1, 1];
const y = 0;
/** entropy of the teacher at T: KL = CE - entropy */
function entropy(T: number): number {
  const e = teacher.map((v) => Math.exp(v / T));
  const sum = e.reduce((a, b) => a + b);
  return -e.reduce((total, v) => total + (v / sum) * Math.log(v / sum), 0);
}
const loss = (temperature: number, alpha: number) =>
  tf.tidy(
    () =>
      distilled(tf, "multiclass", "log", tf.tensor2d([student]), tf.tensor1d([y]), tf.tensor2d([teacher]), {
        temperature,
        alpha,
      }).dataSync()[0] as number,
  );

// statistics.md, Test vectors [D]; float32 holds about 6 digits
test("T^2 CE of the soft targets has the derived values", () => {
  expect(loss(1, 1)).toBeCloseTo(0.3465465211, 6);
  expect(loss(2, 1)).toBeCloseTo(3.1411500295, 5);
});

test("T^2 KL has the derived values and tends to 7/9, the mean squared difference of the logits", () => {
  for (const [T, expected, digits] of [
    [1, 0.1183037316, 6],
    [2, 0.4210616166, 5],
    [4, 0.646326574, 4],
    [20, 0.7653339542, 2],
  ] as const)
    expect(loss(T, 1) - T * T * entropy(T)).toBeCloseTo(expected, digits);
});

test("0.7 T^2 KL at T = 2 with 0.3 of the hard loss is 0.3666065615", () => {
  expect(loss(2, 0.7) - 0.7 * 4 * entropy(2)).toBeCloseTo(0.3666065615, 5);
});

test("the gradients given in closed form equal finite differences of the loss", () => {
  const cases: ((z: Tensor) => Tensor)[] = [
    (z) => hard(tf, "multiclass", "log", z.reshape([2, 3]), tf.tensor1d([2, 0])),
    (z) => hard(tf, "binary", "log", z.reshape([6, 1]), tf.tensor1d([1, 0, 1, 1, 0, 0])),
    (z) => hard(tf, "regression", "squared", z.reshape([6, 1]), tf.tensor1d([1, 0, 3, 1, 0, 0])),
    (z) => hard(tf, "regression", "absolute", z.reshape([6, 1]), tf.tensor1d([1, 0, 3, 1, 0, 0])),
    (z) =>
      distilled(tf, "multiclass", "log", z.reshape([2, 3]), tf.tensor1d([2, 0]), tf.tensor2d([teacher, [0, 1, 3]]), { temperature: 3, alpha: 0.6 }),
    (z) =>
      distilled(tf, "binary", "log", z.reshape([6, 1]), tf.tensor1d([1, 0, 1, 1, 0, 0]), tf.tensor2d([3, -1, 2, 0, 1, -4], [6, 1]), {
        temperature: 3,
        alpha: 0.6,
      }),
    (z) =>
      distilled(tf, "regression", "squared", z.reshape([6, 1]), tf.tensor1d([1, 0, 3, 1, 0, 0]), tf.tensor2d([3, -1, 2, 0, 1, -4], [6, 1]), {
        temperature: 3,
        alpha: 0.6,
      }),
  ];
  const at = [0.3, -1.2, 2.1, 0.7, -0.4, 1.6];
  for (const f of cases) {
    const gradient = tf.tidy(() =>
      tf
        .grad((z) =>
          f(z)
            .mul(tf.range(1, f(z).size + 1))
            .sum(),
        )(tf.tensor1d(at))
        .dataSync(),
    );
    const value = (z: number[]) =>
      tf.tidy(
        () =>
          f(tf.tensor1d(z))
            .mul(tf.range(1, f(tf.tensor1d(z)).size + 1))
            .sum()
            .dataSync()[0] as number,
      );
    for (const [i, g] of gradient.entries()) {
      const h = 0.02;
      const up = value(at.map((v, j) => (i === j ? v + h : v)));
      const down = value(at.map((v, j) => (i === j ? v - h : v)));
      expect(Math.abs((up - down) / (2 * h) - g)).toBeLessThan(2e-3);
    }
  }
});

test("extreme logits give finite losses and gradients", () => {
  const z = tf.tensor2d([[1000, -1000, 0]]);
  expect(hard(tf, "multiclass", "log", z, tf.tensor1d([1])).dataSync()[0]).toBe(2000);
  expect([
    ...tf
      .grad((v) => hard(tf, "multiclass", "log", v as never, tf.tensor1d([1])).sum())(z)
      .dataSync(),
  ]).toEqual([1, -1, 0]);
  expect(hard(tf, "binary", "log", tf.tensor2d([[-500]]), tf.tensor1d([1])).dataSync()[0]).toBe(500);
});
