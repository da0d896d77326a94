/** The registry for a command: the running server's over HTTP, or our own, made when it is first needed. */
import type { RegistryPort } from "../effects.js";
import { silent } from "../log.js";
import { openServing } from "../serving/open.js";
import type { Serving } from "../serving/types.js";
import { call, type Owner } from "./root.js";

/** The lock's owner does it; the same calls as a kernel of its own would make. */
export function remoteRegistry(owner: Owner): RegistryPort {
  const ask = async (path: string, body?: unknown) => {
    const answer = await call(owner, "POST", path, { body, timeout: 600_000 });
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    const { error } = (answer.body ?? {}) as { error?: { message?: string } };
    throw new Error(error?.message ?? `the running server answered ${answer.status}`);
  };
  const word = encodeURIComponent;
  return {
    handle: (async (method: string, params: unknown) =>
      ((await ask("/api/ts/calls", { method, params })) as { value: unknown }).value) as RegistryPort["handle"],
    commit: (async (id, by) => await ask(`/api/ts/proposals/${word(id)}/commit?by=${word(by)}`)) as RegistryPort["commit"],
    close: async () => {},
  };
}

/** Takes the lock when something is asked of it, so that a notebook without models needs none. */
export function ownRegistry(root: string): RegistryPort {
  let made: Serving | null = null;
  const get = () => (made ??= openServing({ root, log: silent }));
  return {
    handle: async (method, params) => await get().handle(method, params),
    commit: async (id, by) => await get().commit(id, by),
    async close() {
      await made?.close();
    },
  };
}
