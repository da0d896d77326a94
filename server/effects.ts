/** All that the application needs of the world: no port, no clock of its own, no globals. */
import type { Hono } from "hono";
import type { DoctorCheck } from "../kernels/protocol/http.js";
import type { ModelSummary, Proposal, ServerCalls } from "../kernels/protocol/serving.js";
import type { Access } from "./access.js";
import type { Log } from "./log.js";
import type { Sessions } from "./sessions/sessions.js";

/** The part of serving that the workbench uses (server/serving makes it). */
export interface ServingPort {
  /** /v1 /v2 /invocations /metrics */
  app: Hono;
  handle<M extends keyof ServerCalls>(method: M, params: ServerCalls[M]["params"]): Promise<ServerCalls[M]["result"]>;
  models(): ModelSummary[];
  proposals(): Proposal[];
  commit(proposal: string, by: string): Promise<Proposal>;
  rollback(name: string, by: string): Promise<unknown>;
  retire(name: string, by: string): Promise<unknown>;
  close(): Promise<void>;
}

export interface Effects {
  root: string;
  /** absolute folder of the built page */
  web: string;
  /** files of the page may be cached; false while it is developed */
  cache: boolean;
  access: Access;
  log: Log;
  now(): number;
  sessions: Sessions;
  serving: ServingPort;
  doctor(): Promise<DoctorCheck[]>;
}
