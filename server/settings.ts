/** What people set for all kernels of this root: kept in ROOT/.touchstone/settings.json, in force at once. What the server was started with stands above it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { SettingsView } from "../kernels/protocol/http.js";
import { defaultMemory, environmentMemory, mostMemory } from "./sessions/memory.js";
import { leastMemory } from "./sessions/size.js";

export const hourMs = 3_600_000;
const defaultHours = 24;
const mostHours = 8760;
/** bytes of the results on disk of a workspace */
const cache = { default: 4 * 2 ** 30, least: 2 ** 26, most: 2 ** 40 };

/** null: the default */
const schema = z.object({
  idleHours: z.number().min(0).max(mostHours).nullable().default(null),
  memory: z.number().int().min(leastMemory).nullable().default(null),
  cache: z.number().int().min(cache.least).max(cache.most).nullable().default(null),
});
type Kept = z.infer<typeof schema>;

/** What holds for every session. */
export interface InForce {
  idleMs: number;
  memoryLimit: number;
  cacheBytes: number;
}

export class Settings {
  readonly #file: string;
  readonly #fixed: { idleMs: number | undefined; memory: number | undefined };
  #kept: Kept;
  /** told of each change */
  onChange: (settings: InForce) => void = () => {};

  /** `fixed`: what the server was started with. */
  constructor(root: string, fixed: { idleMs?: number | undefined; memoryLimit?: number | undefined } = {}) {
    this.#file = join(root, ".touchstone", "settings.json");
    this.#fixed = { idleMs: fixed.idleMs, memory: fixed.memoryLimit ?? environmentMemory() ?? undefined };
    this.#kept = read(this.#file);
  }

  /** ms without use after which a kernel is shut down; 0: never */
  get idleMs(): number {
    return this.#fixed.idleMs ?? (this.#kept.idleHours ?? defaultHours) * hourMs;
  }
  /** bytes that a kernel may take whose notebook has no limit of its own */
  get memoryLimit(): number {
    // the file may come from a larger machine
    return this.#fixed.memory ?? Math.min(this.#kept.memory ?? defaultMemory(), mostMemory());
  }

  /** bytes on disk that the results of a workspace's cells may take */
  get cacheBytes(): number {
    return this.#kept.cache ?? cache.default;
  }

  get view(): SettingsView {
    return {
      idle: { hours: this.idleMs / hourMs, default: defaultHours, most: mostHours, fixed: this.#fixed.idleMs !== undefined },
      memory: {
        bytes: this.memoryLimit,
        default: defaultMemory(),
        least: leastMemory,
        most: mostMemory(),
        fixed: this.#fixed.memory !== undefined,
      },
      cache: { bytes: this.cacheBytes, ...cache },
    };
  }

  /** Keeps these, then tells; null goes back to the default. Throws when they cannot be kept. */
  change(given: Partial<Kept>): void {
    const kept = { ...this.#kept, ...given };
    mkdirSync(join(this.#file, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#file}.new`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    this.#kept = kept;
    this.onChange({ idleMs: this.idleMs, memoryLimit: this.memoryLimit, cacheBytes: this.cacheBytes });
  }
}

/** A file that says something else is as good as none. */
function read(file: string): Kept {
  try {
    return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return { idleHours: null, memory: null, cache: null };
  }
}
