/** A data file into a workspace: streamed to the disk, there whole or not at all. */
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as WebStream } from "node:stream/web";
import { Hono } from "hono";
import type { Effects } from "../effects.js";
import { inside } from "../sessions/paths.js";
import { folderOf } from "./notebooks.js";
import { RequestError } from "./problem.js";

/** Kinds of file that a cell can read. */
const endings = new Set([
  ".csv",
  ".tsv",
  ".txt",
  ".gz",
  ".zst",
  ".parquet",
  ".json",
  ".ndjson",
  ".jsonl",
  ".arrow",
  ".arrows",
  ".feather",
  ".duckdb",
  ".db",
]);
/** Bytes of the disk that are left free for journals, outputs and logs. */
const spare = 200 * 2 ** 20;

let count = 0;

export function uploadRoutes({ root }: Effects): Hono {
  return new Hono().put("/files", async (c) => {
    const workspace = c.req.query("workspace");
    const name = c.req.query("name");
    if (workspace === undefined || name === undefined) throw new RequestError(400, "bad-request", "Expected `workspace` and `name` in the query.");
    const folder = folderOf(root, workspace);
    if (!existsSync(folder)) throw new RequestError(404, "not-found", `There is no workspace ${workspace}.`);
    const file = fresh(target(folder, name), c.req.query("replace") === "1");
    const length = Number(c.req.header("content-length") ?? NaN);
    const free = await room(folder);
    if (length > free)
      throw new RequestError(507, "full", `${name} has ${megabytes(length)} MB, and the disk has room for ${megabytes(Math.max(0, free))} MB.`);
    const stream = c.req.raw.body;
    if (stream === null) throw new RequestError(400, "bad-request", "Expected the file's bytes as the body.");
    mkdirSync(dirname(file), { recursive: true });
    // beside the file, so that the rename is one step; hidden, so that no tree or pattern shows it
    const part = join(dirname(file), `.${basename(file)}.${process.pid}-${++count}.part`);
    try {
      let bytes = 0;
      const counted = new Transform({
        transform(chunk: Buffer, _, done) {
          bytes += chunk.length;
          // a length that was not told, or was told wrong
          if (bytes > free) done(new RequestError(507, "full", `The disk has room for ${megabytes(free)} MB, and ${name} is larger.`));
          else done(null, chunk);
        },
      });
      await pipeline(Readable.fromWeb(stream as WebStream), counted, createWriteStream(part, { flags: "wx", mode: 0o644 }));
      if (Number.isFinite(length) && bytes !== length)
        throw new RequestError(400, "cut-off", `The upload of ${name} was cut off at ${bytes} of ${length} bytes; nothing was kept.`);
      renameSync(part, file);
      return c.json({ path: file.slice(folder.length + 1).replaceAll("\\", "/"), bytes }, 201);
    } catch (error) {
      rmSync(part, { force: true });
      if (error instanceof RequestError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOSPC") throw new RequestError(507, "full", `The disk became full while ${name} was written; nothing was kept.`);
      if (code === "ABORT_ERR" || code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET")
        throw new RequestError(400, "cut-off", `The upload of ${name} was cut off; nothing was kept.`);
      throw error;
    }
  });
}

/** `data/NAME` of the workspace. Throws for a name that is a path, hidden, or of no kind that a cell reads. */
function target(folder: string, name: string): string {
  if (name === "" || name.length > 200 || /[\\/\p{Cc}]/u.test(name) || name.startsWith("."))
    throw new RequestError(400, "bad-request", `Expected \`name\` to be the name of a file, got ${JSON.stringify(name.slice(0, 200))}.`);
  if (!endings.has(extname(name).toLowerCase()))
    throw new RequestError(415, "kind", `${name} is of no kind that a cell can read: Expected one of ${[...endings].join(", ")}.`);
  return inside(folder, join("data", name));
}

/** The file itself, or the first free "NAME 2.csv" beside one that is there. */
function fresh(file: string, replace: boolean): string {
  if (replace || !existsSync(file)) {
    if (existsSync(file) && !statSync(file).isFile()) throw new RequestError(409, "exists", `${basename(file)} is a folder.`);
    return file;
  }
  const ending = extname(file);
  const stem = file.slice(0, file.length - ending.length);
  for (let i = 2; ; i++) if (!existsSync(`${stem}-${i}${ending}`)) return `${stem}-${i}${ending}`;
}

async function room(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize - spare;
}

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20).toLocaleString("en");
