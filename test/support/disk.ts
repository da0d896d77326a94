/**
 * The disk as a test wants it: the real one, but every call is done at once, so that a run is the same each time; and at the n-th call that changes
 * something the process is "killed": half of that write is done, and from then on nothing is read or written.
 * Used as the factory of `vi.mock("node:fs")` and `vi.mock("node:fs/promises")`.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type * as Fs from "node:fs";
import type * as Promises from "node:fs/promises";

/** Calls that change the disk; what is between two of them is the same for a kill. */
const changing = new Set(
  "openSync writeSync writeFileSync appendFileSync renameSync rmSync unlinkSync truncateSync ftruncateSync mkdirSync fsyncSync fdatasyncSync closeSync".split(
    " ",
  ),
);

class Killed extends Error {
  constructor() {
    super("killed");
  }
}

/** number of the process whose code runs; undefined: the test's own */
const lives = new AsyncLocalStorage<number>();

/** Never: a process that was killed does not go on. */
const never = new Promise<never>(() => {});

export interface KillDisk {
  /** kill at the n-th change from now on; 0: never */
  killIn(changes: number): void;
  readonly dead: boolean;
  /** the next process starts; what is left of the one before never runs again */
  revive(): void;
  /** is the process whose code runs no more? Never of the test's own code */
  gone(): boolean;
  /** runs code of the present process, and later what it sets off */
  inside<T>(run: () => T): T;
  /** runs code of the test from inside of a process */
  outside<T>(run: () => T): T;
  /** the last calls, for a failure's report */
  readonly trace: readonly string[];
  /** told after each call that changed something */
  onChange: ((call: string, args: readonly unknown[]) => void) | null;
}

interface Inner extends KillDisk {
  act(call: string, args: readonly unknown[]): unknown;
  real: typeof Fs | null;
}

function make(): Inner {
  let left = 0;
  let dead = false;
  let living = 0;
  let trace: string[] = [];
  const open = new Set<number>();
  const told = (call: string, args: readonly unknown[]) =>
    `${call} ${args
      .map((one) => (typeof one === "string" && one.length < 200 ? one.split("/").slice(-2).join("/") : typeof one === "number" ? one : "…"))
      .join(" ")}`;
  return {
    real: null,
    onChange: null,
    get dead() {
      return dead;
    },
    get trace() {
      return trace;
    },
    killIn(changes) {
      left = changes;
    },
    revive() {
      dead = false;
      left = 0;
      living++;
      // nobody tells the dead of a change: else their code would run on as the next process's
      watchers.clear();
      // the system closes what a process leaves open
      for (const fd of open) this.real!.closeSync(fd);
      open.clear();
    },
    inside: (run) => lives.run(living, run),
    outside: (run) => lives.exit(run),
    gone: () => lives.getStore() !== undefined && (dead || lives.getStore() !== living),
    act(call, args) {
      if (dead || this.gone()) throw new Killed();
      const does = (this.real as unknown as Record<string, (...args: unknown[]) => unknown>)[call]!;
      if (call === "closeSync") open.delete(args[0] as number);
      if (!changing.has(call)) return does(...args);
      trace = [...trace.slice(-60), told(call, args)];
      if (left > 0 && --left === 0) {
        dead = true;
        trace.push("KILLED");
        half(does, call, args);
        throw new Killed();
      }
      // the disk outlives the process: nothing is to be waited for
      if (call === "fsyncSync" || call === "fdatasyncSync") return undefined;
      const result = does(...args);
      if (call === "openSync") open.add(result as number);
      this.onChange?.(call, args);
      return result;
    },
  };
}

/** Half of a write, as a kill in the middle of it leaves it; of any other call nothing. */
function half(does: (...args: unknown[]) => unknown, call: string, args: readonly unknown[]): void {
  const [to, what, ...rest] = args;
  if (!["writeSync", "writeFileSync", "appendFileSync"].includes(call)) return;
  const bytes = typeof what === "string" ? Buffer.from(what) : (what as Buffer);
  const [at, length] = call === "writeSync" ? [(rest[0] as number | undefined) ?? 0, rest[1] as number | undefined] : [0, undefined];
  const whole = bytes.subarray(at, length === undefined ? undefined : at + length);
  does(to, whole.subarray(0, whole.length >> 1));
}

const disk = make();
export const killDisk: KillDisk = disk;

/** What `node:fs` is for the code under test. */
export function killable(real: typeof Fs): object {
  disk.real = real;
  const all: Record<string, unknown> = { ...real };
  for (const [name, value] of Object.entries(real))
    if (typeof value === "function" && name.endsWith("Sync")) all[name] = (...args: unknown[]) => disk.act(name, args);
  return { ...all, default: all };
}

/** What `node:fs/promises` is: the same calls, answered without the system's threads. */
export function instant(): object {
  const call = async (name: string, ...args: unknown[]): Promise<unknown> => {
    if (disk.dead || disk.gone()) return never;
    try {
      return disk.act(name, args);
    } catch (error) {
      if (error instanceof Killed) return never;
      throw error;
    }
  };
  const open = async (path: string, flags: string, mode: number): Promise<Partial<Promises.FileHandle>> => {
    const fd = (await call("openSync", path, flags, mode)) as number;
    return {
      write: (async (bytes: Buffer, at = 0, length = bytes.length - at) => ({
        bytesWritten: (await call("writeSync", fd, bytes, at, length)) as number,
        buffer: bytes,
      })) as Promises.FileHandle["write"],
      writeFile: async (text) => void (await call("writeFileSync", fd, text)),
      truncate: async (length) => void (await call("ftruncateSync", fd, length)),
      sync: async () => void (await call("fsyncSync", fd)),
      datasync: async () => void (await call("fdatasyncSync", fd)),
      close: async () => void (await call("closeSync", fd)),
    };
  };
  const one =
    (name: string) =>
    (...args: unknown[]) =>
      call(name, ...args);
  const all = {
    open,
    readFile: one("readFileSync"),
    writeFile: one("writeFileSync"),
    rename: one("renameSync"),
    rm: one("rmSync"),
    mkdir: one("mkdirSync"),
  };
  return { ...all, default: all };
}

/** What tells the watcher of the file now. */
export const watchers = new Set<() => void>();
/** What `chokidar` is. */
export const fakeChokidar = () => ({
  watch() {
    const told: (() => void)[] = [];
    const tell = () => told.forEach((one) => one());
    watchers.clear();
    watchers.add(tell);
    const watcher = {
      on(event: string, listener: () => void) {
        if (event === "all") told.push(listener);
        return watcher;
      },
      close: () => Promise.resolve(),
    };
    return watcher;
  },
});
