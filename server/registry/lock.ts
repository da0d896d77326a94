/** One owner of the registry: a lock file with the owner's pid and start time, taken by hard link (atomic), stolen only from the dead. */
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";

export class LockedError extends Error {
  override name = "LockedError";
}

/** Takes the lock or throws a LockedError naming the owner. Returns the release. */
export function takeLock(path: string): () => void {
  const own = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const file = openSync(temporary, "wx", 0o600);
  writeSync(file, own);
  fsyncSync(file);
  closeSync(file);
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        linkSync(temporary, path);
        return () => {
          if (read(path) === own) rmSync(path, { force: true });
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const other = read(path);
      if (other === null) continue;
      const owner = parse(other);
      if (owner && alive(owner))
        throw new LockedError(`${path} is held by process ${owner.pid}: another Touchstone owns this folder. Stop it, or hand it the work over HTTP`);
      // dead, or cut short by a power loss; only the same bytes are removed
      if (read(path) === other) rmSync(path, { force: true });
    }
    throw new LockedError(`${path} could not be taken in five attempts: other processes keep taking it`);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function parse(text: string): { pid: number; started: string } | null {
  try {
    const value = JSON.parse(text) as { pid: number; started: string };
    return Number.isSafeInteger(value.pid) && value.pid > 0 ? value : null;
  } catch {
    return null;
  }
}

function alive(owner: { pid: number; started: string }): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  // a pid is used again after a while: the start time tells (Linux; elsewhere the pid alone)
  return owner.started === "" || startOf(owner.pid) === owner.started;
}

/** Start time of a process in clock ticks since boot, "" where /proc is absent. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat === null ? "" : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "");
}
