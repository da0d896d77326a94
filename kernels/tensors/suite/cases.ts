/** What the suite computes: the TensorFlow.js side of `reference.py`, by the same names. */
import type { LayersModel, Optimizer, Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tf } from "../backend.js";

/** sin(by), sin(2 by) ... in a shape; `reference.py` has the same. */
export function wave(tf: Tf, shape: number[], by: number): Tensor {
  const n = shape.reduce((all, size) => all * size, 1);
  return tf.tensor(
    Float32Array.from({ length: n }, (_, i) => Math.sin((i + 1) * by)),
    shape,
  );
}

type Input = [shape: number[], by: number];
export interface Operation {
  inputs: Input[];
  run(tf: Tf, ...inputs: Tensor[]): Tensor;
}

const one: Input[] = [[[5, 7], 1.3]];
const two: Input[] = [
  [[5, 7], 1.3],
  [[5, 7], 0.7],
];
const ids = [2, 0, 2, 3];

const product = (a: number[], b: number[], ta = false, tb = false): Operation => ({
  inputs: [
    [a, 1.3],
    [b, 0.7],
  ],
  run: (tf, x, y) => tf.matMul(x, y, ta, tb),
});
const conv = (x: number[], w: number[], stride: number, pad: "same" | "valid"): Operation => ({
  inputs: [
    [x, 1.3],
    [w, 0.7],
  ],
  run: (tf, a, b) => tf.conv2d(a as Tensor4D, b as Tensor4D, stride, pad),
});
const depthwise = (x: number[], w: number[], stride: number, pad: "same" | "valid"): Operation => ({
  inputs: [
    [x, 1.3],
    [w, 0.7],
  ],
  run: (tf, a, b) => tf.depthwiseConv2d(a as Tensor4D, b as Tensor4D, stride, pad),
});
const pool = (x: number[], run: (tf: Tf, x: Tensor4D) => Tensor): Operation => ({ inputs: [[x, 1.3]], run: (tf, a) => run(tf, a as Tensor4D) });

const unary: Record<string, (tf: Tf, x: Tensor) => Tensor> = {
  relu: (_, x) => x.relu(),
  relu6: (_, x) => x.mul(9).relu6(),
  elu: (_, x) => x.elu(),
  selu: (_, x) => x.selu(),
  sigmoid: (_, x) => x.sigmoid(),
  tanh: (_, x) => x.mul(3).tanh(),
  softplus: (_, x) => x.softplus(),
  exp: (_, x) => x.exp(),
  log: (_, x) => x.add(1.5).log(),
  sqrt: (_, x) => x.add(1.5).sqrt(),
  rsqrt: (_, x) => x.add(1.5).rsqrt(),
  square: (_, x) => x.square(),
  abs: (_, x) => x.abs(),
  erf: (_, x) => x.erf(),
  sin: (_, x) => x.sin(),
  clip: (_, x) => x.clipByValue(-0.5, 0.6),
  "leaky relu": (_, x) => x.leakyRelu(0.2),
  softmax: (_, x) => x.softmax(),
  "log softmax": (_, x) => x.logSoftmax(),
  "log sum exp": (_, x) => x.logSumExp(1),
  sum: (_, x) => x.sum(0),
  mean: (_, x) => x.mean(1),
  max: (_, x) => x.max(1),
  product: (_, x) => x.prod(1),
  "cumulative sum": (_, x) => x.cumsum(1),
  slice: (_, x) => x.slice([1, 2], [3, 4]),
  pad: (_, x) =>
    x.pad([
      [1, 2],
      [0, 1],
    ]),
  tile: (_, x) => x.tile([2, 3]),
  transpose: (_, x) => x.transpose(),
  reverse: (_, x) => x.reverse(1),
  gather: (tf, x) => x.gather(tf.tensor1d(ids, "int32")),
  split: (tf, x) => tf.split(x, [3, 4], 1)[1]!.mul(2),
  moments: (tf, x) => tf.moments(x, 0).variance,
};

export const operations: Record<string, Operation> = {
  matMul: product([9, 6], [6, 11]),
  "matMul, a transposed": product([6, 9], [6, 11], true),
  "matMul, b transposed": product([9, 6], [11, 6], false, true),
  "matMul, both transposed": product([6, 9], [11, 6], true, true),
  "matMul of batches": product([2, 9, 5], [2, 5, 3]),
  "dense with bias and relu": {
    inputs: [
      [[9, 6], 1.3],
      [[6, 5], 0.7],
      [[5], 2.1],
    ],
    run: (tf, a, b, bias) => tf.fused.matMul({ a: a as Tensor2D, b: b as Tensor2D, bias, activation: "relu" }),
  },
  attention: {
    inputs: [
      [[2, 5, 4], 1.3],
      [[2, 6, 4], 0.7],
      [[2, 6, 3], 2.1],
    ],
    run: (tf, q, k, v) => tf.matMul(tf.matMul(q, k, false, true).div(2).softmax(), v),
  },
  "conv2d, same": conv([2, 6, 5, 3], [3, 3, 3, 4], 1, "same"),
  "conv2d, valid, stride 2": conv([2, 7, 7, 2], [3, 2, 2, 3], 2, "valid"),
  "conv2d of one pixel": conv([2, 4, 4, 3], [1, 1, 3, 5], 1, "valid"),
  conv1d: {
    inputs: [
      [[2, 8, 3], 1.3],
      [[3, 3, 4], 0.7],
    ],
    run: (tf, x, w) => tf.conv1d(x as Tensor3D, w as Tensor3D, 1, "same"),
  },
  depthwise: depthwise([2, 6, 6, 3], [3, 3, 3, 2], 1, "same"),
  "depthwise, stride 2": depthwise([2, 7, 7, 2], [3, 3, 2, 1], 2, "valid"),
  separable: {
    inputs: [
      [[2, 6, 6, 3], 1.3],
      [[3, 3, 3, 2], 0.7],
      [[1, 1, 6, 4], 2.1],
    ],
    run: (tf, x, d, p) => tf.separableConv2d(x as Tensor4D, d as Tensor4D, p as Tensor4D, 1, "same"),
  },
  "max pooling": pool([2, 6, 6, 3], (tf, x) => tf.maxPool(x, 2, 2, "valid")),
  "max pooling, overlapping": pool([2, 7, 7, 2], (tf, x) => tf.maxPool(x, 3, 2, "same")),
  "average pooling": pool([2, 6, 6, 3], (tf, x) => tf.avgPool(x, 2, 2, "valid")),
  ...Object.fromEntries(Object.entries(unary).map(([name, run]) => [name, { inputs: one, run }])),
  "add of a row": {
    inputs: [
      [[5, 7], 1.3],
      [[7], 0.7],
    ],
    run: (_, a, b) => a.add(b),
  },
  "product with a column": {
    inputs: [
      [[5, 7], 1.3],
      [[5, 1], 0.7],
    ],
    run: (_, a, b) => a.mul(b),
  },
  quotient: { inputs: two, run: (_, a, b) => a.div(b.add(2)) },
  power: { inputs: one, run: (_, a) => a.add(2).pow(3) },
  maximum: { inputs: two, run: (_, a, b) => a.maximum(b) },
  where: { inputs: two, run: (tf, a, b) => tf.where(wave(tf, [5, 7], 0.9).greater(0), a.mul(2), b) },
  concat: {
    inputs: [
      [[5, 2], 1.3],
      [[5, 3], 0.7],
    ],
    run: (tf, a, b) => tf.concat([a, b], 1),
  },
  stack: {
    inputs: [
      [[5, 2], 1.3],
      [[5, 2], 0.7],
    ],
    run: (tf, a, b) => tf.stack([a, b], 1),
  },
  "batch normalisation": {
    inputs: [
      [[6, 4], 1.3],
      [[4], 0.7],
      [[4], 2.1],
    ],
    run: (tf, x, gamma, beta) => {
      const { mean, variance } = tf.moments(x, 0);
      return tf.batchNorm2d(x as Tensor2D, mean as never, variance as never, beta as never, gamma as never, 1e-3);
    },
  },
  "softmax cross-entropy": {
    inputs: [[[4, 5], 1.3]],
    run: (tf, z) => tf.losses.softmaxCrossEntropy(tf.oneHot(ids, 5), z, undefined, undefined, tf.Reduction.NONE),
  },
  "logistic loss": {
    inputs: [[[20], 1.3]],
    run: (tf, z) =>
      tf.losses.sigmoidCrossEntropy(
        tf.tensor1d(Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? 1 : 0))),
        z,
        undefined,
        undefined,
        tf.Reduction.NONE,
      ),
  },
  "squared error": {
    inputs: [
      [[20], 1.3],
      [[20], 0.7],
    ],
    run: (tf, a, b) => tf.losses.meanSquaredError(a, b),
  },
  "absolute error": {
    inputs: [
      [[20], 1.3],
      [[20], 0.7],
    ],
    run: (tf, a, b) => tf.losses.absoluteDifference(a, b),
  },
};

type Layers = (tf: Tf, first: { inputShape: number[] }) => Parameters<ReturnType<Tf["sequential"]>["add"]>[0][];
export const layers: Record<string, [shape: number[], build: Layers]> = {
  dense: [[6], (tf, first) => [tf.layers.dense({ ...first, units: 5, activation: "tanh" })]],
  conv2d: [
    [6, 5, 2],
    (tf, first) => [tf.layers.conv2d({ ...first, filters: 3, kernelSize: 3, padding: "same", activation: "relu" }), tf.layers.flatten()],
  ],
  conv1d: [[8, 3], (tf, first) => [tf.layers.conv1d({ ...first, filters: 4, kernelSize: 3, activation: "relu" }), tf.layers.flatten()]],
  "depthwise conv2d": [
    [6, 6, 2],
    (tf, first) => [tf.layers.depthwiseConv2d({ ...first, kernelSize: 3, padding: "same", depthMultiplier: 2 }), tf.layers.flatten()],
  ],
  "separable conv2d": [
    [6, 6, 2],
    (tf, first) => [tf.layers.separableConv2d({ ...first, filters: 3, kernelSize: 3, padding: "same" }), tf.layers.flatten()],
  ],
  pooling: [
    [6, 6, 2],
    (tf, first) => [tf.layers.maxPooling2d({ ...first, poolSize: 2 }), tf.layers.averagePooling2d({ poolSize: 3 }), tf.layers.flatten()],
  ],
  "global pooling": [[6, 6, 2], (tf, first) => [tf.layers.globalAveragePooling2d({ ...first, dataFormat: "channelsLast" })]],
  "batch normalisation": [[6], (tf, first) => [tf.layers.batchNormalization(first)]],
  "layer normalisation": [[6], (tf, first) => [tf.layers.layerNormalization(first as never)]],
  embedding: [[4], (tf, first) => [tf.layers.embedding({ ...first, inputDim: 7, outputDim: 3 }), tf.layers.flatten()]],
  "simple rnn": [[5, 3], (tf, first) => [tf.layers.simpleRNN({ ...first, units: 4 })]],
  gru: [[5, 3], (tf, first) => [tf.layers.gru({ ...first, units: 4, recurrentActivation: "sigmoid" })]],
  lstm: [[5, 3], (tf, first) => [tf.layers.lstm({ ...first, units: 4, recurrentActivation: "sigmoid" })]],
  "lstm, sequences": [
    [5, 3],
    (tf, first) => [tf.layers.lstm({ ...first, units: 4, returnSequences: true, recurrentActivation: "sigmoid" }), tf.layers.flatten()],
  ],
  "bidirectional lstm": [
    [5, 3],
    (tf, first) => [
      tf.layers.bidirectional({ ...first, layer: tf.layers.lstm({ units: 4, recurrentActivation: "sigmoid" }) as never, mergeMode: "concat" }),
    ],
  ],
  "time distributed": [[5, 3], (tf, first) => [tf.layers.timeDistributed({ ...first, layer: tf.layers.dense({ units: 2 }) }), tf.layers.flatten()]],
  "elu, selu, softplus, softsign": [
    [6],
    (tf, first) =>
      (["elu", "selu", "softplus", "softsign"] as const).map((activation, i) => tf.layers.dense({ ...(i === 0 && first), units: 6, activation })),
  ],
};

/** A sequential model whose every weight is a wave of its own. */
export function seededModel(tf: Tf, parts: ReturnType<Layers>): LayersModel {
  const model = tf.sequential({ layers: parts as never });
  tf.tidy(() => {
    model.setWeights(
      model.weights.map(({ shape, name }, i) => {
        const values = wave(tf, shape as number[], 0.9 + 0.31 * i).mul(0.4);
        return name.includes("variance") ? values.abs().add(0.5) : values;
      }),
    );
  });
  return model;
}

/** Eight rows of a layer's input. */
export function rows(tf: Tf, name: string, shape: number[]): Tensor {
  if (name !== "embedding") return wave(tf, [8, ...shape], 1.3);
  return tf.tensor2d(
    Array.from({ length: 8 * shape[0]! }, (_, i) => (i * 5) % 7),
    [8, shape[0]!],
  );
}

export const optimizers: Record<string, (tf: Tf) => Optimizer> = {
  sgd: (tf) => tf.train.sgd(0.1),
  momentum: (tf) => tf.train.momentum(0.05, 0.9),
  "momentum, Nesterov": (tf) => tf.train.momentum(0.05, 0.9, true),
  adagrad: (tf) => tf.train.adagrad(0.1),
  rmsprop: (tf) => tf.train.rmsprop(0.01, 0.9),
  adam: (tf) => tf.train.adam(0.02),
  adamax: (tf) => tf.train.adamax(0.02),
};
