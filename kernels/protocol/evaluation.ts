/**
 * evaluation.bin of a version: what the server needs to judge it again without the training data.
 *
 * Little-endian: "TSEV", u32 format (1), u32 length of the JSON head, the head `{metric, value, ci, n, split, keys, width, losses, baselineLosses,
 * baselinePrediction}` (the last three are counts), zero bytes up to a multiple of 8, then f64 y[n], f64 losses, f64 baselineLosses, f32 prediction[n * width],
 * f32 baselinePrediction[n * width or 0]. Set metrics (AUC) have no losses; they are compared from both predictions.
 */
import type { StoredEvaluation } from "./serving.js";

export interface EvaluationFile extends StoredEvaluation {
  /** the baseline's answers on the same rows, row-major; needed for set metrics only */
  baselinePrediction?: Float32Array;
}

const magic = 0x56455354; // "TSEV"

/** The bytes of evaluation.bin. Throws when lengths do not fit together. */
export function encodeEvaluation(evaluation: EvaluationFile): Uint8Array {
  const { y, prediction, width, losses, baselineLosses, baselinePrediction, metric, value, ci, n, split, keys } = evaluation;
  if (y.length !== n) throw new RangeError(`Expected \`evaluation.y\` to hold ${n} values, got ${y.length}`);
  if (prediction.length !== n * width)
    throw new RangeError(`Expected \`evaluation.prediction\` to hold ${n * width} values, got ${prediction.length}`);
  for (const [name, values] of Object.entries({ losses, baselineLosses }))
    if (values.length !== 0 && values.length !== n)
      throw new RangeError(`Expected \`evaluation.${name}\` to hold ${n} values or none, got ${values.length}`);
  const more = baselinePrediction ?? new Float32Array(0);
  const head = new TextEncoder().encode(
    JSON.stringify({
      metric,
      value,
      ci,
      n,
      split,
      keys,
      width,
      losses: losses.length,
      baselineLosses: baselineLosses.length,
      baselinePrediction: more.length,
    }),
  );
  const start = Math.ceil((12 + head.length) / 8) * 8;
  const out = new Uint8Array(start + 8 * (n + losses.length + baselineLosses.length) + 4 * (prediction.length + more.length));
  const view = new DataView(out.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, 1, true);
  view.setUint32(8, head.length, true);
  out.set(head, 12);
  let at = start;
  for (const values of [y, losses, baselineLosses, prediction, more]) {
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
  const headLength = view.getUint32(8, true);
  if (12 + headLength > bytes.length) throw new Error("evaluation.bin is cut short");
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + headLength))) as Omit<StoredEvaluation, "y"> & {
    losses: number;
    baselineLosses: number;
    baselinePrediction: number;
  } & Record<string, unknown>;
  const counts = head as unknown as { losses: number; baselineLosses: number; baselinePrediction: number };
  let at = Math.ceil((12 + headLength) / 8) * 8;
  const take = (count: number, size: 4 | 8): ArrayBuffer => {
    const end = at + count * size;
    if (!(count >= 0) || end > bytes.length) throw new Error("evaluation.bin is cut short");
    const copy = bytes.slice(at, end).buffer;
    at = end;
    return copy;
  };
  const { metric, value, ci, n, split, keys, width } = head;
  const y = new Float64Array(take(n, 8));
  const losses = new Float64Array(take(counts.losses, 8));
  const baselineLosses = new Float64Array(take(counts.baselineLosses, 8));
  const prediction = new Float32Array(take(n * width, 4));
  const more = new Float32Array(take(counts.baselinePrediction, 4));
  if (at !== bytes.length) throw new Error(`evaluation.bin has ${bytes.length - at} bytes too many`);
  return {
    metric,
    value,
    ci,
    n,
    split,
    keys,
    width,
    y,
    losses,
    baselineLosses,
    prediction,
    ...(more.length > 0 ? { baselinePrediction: more } : {}),
  };
}
