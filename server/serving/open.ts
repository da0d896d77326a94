/** Serving, started with the workbench's log. */
import type { Log } from "../log.js";
import { createServing } from "./serving.js";
import type { Serving } from "./types.js";

/** Throws a LockedError when another process owns ROOT. */
export function openServing({ root, log }: { root: string; log: Log }): Serving {
  return createServing({ root, log: { info: (text) => log.info({}, text), error: (text) => log.error({}, text) } });
}
