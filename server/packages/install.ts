/** Installs packages into a workspace, one installation at a time each; a failed or cancelled one leaves all as it was. */
import { existsSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { readSpec } from "./names.js";
import { npm } from "./npm.js";
import { commit, recover, stage } from "./transaction.js";

export interface Installed {
  installed: { name: string; version: string }[];
  /** packages whose own install script was not run */
  scripts: string[];
}

export class InstallError extends Error {
  readonly code: "bad-request" | "busy" | "failed";
  constructor(code: InstallError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

const running = new Map<string, { packages: string[]; log: string; stop: AbortController }>();
const patience = 5 * 60_000;

/** What is being installed into this workspace, and what npm has said so far. */
export function installing(workspace: string): { packages: string[]; log: string } | null {
  const job = running.get(workspace);
  return job === undefined ? null : { packages: job.packages, log: job.log };
}

export function cancelInstall(workspace: string): void {
  running.get(workspace)?.stop.abort();
}

/** Ends what a killed server had begun. */
export function recoverInstall(workspace: string): void {
  if (!running.has(workspace)) recover(workspace);
}

export async function install(workspace: string, root: string, packages: string[]): Promise<Installed> {
  const wanted = packages.map((text) => {
    const found = readSpec(text);
    if (found === null)
      throw new InstallError("bad-request", `Expected the name of a package, with @version or not, got ${JSON.stringify(text.slice(0, 100))}.`);
    return found;
  });
  if (wanted.length === 0) throw new InstallError("bad-request", "Expected at least one package.");
  if (isListed(workspace, root))
    throw new InstallError(
      "bad-request",
      `This example shares the packages of ${root === workspace ? "the folder" : "the folder above it"}; open it as a copy to install into it, or run npm install ${packages.join(" ")} in it.`,
    );
  const busy = running.get(workspace);
  if (busy !== undefined) throw new InstallError("busy", `${busy.packages.join(", ")} is being installed; wait for it, or cancel it.`);
  const job = { packages, log: "", stop: new AbortController() };
  running.set(workspace, job);
  try {
    const staged = stage(workspace);
    await npm({
      args: ["install", "--save", ...packages],
      cwd: staged,
      signal: job.stop.signal,
      patience,
      said: (text) => (job.log = (job.log + text).slice(-20_000)),
    });
    const lock = readJson(join(staged, "package-lock.json")) as { packages?: Record<string, { version?: string; hasInstallScript?: boolean }> };
    const entries = Object.entries(lock.packages ?? {});
    commit(workspace);
    return {
      installed: wanted.map(({ name }) => ({ name, version: lock.packages?.[`node_modules/${name}`]?.version ?? "" })),
      scripts: entries.filter(([, entry]) => entry.hasInstallScript === true).map(([path]) => path.slice(path.lastIndexOf("node_modules/") + 13)),
    };
  } catch (error) {
    recover(workspace);
    if (error instanceof InstallError) throw error;
    throw new InstallError("failed", `${(error as Error).message} Nothing was changed.`);
  } finally {
    running.delete(workspace);
  }
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));

/** npm puts packages of a listed workspace into the root's lock: an own one would break `npm ci` there. */
function isListed(workspace: string, root: string): boolean {
  const file = join(root, "package.json");
  if (workspace === root || !existsSync(file)) return false;
  const { workspaces } = readJson(file) as { workspaces?: unknown };
  return Array.isArray(workspaces) && workspaces.includes(relative(root, workspace).split(sep).join("/"));
}
