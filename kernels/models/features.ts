/** Features: the one mechanism that turns a record into numbers, the same in training and when served (contracts 4). */
import { join } from "node:path";
import type { RunContext } from "../protocol/cells.js";
import type { FeatureSpec, Features } from "../protocol/library.js";
import type { Field, Hash, Relation } from "../protocol/values.js";
import { kept, type Recipe } from "../protocol/kept.js";
import { settle } from "../protocol/values.js";
import { checkInput, checkState, describeFields, identityParts } from "./features-input.js";
import { buildBundle, folderOf } from "./features-bundle.js";
import { FeatureError, openFeatures, type OpenFeatures } from "./features-load.js";
import { checkPure } from "./features-pure.js";
import { inMemory, storeVectors, type Vectors } from "./vectors.js";

export * as f from "./f.js";
export { FeatureError, loadFeatures, openFeatures } from "./features-load.js";

/** What `features({...})` returns: the declaration, frozen. Its code is read from the cell when a training starts. */
export class FeatureSet implements Features {
  readonly input: Record<string, string>;
  readonly fit: ((rows: Relation) => unknown) | null;
  readonly row: (record: never, state: never) => ArrayLike<number>;
  /** cell that called `features`; null outside of a notebook */
  readonly cell: string | null;
  constructor(spec: FeatureSpec<unknown>, cell: string | null) {
    this.input = spec.input;
    this.fit = spec.fit ?? null;
    this.row = spec.row as FeatureSet["row"];
    this.cell = cell;
    Object.freeze(this);
  }

  /** Its content is what the functions do; as they are the author's, it cannot lie on disk. */
  get [kept](): Recipe {
    return { kind: "features", parts: { input: this.input, fit: this.fit, row: this.row }, functions: new Set([this.fit, this.row]) };
  }
}

/** Checks a declaration. `cell` is the calling cell's id: the runtime binds it. Throws a TypeError that names the part. */
export function features<S>(spec: FeatureSpec<S>, cell: string | null = null): FeatureSet {
  if (spec === null || typeof spec !== "object") throw new TypeError(`Expected \`features\` to get an object, got \`${String(spec)}\``);
  for (const key of Object.keys(spec)) {
    if (!["input", "fit", "row"].includes(key)) throw new TypeError(`features: \`${key}\` is not one of input, fit, row`);
  }
  const input = checkInput(spec.input);
  if (spec.fit !== undefined && typeof spec.fit !== "function")
    throw new TypeError(`Expected \`fit\` to be a function of the training rows, got \`${String(spec.fit)}\``);
  if (typeof spec.row !== "function")
    throw new TypeError(`Expected \`row\` to be a function of a record and the fitted state, got \`${String(spec.row)}\``);
  if (/^async\b/.test(Function.prototype.toString.call(spec.row)))
    throw new TypeError("features: `row` must not be async; what it needs belongs into `fit`");
  return new FeatureSet({ input, row: spec.row, ...(spec.fit && { fit: spec.fit as FeatureSpec<unknown>["fit"] }) } as FeatureSpec<unknown>, cell);
}

/** Features with their fitted state, ready for training; `vectors` runs the very file that is served. */
export interface FittedFeatures {
  /** features.mjs */
  code: string;
  hash: Hash;
  /** JSON */
  state: unknown;
  /** numbers a record */
  width: number;
  /** for the signature: nullable if declared or seen, ranges and categories seen */
  fields: Field[];
  /** what was converted or noticed: "distance: BIGINT is read as double" */
  notes: string[];
  /** records to vectors, row-major; throws a FeatureError that names record and field */
  vectors(records: readonly object[]): Float32Array;
  /** all rows of a relation, in its order; more than fit in memory go to a file, which the caller closes */
  matrix(relation: Relation): Promise<{ x: Vectors; rows: number; width: number }>;
}

/** What is kept of fitted features. */
export type FittedParts = Omit<FittedFeatures, "vectors" | "matrix">;
type Reading = Pick<RunContext, "breathe"> & Partial<Pick<RunContext, "workspace" | "vectorBytes">>;

/** Fitted features from what was kept of them. */
export function openFitted(parts: FittedParts, context: Reading): FittedFeatures {
  return fitted(parts, openFeatures(parts.code, parts.state), context);
}

function fitted(parts: FittedParts, open: OpenFeatures, context: Reading): FittedFeatures {
  const columns = Object.keys(open.input);
  return {
    ...parts,
    vectors: (records) => open.vectors(records),
    matrix: (rows) => matrix(open, rows, columns, parts.width, context),
  };
}

export interface BundleOptions {
  /** identity: columns that are no inputs (target, key, weight) */
  exclude?: readonly string[];
}

/**
 * Closes over `row`, fits the state on `relation` (the training rows), and proves on sample rows that the file is pure.
 * Call it when the training run starts. "identity" takes every numeric column that is not excluded as it is.
 */
export async function bundleFeatures(
  context: Pick<RunContext, "capture" | "notebook" | "breathe"> & Partial<Pick<RunContext, "workspace" | "vectorBytes">>,
  feats: Features | "identity",
  relation: Relation,
  options: BundleOptions = {},
): Promise<FittedFeatures> {
  await relation[settle]?.();
  const identity = feats === "identity" ? await identityParts(relation, options.exclude ?? []) : null;
  if (!identity && !(feats instanceof FeatureSet)) throw new TypeError('Expected `features` to be made by `features({...})`, or "identity"');
  const bundle = identity ? await buildBundle({ ...identity, folder: folderOf(context.notebook) }) : await context.capture(feats);
  const input = identity ? identity.input : (feats as FeatureSet).input;
  const state = identity ? null : await fitState(feats as FeatureSet, relation);
  const open = openFeatures(bundle.code, state);
  const { fields, notes } = await describeFields(input, relation, context, { identity: identity !== null });

  const sample = await samples(relation, Object.keys(input));
  if (sample.length === 0) throw new RangeError("features: the training rows are empty");
  const width = open.width(sample[0])!;
  if (width === 0) throw new RangeError("features: `row` returns no numbers");
  checkPure(bundle.code, state, open, sample);
  return fitted({ ...bundle, state, width, fields, notes }, open, context);
}

/** rows at the start of a relation on which features are tried first */
export const firstRows = 128;

/** The first rows and, when there are more, some spread over the rest. */
async function samples(relation: Relation, columns: string[]): Promise<object[]> {
  const pick = (row: Record<string, unknown>) => Object.fromEntries(columns.map((name) => [name, row[name]]));
  const head = (await relation.rows(firstRows)) as Record<string, unknown>[];
  if (head.length < firstRows) return head.map(pick);
  const spread = (await relation.sample(128, { seed: 1 }).rows()) as Record<string, unknown>[];
  return [...head, ...spread].map(pick);
}

async function fitState(feats: FeatureSet, relation: Relation): Promise<unknown> {
  if (!feats.fit) return null;
  const state: unknown = await feats.fit(relation);
  return checkState(state);
}

async function matrix(
  open: OpenFeatures,
  relation: Relation,
  columns: string[],
  width: number,
  context: Reading,
): Promise<{ x: Vectors; rows: number; width: number }> {
  await relation[settle]?.();
  const rows = await relation.count();
  const stored =
    context.workspace !== undefined && rows * width * 4 > (context.vectorBytes ?? inMemory)
      ? storeVectors(join(context.workspace, ".touchstone/spill"), rows, width)
      : null;
  let x = new Float32Array(stored ? 0 : rows * width);
  let done = 0;
  try {
    for await (const batch of relation.batches({ columns, nulls: NaN })) {
      const { length } = batch;
      if (done + length > rows) throw new RangeError("the relation has more rows than it counted");
      for (const name of columns) if (!(name in batch)) throw new FeatureError(`the rows have no column \`${name}\``, done, name);
      if (stored && x.length < length * width) x = new Float32Array(length * width);
      open.columns(batch, length, x, stored ? 0 : done * width, width, done);
      stored?.write(x.subarray(0, length * width));
      done += length;
      await context.breathe();
    }
    if (done !== rows) throw new RangeError(`the relation counted ${rows} rows and gave ${done}`);
  } catch (error) {
    stored?.close();
    throw error;
  }
  return { x: stored?.done() ?? x, rows, width };
}
