/** A features.mjs with its state as a function from records to vectors. The model host and the exported server use this alone. */
import type { Fault } from "./features-driver.js";
import { openBundle } from "./features-realm.js";

/** A record that cannot be turned into a vector: which one, which field, or which place of the vector. */
export class FeatureError extends Error {
  override name = "FeatureError";
  readonly record: number;
  readonly field: string | null;
  readonly index: number | null;
  constructor(message: string, record: number, field: string | null = null, index: number | null = null) {
    super(message);
    this.record = record;
    this.field = field;
    this.index = index;
  }
}

export interface OpenFeatures {
  input: Record<string, string>;
  /** float32 vectors, row-major */
  vectors(records: readonly object[]): Float32Array;
  /** columns by name, `count` rows, into `out` from `at`; `first` is the number of the first row for errors */
  columns(columns: object, count: number, out: Float32Array, at: number, width: number, first: number): void;
  /** numbers a record; of the record given, when none was measured before */
  width(record?: object): number | null;
}

/** Opens a bundle. `state` is JSON. Records may be native (Date, bigint) or as they come over the wire (ISO text, number). */
export function openFeatures(code: string, state: unknown): OpenFeatures {
  const driver = openBundle(code);
  const fixed = guard(() => driver.state(JSON.stringify(state ?? null)));
  let width: number | null = null;
  const measured = (record: object | undefined) => (width ??= record === undefined ? null : guard(() => driver.measure([record], fixed)));
  return {
    input: { ...driver.input },
    width: measured,
    vectors(records) {
      if (records.length === 0) return new Float32Array(0);
      const wide = measured(records[0])!;
      const out = new Float32Array(records.length * wide);
      guard(() => driver.fill(records, records.length, false, fixed, out, 0, wide, 0));
      return out;
    },
    columns: (columns, count, out, at, wide, first) => guard(() => driver.fill(columns, count, true, fixed, out, at, wide, first)),
  };
}

/** As the model host uses it: records in, float32 vectors out, row-major. */
export async function loadFeatures(code: string, state: unknown): Promise<(records: object[]) => Float32Array> {
  return openFeatures(code, state).vectors;
}

/** Faults of the realm become errors of ours. */
function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const fault = error as Partial<Fault> | null;
    if (typeof fault?.fault !== "string") throw error;
    const where = `record ${fault.record}${fault.field === null ? "" : `, field \`${fault.field}\``}`;
    throw new FeatureError(`${where}: ${fault.fault}`, fault.record ?? 0, fault.field ?? null, fault.index ?? null);
  }
}
