/** Workspaces that the package.json of the root lists: npm keeps one lock for all of them, the root's. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Folders of the listed workspaces, from the root with forward slashes, in npm's order. */
export function listedWorkspaces(root: string): string[] {
  const { workspaces } = readManifest(root);
  const patterns = Array.isArray(workspaces) ? workspaces : ((workspaces as { packages?: unknown } | undefined)?.packages ?? []);
  const found = new Set<string>();
  for (const pattern of Array.isArray(patterns) ? patterns : []) {
    if (typeof pattern !== "string") continue;
    const away = pattern.startsWith("!");
    const parts = pattern.replace(/^!/, "").replace(/^\.\//, "").replace(/\/+$/, "").split("/");
    for (const folder of expand(root, "", parts))
      if (away) found.delete(folder);
      else if (existsSync(join(root, folder, "package.json"))) found.add(folder);
  }
  return [...found];
}

/** null: the workspace is on its own. */
export function listedAs(workspace: string, root: string): string | null {
  const own = relative(root, workspace).split(sep).join("/");
  return own !== "" && listedWorkspaces(root).includes(own) ? own : null;
}

function expand(root: string, folder: string, [first, ...rest]: string[]): string[] {
  if (first === undefined || first === "..") return first === undefined ? [folder] : [];
  const below = (name: string) => (folder === "" ? name : `${folder}/${name}`);
  const names = first.includes("*") ? foldersOf(join(root, folder)).filter((name) => matcher(first).test(name)) : [first];
  return [
    ...(first === "**" ? expand(root, folder, rest) : []),
    ...names.flatMap((name) => expand(root, below(name), first === "**" ? [first, ...rest] : rest)),
  ];
}

const matcher = (pattern: string) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, ".*")}$`);

function foldersOf(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
}

export interface Manifest {
  name?: string;
  version?: string;
  workspaces?: unknown;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  [key: string]: unknown;
}

/** A folder's package.json; empty when there is none. Throws when it is no JSON object. */
export function readManifest(folder: string): Manifest {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return {};
  const found = JSON.parse(readFileSync(file, "utf8")) as unknown;
  if (typeof found !== "object" || found === null || Array.isArray(found)) throw new Error(`${file} is not a JSON object.`);
  return found as Manifest;
}

export interface LockEntry {
  version?: string;
  link?: boolean;
  license?: string;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** Packages of a package-lock.json, by their place; empty when there is none. */
export function readLock(folder: string): Record<string, LockEntry> {
  const file = join(folder, "package-lock.json");
  if (!existsSync(file)) return {};
  return (JSON.parse(readFileSync(file, "utf8")) as { packages?: Record<string, LockEntry> }).packages ?? {};
}

/** Where the lock has the package that a folder of it gets for this name: the nearest node_modules upward. */
export function lockedAt(lock: Record<string, LockEntry>, from: string, name: string): string | null {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
    const place = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock[place] !== undefined) return place;
    if (at === "") return null;
  }
}
