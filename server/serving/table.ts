/** The routing table: what a model's requests are routed by, read from the registry's state. Versions are immutable and read once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readVersion } from "../../kernels/paths/folder.js";
import type { ModelState } from "../registry/fold.js";
import type { Judged } from "../registry/propose.js";
import type { Registry } from "../registry/registry.js";
import { keyOf } from "./predict.js";
import type { Logger, Route, Served } from "./types.js";

export interface Routes {
  routeOf(model: ModelState): Route;
  /** versions that cannot be read, by key, with the reason */
  damaged: ReadonlyMap<string, string>;
}

export function createRoutes(registry: Registry, log: Logger): Routes {
  const cache = new Map<string, Served>();
  /** versions that cannot be read, with the reason */
  const damaged = new Map<string, string>();
  const servedOf = (name: string, version: number): Served => {
    const key = keyOf(name, version);
    const known = cache.get(key);
    if (known) return known;
    const dir = registry.versionDir(name, version);
    const { manifest, signature, card, hash } = readVersion(dir);
    const line = registry.state().models.get(name)?.versions.get(version);
    if (line && line.manifest !== hash)
      throw new Error(`${key} is not the version that was promoted: its manifest has another hash than the history's`);
    const { proposal } = JSON.parse(readFileSync(join(dir, "proposal.json"), "utf8")) as Judged;
    const served = { version, dir, key, manifest, signature, card: { ...card, name }, proposal };
    cache.set(key, served);
    return served;
  };

  const routeOf = (model: ModelState): Route => {
    const versions = new Map<number, Served>();
    for (const version of [...model.versions.keys()].sort((a, b) => a - b)) {
      try {
        versions.set(version, servedOf(model.name, version));
      } catch (error) {
        damaged.set(keyOf(model.name, version), (error as Error).message);
        log.error(`${keyOf(model.name, version)} cannot be read: ${(error as Error).message}`);
      }
    }
    const { name, champion, challenger, previous, salt, retired } = model;
    const arms = model.arms.length > 0 ? model.arms : champion === null ? [] : [{ version: champion, share: 1 }];
    return { name, champion, challenger, previous, arms, salt, versions, retired };
  };

  return { routeOf, damaged };
}

/** Keys of the versions whose hosts a table needs: those in use, and the one to go back to. */
export function wanted(table: ReadonlyMap<string, Route>): Set<string> {
  const keys = new Set<string>();
  for (const route of table.values())
    for (const version of [route.champion, route.challenger, route.previous, ...route.arms.map((arm) => arm.version)])
      if (version !== null) keys.add(keyOf(route.name, version));
  return keys;
}
