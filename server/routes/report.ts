/** What a report is made of besides what the page has. */
import { Hono } from "hono";
import type { Effects } from "../effects.js";
import { factsOf } from "../sessions/facts.js";

export function reportRoutes({ root, sessions }: Pick<Effects, "root" | "sessions">): Hono {
  return new Hono().get("/report", async (c) => {
    const session = sessions.open(c.req.query("path") ?? "");
    // the hash is of the file: it shall say what the page shows
    await session.flush();
    return c.json(factsOf(root, session.place, session.state.source.front.seed ?? 0));
  });
}
