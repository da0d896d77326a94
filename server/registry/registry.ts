/** The registry: version folders and the history that alone makes them exist (contracts 5). One process owns it by a lock file. */
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { list, readVersion } from "../../kernels/paths/folder.js";
import type { HistoryLine } from "../../kernels/protocol/serving.js";
import { createDisk, placesOf, type Disk, type Step } from "./disk.js";
import { applyLine, foldHistory, type RegistryState } from "./fold.js";
import { openHistory, type HistoryEvent } from "./history.js";
import { takeLock } from "./lock.js";

export interface Registry {
  state(): RegistryState;
  lines(): readonly HistoryLine[];
  /** an event on disk, then in the state */
  append(event: HistoryEvent): RegistryState;
  versionDir(name: string, version: number): string;
  /** copies a judged folder to its place as the next version: whole and on disk, but without a line, so it does not exist yet */
  place(name: string, from: string, proposal: string): { version: number; dir: string; manifest: string };
  disk: Disk;
  places: ReturnType<typeof placesOf>;
  close(): void;
}

export interface RegistryOptions {
  root: string;
  step?: Step | null;
}

/** Opens ROOT's registry: lock, torn line cut, fold, garbage removed. Throws a LockedError when another process owns it. */
export function openRegistry({ root, step = null }: RegistryOptions): Registry {
  const places = placesOf(root);
  const disk = createDisk(step);
  mkdirSync(places.state, { recursive: true, mode: 0o700 });
  const release = takeLock(places.lock);
  try {
    disk.folder(places.models);
    disk.folder(places.proposals);
    const history = openHistory(places.history, disk);
    let state = foldHistory(history.lines);
    sweep(places.models, state, disk);
    sweepProposals(places.proposals, state, disk);
    const versionDir = (name: string, version: number): string => join(places.models, name, `v${version}`);
    return {
      state: () => state,
      lines: () => history.lines,
      append(event) {
        const line = history.append(event);
        state = applyLine(state, line);
        return state;
      },
      versionDir,
      place(name, from, proposal) {
        const version = Math.max(0, ...(state.models.get(name)?.versions.keys() ?? [])) + 1;
        const dir = versionDir(name, version);
        const temporary = join(dirname(dir), `.v${version}.tmp`);
        disk.remove(temporary);
        // left by a commit that died before its line
        disk.remove(dir);
        disk.folder(temporary);
        const before = readVersion(from);
        for (const file of list(from)) {
          disk.folder(dirname(join(temporary, file)));
          disk.link(join(from, file), join(temporary, file));
        }
        disk.write(join(temporary, "proposal.json"), proposal);
        for (const folder of new Set(list(temporary).map((file) => dirname(join(temporary, file))))) disk.syncFolder(folder);
        disk.rename(temporary, dir);
        disk.syncFolder(dirname(dir));
        return { version, dir, manifest: before.hash };
      },
      disk,
      places,
      close() {
        history.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** How long a judged proposal waits for its click. */
const patience = 7 * 86_400_000;

/** Proposals that were never finished, or that nobody committed for a week. */
function sweepProposals(folder: string, state: RegistryState, disk: Disk): void {
  for (const id of readdirSync(folder)) {
    const judged = statSync(join(folder, id, "proposal.json"), { throwIfNoEntry: false });
    if (!state.committed.has(id) && (!judged || Date.now() - judged.mtimeMs > patience)) disk.remove(join(folder, id));
  }
}

/** A folder without a line is garbage. */
function sweep(models: string, state: RegistryState, disk: Disk): void {
  for (const name of readdirSync(models)) {
    const known = state.models.get(name)?.versions;
    for (const entry of existsSync(join(models, name)) ? readdirSync(join(models, name)) : []) {
      const version = /^v(\d+)$/.exec(entry);
      if (!version || !known?.has(Number(version[1]))) disk.remove(join(models, name, entry));
    }
  }
}
