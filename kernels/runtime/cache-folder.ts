/**
 * Entries of the cache on disk: a folder each, `.touchstone/cache/NOTEBOOK/CELL/KEY/`. Its `entry.json` says the sha256 of every other file, and its first
 * line that of the rest: what is cut or changed is found out, never read. An entry is written aside and renamed, so half a one is never seen.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Control } from "../protocol/controls.js";
import type { Output } from "../protocol/output.js";

export interface Entry {
  format: 2;
  at: number;
  elapsedMs: number;
  /** of TensorFlow.js, where the run had loaded it */
  backend: string | null;
  outputs: Output[];
  /** what `view` has shown; absent: nothing */
  controls?: Control[];
  /** "path hash" of each file that the run read */
  reads: string[];
  /** content hashes of the relations, whose rows are in 0.parquet, 1.parquet ... */
  relations: string[];
  /** name -> sha256 */
  files: Record<string, string>;
}

/** Why an entry cannot be used, though it is there. */
export class Damaged extends Error {}

/** older entries of a cell that stay: going back to a former parameter is a hit too */
const perCell = 5;
/** a folder that a process has left half written is given up after so many ms */
const abandoned = 3_600_000;

const sha = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

async function shaOf(path: string): Promise<string> {
  const sum = createHash("sha256");
  for await (const piece of createReadStream(path)) sum.update(piece as Uint8Array);
  return sum.digest("hex");
}

const isGone = (error: unknown) => ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");

/** The entry, every file of it compared with its hash; null where there is none. Throws a Damaged that names the file. */
export async function readEntry(folder: string): Promise<Entry | null> {
  let text: string;
  try {
    text = await readFile(join(folder, "entry.json"), "utf8");
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
  const line = text.indexOf("\n");
  if (line < 0 || text.slice(0, line) !== sha(text.slice(line + 1))) throw new Damaged("entry.json is not what was written");
  const entry = JSON.parse(text.slice(line + 1)) as Entry;
  if (entry.format !== 2) return null;
  for (const [name, hash] of Object.entries(entry.files)) {
    const now = await shaOf(join(folder, name)).catch((error: unknown) => {
      if (isGone(error)) return null;
      throw error;
    });
    if (now === null) throw new Damaged(`${name} is missing`);
    if (now !== hash) throw new Damaged(`${name} is not what was written`);
  }
  return entry;
}

/** Notes that an entry was of use: the ones that were not go first. */
export const touch = (folder: string): Promise<void> => utimes(folder, new Date(), new Date()).catch(() => undefined);

export interface Writing {
  /** an empty folder beside `folder` */
  aside: string;
  /** Puts the files written there in the place of `folder`; gives their bytes. */
  commit(entry: Omit<Entry, "format" | "files">): Promise<void>;
  /** bytes written so far */
  size(): Promise<number>;
  abandon(): Promise<void>;
}

export async function writeAside(folder: string): Promise<Writing> {
  const aside = join(dirname(folder), `.${randomBytes(6).toString("hex")}`);
  await mkdir(aside, { recursive: true, mode: 0o700 });
  return {
    aside,
    size: () => sizeOf(aside),
    async commit(entry) {
      const files: Entry["files"] = {};
      for (const name of (await readdir(aside)).sort()) files[name] = await shaOf(join(aside, name));
      const text = JSON.stringify({ format: 2, ...entry, files } satisfies Entry);
      await writeFile(join(aside, "entry.json"), `${sha(text)}\n${text}`, { mode: 0o600 });
      const old = `${aside}.old`;
      await rename(folder, old).catch(() => undefined);
      try {
        await rename(aside, folder);
      } catch (error) {
        // another kernel was quicker with the same
        if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
        await rm(aside, { recursive: true, force: true });
      }
      await rm(old, { recursive: true, force: true });
    },
    abandon: () => rm(aside, { recursive: true, force: true }),
  };
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name))
        .then(({ size }) => size)
        .catch(() => 0),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Out of the way by one rename: another kernel may be removing the same, or putting another in its place. */
async function remove(path: string): Promise<void> {
  const away = `${dirname(path)}/.${randomBytes(6).toString("hex")}`;
  try {
    await rename(path, away);
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  await rm(away, { recursive: true, force: true });
}
const list = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
/** paths in a folder with when they were last of use, the newest first */
async function dated(folder: string): Promise<{ path: string; at: number }[]> {
  const paths = (await list(folder)).map((name) => join(folder, name));
  const found = await Promise.all(paths.map(async (path) => ({ path, at: (await stat(path).catch(() => null))?.mtimeMs ?? 0 })));
  return found.sort((a, b) => b.at - a.at);
}
const isEntry = ({ path }: { path: string }) => !/[\\/]\.[^\\/]*$/.test(path);

/** Drops the entries of a cell; what another kernel is just writing stays. */
export async function drop(cell: string): Promise<void> {
  for (const { path } of (await dated(cell)).filter(isEntry)) await remove(path);
}

/** Keeps the newest entries of a cell, and of the whole cache as much as `most` bytes hold; what is newest stays in any case. */
export async function trim(root: string, cell: string, most: number): Promise<void> {
  const own = await dated(cell);
  for (const { path } of own.filter(isEntry).slice(perCell)) await remove(path);
  for (const { path, at } of own) if (!isEntry({ path }) && at < Date.now() - abandoned) await remove(path);
  const all: { path: string; at: number }[] = [];
  for (const notebook of await list(root))
    for (const each of await list(join(root, notebook))) all.push(...(await dated(join(root, notebook, each))).filter(isEntry));
  let sum = 0;
  for (const { path } of all.sort((a, b) => b.at - a.at)) {
    sum += await sizeOf(path);
    if (sum > most) await remove(path);
  }
}
