/** The training loop: batches gathered outside the engine, seeded, stoppable at any step, best weights kept. */
import type { LayersModel, NamedTensorMap, Scalar, Tensor, Tensor2D, Variable } from "@tensorflow/tfjs";
import type { Tf } from "../tensors/backend.js";
import { derive, generator, seeded } from "../tensors/seeds.js";
import type { Network, Outcome } from "./build.js";
import { decodeCheckpoint, encodeCheckpoint, type CheckpointStore } from "./checkpoint.js";
import { distilled, hard, type Loss } from "./loss.js";
import { makeOptimizer } from "./optimizer.js";
import { rateAt, type Schedule } from "./schedule.js";
import { shuffled, type Shuffled } from "./shuffle.js";
import { rowsFrom, type Vectors } from "./vectors.js";

/** Vectors and truths of some rows; y is a class index, 0 or 1, or the number. */
export interface Table {
  x: Vectors;
  y: Float64Array;
  rows: number;
  width: number;
}

export interface FitOptions {
  train: Table;
  valid: Table;
  outcome: Outcome;
  loss: Loss;
  scale?: { mean: number; sd: number };
  /** name of the optimiser, its step, and how that changes */
  optimizer?: string | { name?: string; learningRate?: number; warmup?: number; schedule?: Schedule };
  epochs: number;
  batch: number;
  /** epochs without a better validation loss before stopping; 0 = never */
  patience: number;
  /** one a training row, made to have mean 1 */
  weights?: Float32Array;
  /** logits (or scaled numbers) of the teacher on the training rows, row-major; `alpha`, its weight, may differ by row: 1 where there is no label */
  soft?: { logits: Float32Array; temperature: number; alpha: number | Float32Array };
  seed: number;
  /** kept between epochs, so that a training goes on where a killed process left it */
  checkpoint?: CheckpointStore;
  /** aborted: stop and keep the best */
  signal?: AbortSignal;
  breathe?(): Promise<void>;
  onStep?(step: FitStep): void;
  onEpoch?(history: History): void;
}

export interface FitStep {
  epoch: number;
  epochs: number;
  /** rows done of all epochs */
  done: number;
  total: number;
}

/** Losses by epoch in the loss's own unit: nats a row for "log", the target's unit for the others (root of the mean square for "squared"). */
export interface History {
  loss: number[];
  valLoss: number[];
}

export interface Fitted {
  history: History;
  /** epoch (from 1) whose weights were kept; 0 when none was finished */
  best: number;
  ended: "all epochs" | "no improvement" | "stopped";
  /** epochs that an earlier process had done */
  resumed: number;
}

/** Between two checkpoints lies so many times what one took: at most a fiftieth of a training goes into them. */
const saveShare = 50;

/** Trains `network` in place and leaves it with the weights of the best validation loss. Throws on inputs that cannot be learned from. */
export async function fit(tf: Tf, network: Network, options: FitOptions): Promise<Fitted> {
  const { train, valid, epochs, batch, patience, signal, scale } = options;
  const model = network.logits;
  const k = network.outputs;
  const trainable = variables(model);
  const all = variables(model, true);
  const optimizer = makeOptimizer(tf, options.optimizer);
  const { warmup, schedule } = typeof options.optimizer === "object" ? options.optimizer : {};
  const order = generator(derive(options.seed, "shuffle"));
  const noise = generator(derive(options.seed, "dropout"));
  const weights = options.weights ? unit(options.weights) : null;
  const history: History = { loss: [], valLoss: [] };
  const size = Math.min(batch, train.rows);
  const xs = new Float32Array(size * train.width);
  const ys = new Float32Array(size);
  const ws = new Float32Array(size);
  const ts = options.soft ? new Float32Array(size * k) : null;
  const alphas = options.soft && typeof options.soft.alpha !== "number" ? options.soft.alpha : null;
  const as = alphas ? new Float32Array(size) : null;
  const total = epochs * train.rows;
  let best: { epoch: number; loss: number; weights: Float32Array[] } | null = null;
  let ended: Fitted["ended"] = "all epochs";
  let breathed = performance.now();

  const step = (rows: Shuffled, from: number, n: number): Tensor => {
    const index = rows.global;
    gather(train, rows, from, n, xs, ys, scale);
    if (weights) for (let i = 0; i < n; i++) ws[i] = weights[index[from + i]!]!;
    if (ts) for (let i = 0; i < n; i++) ts.set(options.soft!.logits.subarray(index[from + i]! * k, (index[from + i]! + 1) * k), i * k);
    if (as) for (let i = 0; i < n; i++) as[i] = alphas![index[from + i]!]!;
    return tf.tidy(() => {
      const x = tf.tensor(xs.subarray(0, n * train.width), [n, ...network.shape]);
      const y = tf.tensor1d(ys.subarray(0, n));
      const w = weights ? tf.tensor1d(ws.subarray(0, n)) : null;
      const t = ts ? tf.tensor2d(ts.subarray(0, n * k), [n, k]) : null;
      const soft = options.soft && {
        temperature: options.soft.temperature,
        alpha: as ? tf.tensor1d(as.subarray(0, n)) : (options.soft.alpha as number),
      };
      const { value, grads } = tf.variableGrads(() => {
        const z = seeded(noise, () => model.apply(x, { training: true })) as Tensor2D;
        const one = t ? distilled(tf, options.outcome, options.loss, z, y, t, soft!) : hard(tf, options.outcome, options.loss, z, y);
        return (w ? one.mul(w) : one).mean() as Scalar;
      }, trainable);
      optimizer.applyGradients(grads as NamedTensorMap);
      return value;
    });
  };

  const read = () => Promise.all(all.map(async (v) => Float32Array.from(await v.data())));
  const resume = async (): Promise<number> => {
    const bytes = await options.checkpoint?.load();
    const kept = bytes && decodeCheckpoint(bytes, options.checkpoint!.key);
    if (!kept || !fits(kept.weights, all) || kept.history.loss.length >= epochs) return 0;
    restore(tf, all, kept.weights);
    await optimizer.restore(kept.optimizer);
    [order.state, noise.state] = [kept.random.order, kept.random.noise];
    Object.assign(history, kept.history);
    best = { ...kept.best, weights: kept.bestWeights };
    options.onEpoch?.(history);
    return history.loss.length;
  };
  const saved = { at: -Infinity, took: 0 };
  const save = async (): Promise<void> => {
    if (!options.checkpoint || !best || performance.now() - saved.at < (options.checkpoint.every ?? saved.took * saveShare)) return;
    const started = performance.now();
    const { epoch, loss, weights: bestWeights } = best;
    const random = { order: order.state, noise: noise.state };
    await options.checkpoint.save(
      encodeCheckpoint({
        ...{ key: options.checkpoint.key, history, best: { epoch, loss }, random },
        ...{ weights: await read(), bestWeights, optimizer: await optimizer.state() },
      }),
    );
    saved.at = performance.now();
    saved.took = saved.at - started;
  };

  try {
    const resumed = await resume();
    for (let epoch = resumed + 1; epoch <= epochs && ended === "all epochs"; epoch++) {
      const losses: Tensor[] = [];
      let sum = 0;
      let counted = 0;
      const settle = async () => {
        for (const one of losses.splice(0)) {
          sum += ((await one.data())[0] as number) * Math.min(size, train.rows - counted);
          counted += Math.min(size, train.rows - counted);
          one.dispose();
        }
      };
      let taken = 0;
      windows: for await (const rows of shuffled(train.x, train.rows, train.width, size, order)) {
        for (let from = 0; from < rows.local.length; from += size, taken += size) {
          const [at, part] = [epoch - 1 + taken / train.rows, size / train.rows];
          if (warmup || schedule) {
            const rates = { rate: optimizer.rate, epochs, ...(warmup && { warmup }), ...(schedule && { schedule }) };
            // a step's decay goes by whole epochs, a cosine and a warm-up by steps
            optimizer.setRate(rateAt(rates, at, part, history.valLoss));
          }
          losses.push(step(rows, from, Math.min(size, rows.local.length - from)));
          if (performance.now() - breathed > 40 || losses.length > 500) {
            await settle();
            options.onStep?.({ epoch, epochs, done: (epoch - 1) * train.rows + counted, total });
            await options.breathe?.();
            breathed = performance.now();
            if (signal?.aborted) break windows;
          }
        }
      }
      await settle();
      const stopped = signal?.aborted === true && counted < train.rows;
      // a torn epoch counts only when nothing better exists
      if (stopped && best) {
        ended = "stopped";
        break;
      }
      const loss = inUnit(sum / counted, options.loss, scale);
      const z = await outputs(tf, network, valid.x, valid.rows);
      const valLoss = inUnit(meanLoss(z, valid, k, options), options.loss, scale);
      if (!Number.isFinite(loss) || !Number.isFinite(valLoss)) {
        throw new RangeError(
          `the loss became ${Number.isFinite(loss) ? valLoss : loss} in epoch ${epoch}: take a smaller learning rate, or scale the features`,
        );
      }
      history.loss.push(loss);
      history.valLoss.push(valLoss);
      if (best === null || valLoss < best.loss) best = { epoch, loss: valLoss, weights: await read() };
      options.onEpoch?.(history);
      await options.breathe?.();
      if (signal?.aborted) ended = epoch === epochs ? "all epochs" : "stopped";
      else if (patience > 0 && epoch - best.epoch >= patience && epoch < epochs) ended = "no improvement";
      if (ended === "all epochs" && epoch < epochs) await save();
    }
    if (best && best.epoch !== history.loss.length) restore(tf, all, best.weights);
    else if (best && ended === "stopped") restore(tf, all, best.weights);
    await options.checkpoint?.clear();
    return { history, best: best?.epoch ?? 0, ended, resumed };
  } finally {
    optimizer.dispose();
  }
}

/** Raw outputs of the network for vectors, row-major. Chunked, so that the engine's memory stays small. */
export async function outputs(
  tf: Tf,
  network: Pick<Network, "logits" | "shape" | "outputs">,
  x: Vectors,
  rows: number,
  model: LayersModel = network.logits,
): Promise<Float32Array> {
  const out = new Float32Array(rows * network.outputs);
  const width = network.shape.reduce((product, n) => product * n, 1);
  const chunk = Math.max(64, Math.min(4096, Math.floor(2_097_152 / Math.max(1, width))));
  for (let from = 0; from < rows; from += chunk) {
    const n = Math.min(chunk, rows - from);
    const z = tf.tidy(() => model.apply(tf.tensor(rowsFrom(x, width, from, from + n), [n, ...network.shape]), { training: false }) as Tensor);
    out.set((await z.data()) as Float32Array, from * network.outputs);
    z.dispose();
  }
  return out;
}

function variables(model: LayersModel, all = false): Variable[] {
  return (all ? model.weights : model.trainableWeights).map((w) => (w as unknown as { val: Variable }).val);
}

/** Are they weights of these shapes? */
function fits(weights: Float32Array[], all: Variable[]): boolean {
  return weights.length === all.length && weights.every(({ length }, i) => length === all[i]!.size);
}

function restore(tf: Tf, all: Variable[], values: Float32Array[]): void {
  tf.tidy(() => {
    for (const [i, variable] of all.entries()) variable.assign(tf.tensor(values[i]!, variable.shape));
  });
}

function gather(
  table: Table,
  { x, local, global }: Shuffled,
  from: number,
  n: number,
  xs: Float32Array,
  ys: Float32Array,
  scale: FitOptions["scale"],
): void {
  const { width } = table;
  for (let i = 0; i < n; i++) {
    const row = local[from + i]!;
    xs.set(x.subarray(row * width, (row + 1) * width), i * width);
    const y = table.y[global[from + i]!]!;
    ys[i] = scale ? (y - scale.mean) / scale.sd : y;
  }
}

/** Mean of the hard loss from raw outputs, in double precision. */
function meanLoss(z: Float32Array, table: Table, k: number, { outcome, loss, scale }: FitOptions): number {
  let sum = 0;
  for (let row = 0; row < table.rows; row++) {
    const y = table.y[row]!;
    if (outcome === "multiclass") {
      let top = -Infinity;
      for (let c = 0; c < k; c++) top = Math.max(top, z[row * k + c]!);
      let total = 0;
      for (let c = 0; c < k; c++) total += Math.exp(z[row * k + c]! - top);
      sum += top + Math.log(total) - z[row * k + y]!;
    } else if (outcome === "binary") {
      const v = z[row]!;
      sum += Math.max(v, 0) - v * y + Math.log1p(Math.exp(-Math.abs(v)));
    } else {
      const error = z[row]! - (scale ? (y - scale.mean) / scale.sd : y);
      sum += loss === "absolute" ? Math.abs(error) : error * error;
    }
  }
  return sum / table.rows;
}

function inUnit(value: number, loss: Loss, scale: FitOptions["scale"]): number {
  const sd = scale?.sd ?? 1;
  return loss === "log" ? value : loss === "absolute" ? value * sd : Math.sqrt(value) * sd;
}

function unit(weights: Float32Array): Float32Array {
  let sum = 0;
  for (const w of weights) sum += w;
  return weights.map((w) => (w * weights.length) / sum);
}
