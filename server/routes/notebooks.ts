/** Notebooks as files, and what belongs to an open one beside its WebSocket. */
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { Hono } from "hono";
import type { Effects } from "../effects.js";
import { readTable } from "../sessions/guard.js";
import { inside, notebookEnding, placeOf } from "../sessions/paths.js";
import { body, RequestError, text } from "./problem.js";

export function notebookRoutes({ root, sessions }: Effects): Hono {
  const open = (path: string | undefined) => {
    if (path === undefined || path === "") throw new RequestError(400, "bad-request", "Expected `path` in the query.");
    return sessions.open(path);
  };
  const download = (file: string, name: string, type: string, done?: () => void) => {
    const stream = createReadStream(file);
    if (done !== undefined) stream.once("close", done);
    return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, {
      headers: {
        "content-type": type,
        "content-length": String(statSync(file).size),
        "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      },
    });
  };
  return (
    new Hono()
      .post("/notebooks", async (c) => {
        const given = await body(c);
        const workspace = given["workspace"] === undefined ? "notes" : text(given, "workspace");
        const title = given["name"] === undefined ? "" : text(given, "name");
        const folder = folderOf(root, workspace);
        if (!existsSync(folder)) {
          mkdirSync(folder, { recursive: true });
          writeFileSync(join(folder, "package.json"), `{ "name": ${JSON.stringify(basename(folder))}, "private": true }\n`);
        }
        const file = freshFile(folder, slug(title) || "notebook");
        writeFileSync(file, title === "" ? "" : `// ---\n// title: ${title.replace(/[\r\n]+/g, " ")}\n// ---\n`, { flag: "wx" });
        const place = placeOf(root, file.slice(root.length + 1));
        return c.json({ path: place.path, href: place.href }, 201);
      })
      .post("/notebooks/rename", async (c) => {
        const given = await body(c);
        const from = placeOf(root, text(given, "path"));
        const name = text(given, "to");
        if (/[\\/]/.test(name) || name.startsWith("."))
          throw new RequestError(400, "bad-request", `Expected \`to\` to be a file name, got ${JSON.stringify(name)}.`);
        const to = placeOf(root, join(dirname(from.path), name.endsWith(notebookEnding) ? name : name + notebookEnding), false);
        if (existsSync(to.file)) throw new RequestError(409, "exists", `${basename(to.file)} exists already.`);
        await sessions.drop(from.path, "This notebook was renamed.");
        renameSync(from.file, to.file);
        for (const [folder, ending] of kept) {
          const old = join(from.store, folder, from.key + ending);
          if (existsSync(old)) renameSync(old, join(to.store, folder, to.key + ending));
        }
        return c.json({ path: to.path, href: to.href });
      })
      .delete("/notebooks", async (c) => {
        const place = placeOf(root, c.req.query("path") ?? "");
        await sessions.drop(place.path, "This notebook was deleted.");
        // kept for an undo: outputs and journal go with it, the file to the workspace's trash
        const trash = join(place.store, "trash");
        mkdirSync(trash, { recursive: true, mode: 0o700 });
        const target = join(trash, `${Date.now()}-${basename(place.file)}`);
        renameSync(place.file, target);
        for (const [folder, ending] of kept) rmSync(join(place.store, folder, place.key + ending), { recursive: true, force: true });
        return c.json({ ok: true });
      })
      .post("/notebooks/shutdown", async (c) => {
        const session = sessions.get(text(await body(c), "path"));
        if (session !== null) await session.command({ do: "shutdown" });
        return c.json({ ok: true });
      })
      // what the notebook's kernels have printed by themselves, and what happened to them
      .get("/notebooks/log", (c) => {
        const path = c.req.query("path");
        const { kernelLog } = open(path);
        if (c.req.query("download") === undefined) return c.text(kernelLog);
        const name = `${basename(path!).replace(notebookEnding, "")}-kernel.log`;
        return c.body(kernelLog, 200, {
          "content-type": "text/plain; charset=utf-8",
          "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
        });
      })
      .get("/notebooks/state", (c) => c.json(open(c.req.query("path")).state))
      // the whole printed text of a cell's last run, or of its errors
      .get("/outputs/text", async (c) => {
        const session = open(c.req.query("path"));
        const cell = c.req.query("cell") ?? "";
        if (session.state.cells[cell] === undefined)
          throw new RequestError(404, "not-found", `Cell ${JSON.stringify(cell)} is not in this notebook.`);
        const errors = c.req.query("of") === "errors";
        const file = session.textFile(cell, errors ? "errors" : "prints");
        if (file === null)
          throw new RequestError(404, "not-found", `Cell ${cell} has ${errors ? "no error that is longer than what is shown" : "printed nothing"}.`);
        await session.flush();
        return download(file, `${cell}${errors ? "-error" : ""}.txt`, "text/plain; charset=utf-8");
      })
      // displays past those that the state carries
      .get("/outputs/more", (c) => {
        const session = open(c.req.query("path"));
        const cell = c.req.query("cell") ?? "";
        const total = session.state.more[cell];
        if (total === undefined) throw new RequestError(404, "not-found", `Cell ${JSON.stringify(cell)} has no more displays than are shown.`);
        const offset = wholeNumber(c.req.query("offset") ?? "0", "offset", Number.MAX_SAFE_INTEGER);
        const limit = wholeNumber(c.req.query("limit") ?? "50", "limit", 500);
        return c.json({ total, offset, outputs: session.moreOutputs(cell, offset, limit) });
      })
      // a displayed text that is too long to be sent with the state
      .get("/values/text", async (c) => {
        const session = open(c.req.query("path"));
        const folder = join(session.place.store, "exports");
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const file = join(folder, `${Date.now()}-${Math.random().toString(36).slice(2)}.txt`);
        try {
          await session.query({ query: "value.export", handle: c.req.query("handle") ?? "", path: file });
        } catch (error) {
          await rm(file, { force: true });
          throw new RequestError(409, "kernel", (error as Error).message);
        }
        return download(file, "value.txt", "text/plain; charset=utf-8", () => void rm(file, { force: true }));
      })
      // a relation as the grid shows it: sorted and filtered
      .get("/tables/export", async (c) => {
        const session = open(c.req.query("path"));
        const format = c.req.query("format") ?? "csv";
        if (format !== "csv" && format !== "parquet")
          throw new RequestError(400, "bad-request", `Expected \`format\` to be csv or parquet, got ${JSON.stringify(format)}.`);
        const table = tableOf(c.req.query());
        const folder = join(session.place.store, "exports");
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const file = join(folder, `${Date.now()}-${Math.random().toString(36).slice(2)}.${format}`);
        try {
          await session.query({ query: "table.export", ...table, format, path: file });
        } catch (error) {
          await rm(file, { force: true });
          throw new RequestError(409, "kernel", (error as Error).message);
        }
        const name = `${table.relation.split(".").at(-1)!.replace(/["@]/g, "")}.${format}`;
        return download(
          file,
          name,
          format === "csv" ? "text/csv; charset=utf-8" : "application/vnd.apache.parquet",
          () => void rm(file, { force: true }),
        );
      })
  );
}

/** what a workspace keeps of a notebook, by folder of .touchstone and ending */
const kept = [
  ["outputs", ""],
  ["journal", ".ndjson"],
  ["history", ".ndjson"],
  ["runs", ".json"],
  ["limits", ".json"],
  ["logs", ".log"],
] as const;

function tableOf(query: Record<string, string>): ReturnType<typeof readTable> {
  try {
    return readTable(query);
  } catch (error) {
    throw new RequestError(400, "bad-request", (error as Error).message);
  }
}

function wholeNumber(given: string, name: string, most: number): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value <= most) return value;
  throw new RequestError(400, "bad-request", `Expected \`${name}\` to be a whole number up to ${most}, got ${JSON.stringify(given)}.`);
}

export function folderOf(root: string, workspace: string): string {
  if (workspace === ".") return root;
  if (!/^[\w][\w .-]{0,60}$/.test(workspace))
    throw new RequestError(400, "bad-request", `Expected \`workspace\` to be a folder's name, got ${JSON.stringify(workspace)}.`);
  return inside(root, join("workspaces", workspace));
}

const slug = (title: string) =>
  title
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);

function freshFile(folder: string, name: string): string {
  for (let n = 1; ; n++) {
    const file = join(folder, `${name}${n === 1 ? "" : `-${n}`}${notebookEnding}`);
    if (!existsSync(file)) return file;
  }
}
