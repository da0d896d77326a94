/**
 * Results of costly cells on disk (the cell's option `cache`): a folder an entry, named by the hash of code, inputs, seed and packages. A
 * changed file that the cell had read makes an entry void. An entry is written aside and renamed: half a one is never read.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { KernelConfig } from "../protocol/kernel.js";
import { mime, type Output } from "../protocol/output.js";
import type { Relation } from "../protocol/values.js";
import { packagesHash } from "./context.js";
import { digest, Opaque } from "./digest.js";
import type { Run } from "./run.js";
import type { Files } from "./files.js";
import { shelve, unshelve, type KeptTensor } from "./shelve.js";

export interface Kept {
  values: Map<string, unknown>;
  outputs: Output[];
  /** absolute paths of files that the run read */
  reads: string[];
  savedMs: number;
  at: number;
}

/** A cell's run, so far as its result is kept: asked for before it starts. */
export interface Shelf {
  find(): Promise<Kept | null>;
  /** `elapsedMs`: what the next run is spared. A sentence says why it was not kept. */
  keep(values: ReadonlyMap<string, unknown>, outputs: readonly Output[], elapsedMs: number): Promise<string | null>;
}

export interface CacheOptions {
  config: Pick<KernelConfig, "notebook" | "workspace" | "seed" | "backend">;
  files: Files;
  isRelation(value: unknown): value is Relation;
  /** hash of what a relation or a split holds */
  contentOf(value: unknown): Promise<string> | undefined;
  relation(file: string, hash: string): Promise<unknown>;
  tensor(kept: KeptTensor): Promise<unknown>;
}

interface Entry {
  format: 1;
  at: number;
  elapsedMs: number;
  outputs: Output[];
  /** "path hash" of each file */
  reads: string[];
  /** content hashes of the relations, whose rows are in 0.parquet, 1.parquet ... */
  relations: string[];
}

/** older entries of a cell that stay: going back to a former parameter is a hit too */
const perCell = 5;
const mostOutput = 8 * 2 ** 20;
const short = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

export interface Cache {
  /** `inputs`: names of other cells with their values; `code`: what stands for a function of that name. A sentence says why there is none. */
  open(run: Run, inputs: ReadonlyMap<string, unknown>, code: (name: string) => Promise<string>): Promise<Shelf | string>;
  /** hashes of files, as part of an input */
  files(paths: Iterable<string>): Promise<string[]>;
  /** drops every entry of a cell */
  drop(cell: string): Promise<void>;
}

export function createCache({ config, files, isRelation, contentOf, relation, tensor }: CacheOptions): Cache {
  const { workspace, notebook } = config;
  const folderOf = (cell: string) => join(workspace, ".touchstone", "cache", short(notebook), short(cell));

  const keyOf = async (run: Run, inputs: ReadonlyMap<string, unknown>, code: (name: string) => Promise<string>): Promise<string> => {
    const parts = [
      ["format", 1, process.versions.node.split(".")[0]],
      ["cell", run.cell.id, run.cell.kind, run.cell.source],
      ["seed", config.seed, config.backend],
      ["packages", await packagesHash(workspace)],
    ];
    for (const name of [...inputs.keys()].sort())
      parts.push(["input", name, await digest(inputs.get(name), name, { relation: contentOf, code: () => code(name) })]);
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
  };

  const read = async (folder: string): Promise<Kept | null> => {
    let entry: Entry;
    let bytes: Buffer;
    try {
      entry = JSON.parse(await readFile(join(folder, "entry.json"), "utf8")) as Entry;
      bytes = await readFile(join(folder, "values.bin"));
    } catch {
      return null;
    }
    const paths = entry.reads.map((line) => join(workspace, line.slice(0, line.lastIndexOf(" "))));
    const now = await files.hashes(paths);
    if (now.join("\n") !== [...entry.reads].sort().join("\n")) return null;
    const values = await unshelve(bytes, { tensor, relation: (at) => relation(join(folder, `${at}.parquet`), entry.relations[at]!) });
    return { values, outputs: entry.outputs, reads: paths, savedMs: entry.elapsedMs, at: entry.at };
  };

  /** Keeps the newest entries of a cell. */
  const trim = async (folder: string) => {
    const names = await readdir(folder);
    const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name)).catch(() => null))?.mtimeMs ?? 0 })));
    for (const { name } of dated.sort((a, b) => b.at - a.at).slice(perCell)) await rm(join(folder, name), { recursive: true, force: true });
  };

  return {
    async open(run, inputs, code) {
      let key: string;
      try {
        key = await keyOf(run, inputs, code);
      } catch (error) {
        if (error instanceof Opaque) return `not cached: its input ${error.message}, which has no content that could be compared`;
        throw error;
      }
      const folder = folderOf(run.cell.id);
      return {
        find: () => read(join(folder, key)),
        async keep(values, outputs, elapsedMs) {
          if (run.volatile !== null) return `not cached: ${run.volatile}`;
          const shown = outputs.map(plain);
          if (JSON.stringify(shown).length > mostOutput) return "not cached: it shows more than 8 MB";
          const aside = join(folder, `.${randomBytes(4).toString("hex")}`);
          try {
            const { bytes, relations } = await shelve(values, isRelation);
            await mkdir(aside, { recursive: true, mode: 0o700 });
            await writeFile(join(aside, "values.bin"), bytes, { mode: 0o600 });
            const hashes: string[] = [];
            for (const [i, each] of (relations as Relation[]).entries()) {
              await each.save(join(relative(workspace, aside), `${i}.parquet`));
              hashes.push(await each.hash());
            }
            const reads = await files.hashes(run.reads);
            const entry: Entry = { format: 1, at: Date.now(), elapsedMs, outputs: shown, reads, relations: hashes };
            await writeFile(join(aside, "entry.json"), JSON.stringify(entry), { mode: 0o600 });
            await rm(join(folder, key), { recursive: true, force: true });
            await rename(aside, join(folder, key));
            await trim(folder);
            return null;
          } catch (error) {
            await rm(aside, { recursive: true, force: true });
            if (error instanceof Opaque) return `not cached: ${error.message}, which cannot be stored`;
            return `not cached: ${error instanceof Error ? error.message : String(error)}`;
          }
        },
      };
    },
    files: (paths) => files.hashes(paths),
    drop: (cell) => rm(folderOf(cell), { recursive: true, force: true }),
  };
}

/** An output without its ways back into the kernel that made it: tables are shown by their first rows. */
function plain(output: Output): Output {
  if (output.kind !== "display") return output;
  const { [mime.table]: _, [mime.value]: __, ...data } = output.data;
  return { ...output, data } as Output;
}
