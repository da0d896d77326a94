/** All open notebooks of this server, one session a file. */
import { recoverInstall } from "../packages/install.js";
import { createLanguages, type Languages } from "../language/languages.js";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { unanswered } from "./clean.js";
import { kernelPool, type KernelPool } from "./pool.js";
import { notebookEnding, placeOf } from "./paths.js";
import { defaultMemory, environmentMemory } from "./memory.js";
import { redactor } from "./redact.js";
import { Session, type SessionEffects } from "./session.js";

export interface Sessions {
  /** Opens it if it is not; throws a PathError. */
  open(path: string): Session;
  /** null when it is not open */
  get(path: string): Session | null;
  all(): Session[];
  /** a kernel without a notebook, in the folder that `path` names: nothing of it is kept. `letGo` ends it. */
  bare(path: string): { session: Session; letGo(): Promise<void> };
  /** ends one session, for example before its file is moved */
  drop(path: string, reason: string): Promise<void>;
  /** language services of the open notebooks */
  readonly languages: Languages;
  /** shuts the kernels down that nobody has used for `idleMs` */
  cull(): void;
  /** kernels that are no notebook's are looked after by `look`, with every look around at the others */
  onCull(look: (idleMs: number) => void): void;
  now(): number;
  /** bytes that a kernel may take whose notebook has no limit of its own */
  readonly memoryLimit: number;
  /** for the kernels that start from now on, and the next look around for idle ones */
  configure(settings: { idleMs: number; memoryLimit: number; cacheBytes: number }): void;
  /** starts the spare kernel */
  warm(): void;
  close(): Promise<void>;
}

export type SessionsOptions = Pick<SessionEffects, "root" | "log" | "handle"> &
  Partial<Omit<SessionEffects, "root" | "log" | "handle">> & {
    spare?: boolean;
    /** ms without use after which a kernel is shut down (24 h); 0: never */
    idleMs?: number;
  };

/** of a process with this limit: buffers and native memory need the rest */
const heapOf = (memory: number) => Math.floor(memory * 0.9);

export function createSessions(options: SessionsOptions): Sessions {
  let memoryLimit = options.memoryLimit ?? environmentMemory() ?? defaultMemory();
  let cacheBytes = options.cacheBytes;
  let pool: KernelPool | null = null;
  const kernels = () =>
    (pool ??= kernelPool({
      heapLimit: heapOf(memoryLimit),
      spare: options.spare ?? true,
      said: (text) => options.log.info({ text: text.slice(0, 2000) }, "kernel process"),
    }));
  const languages = createLanguages({ log: options.log });
  const effects: SessionEffects = {
    now: Date.now,
    takeKernel: (memory) => kernels().take(heapOf(memory)),
    redact: redactor(process.env),
    backend: process.env["TOUCHSTONE_BACKEND"] ?? null,
    quiet: 1200,
    rest: 50,
    sync: 200,
    watch: true,
    keep: true,
    seed: null,
    languages,
    second: (place) =>
      new Session(place, {
        ...effects,
        keep: false,
        watch: false,
        languages: null,
        second: undefined,
        handle: (method, params) => (method === "prompt" ? Promise.reject(new Error(unanswered)) : effects.handle(method, params)),
      }),
    ...options,
    get memoryLimit() {
      return memoryLimit;
    },
    get cacheBytes() {
      return cacheBytes;
    },
  };
  const sessions = new Map<string, Session>();
  const bare = new Set<Session>();
  let idleMs = options.idleMs ?? 24 * 3_600_000;
  const culls: ((idleMs: number) => void)[] = [];
  const cull = () => {
    if (idleMs === 0) return;
    for (const session of sessions.values()) session.cull(idleMs);
    for (const look of culls) look(idleMs);
  };
  const culling = setInterval(cull, 60_000);
  culling.unref();
  return {
    languages,
    cull,
    onCull: (look) => void culls.push(look),
    now: effects.now,
    get memoryLimit() {
      return memoryLimit;
    },
    open(path) {
      const place = placeOf(options.root, path);
      let session = sessions.get(place.file);
      if (session === undefined && effects.keep) recoverInstall(place.workspace);
      if (session === undefined) sessions.set(place.file, (session = new Session(place, effects)));
      return session;
    },
    get(path) {
      return sessions.get(placeOf(options.root, path, false).file) ?? null;
    },
    bare(path) {
      const shell = (at: string) => placeOf(options.root, join(at, `console-${randomUUID()}${notebookEnding}`), false);
      let place: ReturnType<typeof placeOf>;
      try {
        place = shell(path);
      } catch {
        place = shell("");
      }
      if (!existsSync(dirname(place.file))) place = shell("");
      const session = new Session(place, { ...effects, keep: false, watch: false });
      bare.add(session);
      return {
        session,
        async letGo() {
          bare.delete(session);
          await session.close();
        },
      };
    },
    all: () => [...sessions.values()],
    async drop(path, reason) {
      const { file } = placeOf(options.root, path, false);
      const session = sessions.get(file);
      sessions.delete(file);
      await session?.close(reason);
    },
    configure(settings) {
      ({ idleMs, memoryLimit, cacheBytes } = settings);
      pool?.resize(heapOf(memoryLimit));
    },
    warm() {
      if (options.takeKernel === undefined) kernels().warm();
    },
    async close() {
      clearInterval(culling);
      const open = [...sessions.values(), ...bare];
      sessions.clear();
      await Promise.all(open.map((session) => session.close()));
      languages.close();
      await pool?.close();
    },
  };
}
