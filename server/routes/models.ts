/** The registry as the page sees it; serving decides. */
import { Hono } from "hono";
import type { ModelsView } from "../../kernels/protocol/http.js";
import type { Effects } from "../effects.js";
import { RequestError } from "./problem.js";

export function modelRoutes({ serving }: Effects): Hono {
  const one = (name: string) => {
    const model = serving.models().find((other) => other.name === name);
    if (model === undefined) throw new RequestError(404, "not-found", `There is no model ${name}.`);
    return model;
  };
  const refuse = (error: unknown): never => {
    throw new RequestError(409, "refused", (error as Error).message);
  };
  return new Hono()
    .get("/models", (c) => c.json({ models: serving.models(), proposals: serving.proposals() } satisfies ModelsView))
    .get("/models/:name", (c) => c.json(one(c.req.param("name"))))
    .get("/proposals/:id", (c) => {
      const proposal = serving.proposals().find((other) => other.id === c.req.param("id"));
      if (proposal === undefined) throw new RequestError(404, "not-found", "There is no such proposal; run the promote cell again.");
      return c.json(proposal);
    })
    .post("/proposals/:id/commit", async (c) => c.json(await serving.commit(c.req.param("id"), by(c.req.query("by"))).catch(refuse)))
    .post("/models/:name/rollback", async (c) => {
      const { name } = one(c.req.param("name"));
      await serving.rollback(name, by(c.req.query("by"))).catch(refuse);
      return c.json(one(name));
    })
    .post("/models/:name/retire", async (c) => {
      const { name } = one(c.req.param("name"));
      await serving.retire(name, by(c.req.query("by"))).catch(refuse);
      return c.json({ ok: true });
    });
}

const by = (given: string | undefined) => (given !== undefined && /^[\w .@-]{1,80}$/.test(given) ? given : "page");
