// One epoch of an MLP 784-512-512-10 on 6,000 rows, batch 128: the stock wasm back end against the repaired one (same data, seeds and optimiser, by
// model.fit), and against the training loop behind `train` (its own seeds). Each in a process of its own; the machine should be quiet.
// Prints a line of JSON for scripts/bench.mjs: [{ name, value, unit, goal }]. `node test/bench/wasm.mjs`
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = `${root}dist/bench/`;
const rows = 6000;

function data() {
  let state = 1;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  const x = Float32Array.from({ length: rows * 784 }, () => (random() > 0.8 ? random() : 0));
  return { x, y: Int32Array.from({ length: rows }, () => Math.floor(random() * 10)) };
}

async function measure(tf) {
  const table = data();
  const x = tf.tensor2d(table.x, [rows, 784]);
  const y = tf.oneHot(tf.tensor1d(table.y, "int32"), 10);
  const init = (seed) => tf.initializers.glorotUniform({ seed });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [784], units: 512, activation: "relu", kernelInitializer: init(1) }),
      tf.layers.dense({ units: 512, activation: "relu", kernelInitializer: init(2) }),
      tf.layers.dense({ units: 10, activation: "softmax", kernelInitializer: init(3) }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.001), loss: "categoricalCrossentropy" });
  const start = performance.now();
  const { history } = await model.fit(x, y, { epochs: 1, batchSize: 128, shuffle: false, verbose: 0 });
  return { seconds: (performance.now() - start) / 1000, loss: history.loss[0] };
}

if (process.argv[2] === "stock") {
  const tf = await import("@tensorflow/tfjs");
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(`${root}node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
  await tf.setBackend("wasm");
  console.log(JSON.stringify(await measure(tf)));
} else if (process.argv[2] === "repaired") {
  const { loadBackend } = await import(`${out}tensors/backend.js`);
  console.log(JSON.stringify(await measure((await loadBackend("wasm")).tf)));
} else if (process.argv[2] === "train") {
  const [{ loadBackend }, { buildNetwork }, { fit }] = await Promise.all(
    ["tensors/backend", "models/build", "models/fit"].map((name) => import(`${out}${name}.js`)),
  );
  const { tf } = await loadBackend("wasm");
  const { x, y } = data();
  const table = { x, y: Float64Array.from(y), rows, width: 784 };
  const valid = { x: x.subarray(0, 784), y: table.y.subarray(0, 1), rows: 1, width: 784 };
  const network = buildNetwork(tf, { model: [512, 512], width: 784, outcome: "multiclass", classes: 10, seed: 1 });
  const start = performance.now();
  const { history } = await fit(tf, network, {
    train: table,
    valid,
    outcome: "multiclass",
    loss: "log",
    epochs: 1,
    batch: 128,
    patience: 0,
    seed: 1,
  });
  console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, loss: history.loss[0] }));
} else {
  mkdirSync(out, { recursive: true });
  await build({
    entryPoints: ["tensors/backend", "models/build", "models/fit"].map((name) => `${root}kernels/${name}.ts`),
    outbase: `${root}kernels`,
    outdir: out,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "error",
  });
  const run = (which) => JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), which], { encoding: "utf8" }));
  const stock = run("stock");
  const repaired = run("repaired");
  const train = run("train");
  if (Math.abs(stock.loss - repaired.loss) > 1e-3) throw new Error(`the losses differ: ${stock.loss} and ${repaired.loss}`);
  console.log(
    JSON.stringify([
      { name: "MLP epoch on stock wasm", value: Number(stock.seconds.toFixed(2)), unit: "s", goal: "" },
      { name: "MLP epoch on wasm, repaired", value: Number(repaired.seconds.toFixed(2)), unit: "s", goal: "" },
      { name: "MLP epoch by train", value: Number(train.seconds.toFixed(2)), unit: "s", goal: "" },
      { name: "train against stock wasm", value: Number((stock.seconds / train.seconds).toFixed(1)), unit: "times", goal: ">= 5" },
      { name: "repaired against stock wasm", value: Number((stock.seconds / repaired.seconds).toFixed(1)), unit: "times", goal: "" },
    ]),
  );
}
