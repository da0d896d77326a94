/** Questions of the kernel to the server and their answers. */
import type { FromKernel } from "../protocol/kernel.js";
import type { ServerCalls } from "../protocol/serving.js";

export interface Calls {
  call<M extends keyof ServerCalls>(method: M, params: ServerCalls[M]["params"]): Promise<ServerCalls[M]["result"]>;
  answer(id: number, answer: { ok: true; value: unknown } | { ok: false; message: string }): void;
}

export function createCalls(tell: (message: FromKernel) => void): Calls {
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  let last = 0;
  return {
    call: (method, params) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        tell({ type: "call", id: last, method, params });
      }),
    answer(id, answer) {
      const waiter = waiting.get(id);
      waiting.delete(id);
      if (answer.ok) waiter?.resolve(answer.value as never);
      else waiter?.reject(new Error(answer.message));
    },
  };
}
