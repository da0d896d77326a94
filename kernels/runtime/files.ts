/** The files that cells read: their hashes, and a message when one changes. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { relative } from "node:path";
import { Once } from "../data/once.js";
import { isPattern, matching, patternOf, type Pattern } from "./patterns.js";

/** beyond this size and time of change stand for the content */
const hashLimit = 64 * 2 ** 20;

export interface Files {
  /** "path hash" of each, paths from the workspace, sorted */
  hashes(paths: Iterable<string>): Promise<string[]>;
  /** follows these files from now on, beginning with what they hold now */
  watch(paths: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}

export function createFiles(workspace: string, changed: (path: string) => void): Files {
  const known = new Map<string, { stamp: string; hash: string }>();
  const watched = new Map<string, string>();
  const watcher = new Once<import("chokidar").FSWatcher>();

  const patterns = new Map<string, Pattern>();
  /** one look at a pattern for the many files that change together */
  const looks = new Map<string, NodeJS.Timeout>();

  const hash = (path: string): Promise<string> => (isPattern(path) ? hashAll(path) : hashOne(path));
  /** Names and contents of all files that match; sizes and times where there is much to read. */
  const hashAll = async (path: string): Promise<string> => {
    const found = await matching(patterns.get(path) ?? patternOf(path));
    const infos = await Promise.all(found.map((file) => stat(file).catch(() => null)));
    const much = infos.reduce((sum, info) => sum + (info?.size ?? 0), 0) > hashLimit;
    const sum = createHash("sha256");
    for (const [i, file] of found.entries()) sum.update(`${file}\0${much ? `${infos[i]?.size}-${infos[i]?.mtimeMs}` : await hashOne(file)}\n`);
    return sum.digest("hex").slice(0, 32);
  };
  const hashOne = async (path: string): Promise<string> => {
    const info = await stat(path).catch(() => null);
    if (!info) return "missing";
    const stamp = `${info.size}-${info.mtimeMs}`;
    const before = known.get(path);
    if (before?.stamp === stamp) return before.hash;
    const value = info.size > hashLimit ? `size-${stamp}` : await contentHash(path);
    known.set(path, { stamp, hash: value });
    return value;
  };
  const look = (path: string): void =>
    void hash(path).then((now) => {
      // a touch without a change is none
      if (!watched.has(path) || watched.get(path) === now) return;
      watched.set(path, now);
      changed(path);
    });
  const start = async () => {
    const { watch } = await import("chokidar");
    // a file is looked at once when its watch begins: it may have changed since the cell read it
    const made = watch([], {
      ignoreInitial: false,
      persistent: true,
      awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 50 },
      ignored: (path) => !watched.has(path) && ![...patterns.values()].some((one) => one.leads(path) || one.matches(path)),
    });
    made.on("all", (event, path) => {
      if (event !== "change" && event !== "add" && event !== "unlink") return;
      if (watched.has(path)) look(path);
      for (const [name, pattern] of patterns) {
        if (!pattern.matches(path)) continue;
        clearTimeout(looks.get(name));
        looks.set(
          name,
          setTimeout(() => look(name), 50),
        );
      }
    });
    return made;
  };

  return {
    async hashes(paths) {
      const lines = await Promise.all([...paths].map(async (path) => `${relative(workspace, path).replaceAll("\\", "/")} ${await hash(path)}`));
      return lines.sort();
    },
    async watch(paths) {
      const fresh: string[] = [];
      for (const path of paths) {
        if (!watched.has(path)) {
          if (isPattern(path)) patterns.set(path, patternOf(path));
          fresh.push(patterns.get(path)?.base ?? path);
        }
        watched.set(path, await hash(path));
      }
      if (fresh.length === 0) return;
      void watcher.get(start).then((each) => each.add(fresh));
    },
    async close() {
      for (const timer of looks.values()) clearTimeout(timer);
      if (watcher.begun) await (await watcher.get(start)).close();
    },
  };
}

async function contentHash(path: string): Promise<string> {
  const sum = createHash("sha256");
  for await (const piece of createReadStream(path)) sum.update(piece as Uint8Array);
  return sum.digest("hex").slice(0, 32);
}
