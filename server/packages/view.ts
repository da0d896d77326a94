/** The packages of a workspace as they are wanted, locked and installed, and which cells use them. */
import { readdir, stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isBuiltin } from "node:module";
import { packageRoot } from "../../kernels/paths/paths.js";
import { importedBy } from "../../kernels/reactive/imported.js";
import type { Cell } from "../../kernels/protocol/document.js";
import type { PackagesView, PackageView } from "../../kernels/protocol/http.js";
import { installLog } from "./install.js";
import { listedAs, lockedAt, readLock, readManifest, type Manifest } from "./listed.js";
import { packageOf } from "./names.js";

/** A notebook beside the one that asks. */
export interface Other {
  path: string;
  href: string;
  cells: readonly Cell[];
}

export async function viewPackages(workspace: string, root: string, cells: readonly Cell[], others: readonly Other[] = []): Promise<PackagesView> {
  let broken: string | null = null;
  const tolerant = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      broken ??= (error as Error).message;
      return otherwise;
    }
  };
  const own = tolerant(() => listedAs(workspace, root), null);
  const manifest = tolerant(() => readManifest(workspace), {} as Manifest);
  const lock = tolerant(() => readLock(own === null ? workspace : root), {});
  const users = usersOf(cells);
  const elsewhere = others.map(({ path, href, cells }) => ({ path, href, users: usersOf(cells) }));
  const wanted = new Map<string, Pick<PackageView, "wanted" | "kind">>();
  const kinds = [
    ["optionalDependencies", "optional"],
    ["devDependencies", "development"],
    ["dependencies", "dependency"],
  ] as const;
  for (const [field, kind] of kinds) for (const [name, range] of Object.entries(manifest[field] ?? {})) wanted.set(name, { wanted: range, kind });
  for (const name of [users, ...elsewhere.map((one) => one.users)].flatMap((one) => [...one.keys()]))
    if (!wanted.has(name)) wanted.set(name, { wanted: null, kind: null });
  const packages = await Promise.all(
    [...wanted].map(async ([name, want]): Promise<PackageView> => {
      const folder = findPackage(workspace, name);
      const found = folder === null ? {} : tolerant(() => readManifest(folder), {} as Manifest);
      return {
        name,
        ...want,
        locked: lock[lockedAt(lock, own ?? "", name) ?? ""]?.version ?? null,
        installed: folder === null ? null : (found.version ?? "unknown"),
        own: folder === null ? installedVersion(packageRoot(), name) : null,
        licence: licenceOf(found),
        description: typeof found["description"] === "string" ? found["description"].slice(0, 200) : null,
        bytes: folder === null ? null : await sizeOf(folder, found.version ?? ""),
        cells: users.get(name) ?? [],
        others: elsewhere.flatMap(({ path, href, users }) => {
          const count = users.get(name)?.length ?? 0;
          return count === 0 ? [] : [{ path, href, cells: count }];
        }),
      };
    }),
  );
  packages.sort((a, b) => a.name.localeCompare(b.name));
  return { shared: own !== null, broken, packages, log: installLog(workspace) };
}

/** What an import from the workspace would get now; null: nothing. */
export function installedVersion(workspace: string, name: string): string | null {
  const folder = findPackage(workspace, name);
  return folder === null ? null : (readManifest(folder).version ?? "unknown");
}

/** package -> cells that use it */
export function usersOf(cells: readonly Cell[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const { id, kind, source } of cells) {
    if (kind === "markdown") continue;
    const names = importedBy(source).flatMap((spec) => packageOf(spec) ?? []);
    for (const name of new Set(names)) if (!isBuiltin(name) && name !== "touchstone") users.set(name, [...(users.get(name) ?? []), id]);
  }
  return users;
}

/** The folder that an import from the workspace finds. */
function findPackage(workspace: string, name: string): string | null {
  for (let at = workspace; ; at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    if (existsSync(join(folder, "package.json"))) return folder;
    if (at === dirname(at)) return null;
  }
}

function licenceOf(manifest: Manifest): string | null {
  const { license, licenses } = manifest;
  const words = (given: unknown): string[] =>
    typeof given === "string"
      ? [given]
      : Array.isArray(given)
        ? given.flatMap(words)
        : given !== null && typeof given === "object"
          ? words((given as { type?: unknown }).type)
          : [];
  return [...words(license), ...words(licenses)].join(" or ").slice(0, 80) || null;
}

const sizes = new Map<string, Promise<number>>();
const mostSizes = 2000;

function sizeOf(folder: string, version: string): Promise<number> {
  const key = `${folder}\0${version}`;
  const known = sizes.get(key);
  if (known !== undefined) return known;
  if (sizes.size >= mostSizes) sizes.clear();
  const size = measure(folder).catch(() => 0);
  sizes.set(key, size);
  return size;
}

async function measure(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += entry.name === "node_modules" ? 0 : await measure(path);
    else if (entry.isFile()) bytes += (await stat(path)).size;
  }
  return bytes;
}
