/** Saved points of a notebook and the commits of its file: listed, read, named. */
import { Hono } from "hono";
import type { HistoryView, PointSource } from "../../kernels/protocol/history.js";
import type { Effects } from "../effects.js";
import { gitPoints, gitSource } from "../sessions/git.js";
import { viewPoints } from "../sessions/history.js";
import { body, RequestError, text } from "./problem.js";

export function historyRoutes({ sessions }: Pick<Effects, "sessions">): Hono {
  return new Hono()
    .get("/history", async (c) => {
      const session = sessions.open(c.req.query("path") ?? "");
      const git = await gitPoints(session.place.file);
      const points = [...viewPoints(session.history?.points() ?? []), ...git.points].sort((a, b) => b.at - a.at);
      return c.json({ points, git: git.why } satisfies HistoryView);
    })
    .get("/history/point", async (c) => {
      const session = sessions.open(c.req.query("path") ?? "");
      const id = c.req.query("id") ?? "";
      const source = id.startsWith("git-")
        ? await gitSource(session.place.file, id)
        : session.history?.points().find((point) => String(point.id) === id)?.source;
      if (source == null) throw new RequestError(404, "not-found", "This point is not kept any more.");
      return c.json({ id, source } satisfies PointSource);
    })
    .post("/history", async (c) => {
      const given = await body(c);
      const session = sessions.open(text(given, "path"));
      const name = text(given, "name").trim().slice(0, 200);
      if (name === "") throw new RequestError(400, "bad-request", "Expected `name` to be a few words.");
      if (session.history === null) throw new RequestError(409, "failed", "Nothing is kept of this notebook.");
      const point = session.history.add("named", session.state.source, { name });
      return c.json({ id: String(point?.id ?? "") }, 201);
    });
}
