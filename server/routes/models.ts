/** The registry as the page sees it; serving decides. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import type { ModelsView, ModelView, VersionView } from "../../kernels/protocol/http.js";
import type { SampleLine } from "../../kernels/protocol/values.js";
import type { Effects } from "../effects.js";
import { body, RequestError } from "./problem.js";

export function modelRoutes({ serving }: Effects): Hono {
  const one = (name: string) => {
    const model = serving.model(name);
    if (model === null) throw new RequestError(404, "not-found", `There is no model ${name}.`);
    return model;
  };
  const refuse = (error: unknown): never => {
    const { status } = error as { status?: number };
    throw new RequestError(status === 400 || status === 404 || status === 503 ? status : 409, "refused", (error as Error).message);
  };
  return new Hono()
    .get("/models", (c) => c.json({ models: serving.models(), proposals: serving.proposals() } satisfies ModelsView))
    .get("/models/:name", (c) => {
      const model = one(c.req.param("name"));
      return c.json({ model, history: serving.history(model.name).toReversed() } satisfies ModelView);
    })
    .get("/models/:name/versions/:version", (c) => {
      const { name } = one(c.req.param("name"));
      const version = Number(c.req.param("version"));
      const served = Number.isInteger(version) ? serving.served(name, version) : null;
      if (served === null) throw new RequestError(404, "not-found", `${name} has no version ${c.req.param("version")}.`);
      const { card, manifest, signature, proposal, dir } = served;
      const files = Object.keys(manifest.files).map((file) => ({ name: file, bytes: statSync(join(dir, file)).size }));
      return c.json({ name, version, card, manifest, signature, proposal, sample: sampleOf(dir), files } satisfies VersionView);
    })
    .get("/proposals/:id", (c) => {
      const proposal = serving.proposal(c.req.param("id"));
      if (proposal === null) throw new RequestError(404, "not-found", "There is no such proposal; run the promote cell again.");
      return c.json(proposal);
    })
    .post("/proposals/:id/commit", async (c) => c.json(await serving.commit(c.req.param("id"), by(c.req.query("by"))).catch(refuse)))
    .post("/models/:name/rollback", async (c) => c.json(await serving.rollback(one(c.req.param("name")).name, by(c.req.query("by"))).catch(refuse)))
    .post("/models/:name/share", async (c) => {
      const { name } = one(c.req.param("name"));
      const { share } = await body(c);
      if (typeof share !== "number" || !(share >= 0 && share <= 1))
        throw new RequestError(400, "bad-request", `Expected \`share\` to be a number from 0 to 1, got ${JSON.stringify(share)}.`);
      return c.json(await serving.share(name, share, by(c.req.query("by"))).catch(refuse));
    })
    .post("/models/:name/retire", async (c) => {
      await serving.retire(one(c.req.param("name")).name, by(c.req.query("by"))).catch(refuse);
      return c.json({ ok: true });
    });
}

/** The first rows of sample.jsonl. */
function sampleOf(dir: string): SampleLine[] {
  try {
    return readFileSync(join(dir, "sample.jsonl"), "utf8")
      .split("\n", 20)
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as SampleLine);
  } catch {
    return [];
  }
}

const by = (given: string | undefined) => (given !== undefined && /^[\w .@-]{1,80}$/.test(given) ? given : "page");
