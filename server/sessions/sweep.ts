/** Files and folders that carry the number of a process are removed once that process is gone: after a kill nobody else would. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** ms by which the clock of a file system may be behind */
const slack = 2000;

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
    if (number === undefined) continue;
    try {
      if (lives(Number(number), join(folder, name))) continue;
      rmSync(join(folder, name), { recursive: true, force: true });
    } catch {
      // another user's, or gone meanwhile
    }
  }
}

/** What is older than this process is not ours, though it has our number: the first process of a container has the same each time. */
function lives(pid: number, path: string): boolean {
  if (pid === process.pid) return statSync(path).mtimeMs >= performance.timeOrigin - slack;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
