/** Signatures of every name that a cell has without an import (contracts 3), for the type checker and for `import ... from "touchstone"`. */
import type * as tf from "@tensorflow/tfjs";
import type { Input, Inputs } from "./inputs.js";
import type { MimeBundle, PlotlySpec } from "./output.js";
import type { Gate, Proposal } from "./serving.js";
import type {
  Against,
  Budget,
  Evaluated,
  Evaluation,
  Finding,
  Paired,
  Predictor,
  Relation,
  RolloutPlan,
  Row,
  Split,
  Task,
  VersionRef,
} from "./values.js";

export type MetricName = "log loss" | "accuracy" | "AUC" | "RMSE" | "MAE" | "sMAPE" | "MASE";
export type BaselineName = "prior" | "majority" | "stratified" | "mean" | "median" | "naive" | "seasonal naive" | "drift";
export type DatePart = "hour" | "dow" | "month";

export interface BaselineOptions<R extends object> {
  split: Split<R>;
  /** default: found from the columns, and said */
  task?: Task<R>;
  /** default: log loss, RMSE or MAE by task */
  metric?: MetricName;
  /** default: all that fit the task */
  using?: (BaselineName | { rate: (DatePart | (keyof R & string))[] } | { column: keyof R & string } | Predictor<R>)[];
  /** a charter's expectation, shown beside the result */
  expect?: number;
}
export interface BaselineResult<R extends object> extends Finding {
  /** the number to beat */
  bar: Evaluated<R>;
  all: Evaluated<R>[];
  metric: string;
  expect?: number;
}

export interface Features {
  readonly input: Record<string, string>;
}
export interface FeatureSpec<S> {
  /** field -> "double" | "integer" | "bigint" | "boolean" | "string" | "timestamp" | "date" | "decimal" | "double[]" | "image", with "?" when it may be null */
  input: Record<string, string>;
  /** over the training rows; its JSON result is the second argument of `row` */
  fit?: (rows: Relation<Row>) => S | Promise<S>;
  /** closed and pure: record in, numbers out */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the record's type follows from `input` at run time
  row: (record: any, state: S) => ArrayLike<number>;
}

/** How a learning rate changes over the epochs of a training. */
export type Schedule =
  | { name: "step"; every: number; factor?: number }
  | { name: "cosine"; floor?: number }
  | { name: "plateau"; patience: number; factor?: number; floor?: number };

export interface TrainOptions<R extends object> {
  split: Split<R>;
  /** default: that of `against` */
  task?: Task<R>;
  against: Against<R>;
  features: Features | "identity";
  model?: "linear" | "mlp" | "cnn" | ((shape: number[]) => tf.LayersModel);
  optimizer?:
    | string
    | {
        /** default "adam" */ name?: string;
        learningRate?: number;
        /** epochs in which the rate rises from 0 */ warmup?: number;
        schedule?: Schedule;
      };
  loss?: "log" | "squared" | "absolute";
  epochs?: number;
  batch?: number;
  patience?: number;
  classWeights?: "balanced" | Record<string, number>;
  /** column of row weights */
  weight?: keyof R & string;
  seed?: number;
}
export interface TrainResult<R extends object> extends Finding, Evaluated<R> {
  against: Paired;
  history: { loss: number[]; valLoss: number[] };
}

export interface DistillOptions<R extends object> {
  teacher: Predictor<R> | Predictor<R>[];
  split: Split<R>;
  against: Against<R>;
  /** hidden units of each student tried */
  students?: (number | number[])[];
  temperature?: number;
  alpha?: number;
  epochs?: number;
  batch?: number;
  budget?: Budget;
  /** further rows without labels */
  transfer?: Relation<R>;
  seed?: number;
}
export interface DistillResult<R extends object> extends Finding {
  student: Evaluated<R>;
  teacher: Evaluated<R>;
  scratch: Evaluated<R>;
  gapClosed: number;
  fidelity: number;
  frontier: { predictor: string; loss: number; p99Ms: number; bytes: number }[];
}

export interface Estimate {
  value: number;
  se: number;
}
export interface AbTestOptions {
  outcome: { kind: "proportion"; rate: number } | { kind: "mean"; mean: number; sd: number } | { column: string; data: Relation };
  lift?: number;
  keysPerDay?: number;
  arms?: [number, number];
  power?: number;
  method?: "fixed" | "sequential";
  looks?: number;
  maturityDays?: number;
  guardrails?: string[];
  alpha?: number;
  sims?: number;
  seed?: number;
}
export interface AbTestResult extends Finding {
  plan: RolloutPlan;
  power: Estimate;
  falseAlarm: Estimate;
  falseAlarmIfPeeking: Estimate;
  medianDays: Estimate;
  exaggeration: Estimate;
}

export interface DriftOptions<R extends object> {
  reference: Relation<R> | VersionRef;
  current: Relation<R>;
  columns?: (keyof R & string)[];
  test?: "auto" | "psi" | "ks" | "chi-square" | "js" | "wasserstein";
  alpha?: number;
  every?: "day" | "week" | "month" | "quarter" | "year";
  /** the date column of `every`; default: the first date or timestamp */
  time?: keyof R & string;
  calibrate?: boolean;
}
export interface DriftColumn {
  column: string;
  test: string;
  score: number;
  limit: number;
  p: number | null;
  drifted: boolean;
}
export interface DriftResult extends Finding {
  columns: DriftColumn[];
  prediction: DriftColumn | null;
  share: number;
  breached: boolean;
  series: { period: string; columns: DriftColumn[] }[];
  /** true when a retraining should be proposed */
  trigger: boolean;
}

export interface PromoteOptions<R extends object> {
  /** endpoint: [a-z][a-z0-9-]{0,62} */
  name: string;
  model: Evaluated<R>;
  against: Against<R>;
  margin?: number;
  budget?: Budget;
  slices?: (keyof R & string)[];
  rollout?: RolloutPlan;
}
export interface PromoteResult extends Finding {
  proposal: Proposal;
  gates: Gate[];
  version: number | null;
  url: string | null;
  /** writes the folder that serves alone */
  export(dir: string): Promise<void>;
}

/** A logged request of one record. */
export interface LogRow {
  id: string;
  row: number;
  at: Date;
  version: number;
  arm: string;
  key: string | null;
  probability: number;
  record: Row;
  prediction: unknown;
  ms: number;
  outcome: unknown;
}

/** One comm: a way between a cell and the front end of a Jupyter client. `data` is what JSON can say, bytes go in `buffers`. */
export interface Comm {
  readonly id: string;
  send(data: unknown, buffers?: Uint8Array[]): void;
  onMessage(handler: (data: unknown, buffers: Uint8Array[]) => void): void;
  /** the client has closed it */
  onClose(handler: (data: unknown) => void): void;
  close(data?: unknown): void;
}
/** Comms of a cell; they close with its next run. */
export interface CommTargets {
  /** clients may open comms to this name */
  register(target: string, opened: (comm: Comm, data: unknown, buffers: Uint8Array[]) => void): void;
  /** opens one to a target of the clients */
  open(target: string, data?: unknown, buffers?: Uint8Array[]): Comm;
}

export interface CellHandle {
  readonly id: string;
  readonly signal: AbortSignal;
  onDispose(dispose: () => void): void;
  /** messages to and from the front end of a Jupyter client */
  readonly comm: CommTargets;
  /** drops what the cell has shown so far; `wait`: only when its next output comes, so that nothing flickers */
  clear(options?: { wait?: boolean }): void;
}

/** What `relation` takes: records, columns, records one by one, or the bytes of a file. */
export type RelationSource<R extends object> =
  R[] | { [K in keyof R]: ArrayLike<R[K]> } | Iterable<R> | AsyncIterable<R> | AsyncIterable<Uint8Array> | ArrayBuffer | Uint8Array | Blob | Response;
export interface BytesOptions {
  /** of bytes; default: by their first ones. A stream (Node's or the web's) is one of bytes when this is given, else of records */
  format?: "csv" | "parquet" | "json" | "arrow";
}
/** A DuckDB file of the workspace, opened for reading only. */
export interface Database {
  tables(): Promise<string[]>;
  table<R extends object = Row>(name: string): Relation<R>;
}
export interface CsvOptions {
  /** default: found */
  delimiter?: string;
  quote?: string;
  escape?: string;
  comment?: string;
  header?: boolean;
  /** lines before the header */
  skip?: number;
  /** words that stand for NULL */
  nulls?: string | string[];
  /** strptime pattern, such as "%d.%m.%Y" */
  dateFormat?: string;
  /** DuckDB types of some columns */
  types?: Record<string, string>;
  /** what the text is written in, by the names of TextDecoder: "utf-8" (default; a mark of UTF-16 is seen), "latin-1", "utf-16", "windows-1252", "shift_jis" ... */
  encoding?: string;
  /** "report" (default): rows that do not fit are set aside and told; "error": the first one is an error */
  rejects?: "report" | "error";
}
/** A row of a CSV file that does not fit its columns. */
export interface CsvReject {
  /** from 1, the header included */
  line: number;
  column: string | null;
  problem: string;
  text: string;
}

export interface Library {
  sql<R extends object = Row>(text: TemplateStringsArray, ...values: unknown[]): Relation<R>;
  relation<R extends object = Row>(rows: RelationSource<R>, options?: BytesOptions): Relation<R>;
  /** a CSV file of the workspace; rows that do not fit are in `rejects` */
  csv<R extends object = Row>(path: string, options?: CsvOptions): Relation<R> & { rejects: Relation<CsvReject & Row> };
  /** tables of another DuckDB file of the workspace */
  database(path: string): Database;
  /** absolute path of a workspace file or `npm:package/path` */
  file(path: string): string;
  /** `update`: in a Jupyter client, changes what an earlier request showed under this id */
  display(value: unknown, options?: { id?: string; update?: boolean }): void;
  /** shows a control below the cell and gives its value; moving it runs the cell again */
  view<T>(input: Input<T>): T;
  /** the controls that `view` shows: `input.range({ min: 0, max: 1 })`, `input.select({ options: ["a", "b"] })` ... */
  input: Inputs;
  html(text: TemplateStringsArray, ...values: unknown[]): MimeBundle;
  md(text: TemplateStringsArray, ...values: unknown[]): MimeBundle;
  progress(label: string, done: number, total?: number): void;
  /** asks the person at the notebook or the Jupyter client for a line */
  prompt(question?: string, options?: { password?: boolean }): Promise<string>;
  cell: CellHandle;
  secret(name: string): string;
  features<S>(spec: FeatureSpec<S>): Features;
  baseline<R extends object>(options: BaselineOptions<R>): Promise<BaselineResult<R>>;
  train<R extends object>(options: TrainOptions<R>): Promise<TrainResult<R>>;
  ensemble<R extends object>(...members: [Predictor<R>, number][]): Predictor<R>;
  distill<R extends object>(options: DistillOptions<R>): Promise<DistillResult<R>>;
  abTest(options: AbTestOptions): Promise<AbTestResult>;
  drift<R extends object>(options: DriftOptions<R>): Promise<DriftResult>;
  promote<R extends object>(options: PromoteOptions<R>): Promise<PromoteResult>;
  log(endpoint: string, options?: { from?: string | Date; to?: string | Date; version?: number; matured?: boolean }): Relation<LogRow>;
}
export type { Evaluation, PlotlySpec };
