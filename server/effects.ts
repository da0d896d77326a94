/** All that the application needs of the world: no port, no clock of its own, no globals. */
import type { DoctorCheck } from "../kernels/protocol/http.js";
import type { Access } from "./access.js";
import type { JupyterKernels } from "./jupyter/kernels.js";
import type { Log } from "./log.js";
import type { Serving } from "./serving/types.js";
import type { Settings } from "./settings.js";
import type { Sessions } from "./sessions/sessions.js";

/** The part of serving that the workbench uses; the command line has another one, over HTTP. */
export type ServingPort = Pick<
  Serving,
  "app" | "handle" | "models" | "model" | "history" | "served" | "proposals" | "proposal" | "commit" | "rollback" | "share" | "retire" | "close"
>;

/** What a headless command needs of it. */
export type RegistryPort = Pick<ServingPort, "handle" | "commit" | "close">;

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
  jupyter: JupyterKernels;
  serving: ServingPort;
  settings: Settings;
  doctor(): Promise<DoctorCheck[]>;
}
