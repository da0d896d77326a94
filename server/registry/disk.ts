/** The few file operations that the registry, the logs and their recovery are made of, each one a named step so that a test may kill the process there. */
import { closeSync, copyFileSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Called before and after each operation, and in the middle of each write; a test's hook kills the process at its n-th call. */
export type Step = (name: string) => void;

export interface Disk {
  /** new file, fsynced */
  write(path: string, bytes: Uint8Array | string): void;
  /** copy of a file, fsynced */
  copy(from: string, to: string): void;
  /** temporary file, fsync, rename, fsync of the folder */
  replace(path: string, bytes: Uint8Array | string): void;
  /** appends whole bytes to an open file; `durable` waits for the disk */
  append(file: number, name: string, bytes: Uint8Array, durable: boolean): void;
  rename(from: string, to: string): void;
  /** hard link, or a copy where links are not possible; fsynced by the caller's folder sync */
  link(from: string, to: string): void;
  syncFolder(path: string): void;
  /** folders that do not exist yet, each one's entry fsynced */
  folder(path: string): void;
  remove(path: string): void;
}

export function createDisk(step: Step | null = null): Disk {
  const at = (name: string): void => step?.(name);
  const writeAll = (file: number, name: string, bytes: Uint8Array): void => {
    let done = 0;
    if (step && bytes.length > 1) {
      // only under test: half a write, as a kill in the middle of it would leave
      done = writeSync(file, bytes, 0, bytes.length >> 1);
      at(`${name} half written`);
    }
    while (done < bytes.length) done += writeSync(file, bytes, done);
  };
  const sync = (path: string): void => {
    const file = openSync(path, "r");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  };
  const disk: Disk = {
    write(path, content) {
      const name = basename(path);
      at(`open ${name}`);
      const file = openSync(path, "w", 0o600);
      try {
        writeAll(file, name, typeof content === "string" ? Buffer.from(content) : content);
        at(`fsync ${name}`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      at(`wrote ${name}`);
    },
    copy(from, to) {
      const name = basename(to);
      at(`copy ${name}`);
      copyFileSync(from, to);
      at(`fsync ${name}`);
      sync(to);
      at(`copied ${name}`);
    },
    replace(path, content) {
      const temporary = `${path}.${process.pid}.tmp`;
      disk.write(temporary, content);
      disk.rename(temporary, path);
      disk.syncFolder(dirname(path));
    },
    append(file, name, bytes, durable) {
      at(`append ${name}`);
      writeAll(file, name, bytes);
      at(`appended ${name}`);
      if (!durable) return;
      fsyncSync(file);
      at(`fsynced ${name}`);
    },
    rename(from, to) {
      at(`rename to ${basename(to)}`);
      renameSync(from, to);
      at(`renamed to ${basename(to)}`);
    },
    link(from, to) {
      at(`link ${basename(to)}`);
      try {
        linkSync(from, to);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
        copyFileSync(from, to);
        sync(to);
      }
    },
    syncFolder(path) {
      at(`sync folder ${basename(path)}`);
      sync(path);
      at(`synced folder ${basename(path)}`);
    },
    folder(path) {
      const made = mkdirSync(path, { recursive: true, mode: 0o700 });
      if (made === undefined) return;
      at(`made folder ${basename(path)}`);
      for (let one = path; one.length >= made.length; one = dirname(one)) sync(dirname(one));
    },
    remove(path) {
      at(`remove ${basename(path)}`);
      rmSync(path, { recursive: true, force: true });
      at(`removed ${basename(path)}`);
    },
  };
  return disk;
}

/** ROOT/.touchstone and what S keeps in it. */
export function placesOf(root: string): Record<"state" | "models" | "proposals" | "history" | "lock" | "log" | "feedback", string> {
  const state = join(root, ".touchstone");
  return {
    state,
    models: join(state, "models"),
    proposals: join(state, "proposals"),
    history: join(state, "history.ndjson"),
    lock: join(state, "registry.lock"),
    log: join(state, "log"),
    feedback: join(state, "feedback"),
  };
}
