/** Files of a workspace, for the page's tree. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import type { FileView } from "../../kernels/protocol/http.js";
import type { Effects } from "../effects.js";
import { inside } from "../sessions/paths.js";
import { folderOf } from "./notebooks.js";
import { RequestError } from "./problem.js";

export function fileRoutes({ root }: Effects): Hono {
  return new Hono().get("/files", (c) => {
    const workspace = c.req.query("workspace");
    if (workspace === undefined) throw new RequestError(400, "bad-request", "Expected `workspace` in the query.");
    const base = folderOf(root, workspace);
    const path = c.req.query("path") ?? "";
    const folder = inside(base, path);
    if (!existsSync(folder) || !statSync(folder).isDirectory())
      throw new RequestError(404, "not-found", `There is no folder ${path === "" ? workspace : path}.`);
    const files = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith(".") && entry.name !== "node_modules" && (entry.isFile() || entry.isDirectory()))
      .map((entry): FileView => {
        const { size, mtimeMs } = statSync(join(folder, entry.name));
        return {
          name: entry.name,
          path: path === "" ? entry.name : `${path}/${entry.name}`,
          kind: entry.isFile() ? "file" : "folder",
          bytes: entry.isFile() ? size : 0,
          modifiedAt: mtimeMs,
        };
      })
      .sort((a, b) => (a.kind === b.kind ? a.name.localeCompare(b.name) : a.kind === "folder" ? -1 : 1));
    return c.json(files);
  });
}
