/**
 * Results of costly cells on disk (the cell's option `cache`): named by the hash of code, inputs, seed, packages and version. A changed file that the cell
 * had read, or another back end of the tensors, makes an entry void; one that cannot be read is said and the cell runs.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { packageRoot } from "../paths/paths.js";
import type { Control } from "../protocol/controls.js";
import { recipeOf, type KeptKind } from "../protocol/kept.js";
import type { KernelConfig } from "../protocol/kernel.js";
import { mime, type Output } from "../protocol/output.js";
import type { Relation } from "../protocol/values.js";
import { Damaged, drop, readEntry, touch, trim, writeAside, type Entry } from "./cache-folder.js";
import { packagesHash } from "./context.js";
import { digest, Opaque } from "./digest.js";
import { isTensor } from "./display.js";
import type { Files } from "./files.js";
import { atPlace, placesIn } from "./inputs.js";
import type { KeptNetwork } from "./networks.js";
import type { Run } from "./run.js";
import type { Shown } from "./shown.js";
import { shelve, unshelve, type KeptTensor } from "./shelve.js";

export interface Kept {
  values: Map<string, unknown>;
  outputs: Output[];
  /** what `view` has shown */
  controls: Control[];
  /** absolute paths of files that the run read */
  reads: string[];
  savedMs: number;
  at: number;
}

/** A cell's run, so far as its result is kept: asked for before it starts. */
export interface Shelf {
  /** the result, or null: the cell must run */
  find(): Promise<Kept | null>;
  /** `elapsedMs`: what the next run is spared. A sentence says why it was not kept. */
  keep(values: ReadonlyMap<string, unknown>, shown: Shown, elapsedMs: number): Promise<string | null>;
}

export interface CacheOptions {
  config: Pick<KernelConfig, "notebook" | "workspace" | "seed" | "backend" | "cacheBytes">;
  files: Files;
  isRelation(value: unknown): value is Relation;
  /** hash of what a relation or a split holds */
  contentOf(value: unknown): Promise<string> | undefined;
  relation(file: string, hash: string): Promise<unknown>;
  /** tensors and networks */
  tensors: {
    /** name of the back end; `load`: it is loaded for that */
    backend(load: boolean): Promise<string | null>;
    tensor(kept: KeptTensor): Promise<unknown>;
    read(kept: KeptNetwork): Promise<unknown>;
    isNetwork(value: object): boolean;
    /** undefined of what is no network */
    keep(value: object): Promise<KeptNetwork> | undefined;
    contentOf(value: object): Promise<unknown> | undefined;
  };
  revive(kind: KeptKind, parts: Record<string, unknown>, run: Run): Promise<object>;
}

/** bytes of all entries of a workspace, unless the configuration says otherwise */
const mostBytes = 4 * 2 ** 30;
const short = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
const sizeText = (bytes: number) => (bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
let known: string | undefined;
/** of Touchstone: another one may compute or read differently */
const version = () => (known ??= (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string }).version);

export interface Cache {
  /** `inputs`: names of other cells with their values; `code`: what stands for a function of that name. A sentence says why there is none. */
  open(run: Run, inputs: ReadonlyMap<string, unknown>, code: (name: string) => Promise<string>): Promise<Shelf | string>;
  /** hash of a value's content; throws an Opaque */
  digest(value: unknown, name: string, code: (name: string) => Promise<string>): Promise<string>;
  /** hashes of files, as part of an input */
  files(paths: Iterable<string>): Promise<string[]>;
  /** drops every entry of a cell */
  drop(cell: string): Promise<void>;
}

export function createCache({ config, files, isRelation, contentOf, relation, tensors, revive }: CacheOptions): Cache {
  const { workspace, notebook, cacheBytes = mostBytes } = config;
  const root = join(workspace, ".touchstone", "cache");
  const folderOf = (cell: string) => join(root, short(notebook), short(cell));
  const digestOf: Cache["digest"] = (value, name, code) =>
    digest(value, name, { relation: contentOf, network: (each) => tensors.contentOf(each), code: () => code(name) });

  /** Content of each input by its name. */
  const contents = async (inputs: ReadonlyMap<string, unknown>, code: (name: string) => Promise<string>) => {
    const found: [name: string, hash: string][] = [];
    for (const name of [...inputs.keys()].sort()) found.push([name, await digestOf(inputs.get(name), name, code)]);
    return found;
  };
  const keyOf = async ({ cell, request }: Run, inputs: unknown): Promise<string> => {
    const parts = [
      ["format", 2, version(), process.versions.node.split(".")[0]],
      ["cell", cell.id, cell.kind, cell.source],
      ["seed", config.seed, config.backend],
      ["packages", await packagesHash(workspace)],
      ["inputs", inputs],
      ...(request.controls === undefined ? [] : [["controls", Object.entries(request.controls).sort()]]),
    ];
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
  };

  const restore = async (folder: string, entry: Entry, inputs: ReadonlyMap<string, unknown>, run: Run): Promise<Kept> => {
    const made: { dispose(): unknown }[] = [];
    const noted = async (making: Promise<unknown>) => {
      const value = await making;
      made.push(value as { dispose(): unknown });
      return value;
    };
    try {
      const values = await unshelve(await readFile(join(folder, "values.bin")), {
        tensor: (kept) => noted(tensors.tensor(kept)),
        network: (kept) => noted(tensors.read(kept)),
        relation: (at) => relation(join(folder, `${at}.parquet`), entry.relations[at]!),
        input: (place) => atPlace(inputs, place),
        made: (kind, parts) => revive(kind, parts, run),
      });
      const reads = entry.reads.map((line) => join(workspace, line.slice(0, line.lastIndexOf(" "))));
      return { values, outputs: entry.outputs, controls: entry.controls ?? [], reads, savedMs: entry.elapsedMs, at: entry.at };
    } catch (error) {
      for (const each of made) each.dispose();
      throw error;
    }
  };

  const read = async (folder: string, inputs: ReadonlyMap<string, unknown>, run: Run): Promise<Kept | null> => {
    // a kernel beside this one may put another in its place meanwhile
    const entry = await readEntry(folder).catch(() => readEntry(folder));
    if (entry === null) return null;
    const now = await files.hashes(entry.reads.map((line) => join(workspace, line.slice(0, line.lastIndexOf(" ")))));
    if (now.join("\n") !== [...entry.reads].sort().join("\n")) return null;
    if (entry.backend !== null && entry.backend !== (await tensors.backend(true))) return null;
    const kept = await restore(folder, entry, inputs, run);
    await touch(folder);
    return kept;
  };

  return {
    async open(run, inputs, code) {
      let before: [string, string][];
      try {
        before = await contents(inputs, code);
      } catch (error) {
        if (error instanceof Opaque) return `not cached: its input ${error.message}, which has no content that could be compared`;
        throw error;
      }
      const cell = folderOf(run.cell.id);
      const folder = join(cell, await keyOf(run, before));
      const { placeOf } = placesIn(inputs, (value) => isRelation(value) || isTensor(value) || recipeOf(value) !== null || tensors.isNetwork(value));
      return {
        async find() {
          try {
            return await read(folder, inputs, run);
          } catch (error) {
            if (!run.stopped)
              run.warnings.push(
                `the result on disk could not be used${error instanceof Damaged ? " (damaged: " : " ("}${messageOf(error)}): the cell ran anew`,
              );
            return null;
          }
        },
        async keep(values, shown, elapsedMs) {
          if (run.volatile !== null) return `not cached: ${run.volatile}`;
          if (shown.outputs === null) return "not cached: it shows more than 8 MB";
          const changed = await changedOf(before, contents(inputs, code));
          if (changed !== null) return `not cached: it changes its input ${changed}, which a result from disk would not do`;
          const writing = await writeAside(folder);
          try {
            const { bytes, relations } = await shelve(values, { isRelation, input: placeOf, network: (value) => tensors.keep(value) });
            await writeFile(join(writing.aside, "values.bin"), bytes, { mode: 0o600 });
            const hashes: string[] = [];
            for (const [i, each] of (relations as Relation[]).entries()) {
              await each.save(join(relative(workspace, writing.aside), `${i}.parquet`));
              hashes.push(await each.hash());
            }
            const size = await writing.size();
            if (size > cacheBytes) throw new Error(`its result takes ${sizeText(size)}, more than the cache's ${sizeText(cacheBytes)}`);
            await writing.commit({
              ...{ at: Date.now(), elapsedMs, backend: await tensors.backend(false), relations: hashes },
              ...(run.controls.length > 0 && { controls: run.controls }),
              ...{ outputs: shown.outputs.map(plain), reads: await files.hashes(run.reads) },
            });
            await trim(root, cell, cacheBytes);
            return null;
          } catch (error) {
            await writing.abandon();
            return `not cached: ${messageOf(error)}${error instanceof Opaque ? ", which cannot be stored" : ""}`;
          }
        },
      };
    },
    digest: digestOf,
    files: (paths) => files.hashes(paths),
    drop: (cell) => drop(folderOf(cell)),
  };
}

/** The first input whose content is another now, or cannot be told any more. */
async function changedOf(before: [name: string, hash: string][], again: Promise<[string, string][]>): Promise<string | null> {
  const now = new Map(await again.catch(() => []));
  return before.find(([name, hash]) => now.get(name) !== hash)?.[0] ?? null;
}

/** An output without its ways back into the kernel that made it: tables are shown by their first rows. */
function plain(output: Output): Output {
  if (output.kind !== "display") return output;
  const { [mime.table]: _, [mime.value]: __, ...data } = output.data;
  return { ...output, data } as Output;
}
