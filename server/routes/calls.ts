/** What a kernel asks its server, asked by the command line: one owner of the registry does it for all. */
import { Hono } from "hono";
import type { ServerCalls } from "../../kernels/protocol/serving.js";
import type { Effects } from "../effects.js";
import { body, RequestError, text } from "./problem.js";

const methods: (keyof ServerCalls)[] = ["prompt", "registry.propose", "registry.resolve", "log.files"];

export function callRoutes({ serving }: Effects): Hono {
  return new Hono().post("/calls", async (c) => {
    const given = await body(c);
    const method = text(given, "method") as keyof ServerCalls;
    if (!methods.includes(method))
      throw new RequestError(400, "bad-request", `Expected \`method\` to be one of ${methods.join(", ")}, got ${JSON.stringify(method)}.`);
    try {
      return c.json({ value: (await serving.handle(method, given["params"] as never)) ?? null });
    } catch (error) {
      throw new RequestError(409, "refused", (error as Error).message);
    }
  });
}
