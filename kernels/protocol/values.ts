/** The spine: values that pass from cell to cell (contracts 2). Types only, so that every layer may name them. */
import type { PlotlySpec, WireValue } from "./output.js";

/** sha256 in hex, first 16 bytes. */
export type Hash = string;
export type Row = Record<string, unknown>;

/** What every built-in call returns. */
export interface Finding {
  /** what it means for the decision, in one sentence with the numbers */
  sentence: string;
  verdict: "good" | "bad" | "unsure";
  /** name of the statistical method */
  method: string;
  numbers: Record<string, number>;
  figure?: PlotlySpec;
}

/** Taken when the run starts. */
export interface Provenance {
  cell: string;
  sources: Hash;
  data: Hash;
  split?: Hash;
  seed: number;
  backend: string;
  packages: Hash;
}

/** Named typed arrays of one table; strings and mixed columns are plain arrays, where NULL is null. */
export type Columns = Record<string, Float64Array | Float32Array | Int32Array | unknown[]>;
/** Columns beside their masks: `nulls[row]` is 1 where the row is NULL (a numeric column holds 0 there); null = no NULLs. */
export type MaskedColumns = Record<string, { values: Columns[string]; nulls: Uint8Array | null }>;
/** What stands for NULL where a number must stand: a number, or "error" (the default), which says column and count. */
export interface NullRule {
  nulls?: "error" | number;
}

/**
 * Values that are made in the background (`sql` cannot await, and must not make the author write it) carry this method.
 * The runner awaits it on every export before the cell is done; library functions await it on their inputs. Rejects with the SQL's own error.
 */
export const settle: unique symbol = Symbol.for("touchstone.settle");
export interface Settling {
  [settle]?(name?: string): Promise<void>;
}

/** A lazy table: a view in the kernel's DuckDB. Synchronous to chain, asynchronous to read. */
export interface Relation<R extends object = Row> extends Settling {
  /** qualified and quoted view or table name, usable after `from` */
  readonly name: string;
  /** column names and DuckDB types */
  schema(): Promise<{ name: string; type: string; nullable: boolean }[]>;
  count(): Promise<number>;
  rows(limit?: number): Promise<R[]>;
  columns(names?: (keyof R & string)[], rule?: NullRule): Promise<Columns>;
  columns(names: (keyof R & string)[] | undefined, rule: { nulls: "mask" }): Promise<MaskedColumns>;
  /** "mask": after each column stands one of 0 and 1, 1 where it is NULL */
  tensor(names?: (keyof R & string)[], rule?: { nulls?: "error" | "mask" | number }): Promise<import("@tensorflow/tfjs").Tensor2D>;
  /** a column of PNG or JPEG bytes decoded: each becomes the bytes of its pixels, row by row from the top, which `tensor`, `dataset` and features read */
  images(column: keyof R & string, options?: ImageOptions): Relation<R>;
  /** condition in SQL, appended as a filter */
  where(sql: string): Relation<R>;
  /** fixed sample: the n rows with the smallest hash of (seed, key), in the relation's order */
  sample(n: number, options?: { seed?: number; key?: keyof R & string }): Relation<R>;
  split(options: SplitOptions<R>): Split<R>;
  describe(): Relation;
  /** CSV, Parquet, JSON or NDJSON by the ending; `table` names the table of a `.duckdb` file */
  save(path: string, options?: { table?: string }): Promise<void>;
  /** chunks of at most `size` (2,048) rows, in the relation's order */
  batches(options?: { columns?: string[]; size?: number } & NullRule): AsyncIterable<Columns & { length: number }>;
  /** batches of tensors for `model.fitDataset`, from a relation of any size in flat memory */
  dataset(options: DatasetOptions): Dataset;
  /** content hash: SQL, and sha256 or size+mtime of the files that it reads */
  hash(): Promise<Hash>;
}

export interface ImageOptions {
  /** [height, width] that each is scaled to (bilinear, antialiased); without it all must have one size */
  size?: [height: number, width: number];
  /** 1: grey (ITU-R 601 luma), 3: red, green, blue (the default); transparency is dropped */
  channels?: 1 | 3;
}

export interface DatasetOptions {
  /** columns of the input, default all but y; an image is one column of bytes or numbers */
  x?: string[];
  y: string | string[];
  /** rows of a batch, default 128 */
  batch?: number;
  /** rows of the buffer from which the next is drawn; 0 (the default): the relation's order */
  shuffle?: number;
  /** of the order, which differs from epoch to epoch */
  seed?: number;
  /** what stands for NULL in x; by default it is an error, and always in y */
  nulls?: "error" | number;
  /** y is a class number: the target becomes one column a class */
  classes?: number;
}
/** What `model.fitDataset` reads; each iterator is one epoch. */
export interface Dataset {
  size: null;
  iterator(): Promise<{
    next(): Promise<{ value: { xs: import("@tensorflow/tfjs").Tensor2D; ys: import("@tensorflow/tfjs").Tensor2D }; done: boolean }>;
  }>;
}

export interface SplitOptions<R extends object> {
  by: "time" | "hash" | "fold";
  key: keyof R & string;
  /** time: [start of valid, start of test] */
  cut?: unknown[];
  /** hash: [train, valid, test], default [0.7, 0.15, 0.15] */
  ratio?: [number, number, number];
  stratify?: keyof R & string;
  /** fold: number of folds and which is the test fold */
  folds?: number;
  fold?: number;
  seed?: number;
}

export interface Split<R extends object = Row> extends Settling {
  /** known once settled */
  readonly id: Hash;
  train: Relation<R>;
  valid: Relation<R>;
  test: Relation<R>;
  spec: { by: "time" | "hash" | "fold"; key: keyof R & string; cut: unknown };
  /** adds rows to train only; the id changes, the test rows do not */
  with(rows: Relation<R>): Split<R>;
  /** has the version been trained on rows of this split's test part? */
  covers(v: VersionRef): Promise<"disjoint" | "overlap" | "unknown">;
}

export type Task<R extends object = Row> =
  | { kind: "regression" | "binary" | "multiclass"; target: keyof R & string; classes?: string[] }
  | {
      kind: "forecast";
      target: keyof R & string;
      time: keyof R & string;
      /** seasonal period in steps, 7 for daily data with a week */
      season: number;
      /** steps ahead */
      horizon: number;
      series?: keyof R & string;
    };

/** regression and forecast: a number; binary: probability of the positive class; multiclass: probabilities by class index. */
export type Prediction = number | Float32Array;

export interface Metric {
  name: string;
  better: "lower" | "higher";
  /** loss of one row; allows paired intervals and live monitoring */
  row?(y: number, p: Prediction): number;
  /** set metrics such as AUC; bootstrapped from y and p */
  all?(ys: ArrayLike<number>, ps: ArrayLike<Prediction>): number;
  /** the value is the square root of the mean of the rows (RMSE); else it is their mean */
  root?: boolean;
}

export interface Predictor<R extends object = Row> {
  /** "seasonal naive", "mlp 64-32", "column dep_pred" */
  label: string;
  task: Task<R>;
  input: Signature;
  /** records in, predictions out, same order; inputs are checked against `input` */
  predict(rows: object[]): Promise<Prediction[]>;
  /** trainable parameters */
  params: number;
  bytes: number;
  provenance: Provenance;
  /** writes the version's files into an empty folder (contracts 5); `bar`: what it must beat, when that is not what it was trained against */
  stage(dir: string, bar?: Evaluated): Promise<Manifest>;
}

export interface Evaluation {
  split: Hash;
  metric: Metric;
  value: number;
  /** 95 % interval */
  ci: [number, number];
  n: number;
  /** one per test row, in the order of the split's key; empty for set metrics */
  losses: Float64Array;
  /** hash of the test rows' keys in that order: two evaluations with equal keys may be paired */
  keys: Hash;
  by?: Record<string, Evaluation>;
  /** how the interval was made */
  method?: string;
}

/** Under this key an evaluated predictor keeps the split that judged it: promote sends its test rows to the server's judge. */
export const splitOf: unique symbol = Symbol.for("touchstone.split");

export interface Evaluated<R extends object = Row> extends Predictor<R> {
  evaluation: Evaluation;
  [splitOf]?: Split<R>;
}
export type Against<R extends object = Row> = Evaluated<R> | { bar: Evaluated<R> };

/** Paired difference, candidate minus rival, in the metric's unit. */
export interface Paired {
  diff: number;
  ci: [number, number];
  p: number;
  method: string;
  n: number;
}

export interface VersionRef {
  name: string;
  version: number | "champion" | "challenger";
}
export interface Budget {
  p99Ms?: number;
  bytes?: number;
}

export interface RolloutPlan {
  metric: string;
  arms: number[];
  keysPerArm: number;
  days: number;
  alpha: number;
  power: number;
  lift: number;
  method: "fixed" | "sequential";
  maturityDays: number;
}

/** One field of the record that a caller sends. */
export interface Field {
  name: string;
  type: "double" | "integer" | "bigint" | "boolean" | "string" | "timestamp" | "date" | "decimal" | "double[]" | "image";
  nullable: boolean;
  /** p0.1 and p99.9 seen in training; outside is counted and warned about, never rejected */
  range?: [number, number];
  /** categories seen in training, most frequent first, at most 1,000 */
  seen?: string[];
}
/** The declared input of a version and the shape of its answer. */
export interface Signature {
  inputs: Field[];
  output: { name: string; kind: "number" | "probability" | "probabilities"; classes?: string[] };
}

/** manifest.json of a version folder. */
export interface Manifest {
  format: 1;
  /** "model" runs TFJS, "baseline" is answered from state.json alone, "ensemble" */
  kind: "model" | "baseline" | "ensemble";
  label: string;
  runtime: { touchstone: string; tfjs: string; node: string };
  /** file name -> sha256 in hex */
  files: Record<string, string>;
  params: number;
  bytes: number;
  provenance: Provenance;
}

/** One line of sample.jsonl. `vector` is the float32 vector, little-endian hex; absent for baselines. */
export interface SampleLine {
  record: Record<string, WireValue>;
  vector?: string;
  prediction: number | number[];
}
