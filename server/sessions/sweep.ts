/** Folders that carry the number of a process are removed once that process is gone: after a kill nobody else would. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** `pid`: what a name looks like, its first group the process. What cannot be read or removed stays. */
export function sweep(folder: string, pid: RegExp): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const [, number] = pid.exec(name) ?? [];
    if (number === undefined || lives(Number(number))) continue;
    try {
      rmSync(join(folder, name), { recursive: true, force: true });
    } catch {
      // another user's
    }
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
