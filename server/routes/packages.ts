/** Packages of a notebook's workspace: installed on request, watched, cancelled. */
import { Hono } from "hono";
import type { Effects } from "../effects.js";
import { cancelInstall, install, installing, InstallError } from "../packages/install.js";
import { placeOf } from "../sessions/paths.js";
import { body, RequestError, text } from "./problem.js";

export function packageRoutes({ root }: Pick<Effects, "root">): Hono {
  return new Hono()
    .get("/packages/install", (c) => c.json({ running: installing(placeOf(root, c.req.query("path") ?? "").workspace) }))
    .post("/packages/install", async (c) => {
      const given = await body(c);
      const { workspace } = placeOf(root, text(given, "path"));
      const { packages } = given;
      if (!Array.isArray(packages) || packages.length > 50 || !packages.every((each) => typeof each === "string"))
        throw new RequestError(400, "bad-request", "Expected `packages` to be a list of names.");
      try {
        return c.json(await install(workspace, root, packages));
      } catch (error) {
        if (!(error instanceof InstallError)) throw error;
        throw new RequestError(error.code === "bad-request" ? 400 : 409, error.code, error.message);
      }
    })
    .delete("/packages/install", (c) => {
      cancelInstall(placeOf(root, c.req.query("path") ?? "").workspace);
      return c.json({ ok: true });
    });
}
