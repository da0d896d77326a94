/**
 * evaluation.bin of a version: what the server needs to judge it again without the training data.
 *
 * Little-endian: "TSEV", u32 format (1), u32 length of the JSON head, the head (metric, value, ci, n, split, keys, width; seed, block and the clusters'
 * unit and count where they apply; `counts` of the arrays), zero bytes up to a multiple of 8, then f64 y[n], f64 losses[n or 0], f64 baselineLosses[n or 0],
 * f32 prediction[n * width], f32 baselinePrediction[n * width or 0], i32 clusters[n or 0]. Set metrics (AUC) have no losses: they are compared from
 * both predictions.
 */
import type { StoredEvaluation } from "./serving.js";

export interface EvaluationFile extends StoredEvaluation {
  /** the baseline's answers on the same rows, row-major; needed for set metrics only */
  baselinePrediction?: Float32Array;
  /** which rows are drawn together when intervals are made (stats `Dependence`), so that the server finds the same interval */
  dependence?: { clusters?: { ids: Int32Array; count: number; unit: string } | null; block?: number | null };
  /** seed of the bootstrap */
  seed?: number;
}

const magic = 0x56455354; // "TSEV"

type Head = Pick<EvaluationFile, "metric" | "value" | "ci" | "n" | "split" | "keys" | "width" | "seed"> & {
  unit?: string;
  units?: number;
  block?: number;
  counts: { losses: number; baselineLosses: number; baselinePrediction: number; clusters: number };
};

/** The bytes of evaluation.bin. Throws when lengths do not fit together. */
export function encodeEvaluation(evaluation: EvaluationFile): Uint8Array {
  const { y, prediction, width, losses, baselineLosses, metric, value, ci, n, split, keys, dependence, seed } = evaluation;
  const baselinePrediction = evaluation.baselinePrediction ?? new Float32Array(0);
  const clusters = dependence?.clusters?.ids ?? new Int32Array(0);
  const check = (name: string, found: number, ...wanted: number[]): void => {
    if (!wanted.includes(found)) throw new RangeError(`Expected \`evaluation.${name}\` to hold ${wanted.join(" or ")} values, got ${found}`);
  };
  check("y", y.length, n);
  check("prediction", prediction.length, n * width);
  check("losses", losses.length, n, 0);
  check("baselineLosses", baselineLosses.length, n, 0);
  check("baselinePrediction", baselinePrediction.length, n * width, 0);
  check("dependence.clusters.ids", clusters.length, n, 0);
  const counts = {
    losses: losses.length,
    baselineLosses: baselineLosses.length,
    baselinePrediction: baselinePrediction.length,
    clusters: clusters.length,
  };
  const more = dependence?.clusters ? { unit: dependence.clusters.unit, units: dependence.clusters.count } : {};
  const block = dependence?.block ? { block: dependence.block } : {};
  const head: Head = { metric, value, ci, n, split, keys, width, ...(seed === undefined ? {} : { seed }), ...more, ...block, counts };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const start = Math.ceil((12 + text.length) / 8) * 8;
  const arrays = [y, losses, baselineLosses, prediction, baselinePrediction, clusters];
  const out = new Uint8Array(arrays.reduce((sum, values) => sum + values.byteLength, start));
  const view = new DataView(out.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, 1, true);
  view.setUint32(8, text.length, true);
  out.set(text, 12);
  let at = start;
  for (const values of arrays) {
    out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return out;
}

/** Reads evaluation.bin. Throws on bytes that cannot be one. */
export function decodeEvaluation(bytes: Uint8Array): EvaluationFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(0, true) !== magic) throw new Error("evaluation.bin does not begin with TSEV");
  if (view.getUint32(4, true) !== 1) throw new Error(`evaluation.bin has format ${view.getUint32(4, true)}; this version reads format 1`);
  const length = view.getUint32(8, true);
  if (12 + length > bytes.length) throw new Error("evaluation.bin is cut short");
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length))) as Head;
  let at = Math.ceil((12 + length) / 8) * 8;
  // sliced, so that each array begins at a multiple of its element size
  const take = (count: number, size: 4 | 8): ArrayBuffer => {
    const end = at + count * size;
    if (!(count >= 0) || end > bytes.length) throw new Error("evaluation.bin is cut short");
    const copy = new Uint8Array(bytes.subarray(at, end)).buffer;
    at = end;
    return copy;
  };
  const { metric, value, ci, n, split, keys, width, counts } = head;
  const y = new Float64Array(take(n, 8));
  const losses = new Float64Array(take(counts.losses, 8));
  const baselineLosses = new Float64Array(take(counts.baselineLosses, 8));
  const prediction = new Float32Array(take(n * width, 4));
  const baselinePrediction = new Float32Array(take(counts.baselinePrediction, 4));
  const ids = new Int32Array(take(counts.clusters, 4));
  if (at !== bytes.length) throw new Error(`evaluation.bin has ${bytes.length - at} bytes too many`);
  const clusters = ids.length > 0 ? { ids, count: head.units ?? 0, unit: head.unit ?? "key" } : null;
  return {
    ...{ metric, value, ci, n, split, keys, width, y, prediction, losses, baselineLosses },
    ...(baselinePrediction.length > 0 ? { baselinePrediction } : {}),
    ...(clusters || head.block ? { dependence: { clusters, block: head.block ?? null } } : {}),
    ...(head.seed === undefined ? {} : { seed: head.seed }),
  };
}
