/** How a notebook's last run went, beside its outputs, so that Home knows it without opening the notebook. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
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

export function writeRuns(place: NotebookPlace, kept: KeptRun): void {
  const file = fileOf(place);
  mkdirSync(join(place.store, "runs"), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
