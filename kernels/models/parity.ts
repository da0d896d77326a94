/** Proof that a loaded version answers as it did in training: 256 stored records give the same vectors, bit by bit, and the same predictions. */
import type { ParityReport } from "../protocol/host.js";
import type { Prediction, SampleLine } from "../protocol/values.js";
import type { LoadedPredictor } from "./load.js";
import { vectorHex } from "./version.js";
import { recordChecker } from "./wire.js";

/** On the back end of training 1e-5 (cpu and wasm differ by 6e-7 at most), on another one 1e-3. */
export function toleranceOf(trained: string, serving: string): number {
  const near = ["wasm", "cpu", "none"];
  return trained === serving || (near.includes(trained) && near.includes(serving)) ? 1e-5 : 1e-3;
}

/** Largest difference between a prediction and what is stored, relative to max(1, |stored|). Infinity when their shapes differ. */
export function distance(found: Prediction | number[], stored: number | number[]): number {
  const a = typeof found === "number" ? [found] : Array.from(found);
  const b = typeof stored === "number" ? [stored] : stored;
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!) / Math.max(1, Math.abs(b[i]!));
    largest = Number.isNaN(difference) && !(Number.isNaN(a[i]!) && Number.isNaN(b[i]!)) ? Infinity : Math.max(largest, difference || 0);
  }
  return largest;
}

/** Runs the sample through the wire rules, the features and the model. */
export async function proveParity(predictor: LoadedPredictor, sample: SampleLine[]): Promise<ParityReport> {
  const tolerance = toleranceOf(predictor.manifest.provenance.backend, predictor.backend);
  const parity: ParityReport = { ok: true, rows: sample.length, vectorsDiffer: 0, largest: 0, tolerance, why: null };
  if (sample.length === 0) return { ...parity, ok: false, why: "sample.jsonl is empty: nothing can be proved" };
  const check = recordChecker(predictor.signature);
  const records = sample.map((line, i) => check(line.record, `sample line ${i + 1}`).record);
  const predictions = await predictor.predict(records);
  sample.forEach((line, i) => {
    if (line.vector === undefined) return;
    const vector = predictor.vectors([records[i]!]);
    if (vector === null || vectorHex(vector) === line.vector) return;
    parity.vectorsDiffer++;
    parity.why ??= `sample line ${i + 1}: the features' vector is not the one of training`;
  });
  sample.forEach((line, i) => {
    const difference = distance(predictions[i]!, line.prediction);
    if (difference > tolerance)
      parity.why ??= `sample line ${i + 1}: the prediction differs by ${difference.toPrecision(2)}, allowed is ${tolerance}`;
    parity.largest = Math.max(parity.largest, difference);
  });
  parity.ok = parity.why === null;
  return parity;
}
