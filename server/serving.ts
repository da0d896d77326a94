/** Serving as the workbench uses it. */
import { Hono } from "hono";
import type { ServingPort } from "./effects.js";
import type { Log } from "./log.js";
import { createServing, type Serving } from "./serving/serving.js";

/** A server that serves nothing: headless commands that need no registry, and tests of the workbench alone. */
export function noServing(why: string): ServingPort {
  const refuse = () => Promise.reject(new Error(why));
  return {
    app: new Hono(),
    handle: refuse,
    models: () => [],
    proposals: () => [],
    commit: refuse,
    rollback: refuse,
    retire: refuse,
    close: async () => {},
  };
}

/** The registry, hosts and logs of ROOT. Throws a LockedError when another process owns them. */
export async function openServing({ root, log }: { root: string; log: Log }): Promise<Serving> {
  return createServing({ root, log: { info: (text) => log.info({}, text), error: (text) => log.error({}, text) } });
}
