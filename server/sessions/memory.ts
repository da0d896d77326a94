/** How much memory a kernel may take: the server's default, a notebook's own limit, and the most that this machine allows. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import type { NotebookPlace } from "./paths.js";
import { leastMemory } from "./size.js";

const machine = (): number => {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 && limit < totalmem() ? limit : totalmem();
};

/** What TOUCHSTONE_MEMORY says; null: nothing. */
export const environmentMemory = (): number | null => {
  const given = Number(process.env["TOUCHSTONE_MEMORY"]);
  return Number.isFinite(given) && given > 0 ? given : null;
};

export const defaultMemory = (): number => Math.min(4 * 2 ** 30, Math.floor(machine() / 2));

/** The rest is the system's, the server's and the page's. */
export const mostMemory = (): number => Math.floor(machine() * 0.9);

const fileOf = (place: NotebookPlace) => join(place.store, "limits", `${place.key}.json`);

/** The notebook's own limit on this machine; null where none was set. */
export function readLimit(place: NotebookPlace): number | null {
  try {
    const { memory } = JSON.parse(readFileSync(fileOf(place), "utf8")) as { memory?: unknown };
    // it may come from a larger machine
    return typeof memory === "number" && memory >= leastMemory ? Math.min(memory, mostMemory()) : null;
  } catch {
    return null;
  }
}

export function writeLimit(place: NotebookPlace, memory: number): void {
  const file = fileOf(place);
  mkdirSync(join(place.store, "limits"), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify({ memory }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
