/** A training's whole state between two epochs, as bytes: going on from it gives the losses that an uninterrupted run has. */
import type { History } from "./fit.js";

export interface Checkpoint {
  /** of what is trained on what: a checkpoint of another training is not taken */
  key: string;
  history: History;
  /** epoch of the best validation loss, and that loss */
  best: { epoch: number; loss: number };
  /** states of the generators of the order of rows and of dropout */
  random: { order: number; noise: number };
  weights: Float32Array[];
  bestWeights: Float32Array[];
  /** the optimiser's own numbers */
  optimizer: { name: string; shape: number[]; values: Float32Array }[];
}

/** Where checkpoints of one training are kept. */
export interface CheckpointStore {
  key: string;
  /** least time between two saves in ms; by default many times what one takes */
  every?: number;
  load(): Promise<Uint8Array | null>;
  save(bytes: Uint8Array): Promise<void>;
  /** the training has ended by itself */
  clear(): Promise<void>;
}

const magic = "touchstone checkpoint 1\n";

export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { weights, bestWeights, optimizer, ...rest } = checkpoint;
  const arrays = [...weights, ...bestWeights, ...optimizer.map(({ values }) => values)];
  const lengths = (list: Float32Array[]) => list.map(({ length }) => length);
  const states = optimizer.map(({ name, shape, values }) => ({ name, shape, length: values.length }));
  const head = `${magic}${JSON.stringify({ ...rest, weights: lengths(weights), bestWeights: lengths(bestWeights), optimizer: states })}\n`;
  const numbers = Buffer.concat(arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)));
  return Buffer.concat([Buffer.from(head), numbers]);
}

/** Null where the bytes are torn, of another format or of another training. */
export function decodeCheckpoint(bytes: Uint8Array, key: string): Checkpoint | null {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = whole.indexOf(10, magic.length);
  if (whole.subarray(0, magic.length).toString() !== magic || end < 0) return null;
  type Head = Omit<Checkpoint, "weights" | "bestWeights" | "optimizer"> & {
    weights: number[];
    bestWeights: number[];
    optimizer: { name: string; shape: number[]; length: number }[];
  };
  let head: Head;
  try {
    head = JSON.parse(whole.subarray(magic.length, end).toString()) as Head;
  } catch {
    return null;
  }
  const total = [...head.weights, ...head.bestWeights, ...head.optimizer.map(({ length }) => length)].reduce((sum, n) => sum + n, 0);
  if (head.key !== key || whole.length !== end + 1 + total * 4) return null;
  // floats need an aligned start
  const numbers = new Float32Array(whole.buffer.slice(whole.byteOffset + end + 1, whole.byteOffset + whole.length));
  let at = 0;
  const take = (length: number) => numbers.subarray(at, (at += length));
  return {
    ...head,
    weights: head.weights.map(take),
    bestWeights: head.bestWeights.map(take),
    optimizer: head.optimizer.map(({ name, shape, length }) => ({ name, shape, values: take(length) })),
  };
}
