/** How a notebook's last run went, beside its outputs, so that Home knows it without opening the notebook. */
import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Badge } from "../../kernels/protocol/document.js";
import type { NotebookView } from "../../kernels/protocol/http.js";
import type { NotebookPlace } from "./paths.js";

export interface KeptRun {
  lastRun: NotebookView["lastRun"];
  badge: Badge;
}

const fileOf = (place: NotebookPlace) => join(place.store, "runs", `${place.key}.json`);

export function readRuns(place: NotebookPlace): KeptRun | null {
  try {
    return JSON.parse(readFileSync(fileOf(place), "utf8")) as KeptRun;
  } catch {
    return null;
  }
}

export async function writeRuns(place: NotebookPlace, kept: KeptRun): Promise<void> {
  const file = fileOf(place);
  await mkdir(join(place.store, "runs"), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, JSON.stringify(kept), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
