/** Files and folders that carry the number of a process are removed once that process is gone: after a kill nobody else would. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** `pid`: the process that a name carries, if any. What cannot be read or removed stays. */
export function sweep(folder: string, pid: (name: string) => string | undefined): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const number = pid(name);
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
