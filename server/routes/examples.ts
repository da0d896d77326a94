/** Shipped examples: opened where they lie, copied in first where this ROOT does not have them. */
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import { packageRoot } from "../../kernels/paths/paths.js";
import type { Effects } from "../effects.js";
import { isText } from "../sessions/plan.js";
import { listExamples } from "./home.js";
import { RequestError } from "./problem.js";

export function exampleRoutes({ root, sessions }: Effects): Hono {
  return new Hono().post("/examples/:name/open", async (c) => {
    const name = c.req.param("name");
    const example = listExamples(root).find((other) => other.name === name);
    if (example === undefined) throw new RequestError(404, "not-found", `There is no example ${name}.`);
    const folder = join(root, "workspaces", name);
    if (!existsSync(folder))
      cpSync(join(packageRoot(), "workspaces", name), folder, { recursive: true, filter: (path) => !/[\\/](\.touchstone|node_modules)$/.test(path) });
    const session = sessions.open(example.path);
    const run = c.req.query("run") !== "no";
    const { source, cells } = session.state;
    // one click opens it and runs everything that has not run yet, except what asks for a decision
    const never = Object.values(cells).every((cell) => cell.result === "none");
    if (run && never && !session.busy)
      await session.command({
        do: "run",
        cells: source.cells.filter((cell) => !isText(cell) && cell.kind !== "promote" && cell.options.disabled !== true).map((cell) => cell.id),
      });
    return c.json({ path: example.path, href: example.href });
  });
}
