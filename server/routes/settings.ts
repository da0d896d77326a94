/** Settings of the server: what holds, and a change of it. */
import { Hono } from "hono";
import { z } from "zod";
import type { Effects } from "../effects.js";
import { size } from "../sessions/size.js";
import { body, RequestError } from "./problem.js";

export function settingsRoutes({ settings }: Effects): Hono {
  return new Hono()
    .get("/settings", (c) => c.json(settings.view))
    .post("/settings", async (c) => {
      const { idle, memory, cache } = settings.view;
      const hours = z.number(`Expected a number of hours between 0 (never) and ${idle.most}.`);
      const bytes = z.number("Expected a number of bytes.");
      const parsed = z
        .strictObject({
          idleHours: hours
            .min(0, `Expected at least 0 hours; 0 is never.`)
            .max(idle.most, `Expected at most ${idle.most} hours.`)
            .nullable()
            .optional(),
          memory: bytes
            .int("Expected a whole number of bytes.")
            .min(memory.least, `Expected at least ${size(memory.least)}: below it no kernel starts.`)
            .max(memory.most, `Expected at most ${size(memory.most)}: this machine has no more to give.`)
            .nullable()
            .optional(),
          cache: bytes
            .int("Expected a whole number of bytes.")
            .min(cache.least, `Expected at least ${size(cache.least)}.`)
            .max(cache.most, `Expected at most ${size(cache.most)}.`)
            .nullable()
            .optional(),
        })
        .safeParse(await body(c));
      if (!parsed.success) throw new RequestError(400, "bad-request", parsed.error.issues[0]!.message);
      const { idleHours, memory: limit, cache: kept } = parsed.data;
      const fixed = (name: string) => new RequestError(409, "fixed", `This server was started with ${name}, which stands above the setting.`);
      if (idleHours !== undefined && idle.fixed) throw fixed("--idle (or TOUCHSTONE_IDLE)");
      if (limit !== undefined && memory.fixed) throw fixed("TOUCHSTONE_MEMORY");
      settings.change({
        ...(idleHours !== undefined && { idleHours }),
        ...(limit !== undefined && { memory: limit }),
        ...(kept !== undefined && { cache: kept }),
      });
      return c.json(settings.view);
    });
}
