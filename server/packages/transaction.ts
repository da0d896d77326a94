/**
 * package.json, package-lock.json and node_modules of a workspace change together or not at all. npm works in a staged copy; the copy takes the
 * place of the old by renames that a note on disk lets the next start finish, whenever the process is killed.
 */
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { listedAs, listedWorkspaces, lockedAt, readLock, readManifest, type LockEntry } from "./listed.js";

/** The staged copy: where npm runs, and what it is told of the workspace. */
export interface Staged {
  /** npm's folder */
  folder: string;
  /** the workspace in it: "" or, where the root lists it, its path from the root */
  own: string;
}
/** A staged thing and the place that it takes, both relative: to the stage and to the workspace. */
interface Part {
  from: string;
  to: string;
}

const folderOf = (workspace: string) => join(workspace, ".touchstone", "packages");

/** A copy of what npm reads and writes; files of packages are linked, as npm replaces and never changes them. */
export function stage(workspace: string, root: string): Staged {
  recover(workspace);
  const folder = join(folderOf(workspace), "stage");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = listedAs(workspace, root);
  if (own !== null) {
    stageRoot(folder, workspace, root, own);
    return { folder, own };
  }
  for (const name of ["package.json", "package-lock.json", ".npmrc"]) copy(workspace, folder, name);
  if (!existsSync(join(folder, "package.json")))
    writeFileSync(join(folder, "package.json"), `${JSON.stringify({ name: nameOf(workspace), private: true }, null, 2)}\n`);
  if (existsSync(join(workspace, "node_modules"))) linkTree(join(workspace, "node_modules"), join(folder, "node_modules"));
  return { folder, own: "" };
}

/** The root with its lock and the manifests of all that it lists, and of packages only those that this workspace uses. */
function stageRoot(folder: string, workspace: string, root: string, own: string): void {
  for (const name of ["package.json", "package-lock.json", ".npmrc"]) copy(root, folder, name);
  for (const each of listedWorkspaces(root)) {
    mkdirSync(join(folder, each), { recursive: true });
    copy(join(root, each), join(folder, each), "package.json");
  }
  // npm reads this file in the folder that it runs in alone
  copy(workspace, folder, ".npmrc");
  const lock = readLock(root);
  for (const place of usedBy(lock, own)) {
    // an installation of ours puts all of them into the workspace's own folder
    const name = place.slice(place.lastIndexOf("node_modules/"));
    const source = [join(root, place), join(workspace, name)].find((path) => existsSync(path) && readManifest(path).version === lock[place]!.version);
    const target = join(folder, place);
    if (source === undefined || existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    linkTree(source, target, true);
  }
}

/** Places in the lock of all that this workspace needs, direct or not. */
function usedBy(lock: Record<string, LockEntry>, own: string): Set<string> {
  const found = new Set<string>();
  const visit = (at: string) => {
    const { dependencies, optionalDependencies, devDependencies } = (lock[at] ?? {}) as LockEntry & { devDependencies?: Record<string, string> };
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...(at === own && devDependencies) })) {
      const place = lockedAt(lock, at, name);
      if (place === null || found.has(place) || lock[place]!.link === true) continue;
      found.add(place);
      visit(place);
    }
  };
  visit(own);
  return found;
}

function copy(from: string, to: string, name: string): void {
  if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name));
}

const nameOf = (workspace: string) =>
  basename(workspace)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "") || "workspace";

/** `alone`: without the packages in its own node_modules */
function linkTree(from: string, to: string, alone = false): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (alone && entry.name === "node_modules") continue;
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    // npm rewrites its own note of what is installed in place
    else if (entry.name.startsWith(".")) cpSync(source, target);
    else
      try {
        linkSync(source, target);
      } catch {
        cpSync(source, target);
      }
  }
}

/** Puts the staged copy in the place of the workspace's own. `step`: fault-injection seam. */
export function commit(workspace: string, root: string, { folder: staged, own }: Staged, step: (name: string) => void = () => {}): void {
  const parts: Part[] =
    own === ""
      ? ["node_modules", "package-lock.json", "package.json"].map((name) => ({ from: name, to: name }))
      : [
          { from: "node_modules", to: "node_modules" },
          { from: "package-lock.json", to: relative(workspace, join(root, "package-lock.json")) },
          { from: join(own, "package.json"), to: "package.json" },
        ];
  // npm may leave none when the last package goes
  mkdirSync(join(staged, "node_modules"), { recursive: true });
  if (own !== "") onlyOwn(staged, root, own);
  const folder = folderOf(workspace);
  writeFileSync(join(folder, "commit.new"), JSON.stringify(parts.filter(({ from }) => existsSync(join(staged, from)))));
  renameSync(join(folder, "commit.new"), join(folder, "commit"));
  step("noted");
  finish(workspace, step);
}

/** What the root's node_modules has already is not there twice; npm's links and notes of the staged root mean nothing elsewhere. */
function onlyOwn(staged: string, root: string, own: string): void {
  const modules = join(staged, "node_modules");
  for (const name of packagesIn(modules)) {
    const version = readManifest(join(modules, name)).version;
    if (existsSync(join(root, "node_modules", name)) && readManifest(join(root, "node_modules", name)).version === version)
      rmSync(join(modules, name), { recursive: true, force: true });
  }
  const nested = join(staged, own, "node_modules");
  if (existsSync(nested))
    for (const name of packagesIn(nested)) {
      rmSync(join(modules, name), { recursive: true, force: true });
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      renameSync(join(nested, name), join(modules, name));
    }
}

/** Names of the packages in a node_modules; links and what begins with a dot are removed. */
function packagesIn(modules: string): string[] {
  return readdirSync(modules, { withFileTypes: true }).flatMap((entry) => {
    const path = join(modules, entry.name);
    if (!entry.isDirectory() || entry.name.startsWith(".")) {
      rmSync(path, { recursive: true, force: true });
      return [];
    }
    if (!entry.name.startsWith("@")) return [entry.name];
    return readdirSync(path, { withFileTypes: true }).flatMap((below) => (below.isDirectory() ? [`${entry.name}/${below.name}`] : []));
  });
}

/** Ends what a killed process had begun: a noted commit is finished, anything else is as if it had never been. */
export function recover(workspace: string): void {
  const folder = folderOf(workspace);
  if (!existsSync(folder)) return;
  if (existsSync(join(folder, "commit"))) finish(workspace, () => {});
  rmSync(folder, { recursive: true, force: true });
}

function finish(workspace: string, step: (name: string) => void): void {
  const folder = folderOf(workspace);
  for (const { from, to } of JSON.parse(readFileSync(join(folder, "commit"), "utf8")) as Part[]) {
    const staged = join(folder, "stage", from);
    // moved already
    if (!existsSync(staged)) continue;
    const own = join(workspace, to);
    const name = basename(to);
    const old = join(folder, `old-${name}`);
    if (existsSync(own)) {
      rmSync(old, { recursive: true, force: true });
      renameSync(own, old);
      step(`old ${name}`);
    }
    renameSync(staged, own);
    step(`new ${name}`);
  }
  rmSync(join(folder, "commit"));
  rmSync(folder, { recursive: true, force: true });
}
