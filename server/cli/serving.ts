/** Serving for a command: the running server's over HTTP, or our own, made when it is first needed. */
import { Hono } from "hono";
import type { ServingPort } from "../effects.js";
import { silent } from "../log.js";
import { openServing } from "../serving.js";
import { call, type Owner } from "./root.js";

/** The lock's owner does it; the same calls as a kernel of its own would make. */
export function remoteServing(owner: Owner): ServingPort {
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await call(owner, method, path, { body, timeout: 600_000 });
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    const { error } = (answer.body ?? {}) as { error?: { message?: string } };
    throw new Error(error?.message ?? `the running server answered ${answer.status}`);
  };
  const word = encodeURIComponent;
  return {
    app: new Hono(),
    handle: (async (method: string, params: unknown) =>
      ((await ask("POST", "/api/ts/calls", { method, params })) as { value: unknown }).value) as ServingPort["handle"],
    models: () => [],
    proposals: () => [],
    commit: (async (id, by) => await ask("POST", `/api/ts/proposals/${word(id)}/commit?by=${word(by)}`)) as ServingPort["commit"],
    rollback: (name, by) => ask("POST", `/api/ts/models/${word(name)}/rollback?by=${word(by)}`),
    retire: (name, by) => ask("POST", `/api/ts/models/${word(name)}/retire?by=${word(by)}`),
    close: async () => {},
  };
}

/** Takes the lock when something is asked of it, so that a notebook without models needs none. */
export function lazyServing(root: string): ServingPort {
  let made: Promise<ServingPort> | null = null;
  const get = () => (made ??= openServing({ root, log: silent }));
  return {
    app: new Hono(),
    handle: async (method, params) => (await get()).handle(method, params),
    models: () => [],
    proposals: () => [],
    commit: async (id, by) => (await get()).commit(id, by),
    rollback: async (name, by) => (await get()).rollback(name, by),
    retire: async (name, by) => (await get()).retire(name, by),
    async close() {
      await (await made?.catch(() => null))?.close();
    },
  };
}
