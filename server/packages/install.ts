/** Changes the packages of a workspace, one change at a time each; a failed or cancelled one leaves all as it was. */
import type { PackageTask } from "../../kernels/protocol/document.js";
import { listedAs, lockedAt, readLock } from "./listed.js";
import { readSpec, type Wanted } from "./names.js";
import { npm } from "./npm.js";
import { commit, recover, stage } from "./transaction.js";

export interface Installed {
  installed: { name: string; version: string }[];
  /** packages whose own install script was not run */
  scripts: string[];
}

export class InstallError extends Error {
  readonly code: "bad-request" | "busy" | "failed" | "cancelled";
  constructor(code: InstallError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** `install`: adds these, or brings them to that version; `remove`; `restore`: what package.json and the lock ask for */
export interface PackageChange {
  task: PackageTask["task"];
  packages: string[];
}

interface Job extends PackageChange {
  log: string;
  stop: AbortController;
}

const running = new Map<string, Job>();
/** of the last change of each workspace, for those who look when it is over */
const logs = new Map<string, string>();
const patience = 5 * 60_000;
const longest = 20_000;

/** What is being changed in this workspace now. */
export function installing(workspace: string): PackageChange | null {
  const job = running.get(workspace);
  return job === undefined ? null : { task: job.task, packages: job.packages };
}

/** What npm has said in the present change, or in the last one. */
export const installLog = (workspace: string): string => running.get(workspace)?.log ?? logs.get(workspace) ?? "";

export function cancelInstall(workspace: string): void {
  running.get(workspace)?.stop.abort();
}

/** Ends what a killed server had begun. */
export function recoverInstall(workspace: string): void {
  if (!running.has(workspace)) recover(workspace);
}

export const install = (workspace: string, root: string, packages: string[]): Promise<Installed> =>
  changePackages(workspace, root, { task: "install", packages });

/** `told`: hears npm's lines as they come. */
export async function changePackages(
  workspace: string,
  root: string,
  change: PackageChange,
  told: (line: string) => void = () => {},
): Promise<Installed> {
  const { task, packages } = change;
  const wanted = packages.map((text) => read(text, task));
  if (wanted.length === 0 && task !== "restore") throw new InstallError("bad-request", "Expected at least one package.");
  const busy = running.get(workspace);
  if (busy !== undefined) throw new InstallError("busy", `${taskWords(busy)}; wait for it, or cancel it.`);
  const job: Job = { ...change, log: "", stop: new AbortController() };
  running.set(workspace, job);
  try {
    const staged = stage(workspace, root);
    const { folder, own } = staged;
    const before = readLock(folder);
    let rest = "";
    await npm({
      args: [task === "remove" ? "uninstall" : "install", "--save", ...packages, ...(own === "" ? ["--no-workspaces"] : ["--workspace", own])],
      cwd: folder,
      signal: job.stop.signal,
      patience,
      said: (text) => {
        job.log = (job.log + text).slice(-longest);
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        const line = lines.findLast((one) => one.trim() !== "");
        if (line !== undefined) told(line);
      },
    });
    const lock = readLock(folder);
    commit(workspace, root, staged);
    const version = (name: string) => lock[lockedAt(lock, own, name) ?? ""]?.version ?? "";
    return {
      installed: task === "remove" ? [] : wanted.map(({ name }) => ({ name, version: version(name) })),
      scripts: Object.entries(lock)
        .filter(([path, entry]) => entry.hasInstallScript === true && before[path]?.version !== entry.version)
        .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + 13)),
    };
  } catch (error) {
    recover(workspace);
    if (error instanceof InstallError) throw error;
    throw new InstallError(
      job.stop.signal.aborted ? "cancelled" : "failed",
      `${(error as Error).message.replace(/(?<![.!?])$/, ".")} Nothing was changed.`,
    );
  } finally {
    logs.set(workspace, job.log);
    running.delete(workspace);
  }
}

function read(text: string, task: PackageTask["task"]): Wanted {
  const found = readSpec(text);
  if (found === null)
    throw new InstallError("bad-request", `Expected the name of a package, with @version or not, got ${JSON.stringify(text.slice(0, 100))}.`);
  if (task === "remove" && found.version !== null)
    throw new InstallError("bad-request", `Expected the name alone of what is to be removed, got ${JSON.stringify(text.slice(0, 100))}.`);
  return found;
}

/** "d3 is being installed" */
export function taskWords({ task, packages }: PackageChange): string {
  if (task === "restore") return "What package.json asks for is being installed";
  return `${packages.join(", ")} ${packages.length === 1 ? "is" : "are"} being ${task === "remove" ? "removed" : "installed"}`;
}

/** Does the workspace share the root's lock? */
export const sharesLock = (workspace: string, root: string): boolean => listedAs(workspace, root) !== null;
