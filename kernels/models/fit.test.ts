import { beforeAll, describe, expect, test } from "vitest";
import type * as TF from "@tensorflow/tfjs";
import { loadBackend, type Tf } from "../tensors/backend.js";
import { generator } from "../tensors/seeds.js";
import { buildNetwork, type BuildOptions } from "./build.js";
import { fit, outputs, type FitOptions, type Table } from "./fit.js";

let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend("wasm")).tf;
});

/** Two clouds, or as many as `classes`, with noise. */
function clouds(rows: number, classes: number, seed: number, width = 3): Table {
  const random = generator(seed);
  const x = new Float32Array(rows * width);
  const y = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const c = i % classes;
    y[i] = c;
    for (let j = 0; j < width; j++) x[i * width + j] = (c === j ? 1.5 : 0) + random() * 2 - 1;
  }
  return { x, y, rows, width };
}
const build = (more: Partial<BuildOptions> = {}) => buildNetwork(tf, { model: "mlp", width: 3, outcome: "multiclass", classes: 3, seed: 7, ...more });
const options = (more: Partial<FitOptions> = {}): FitOptions => ({
  train: clouds(300, 3, 1),
  valid: clouds(120, 3, 2),
  outcome: "multiclass",
  loss: "log",
  epochs: 6,
  batch: 32,
  patience: 0,
  seed: 5,
  ...more,
});

describe("the same seed gives the same bits", () => {
  const own = (shape: number[]) =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: shape, units: 16, activation: "relu" }),
        tf.layers.dropout({ rate: 0.4 }),
        tf.layers.batchNormalization(),
        tf.layers.dense({ units: 3, activation: "softmax" }),
      ],
    }) as TF.LayersModel;
  const run = async (model: BuildOptions["model"], seed: number) => {
    const network = build({ model, seed });
    const { history } = await fit(tf, network, options({ seed }));
    return { history, z: [...(await outputs(tf, network, clouds(9, 3, 3).x, 9))] };
  };
  test.each([
    ["mlp", "mlp" as const],
    ["linear", "linear" as const],
    ["a person's model without seeds, with dropout", own],
  ])("%s", async (_, model) => {
    const a = await run(model, 7);
    expect(await run(model, 7)).toEqual(a);
    expect(await run(model, 8)).not.toEqual(a);
  });
});

test("dropout draws a new mask at each step", async () => {
  // with one fixed mask, half of these 64 units would never learn
  const network = build({
    model: (shape) =>
      tf.sequential({
        layers: [tf.layers.dense({ inputShape: shape, units: 64 }), tf.layers.dropout({ rate: 0.5 }), tf.layers.dense({ units: 3 })],
      }) as TF.LayersModel,
  });
  const kernel = () => network.logits.weights[0]!.read().dataSync();
  const before = kernel();
  await fit(tf, network, options({ epochs: 2 }));
  const after = kernel();
  const moved = Array.from({ length: 64 }, (_, unit) => [0, 1, 2].some((i) => before[i * 64 + unit] !== after[i * 64 + unit]));
  expect(moved.every(Boolean)).toBe(true);
});

test("loss falls, best weights are kept, and no tensor is left", async () => {
  const before = tf.memory().numTensors;
  const network = build();
  const made = tf.memory().numTensors;
  const result = await fit(tf, network, options({ epochs: 40, patience: 3, optimizer: { name: "adam", learningRate: 0.05 } }));
  expect(tf.memory().numTensors).toBe(made);
  expect(result.history.loss.at(-1)).toBeLessThan(result.history.loss[0] as number);
  expect(result.best).toBe(result.history.valLoss.indexOf(Math.min(...result.history.valLoss)) + 1);
  expect(result.ended).toBe("no improvement");
  expect(result.history.loss.length).toBe(result.best + 3);
  // the kept weights give the best epoch's loss
  const valid = clouds(120, 3, 2);
  const p = await outputs(tf, network, valid.x, valid.rows, network.answer);
  let loss = 0;
  for (let i = 0; i < valid.rows; i++) loss -= Math.log(p[i * 3 + (valid.y[i] as number)] as number) / valid.rows;
  expect(loss).toBeCloseTo(Math.min(...result.history.valLoss), 5);
  network.answer.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test("stop and keep best ends within the epoch and leaves the best epoch's weights", async () => {
  const stop = new AbortController();
  const seen: number[] = [];
  const network = build();
  const result = await fit(
    tf,
    network,
    options({
      epochs: 1000,
      signal: stop.signal,
      onEpoch: (h) => {
        seen.push(h.loss.length);
        if (h.loss.length === 4) stop.abort();
      },
    }),
  );
  expect(result.ended).toBe("stopped");
  expect(result.history.loss.length).toBe(4);
  expect(result.best).toBeGreaterThan(0);
});

test("row weights move the answer as copies of the rows would", async () => {
  // one feature, constant: the best logit is that of the weighted share
  const rows = 400;
  const table: Table = { x: new Float32Array(rows).fill(1), y: Float64Array.from({ length: rows }, (_, i) => (i % 4 === 0 ? 1 : 0)), rows, width: 1 };
  const network = build({ model: "linear", width: 1, outcome: "binary", classes: 2 });
  await fit(tf, network, {
    ...options({ outcome: "binary", epochs: 200, batch: 400, optimizer: { name: "adam", learningRate: 0.1 } }),
    train: table,
    valid: table,
    // positives count three times: 100 x 3 against 300
    weights: Float32Array.from(table.y, (y) => (y === 1 ? 3 : 1)),
    patience: 0,
  });
  // validation is unweighted, so the best epoch is an early one; the last loss shows the weighted optimum ln 2
  const last = await fit(tf, network, {
    ...options({ outcome: "binary", epochs: 200, batch: 400, optimizer: { name: "adam", learningRate: 0.1 } }),
    train: table,
    valid: table,
    weights: Float32Array.from(table.y, (y) => (y === 1 ? 3 : 1)),
  });
  expect(last.history.loss.at(-1)).toBeCloseTo(Math.LN2, 3);
});

test("a regression answers in the target's unit", async () => {
  const random = generator(4);
  const rows = 500;
  const x = Float32Array.from({ length: rows * 2 }, () => random() * 2 - 1);
  const y = Float64Array.from({ length: rows }, (_, i) => 1000 + 300 * x[i * 2]! - 200 * x[i * 2 + 1]!);
  const table: Table = { x, y, rows, width: 2 };
  const scale = { mean: 1000, sd: 200 };
  const network = build({ model: "linear", width: 2, outcome: "regression", classes: 0, scale });
  const { history } = await fit(tf, network, {
    ...options({ outcome: "regression", loss: "squared", epochs: 60, optimizer: { name: "adam", learningRate: 0.05 } }),
    train: table,
    valid: table,
    scale,
  });
  expect(history.valLoss.at(-1)).toBeLessThan(2);
  expect((await outputs(tf, network, Float32Array.from([0.5, 0.5]), 1, network.answer))[0]).toBeCloseTo(1050, -1);
});

test("a loss that leaves the numbers says what to change", async () => {
  const network = build();
  await expect(fit(tf, network, options({ optimizer: { name: "sgd", learningRate: 1e30 } }))).rejects.toThrow(
    /the loss became .* in epoch 1: take a smaller learning rate/,
  );
});

test("wrong options are named", async () => {
  await expect(fit(tf, build(), options({ optimizer: "lion" }))).rejects.toThrow(
    "Expected `optimizer` to be one of adam, sgd, momentum, rmsprop, adagrad, got `lion`",
  );
  await expect(fit(tf, build(), options({ optimizer: { name: "adam", learningRate: -1 } }))).rejects.toThrow(
    "Expected `optimizer.learningRate` to be above 0, got `-1`",
  );
  expect(() => build({ model: "cnn" })).toThrow("a cnn needs square images of at least 8 x 8 pixels as vectors; this vector has 3 numbers");
  expect(() => build({ model: [] })).toThrow("Expected `model` to be");
  expect(() => build({ model: (() => 3) as never })).toThrow("Expected `model` to return a tf.LayersModel, got `number`");
  expect(() => build({ model: () => tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 3 })] }) as TF.LayersModel })).toThrow(
    "the model takes [4], the features give 3 numbers a row",
  );
  expect(() => build({ model: (shape) => tf.sequential({ layers: [tf.layers.dense({ inputShape: shape, units: 2 })] }) as TF.LayersModel })).toThrow(
    "the model ends in [2], the task needs 3 outputs, one a class",
  );
});

test.each([8, 9, 10])("a cnn learns from images of %d x %d, and a model that pools them away is refused", async (side) => {
  // a bright row in one of three places
  const width = side * side;
  const images = (rows: number): Table => ({
    x: Float32Array.from({ length: rows * width }, (_, i) => (Math.floor((i % width) / side) === 2 + 2 * (Math.floor(i / width) % 3) ? 1 : 0)),
    y: Float64Array.from({ length: rows }, (_, i) => i % 3),
    ...{ rows, width },
  });
  const network = build({ model: "cnn", width });
  expect(network.logits.weights.every(({ shape }) => !shape.includes(0))).toBe(true);
  const { history } = await fit(tf, network, options({ train: images(96), valid: images(30), epochs: 8, optimizer: { learningRate: 0.01 } }));
  expect(history.valLoss.at(-1)).toBeLessThan(0.2);
  const own = (shape: number[]) =>
    tf.sequential({
      layers: [
        tf.layers.reshape({ inputShape: shape, targetShape: [side, side, 1] }),
        tf.layers.maxPooling2d({ poolSize: 5 }),
        tf.layers.maxPooling2d({ poolSize: 3, name: "last_pool" }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3 }),
      ],
    }) as TF.LayersModel;
  expect(() => build({ model: own, width })).toThrow("layer `last_pool` of the model gives [0, 0, 1], which is no number at all");
});

test("a person's softmax or sigmoid is taken off for training and put back for the answer", async () => {
  for (const last of [
    () => [tf.layers.dense({ units: 3, activation: "softmax" })],
    () => [tf.layers.dense({ units: 3 }), tf.layers.softmax()],
    () => [tf.layers.dense({ units: 3 }), tf.layers.activation({ activation: "softmax" })],
    () => [tf.layers.dense({ units: 3 })],
  ] as const) {
    const network = build({
      model: (shape) =>
        tf.sequential({ layers: [tf.layers.dense({ inputShape: shape, units: 8, activation: "relu" }), ...last()] }) as TF.LayersModel,
    });
    const { x } = clouds(5, 3, 9);
    const z = await outputs(tf, network, x, 5);
    const p = await outputs(tf, network, x, 5, network.answer);
    for (let row = 0; row < 5; row++) {
      const e = [0, 1, 2].map((c) => Math.exp(z[row * 3 + c]!));
      const sum = e.reduce((a, b) => a + b);
      for (const c of [0, 1, 2]) expect(p[row * 3 + c]).toBeCloseTo(e[c]! / sum, 5);
    }
  }
});

describe("logistic regression converges to scikit-learn's solution", () => {
  // scikit-learn 1.9.1, LogisticRegression(penalty=None, tol=1e-12, max_iter=100000) on the rows below in float32
  const n = 80;
  const x = new Float32Array(n * 2);
  const s = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    x[i * 2] = Math.sin(i * 1.3);
    x[i * 2 + 1] = Math.sin(i * 2.6);
    s[i] = 0.8 * x[i * 2]! - 0.5 * x[i * 2 + 1]! + Math.sin(i * 7.1);
  }
  const solve = async (outcome: "binary" | "multiclass", y: Float64Array) => {
    const table: Table = { x, y, rows: n, width: 2 };
    const network = build({ model: "linear", width: 2, outcome, classes: 3 });
    const result = await fit(tf, network, {
      ...options({ outcome, epochs: 1500, batch: n, optimizer: { name: "adam", learningRate: 0.05 } }),
      train: table,
      valid: table,
    });
    return { network, loss: Math.min(...result.history.valLoss) };
  };
  test("two classes", async () => {
    const { network, loss } = await solve(
      "binary",
      s.map((v) => (v > 0.2 ? 1 : 0)),
    );
    const [kernel, bias] = network.logits.getWeights().map((w) => [...w.dataSync()]);
    expect(loss).toBeCloseTo(0.4936536457, 6);
    expect(kernel![0]).toBeCloseTo(1.9429227, 2);
    expect(kernel![1]).toBeCloseTo(-1.1323442, 2);
    expect(bias![0]).toBeCloseTo(-0.57845485, 2);
  });
  test("three classes", async () => {
    const { network, loss } = await solve(
      "multiclass",
      s.map((v) => (v > 0.6 ? 2 : v > -0.4 ? 1 : 0)),
    );
    expect(loss).toBeCloseTo(0.88350964, 6);
    const p = await outputs(tf, network, x.subarray(0, 8), 4, network.answer);
    const expected = [
      0.26928475, 0.44115123, 0.28956404, 0.07922997, 0.46564552, 0.45512447, 0.04109183, 0.29702502, 0.6618832, 0.7724677, 0.1977973, 0.02973509,
    ];
    for (const [i, v] of expected.entries()) expect(p[i]).toBeCloseTo(v, 3);
  });
});

describe("a training that was cut off goes on from its checkpoint", () => {
  /** What a process that is killed leaves: the last bytes that were saved. */
  const store = (key = "a") => {
    let bytes: Uint8Array | null = null;
    return {
      ...{ key, every: 0 },
      load: async () => bytes,
      save: async (next: Uint8Array) => void (bytes = Uint8Array.from(next)),
      clear: async () => void (bytes = null),
      get bytes() {
        return bytes;
      },
      set bytes(next) {
        bytes = next;
      },
    };
  };
  const model = (shape: number[]) =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: shape, units: 16, activation: "relu" }),
        tf.layers.dropout({ rate: 0.4 }),
        tf.layers.batchNormalization(),
        tf.layers.dense({ units: 3 }),
      ],
    }) as TF.LayersModel;
  const killedAfter = async (epoch: number, more: Partial<FitOptions>, checkpoint: ReturnType<typeof store>) => {
    const killed = fit(tf, build({ model }), {
      ...options({ ...more, checkpoint }),
      onEpoch: ({ loss }) => {
        if (loss.length > epoch) throw new Error("killed");
      },
    });
    await expect(killed).rejects.toThrow("killed");
  };

  test.each(["adam", "sgd", "momentum", "rmsprop", "adagrad"])(
    "by %s: losses and weights are those of one that was not, bit for bit",
    async (name) => {
      const optimizer = { name, learningRate: 0.02, warmup: 1, schedule: { name: "cosine" } } as const;
      const whole = build({ model });
      const expected = await fit(tf, whole, options({ optimizer }));
      const checkpoint = store();
      await killedAfter(3, { optimizer }, checkpoint);
      const before = tf.memory().numTensors;
      const network = build({ model });
      const made = tf.memory().numTensors;
      const result = await fit(tf, network, options({ optimizer, checkpoint }));
      expect(result.resumed).toBe(3);
      expect(result.history).toEqual(expected.history);
      expect(result.best).toBe(expected.best);
      expect(network.logits.getWeights().map((w) => [...w.dataSync()])).toEqual(whole.logits.getWeights().map((w) => [...w.dataSync()]));
      // nothing is left of either
      expect(checkpoint.bytes).toBeNull();
      expect(tf.memory().numTensors).toBe(made);
      network.answer.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test("a checkpoint that is torn, of another format or of another training is not taken", async () => {
    const expected = await fit(tf, build({ model }), options());
    const checkpoint = store();
    await killedAfter(3, {}, checkpoint);
    const good = checkpoint.bytes!;
    for (const bytes of [good.subarray(0, good.length - 1), good.subarray(0, 40), new Uint8Array(0), Uint8Array.from(good, (b) => b ^ 1)]) {
      checkpoint.bytes = bytes;
      const result = await fit(tf, build({ model }), options({ checkpoint }));
      expect(result.resumed).toBe(0);
      expect(result.history).toEqual(expected.history);
    }
    // the same number of weights, of other shapes
    checkpoint.bytes = good;
    const wider = build({
      model: (shape) =>
        tf.sequential({
          layers: [
            tf.layers.dense({ inputShape: shape, units: 24, activation: "relu" }),
            tf.layers.dropout({ rate: 0.4 }),
            tf.layers.batchNormalization(),
            tf.layers.dense({ units: 3 }),
          ],
        }) as TF.LayersModel,
    });
    expect((await fit(tf, wider, options({ checkpoint }))).resumed).toBe(0);
    const other = store("b");
    other.bytes = good;
    expect((await fit(tf, build({ model }), options({ checkpoint: other }))).resumed).toBe(0);
  });
});

test("a schedule moves the weights as hand-set rates do", async () => {
  // full batches of plain descent: one step an epoch, so that each epoch's rate can be read from the weights' move
  const train = clouds(30, 3, 1);
  const moves: number[] = [];
  const network = build({ model: "linear" });
  const weights = () => [...network.logits.getWeights()[0]!.dataSync()];
  let before = weights();
  await fit(tf, network, {
    ...options({ train, batch: 30, epochs: 6, optimizer: { name: "sgd", learningRate: 1e-3, schedule: { name: "step", every: 2, factor: 0.1 } } }),
    onEpoch: () => {
      const now = weights();
      moves.push(Math.hypot(...now.map((w, i) => w - before[i]!)));
      before = now;
    },
  });
  const ratios = moves.map((move) => move / moves[0]!);
  for (const [i, expected] of [1, 1, 0.1, 0.1, 0.01, 0.01].entries()) expect(ratios[i]! / expected).toBeCloseTo(1, 1);
});
