/** A version folder as something that answers records: TFJS layers model with its bundled features, a baseline from its state alone, or a weighted ensemble. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { VersionCard } from "../protocol/serving.js";
import type { Manifest, Prediction, Signature } from "../protocol/values.js";
import { predictBaseline, type BaselineState } from "../stats/baselines.js";
import { loadFeatures } from "./features-load.js";
import { readVersion, type PredictorParts } from "./version.js";

export interface LoadedPredictor {
  manifest: Manifest;
  signature: Signature;
  card: VersionCard;
  /** sha256 of manifest.json */
  hash: string;
  /** "wasm", "cpu"; "none" for a baseline, which needs no TFJS */
  backend: string;
  /** records as the row function takes them (native values, contracts 5); same order */
  predict(records: object[]): Promise<Prediction[]>;
  /** float32 vectors, row-major, as the model sees them; null for baselines and ensembles */
  vectors(records: object[]): Float32Array | null;
  dispose(): void;
}

export interface LoadOptions {
  /** back end to force; a host takes wasm, else cpu */
  backend?: string | null;
  /** for a process without node_modules */
  wasmBinary?: Uint8Array;
}

interface Part {
  predict(records: object[]): Promise<Prediction[]>;
  vectors(records: object[]): Float32Array | null;
  backend: string;
  dispose(): void;
}

/** Loads and verifies a version. Throws when a file is missing or changed, or when the model cannot be read. */
export async function loadPredictor(dir: string, options: LoadOptions = {}): Promise<LoadedPredictor> {
  const version = readVersion(dir);
  const { manifest, signature, card, hash } = version;
  const part = await loadPart(dir, manifest.kind, signature, options);
  return { manifest, signature, card, hash, ...part };
}

async function loadPart(dir: string, kind: PredictorParts["kind"], signature: Signature, options: LoadOptions): Promise<Part> {
  const state = JSON.parse(readFileSync(join(dir, "state.json"), "utf8")) as unknown;
  if (kind === "baseline") {
    return {
      backend: "none",
      predict: async (records) => predictBaseline(state as BaselineState, records),
      vectors: () => null,
      dispose: () => undefined,
    };
  }
  if (kind === "ensemble") {
    const { members } = state as { members: { weight: number; kind: PredictorParts["kind"] }[] };
    const parts: Part[] = [];
    for (let i = 0; i < members.length; i++) parts.push(await loadPart(join(dir, "members", String(i)), members[i]!.kind, signature, options));
    return {
      backend: parts.find((part) => part.backend !== "none")?.backend ?? "none",
      predict: async (records) => {
        const all: Prediction[][] = [];
        for (const part of parts) all.push(await part.predict(records));
        return blend(
          all,
          members.map((member) => member.weight),
        );
      },
      vectors: () => null,
      dispose: () => parts.forEach((part) => part.dispose()),
    };
  }
  return loadModel(dir, state, signature, options);
}

async function loadModel(dir: string, state: unknown, signature: Signature, options: LoadOptions): Promise<Part> {
  const { loadBackend } = await import("../tensors/backend.js");
  const { tf, name } = await serving(loadBackend, options);
  const description = JSON.parse(readFileSync(join(dir, "model.json"), "utf8")) as {
    modelTopology: object;
    weightsManifest: { weights: import("@tensorflow/tfjs").io.WeightsManifestEntry[] }[];
  };
  const bytes = readFileSync(join(dir, "weights.bin"));
  const weightData = new Uint8Array(bytes).buffer;
  const model = await tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: description.modelTopology,
      weightSpecs: description.weightsManifest.flatMap((group) => group.weights),
      weightData,
    }),
  );
  const vectorsOf = await loadFeatures(readFileSync(join(dir, "features.mjs"), "utf8"), state);
  const shape = model.inputs[0]!.shape.slice(1) as number[];
  const width = shape.reduce((product, size) => product * size, 1);
  const vectors = (records: object[]): Float32Array => {
    const x = vectorsOf(records);
    if (x.length !== records.length * width)
      throw new Error(`the features gave ${x.length / records.length} numbers a record, the model takes ${width}`);
    return x;
  };
  return {
    backend: name,
    vectors,
    predict: async (records) => {
      const x = vectors(records);
      const output = tf.tidy(() => {
        const answer = model.predict(tf.tensor(x, [records.length, ...shape]), { batchSize: 1024 });
        return Array.isArray(answer) ? answer[0]! : answer;
      });
      const values = (await output.data()) as Float32Array;
      const columns = output.shape.length > 1 ? output.shape[output.shape.length - 1]! : 1;
      output.dispose();
      return toPredictions(values, columns, signature);
    },
    dispose: () => model.dispose(),
  };
}

type LoadBackend = typeof import("../tensors/backend.js").loadBackend;

/** The fixed, small choice of a host: wasm, else cpu, so that its answers do not depend on what else the machine has. */
async function serving(loadBackend: LoadBackend, options: LoadOptions): Promise<Awaited<ReturnType<LoadBackend>>> {
  const more = options.wasmBinary ? { wasmBinary: options.wasmBinary } : {};
  if (options.backend) return loadBackend(options.backend, more);
  try {
    return await loadBackend("wasm", more);
  } catch {
    return loadBackend("cpu", more);
  }
}

/** Model outputs to predictions: one column is a number, more are probabilities by class. */
export function toPredictions(values: Float32Array, columns: number, signature: Signature): Prediction[] {
  if (signature.output.kind !== "probabilities") {
    // two-column softmax of a binary task: the second is the positive class
    return Array.from({ length: values.length / columns }, (_, row) => values[row * columns + columns - 1]!);
  }
  return Array.from({ length: values.length / columns }, (_, row) => values.slice(row * columns, (row + 1) * columns));
}

/** Weighted mean of each member's answers; weights need not sum to one. */
function blend(all: Prediction[][], weights: number[]): Prediction[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return all[0]!.map((first, row) => {
    if (typeof first === "number") return all.reduce((sum, answers, i) => sum + weights[i]! * (answers[row] as number), 0) / total;
    return first.map((_, column) => all.reduce((sum, answers, i) => sum + weights[i]! * (answers[row] as Float32Array)[column]!, 0) / total);
  });
}
