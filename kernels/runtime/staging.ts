/** Folders in which versions are put together: WORKSPACE/.touchstone/staging/NAME, removed with the kernel unless proposed. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";

export interface Staging {
  /** an empty folder */
  make(): Promise<string>;
  /** the server has it now */
  handedOver(dir: string): Promise<void>;
  close(): Promise<void>;
}

export function createStaging(workspace: string): Staging {
  const home = join(workspace, ".touchstone", "staging");
  const open = new Set<string>();
  // a kernel that was killed leaves its folders: a note beside each names the process
  const swept = sweep(home);
  return {
    async make() {
      await swept;
      const dir = join(home, randomUUID().slice(0, 13));
      await mkdir(dir, { recursive: true });
      await writeFile(`${dir}.open`, String(process.pid));
      open.add(dir);
      return dir;
    },
    async handedOver(dir) {
      open.delete(dir);
      await rm(`${dir}.open`, { force: true });
    },
    async close() {
      for (const dir of open) {
        await rm(dir, { recursive: true, force: true });
        await rm(`${dir}.open`, { force: true });
      }
    },
  };
}

async function sweep(home: string): Promise<void> {
  for (const name of await readdir(home).catch(() => [])) {
    if (!name.endsWith(".open")) continue;
    const note = join(home, name);
    if (alive(Number(await readFile(note, "utf8").catch(() => "0")))) continue;
    await rm(note.slice(0, -".open".length), { recursive: true, force: true });
    await rm(note, { force: true });
  }
}

function alive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
