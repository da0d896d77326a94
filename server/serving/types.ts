/** What serving is made of: its events, versions and routes as routing knows them, requests and answers, and the whole as its callers see it. */
import type { Hono } from "hono";
import type {
  FeedbackRecord,
  HistoryLine,
  ModelSummary,
  Proposal,
  ProposeRequest,
  ServerCalls,
  VersionCard,
} from "../../kernels/protocol/serving.js";
import type { Manifest, Signature } from "../../kernels/protocol/values.js";
import type { HostAnswer, HostOptions, HostRequest, Host } from "../host/process.js";
import type { Step } from "../registry/disk.js";
import type { Arm } from "./assign.js";

export interface Logger {
  info(message: string): void;
  error(message: string): void;
}

export interface ServingOptions {
  root: string;
  log: Logger;
  now?: () => number;
  /** fault-injection seam: called at each named step of disk work */
  step?: Step | null;
  /** how hosts are started; tests replace it */
  start?: (options: HostOptions) => Promise<Host>;
  /** ms between looks at the log's segments; 0 = never */
  compactEvery?: number;
}

export type ServingEvent =
  /** table, hosts or aliases of a model changed */
  | { type: "model"; name: string }
  | { type: "proposal"; proposal: Proposal }
  /** for the page's banner: a fall-back, a dead host */
  | { type: "notice"; level: "info" | "warning" | "error"; name: string; text: string };

/** A version as routing knows it: read once, immutable. */
export interface Served {
  version: number;
  dir: string;
  key: string;
  manifest: Manifest;
  signature: Signature;
  card: VersionCard;
  proposal: Proposal;
}

/** What one model's requests are routed by; never changed, only replaced. */
export interface Route {
  name: string;
  champion: number | null;
  challenger: number | null;
  previous: number | null;
  arms: readonly Arm[];
  salt: string;
  versions: ReadonlyMap<number, Served>;
  retired: boolean;
}

export interface PredictRequest extends Omit<HostRequest, "name" | "version"> {
  name: string;
  /** asked for by path or label; else by assignment */
  version?: number | "champion" | "challenger";
  body: Uint8Array;
  key: string | null;
  id: string | null;
  durable: boolean;
}

export interface PredictAnswer extends HostAnswer {
  version: number;
  arm: "champion" | "challenger";
  degraded: string | null;
  id: string;
}

export class ServingError extends Error {
  override name = "ServingError";
  readonly status: 400 | 404 | 409 | 503;
  constructor(status: 400 | 404 | 409 | 503, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Serving {
  /** /v1 /v2 /invocations /metrics /ping /health */
  app: Hono;
  /** calls of kernels */
  handle<M extends keyof ServerCalls>(method: M, params: ServerCalls[M]["params"]): Promise<ServerCalls[M]["result"]>;
  models(): ModelSummary[];
  model(name: string): ModelSummary | null;
  history(name: string): HistoryLine[];
  served(name: string, version: number): Served | null;
  /** judged lately, oldest first */
  proposals(): Proposal[];
  proposal(id: string): Proposal | null;
  propose(request: ProposeRequest): Promise<Proposal>;
  commit(proposal: string, by: string): Promise<Proposal>;
  rollback(name: string, by: string, why?: string): Promise<ModelSummary>;
  /** share of traffic for the challenger, 0 to 1; 1 makes it champion, 0 takes it out */
  share(name: string, share: number, by: string): Promise<ModelSummary>;
  retire(name: string, by: string, why?: string): Promise<void>;
  predict(request: PredictRequest): Promise<PredictAnswer>;
  feedback(records: FeedbackRecord[]): Promise<void>;
  subscribe(listener: (event: ServingEvent) => void): () => void;
  compact(all?: boolean): Promise<void>;
  metrics(): string;
  routes(): ReadonlyMap<string, Route>;
  /** all hosts that were in service are ready, or have failed */
  ready: Promise<void>;
  close(): Promise<void>;
}
