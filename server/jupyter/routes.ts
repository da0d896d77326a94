/** Jupyter's REST surface under /api: what a kernel client asks for. Paths and status codes are Jupyter Server's. */
import { Hono } from "hono";
import { body, RequestError } from "../routes/problem.js";
import type { JupyterKernel } from "./kernel.js";
import type { JupyterKernels, JupyterSession } from "./kernels.js";

const specName = "touchstone";
const spec = {
  name: specName,
  spec: { argv: [], env: {}, display_name: "Touchstone (TypeScript)", language: "typescript", interrupt_mode: "message", metadata: {} },
  resources: {},
};

const modelOf = ({ id, path, name, type, kernel }: JupyterSession) => ({
  id,
  path,
  name,
  type,
  kernel: kernel.model(),
  ...(type === "notebook" && { notebook: { path, name } }),
});

export function jupyterRoutes(jupyter: JupyterKernels): Hono {
  const kernelOf = (id: string): JupyterKernel => {
    const kernel = jupyter.kernels.get(id);
    if (kernel === undefined) throw new RequestError(404, "not-found", `Kernel does not exist: ${id}`);
    return kernel;
  };
  const sessionOf = (id: string): JupyterSession => {
    const session = jupyter.sessions.get(id);
    if (session === undefined) throw new RequestError(404, "not-found", `Session not found: ${id}`);
    return session;
  };
  const given = async (c: Parameters<typeof body>[0]) =>
    c.req.header("content-length") === "0" || !c.req.header("content-type") ? {} : await body(c);
  const string = (from: Record<string, unknown>, name: string) => (typeof from[name] === "string" ? from[name] : undefined);
  const named = (from: Record<string, unknown>) => {
    const name = string(from, "name");
    if (name !== undefined && name !== "" && name !== specName)
      throw new RequestError(501, "no-such-kernel", `There is no kernel named ${JSON.stringify(name)}; this server has ${specName}.`);
  };
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.res.headers.set("cache-control", "no-store");
    c.res.headers.set("x-content-type-options", "nosniff");
  });
  app.onError((error, c) => {
    const known = error instanceof RequestError ? error : new RequestError(500, "internal", error.message);
    return c.json({ message: known.message, short_message: known.message, reason: null }, known.status);
  });
  return app
    .get("/", (c) => c.json({ version: "2.0.0" }))
    .get("/status", (c) => {
      const all = [...jupyter.kernels.values()];
      const last = Math.max(jupyter.started.getTime(), ...all.map((kernel) => kernel.lastActivity.getTime()));
      return c.json({
        started: jupyter.started.toISOString(),
        last_activity: new Date(last).toISOString(),
        kernels: all.length,
        connections: all.reduce((sum, kernel) => sum + kernel.connections, 0),
      });
    })
    .get("/me", (c) =>
      c.json({
        identity: { username: "local", name: "local", display_name: "local", initials: "L", color: null, avatar_url: null },
        permissions: {},
      }),
    )
    .get("/kernelspecs", (c) => c.json({ default: specName, kernelspecs: { [specName]: spec } }))
    .get("/kernelspecs/:name", (c) => (c.req.param("name") === specName ? c.json(spec) : c.json({ message: "There is no such kernelspec." }, 404)))
    .get("/kernels", (c) => {
      jupyter.refresh();
      return c.json([...jupyter.kernels.values()].map((kernel) => kernel.model()));
    })
    .post("/kernels", async (c) => {
      const wanted = await given(c);
      named(wanted);
      const kernel = jupyter.start(string(wanted, "path") ?? "");
      c.header("location", `/api/kernels/${kernel.id}`);
      return c.json(kernel.model(), 201);
    })
    .get("/kernels/:id", (c) => c.json(kernelOf(c.req.param("id")).model()))
    .delete("/kernels/:id", async (c) => {
      await jupyter.remove(kernelOf(c.req.param("id")));
      return c.body(null, 204);
    })
    .post("/kernels/:id/interrupt", (c) => {
      kernelOf(c.req.param("id")).interrupt();
      return c.body(null, 204);
    })
    .post("/kernels/:id/restart", async (c) => {
      const kernel = kernelOf(c.req.param("id"));
      await kernel.restart();
      return c.json(kernel.model());
    })
    .get("/sessions", (c) => {
      jupyter.refresh();
      return c.json([...jupyter.sessions.values()].map(modelOf));
    })
    .post("/sessions", async (c) => {
      const wanted = await given(c);
      const path = string(wanted, "path");
      if (path === undefined) throw new RequestError(400, "bad-request", "Expected `path` to be a string.");
      const about = (typeof wanted["kernel"] === "object" && wanted["kernel"] !== null ? wanted["kernel"] : {}) as Record<string, unknown>;
      named(about);
      const id = string(about, "id");
      const session = jupyter.open(
        path,
        string(wanted, "name") ?? path,
        string(wanted, "type") ?? "notebook",
        id === undefined ? undefined : kernelOf(id),
      );
      c.header("location", `/api/sessions/${session.id}`);
      return c.json(modelOf(session), 201);
    })
    .get("/sessions/:id", (c) => c.json(modelOf(sessionOf(c.req.param("id")))))
    .patch("/sessions/:id", async (c) => {
      const session = sessionOf(c.req.param("id"));
      const wanted = await given(c);
      session.path = string(wanted, "path") ?? session.path;
      session.name = string(wanted, "name") ?? session.name;
      session.type = string(wanted, "type") ?? session.type;
      const about = wanted["kernel"] as Record<string, unknown> | null | undefined;
      if (typeof about === "object" && about !== null) {
        named(about);
        const id = string(about, "id");
        const old = session.kernel;
        const other = id !== undefined ? kernelOf(id) : string(about, "name") !== undefined ? jupyter.start(session.path) : old;
        session.kernel = other;
        if (other !== old && ![...jupyter.sessions.values()].some((each) => each.kernel === old)) await jupyter.remove(old);
      }
      return c.json(modelOf(session));
    })
    .delete("/sessions/:id", async (c) => {
      const { id, kernel } = sessionOf(c.req.param("id"));
      jupyter.sessions.delete(id);
      if (![...jupyter.sessions.values()].some((each) => each.kernel === kernel)) await jupyter.remove(kernel);
      return c.body(null, 204);
    });
}
