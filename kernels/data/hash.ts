/** What names the content of files: same hash, same bytes. */
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import type { Hash } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import { text } from "./names.js";
import { sha } from "./recipe.js";

/** sha256 of files by path, size and time of change. */
const hashes = new Map<string, Hash>();

/** sha256 of a file, in hex, 16 bytes; read again only when its size or time of change differs. */
export async function fileHash(path: string): Promise<Hash> {
  const { size, mtimeMs } = statSync(path);
  const key = `${path}\0${size}\0${mtimeMs}`;
  const had = hashes.get(key);
  if (had) return had;
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  const found = hash.digest("hex").slice(0, 32);
  hashes.set(key, found);
  return found;
}

/** The files of a path that may be a pattern, in DuckDB's own order. */
export async function filesOf(engine: Engine, path: string): Promise<string[]> {
  if (!/[*?[{]/.test(path)) return [path];
  const { rows } = await engine.query(`select file from glob(${text(path)}) order by file`);
  return rows.map((row) => row["file"] as string);
}

/** Of one file, or of all that match. */
export async function contentHash(engine: Engine, path: string): Promise<Hash> {
  const files = await filesOf(engine, path);
  return files.length === 1 && files[0] === path ? fileHash(path) : sha(...(await Promise.all(files.map(fileHash))));
}
