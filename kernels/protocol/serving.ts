/** What kernel, server and model host say to each other about versions, gates and requests. */
import type { Budget, Evaluation, Manifest, Paired, RolloutPlan, VersionRef } from "./values.js";

export type GateName = "baseline" | "incumbent" | "budget" | "signature" | "parity" | "leakage";
/** A gate's outcome: all six are always judged and shown. */
export interface Gate {
  name: GateName;
  /** skip: does not apply (no incumbent yet), with the reason in `sentence` */
  verdict: "pass" | "fail" | "unsure" | "skip";
  sentence: string;
  measured: number | null;
  limit: number | null;
  unit: string;
  paired?: Paired;
}

/** What `promote` gives the server: a staged folder (contracts 5) and how to judge it. */
export interface ProposeRequest {
  /** endpoint name: [a-z][a-z0-9-]{0,62} */
  name: string;
  /** absolute folder inside the workspace's .touchstone/staging */
  dir: string;
  /** test rows as Parquet, beside the folder, outside the version; column `__y` is the truth, `__key` the split's key */
  testRows: string;
  /** `__key` of the training rows as Parquet, for the leakage gate */
  trainKeys?: string;
  margin: number;
  budget: Budget;
  /** slices of the test rows by column, reported, not gated */
  slices: string[];
  rollout: RolloutPlan | null;
  notebook: string;
}

/** The score on the test rows where a column has a value. */
export interface Slice {
  column: string;
  value: string;
  n: number;
  candidate: number;
  /** null where the version keeps nothing to compare by row */
  baseline: number | null;
}

export interface Proposal {
  /** per value of each column asked for, the 20 largest; reported, not gated */
  slices?: Slice[];
  /** hash of the staged bytes and the request: the same bytes always give the same proposal */
  id: string;
  name: string;
  /** set once committed */
  version: number | null;
  url: string | null;
  gates: Gate[];
  passed: boolean;
  /** "beats seasonal naive by 25 % [23, 27]" or which gate failed and by how much */
  sentence: string;
  manifest: Manifest;
  metric: string;
  candidate: number;
  baseline: { label: string; value: number };
  incumbent: { version: number; value: number } | null;
  latency: { p50: number; p99: number; p99ci: [number, number]; jitter: number } | null;
}

/** card.json of a version. */
export interface VersionCard {
  name: string;
  label: string;
  metric: string;
  better: "lower" | "higher";
  value: number;
  ci: [number, number];
  n: number;
  baseline: { label: string; value: number; ci: [number, number]; against: Paired };
  split: { id: string; by: string; key: string; cut: unknown };
  task: unknown;
  classes?: string[];
  notebook: string;
  cell: string;
  createdBy: string;
  /** cpu model, cores, memory, node, backend */
  machine: Record<string, string | number>;
  history?: { loss: number[]; valLoss: number[] };
}

/** What evaluation.bin holds once read. */
export interface StoredEvaluation extends Omit<Evaluation, "metric" | "losses" | "by"> {
  metric: string;
  y: Float64Array;
  /** row-major, `width` values a row */
  prediction: Float32Array;
  width: number;
  losses: Float64Array;
  baselineLosses: Float64Array;
}

/** One line of ROOT/.touchstone/history.ndjson: the registry is a fold over these. */
export type HistoryLine = { seq: number; at: string; sum: string } & (
  | {
      type: "promote";
      name: string;
      version: number;
      alias: "champion" | "challenger";
      proposal: string;
      manifest: string;
      by: string;
      metric: string;
      value: number;
      baseline: { label: string; value: number };
      incumbent: number | null;
    }
  | { type: "alias"; name: string; alias: "champion" | "challenger"; version: number | null; why: string; by: string }
  | { type: "rollback"; name: string; from: number; to: number; why: string; by: string }
  | { type: "arms"; name: string; salt: string; arms: { version: number; share: number }[]; why: string; by: string }
  | { type: "retire"; name: string; why: string; by: string }
);

/** What the server answers about one endpoint. */
export interface ModelSummary {
  name: string;
  champion: number | null;
  challenger: number | null;
  versions: {
    version: number;
    label: string;
    metric: string;
    better: "lower" | "higher";
    value: number;
    ci: [number, number];
    baseline: { label: string; value: number };
    incumbent: { version: number; value: number } | null;
    gates: Gate[];
    bytes: number;
    params: number;
    p99: number | null;
    at: string;
    notebook: string;
    cell: string;
  }[];
  /** state of the hosts: version -> ready, starting, dead with a reason */
  hosts: Record<number, { state: "starting" | "ready" | "draining" | "dead"; backend: string | null; reason?: string; memory?: number }>;
  traffic: { requests: number; errors: number; p50: number | null; p99: number | null; perSecond: number[] };
}

/** One line of the prediction log. Keys are short names on disk; see server/serving/log.ts. */
export interface PredictionRecord {
  /** request id; a request of many records numbers them `row` */
  id: string;
  row: number;
  /** ms since epoch */
  at: number;
  name: string;
  version: number;
  arm: "champion" | "challenger" | "shadow";
  key: string | null;
  /** probability with which this arm was chosen */
  probability: number;
  step: number | null;
  record: Record<string, unknown>;
  prediction: unknown;
  /** ms in the host */
  ms: number;
  status: "ok" | "error" | "degraded";
  /** fields outside the training range or extra, counted */
  warnings: string[];
}

/** One line of the feedback log: latest by `eventAt` wins for an (id, row, outcome). */
export interface FeedbackRecord {
  id: string;
  row: number;
  name: string;
  outcome: string;
  value: unknown;
  eventAt: number;
  at: number;
}

/** Calls that a kernel makes to the server; each name maps params to result. */
export interface ServerCalls {
  /** a line from the person at the page or the Jupyter client; rejects where nobody can answer */
  prompt: { params: { run: string; cell: string; question: string; password: boolean }; result: string };
  "registry.propose": { params: ProposeRequest; result: Proposal };
  /** only with the right granted: `run --promote`, or a click relayed by the page */
  "registry.commit": { params: { proposal: string; by: string }; result: Proposal };
  "registry.resolve": { params: VersionRef; result: { name: string; version: number; dir: string } | null };
  /** files that make up the endpoint's log now; each row is counted once across them */
  "log.files": {
    params: { name: string; from?: string; to?: string; version?: number };
    result: { parquet: string[]; segments: { file: string; bytes: number }[]; feedback: string[] };
  };
}
