/* eslint-disable @typescript-eslint/no-explicit-any -- ranks are known to the reader, not to TFJS's types */
import { beforeAll, describe, expect, test } from "vitest";
import type { Tensor } from "@tensorflow/tfjs";
import { loadBackend, type Tf } from "../backend.js";
import { generator } from "../seeds.js";

let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend("cpu")).tf;
  await loadBackend("wasm");
});

/** float32 sums in another order differ by about 1e-7 of the terms' size */
const tolerance = 2e-5;

/** Values of `f` on both back ends; the largest difference, relative to the largest value. */
async function difference(f: () => Tensor): Promise<number> {
  await tf.setBackend("cpu");
  const expected = tf.tidy(() => f().dataSync());
  await tf.setBackend("wasm");
  const before = tf.memory().numTensors;
  const orphans = (tf.backend() as unknown as { numDataIds(): number }).numDataIds();
  const actual = tf.tidy(() => f().dataSync());
  expect(tf.memory().numTensors).toBe(before);
  expect((tf.backend() as unknown as { numDataIds(): number }).numDataIds()).toBe(orphans);
  expect(actual.length).toBe(expected.length);
  let scale = 1e-6;
  let worst = 0;
  for (const [i, e] of expected.entries()) {
    scale = Math.max(scale, Math.abs(e));
    worst = Math.max(worst, Math.abs(e - (actual[i] as number)));
  }
  return worst / scale;
}

function noise(shape: number[], seed = 1): Tensor {
  const random = generator(seed);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1),
    shape,
  );
}

describe("products", () => {
  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("matMul with transposeA %s and transposeB %s equals cpu", async (ta, tb) => {
    for (const [m, k, n] of [
      [1, 1, 1],
      [3, 5, 7],
      [64, 33, 20],
      [1, 40, 1],
    ] as const) {
      expect(await difference(() => tf.matMul(noise(ta ? [k, m] : [m, k]) as any, noise(tb ? [n, k] : [k, n], 2) as any, ta, tb))).toBeLessThan(
        tolerance,
      );
      // batched, and broadcast over the batch
      expect(await difference(() => tf.matMul(noise(ta ? [4, k, m] : [4, m, k]), noise(tb ? [1, n, k] : [1, k, n], 2), ta, tb))).toBeLessThan(
        tolerance,
      );
    }
  });

  test("fused product with bias and each activation equals cpu, transposed or not", async () => {
    for (const activation of ["linear", "relu", "sigmoid", "elu"] as const)
      for (const [ta, tb] of [
        [false, false],
        [true, true],
      ] as const)
        expect(
          await difference(() =>
            tf.fused.matMul({
              a: noise(ta ? [9, 6] : [6, 9]) as any,
              b: noise(tb ? [5, 9] : [9, 5], 2) as any,
              transposeA: ta,
              transposeB: tb,
              bias: noise([5], 3),
              activation,
            }),
          ),
        ).toBeLessThan(tolerance);
  });
});

describe("slices", () => {
  test.each([
    [[7], [2], [3]],
    [
      [7, 5],
      [1, 0],
      [2, 5],
    ],
    [
      [7, 5],
      [1, 2],
      [3, 2],
    ],
    [
      [4, 5, 6],
      [1, 0, 0],
      [2, 5, 6],
    ],
    [
      [4, 5, 6],
      [1, 2, 3],
      [2, 2, 2],
    ],
    [
      [3, 4, 5, 2],
      [1, 1, 0, 0],
      [2, 2, 5, 2],
    ],
    [
      [3, 4, 5, 2],
      [0, 1, 2, 1],
      [3, 2, 2, 1],
    ],
    [
      [2, 3, 2, 3, 2],
      [1, 0, 1, 1, 0],
      [1, 3, 1, 2, 2],
    ],
    [
      [4, 3],
      [0, 0],
      [0, 3],
    ],
  ])("slice of %j from %j taking %j equals cpu", async (shape, begin, size) => {
    expect(await difference(() => tf.slice(noise(shape), begin, size))).toBe(0);
  });
  test("bool and int32 slices keep their type", async () => {
    await tf.setBackend("wasm");
    const x = tf.tensor([1, 0, 1, 1], [2, 2], "bool").slice([1, 0], [1, 2]);
    expect([x.dtype, ...x.dataSync()]).toEqual(["bool", 1, 1]);
    expect([...tf.tensor([1, 2, 3, 4], [4], "int32").slice(1, 2).dataSync()]).toEqual([2, 3]);
    expect(tf.tensor(["a", "b", "c"]).slice(1, 2).dataSync()).toEqual(["b", "c"]);
  });
});

describe("gradients of convolution", () => {
  test.each([
    [[2, 6, 6, 1], [3, 3, 1, 2], 1, "valid"],
    [[2, 6, 6, 3], [3, 3, 3, 4], 1, "same"],
    [[3, 7, 5, 2], [3, 2, 2, 3], 2, "same"],
    [[3, 7, 5, 2], [3, 2, 2, 3], 2, "valid"],
    [[1, 8, 8, 2], [1, 1, 2, 5], 1, "valid"],
    [[1, 8, 8, 2], [1, 1, 2, 5], 2, "same"],
    [[2, 5, 5, 2], [5, 5, 2, 3], 1, "same"],
    [[1, 4, 4, 1], [2, 2, 1, 1], 3, "valid"],
  ] as const)("of %j by %j, stride %j, %s equals cpu", async (shape, filter, stride, pad) => {
    const loss = (x: Tensor, w: Tensor) =>
      tf
        .conv2d(x as any, w as any, stride, pad)
        .mul(noise(tf.conv2d(x as any, w as any, stride, pad).shape, 9))
        .sum();
    expect(await difference(() => tf.grad((w) => loss(noise([...shape]), w))(noise([...filter], 2)))).toBeLessThan(tolerance);
    expect(await difference(() => tf.grad((x) => loss(x, noise([...filter], 2)))(noise([...shape])))).toBeLessThan(tolerance);
  });

  test("a batch that does not fit one chunk of im2col is summed over chunks", async () => {
    const shape: [number, number, number, number] = [40, 40, 40, 4];
    // 3 x 3 x 4 x 64 images x 1,600 positions is over the chunk of 8 M floats
    expect(3 * 3 * 4 * 1600 * 160).toBeGreaterThan(8_388_608);
    shape[0] = 160;
    await tf.setBackend("wasm");
    const w = noise([3, 3, 4, 2], 2);
    const x = noise(shape);
    const whole = tf.tidy(() =>
      tf
        .grad((f: Tensor) => tf.conv2d(x as any, f as any, 1, "same").sum())(w)
        .dataSync(),
    );
    // linear in the batch: the sum over two halves
    const halves = [0, 80].map((from) =>
      tf.tidy(() =>
        tf
          .grad((f: Tensor) => tf.conv2d(x.slice([from, 0, 0, 0], [80, 40, 40, 4]) as any, f as any, 1, "same").sum())(w)
          .dataSync(),
      ),
    );
    for (const [i, v] of whole.entries()) expect(v).toBeCloseTo((halves[0]![i] as number) + (halves[1]![i] as number), 1);
  });
});

describe("kernels that wasm lacks", () => {
  test("depthwise convolution has its gradients", async () => {
    const f = (x: Tensor, w: Tensor) =>
      tf
        .depthwiseConv2d(x as any, w as any, 1, "same")
        .square()
        .sum();
    expect(await difference(() => tf.grad((w) => f(noise([2, 5, 5, 3]), w))(noise([3, 3, 3, 2], 2)))).toBeLessThan(tolerance);
    expect(await difference(() => tf.grad((x) => f(x, noise([3, 3, 3, 2], 2)))(noise([2, 5, 5, 3])))).toBeLessThan(tolerance);
  });
  test.each([
    [[2, 6, 5, 3], [3, 2, 3, 2], 2, "same"],
    [[2, 7, 7, 2], [3, 3, 2, 1], 1, "valid"],
    [[1, 4, 4, 1], [2, 2, 1, 3], 1, "valid"],
  ] as const)("depthwise of %j by %j, stride %j, %s has cpu's gradients", async (shape, filter, stride, pad) => {
    const f = (x: Tensor, w: Tensor) =>
      tf
        .depthwiseConv2d(x as any, w as any, stride, pad)
        .square()
        .sum();
    expect(await difference(() => tf.grad((w) => f(noise([...shape]), w))(noise([...filter], 2)))).toBeLessThan(tolerance);
    expect(await difference(() => tf.grad((x) => f(x, noise([...filter], 2)))(noise([...shape])))).toBeLessThan(tolerance);
  });
  test.each([
    [2, 2, "valid"],
    [3, 2, "same"],
    [3, 1, "same"],
    [2, 3, "valid"],
  ] as const)("max pooling of %j by stride %j, %s has cpu's gradient, ties included", async (size, stride, pad) => {
    const f = (x: Tensor) =>
      tf
        .maxPool(x as any, size, stride, pad)
        .square()
        .sum();
    expect(await difference(() => tf.grad(f)(noise([2, 7, 6, 3])))).toBeLessThan(tolerance);
    expect(await difference(() => tf.grad(f)(noise([2, 7, 6, 3]).mul(2).round()))).toBeLessThan(tolerance);
  });
  test.each([0, 1, 2, -1])("gather along axis %j equals cpu, with a list and a table of indices", async (axis) => {
    for (const indices of [
      [2, 0, 2],
      [[1], [0]],
    ])
      expect(await difference(() => tf.gather(noise([3, 4, 5]), tf.tensor(indices, undefined, "int32") as any, axis))).toBe(0);
  });
  test("an index out of range is an error and leaves no tensor", async () => {
    await tf.setBackend("wasm");
    const before = tf.memory().numTensors;
    expect(() => tf.tidy(() => tf.gather(tf.ones([3, 2]), tf.tensor1d([3], "int32")))).toThrow("the index value 3 is not in [0, 2]");
    expect(tf.memory().numTensors).toBe(before);
  });
  test("gather has its gradient, so embeddings train", async () => {
    expect(
      await difference(() =>
        tf.grad((w) =>
          tf
            .gather(w, tf.tensor1d([2, 0, 2], "int32"))
            .square()
            .sum(),
        )(noise([4, 3])),
      ),
    ).toBeLessThan(tolerance);
  });
  test("einsum", async () => {
    expect(await difference(() => tf.einsum("ij,jk->ik", noise([3, 4]), noise([4, 2], 2)))).toBeLessThan(tolerance);
  });
});

/** Every layer that a small network has: the losses of three epochs on both back ends. */
async function losses(backend: string, build: () => import("@tensorflow/tfjs").LayersModel, shape: number[], classes: number): Promise<number[]> {
  await tf.setBackend(backend);
  const model = build();
  const x = noise([32, ...shape], 5);
  const random = generator(6);
  const y = tf.oneHot(
    Array.from({ length: 32 }, () => Math.floor(random() * classes)),
    classes,
  );
  model.compile({ optimizer: tf.train.adam(0.01), loss: "categoricalCrossentropy" });
  const history = await model.fit(x, y, { epochs: 3, batchSize: 16, shuffle: false, verbose: 0 });
  const result = history.history["loss"] as number[];
  tf.dispose([x, y]);
  model.dispose();
  return result;
}

describe("the layers API trains to the same losses as on cpu", () => {
  test("dense, batch normalisation, every activation", async () => {
    const build = () => {
      const model = tf.sequential();
      let first = true;
      for (const activation of ["relu", "sigmoid", "tanh", "elu", "selu", "softplus", "softsign", "relu6", "linear", "swish"] as const) {
        model.add(
          tf.layers.dense({
            units: 8,
            activation,
            kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }),
            ...(first ? { inputShape: [12] } : {}),
          }),
        );
        first = false;
      }
      model.add(tf.layers.batchNormalization());
      model.add(tf.layers.dropout({ rate: 0.3, seed: 7 }));
      model.add(tf.layers.dense({ units: 4, activation: "softmax", kernelInitializer: tf.initializers.glorotUniform({ seed: 4 }) }));
      return model;
    };
    const [a, b] = [await losses("cpu", build, [12], 4), await losses("wasm", build, [12], 4)];
    for (const [i, v] of a.entries()) expect(b[i]).toBeCloseTo(v, 3);
    expect(new Set(a).size).toBe(3);
  });

  test("convolution, pooling, batch normalisation, padding, flatten", async () => {
    const seed = { kernelInitializer: tf.initializers.heNormal({ seed: 3 }) };
    const build = () =>
      tf.sequential({
        layers: [
          tf.layers.conv2d({ inputShape: [12, 12, 1], filters: 4, kernelSize: 3, activation: "relu", ...seed }),
          tf.layers.batchNormalization(),
          tf.layers.maxPooling2d({ poolSize: 2 }),
          tf.layers.zeroPadding2d({ padding: 1 }),
          tf.layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: "same", activation: "relu", ...seed }),
          tf.layers.averagePooling2d({ poolSize: 2 }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 5, activation: "softmax", ...seed }),
        ],
      });
    const [a, b] = [await losses("cpu", build, [12, 12, 1], 5), await losses("wasm", build, [12, 12, 1], 5)];
    // rounding grows through batch normalisation of small batches: 1e-6 of the first epoch is 1e-3 of the third
    for (const [i, v] of a.entries()) expect(b[i]).toBeCloseTo(v, 2);
    expect(a[2]).toBeLessThan(a[0] as number);
  });

  test("separable convolution, global pooling, residual sum, layer normalisation", async () => {
    const init = () => tf.initializers.heNormal({ seed: 3 });
    const build = () => {
      const input = tf.input({ shape: [8, 8, 2] });
      const a = tf.layers
        .conv2d({ filters: 4, kernelSize: 3, padding: "same", kernelInitializer: init() })
        .apply(input) as import("@tensorflow/tfjs").SymbolicTensor;
      const b = tf.layers.depthwiseConv2d({ kernelSize: 3, padding: "same", depthwiseInitializer: init() }).apply(a) as typeof a;
      const sum = tf.layers.add().apply([a, b]) as typeof a;
      const normal = tf.layers.layerNormalization().apply(sum) as typeof a;
      const pooled = tf.layers.globalAveragePooling2d({ dataFormat: "channelsLast" }).apply(normal) as typeof a;
      const out = tf.layers.dense({ units: 3, activation: "softmax", kernelInitializer: init() }).apply(pooled) as typeof a;
      return tf.model({ inputs: input, outputs: out });
    };
    const [a, b] = [await losses("cpu", build, [8, 8, 2], 3), await losses("wasm", build, [8, 8, 2], 3)];
    for (const [i, v] of a.entries()) expect(b[i]).toBeCloseTo(v, 3);
  });
});
