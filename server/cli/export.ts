/** `touchstone export NAME [DIR]`: the folder that serves the model in use alone. Reads the registry; needs no lock. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { exportVersion } from "../../kernels/paths/export.js";
import { foldHistory } from "../registry/fold.js";
import { parseHistory } from "../registry/history.js";
import { placesOf } from "../registry/disk.js";
import { join } from "node:path";
import { Failure } from "./failure.js";

export interface ExportOptions {
  root: string;
  name: string;
  /** new or empty folder */
  dir: string;
  /** default: the champion */
  version?: number;
}

/** Exports the champion, or the version asked for. Throws when there is none, naming those that exist. */
export async function exportModel({
  root,
  name,
  dir,
  version,
}: ExportOptions): Promise<{ version: number; dir: string; files: string[]; bytes: number }> {
  const places = placesOf(root);
  let history: Buffer;
  try {
    history = readFileSync(places.history);
  } catch {
    throw new Failure(64, `nothing is promoted in ${root} yet: there is no model to export`);
  }
  const { models } = foldHistory(parseHistory(history).lines);
  const model = models.get(name);
  if (!model) throw new Failure(64, `no model is called ${JSON.stringify(name)}; there are ${[...models.keys()].join(", ") || "none"}`);
  const chosen = version ?? model.champion;
  if (chosen === null) throw new Failure(64, `${name} was retired: say which version, one of ${[...model.versions.keys()].join(", ")}`);
  if (!model.versions.has(chosen)) throw new Failure(64, `${name} has no version ${chosen}; there are ${[...model.versions.keys()].join(", ")}`);
  const target = resolve(dir);
  const { files, bytes } = await exportVersion({ name, version: chosen, dir: join(places.models, name, `v${chosen}`) }, target);
  return { version: chosen, dir: target, files, bytes };
}
