/** Serving as the workbench uses it. */
import { Hono } from "hono";
import type { ServingPort } from "./effects.js";
import type { Log } from "./log.js";

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

export async function openServing(_options: { root: string; log: Log }): Promise<ServingPort> {
  return noServing("this server does not serve models");
}
