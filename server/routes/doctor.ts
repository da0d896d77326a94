import { Hono } from "hono";
import type { Effects } from "../effects.js";

export function doctorRoutes({ doctor }: Effects): Hono {
  return new Hono().get("/ping", (c) => c.json({ ok: true })).get("/doctor", async (c) => c.json(await doctor()));
}
