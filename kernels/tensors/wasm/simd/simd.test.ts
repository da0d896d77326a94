/** The SIMD kernels against plain double-precision loops, over every edge: of a vector, a tile, a block. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Tensor } from "@tensorflow/tfjs";
import { loadBackend, type Tf } from "../../backend.js";
import { generator } from "../../seeds.js";
import { simdOf } from "./module.js";

let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend("wasm")).tf;
});

function noise(n: number, seed: number): Float32Array {
  const random = generator(seed);
  return Float32Array.from({ length: n }, () => random() * 2 - 1);
}

test("they run here: otherwise the tests below would look at the stock kernels", () => {
  expect(simdOf(tf.backend() as never)).not.toBeNull();
});

describe("products", () => {
  // rows beyond 128, depths beyond 256 and columns beyond 2,048 make a second block
  const sizes = [
    [1, 1, 1],
    [3, 7, 2],
    [4, 8, 4],
    [5, 9, 3],
    [9, 17, 5],
    [8, 10, 256],
    [12, 10, 257],
    [128, 16, 260],
    [131, 9, 520],
    [9, 2051, 5],
    [130, 2050, 2],
  ] as const;
  test.each(sizes)("%i x %i over %i, each operand transposed or not", (m, n, k) => {
    const [a, b] = [noise(m * k, 1), noise(k * n, 2)];
    for (const ta of [false, true])
      for (const tb of [false, true]) {
        const c = tf.tidy(() => tf.matMul(tf.tensor2d(a, ta ? [k, m] : [m, k]), tf.tensor2d(b, tb ? [n, k] : [k, n]), ta, tb).dataSync());
        let worst = 0;
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++) {
            let sum = 0;
            for (let p = 0; p < k; p++) sum += a[ta ? p * m + i : i * k + p]! * b[tb ? j * k + p : p * n + j]!;
            worst = Math.max(worst, Math.abs(sum - c[i * n + j]!));
          }
        // sums of k products of numbers below 1
        expect(worst).toBeLessThan(1e-6 * Math.sqrt(k) + 1e-6);
      }
  });
  test("bias and relu come after the sum, and a NaN stays one", () => {
    const a = noise(9 * 5, 1);
    a[7] = Number.NaN;
    const [b, bias] = [noise(5 * 11, 2), noise(11, 3)];
    const c = tf.tidy(() =>
      tf.fused.matMul({ a: tf.tensor2d(a, [9, 5]), b: tf.tensor2d(b, [5, 11]), bias: tf.tensor1d(bias), activation: "relu" }).dataSync(),
    );
    for (let i = 0; i < 9; i++)
      for (let j = 0; j < 11; j++) {
        let sum = bias[j]!;
        for (let p = 0; p < 5; p++) sum += a[i * 5 + p]! * b[p * 11 + j]!;
        if (i === 1) expect(c[i * 11 + j]).toBeNaN();
        else expect(c[i * 11 + j]).toBeCloseTo(Math.max(0, sum), 5);
      }
  });
  test("a batch of products, and one matrix for all of a batch", () => {
    const [a, b] = [noise(3 * 10 * 4, 1), noise(3 * 4 * 9, 2)];
    for (const batchB of [3, 1]) {
      const c = tf.tidy(() => tf.matMul(tf.tensor3d(a, [3, 10, 4]), tf.tensor3d(b.subarray(0, batchB * 36), [batchB, 4, 9])).dataSync());
      for (const [q, i, j] of [
        [0, 0, 0],
        [1, 9, 8],
        [2, 5, 3],
      ] as const) {
        let sum = 0;
        for (let p = 0; p < 4; p++) sum += a[q * 40 + i * 4 + p]! * b[(batchB === 1 ? 0 : q * 36) + p * 9 + j]!;
        expect(c[q * 90 + i * 9 + j]).toBeCloseTo(sum, 6);
      }
    }
  });
});

describe("element by element", () => {
  const special = [0, -0, 1, -1, Number.NaN, Infinity, -Infinity, 1e-30, 3e38];
  const values = (n: number, seed: number) => noise(n, seed).map((v, i) => (i % 5 === 0 ? special[(i / 5) % special.length]! : v));
  const operations: [string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number | boolean][] = [
    ["add", (a, b) => a.add(b), (a, b) => Math.fround(a + b)],
    ["sub", (a, b) => a.sub(b), (a, b) => Math.fround(a - b)],
    ["mul", (a, b) => a.mul(b), (a, b) => Math.fround(a * b)],
    ["div", (a, b) => a.div(b), (a, b) => Math.fround(a / b)],
    ["maximum", (a, b) => a.maximum(b), Math.max],
    ["minimum", (a, b) => a.minimum(b), Math.min],
    ["equal", (a, b) => a.equal(b), (a, b) => a === b],
    ["notEqual", (a, b) => a.notEqual(b), (a, b) => a !== b],
    ["less", (a, b) => a.less(b), (a, b) => a < b],
    ["lessEqual", (a, b) => a.lessEqual(b), (a, b) => a <= b],
    ["greater", (a, b) => a.greater(b), (a, b) => a > b],
    ["greaterEqual", (a, b) => a.greaterEqual(b), (a, b) => a >= b],
  ];
  test.each(operations)("%s of vectors and scalars is exact, at every length", (_, run, one) => {
    for (const n of [0, 1, 3, 4, 5, 15, 16, 17, 33, 90]) {
      const [a, b] = [values(n, 1), values(n + 1, 2).subarray(1)];
      const at = (x: Float32Array) => tf.tensor1d(x);
      expect([...tf.tidy(() => run(at(a), at(b)).dataSync())]).toEqual([...a].map((x, i) => Number(one(x, b[i]!))));
      expect([...tf.tidy(() => run(at(a), tf.scalar(0.5)).dataSync())]).toEqual([...a].map((x) => Number(one(x, 0.5))));
      expect([...tf.tidy(() => run(tf.scalar(-0.25), at(a)).dataSync())]).toEqual([...a].map((x) => Number(one(-0.25, x))));
    }
  });
  test("and, or, where", () => {
    for (const n of [1, 4, 15, 16, 17, 50]) {
      const [p, q] = [noise(n, 1).map((v) => (v > 0 ? 1 : 0)), noise(n, 2).map((v) => (v > 0 ? 1 : 0))];
      const [a, b] = [values(n, 3), values(n, 4)];
      const mask = (x: Float32Array) => tf.tensor1d([...x], "bool");
      expect([...tf.tidy(() => mask(p).logicalAnd(mask(q)).dataSync())]).toEqual([...p].map((x, i) => x & q[i]!));
      expect([...tf.tidy(() => mask(p).logicalOr(mask(q)).dataSync())]).toEqual([...p].map((x, i) => x | q[i]!));
      expect([...tf.tidy(() => tf.where(mask(p), tf.tensor1d(a), tf.tensor1d(b)).dataSync())]).toEqual([...p].map((x, i) => (x ? a[i]! : b[i]!)));
    }
  });
  test("tanh is within three units of the last place", () => {
    for (const n of [1, 2, 3, 4, 5, 4001]) {
      const x = Float32Array.from({ length: n }, (_, i) => (n < 10 ? 0.3 * (i + 1) : (i - 2000) / 150));
      const y = tf.tidy(() => tf.tanh(tf.tensor1d(x)).dataSync());
      for (const [i, v] of y.entries())
        expect(Math.abs(v - Math.tanh(x[i]!))).toBeLessThanOrEqual(3 * 2 ** -24 * Math.max(2 ** -10, Math.abs(Math.tanh(x[i]!)) * 2));
    }
    expect(
      [...tf.tidy(() => tf.tanh(tf.tensor1d([0, 1e-20, Infinity, -Infinity, Number.NaN])).dataSync())].map((v) => Math.round(v * 1e5) / 1e5),
    ).toEqual([0, 0, 1, -1, Number.NaN]);
  });
});

test("copies: a clone shares its values and outlives its source; tile and split give the right places", () => {
  const x = tf.tensor2d(noise(6, 1), [2, 3]);
  const expected = [...x.dataSync()];
  const copy = x.clone();
  x.dispose();
  expect([...copy.dataSync()]).toEqual(expected);
  const [e, f] = [expected.slice(0, 3), expected.slice(3)];
  expect([...copy.tile([2, 3]).dataSync()]).toEqual([e, e, e, f, f, f, e, e, e, f, f, f].flat());
  expect([...tf.tensor3d([1, 2, 3, 4], [2, 1, 2]).tile([1, 3, 2]).dataSync()]).toEqual([
    1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4,
  ]);
  expect([...tf.scalar(7).tile([]).dataSync()]).toEqual([7]);
  expect(tf.split(copy, [1, 2], 1).map((part) => [...part.dataSync()])).toEqual([
    [e[0], f[0]],
    [e[1], e[2], f[1], f[2]],
  ]);
});
