/** Where a path in SQL or `file()` leads: workspace-relative, or `npm:PACKAGE/path` (design 12). Nothing outside of those is reached, links included. */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { packageRoot } from "../paths/paths.js";
import { near } from "./near.js";

export interface Files {
  /** absolute path of an existing file (or, with `*` in it, of a pattern whose folder exists) */
  resolve(path: string): string;
  /** absolute path inside the workspace that may not exist yet */
  target(path: string): string;
}

/** Is it an address that DuckDB reads by an extension? */
export function isAddress(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(path) && !path.startsWith("npm:");
}

export function createFiles(workspace: string): Files {
  const home = realpathSync(workspace);

  function inside(folder: string, path: string): boolean {
    const way = relative(folder, path);
    return way === "" || (!way.startsWith(`..${sep}`) && way !== ".." && !isAbsolute(way));
  }

  /** `shown` is the path as it was written, for the messages. */
  function existing(base: string, path: string, shown: string, where: string): string {
    const full = resolve(base, path);
    if (!inside(base, full)) throw new Error(`${JSON.stringify(shown)} leads out of ${where}; copy the file into it`);
    const star = full.search(/[*?[{]/);
    if (star >= 0) {
      const folder = full.slice(0, full.lastIndexOf(sep, star));
      if (!existsSync(folder)) throw missing(folder, shown);
      if (!inside(realpathSync(base), realpathSync(folder))) throw new Error(`${JSON.stringify(shown)} leads out of ${where} by a link`);
      return full;
    }
    if (!existsSync(full)) throw missing(full, shown);
    if (!inside(realpathSync(base), realpathSync(full)))
      throw new Error(`${JSON.stringify(shown)} leads out of ${where} by a link; copy the file into it`);
    return full;
  }

  function npm(path: string, shown: string): string {
    const match = /^((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(path);
    if (!match) throw new Error(`Expected a path such as "npm:package/data/file.csv", got ${JSON.stringify(shown)}`);
    const [, name, rest] = match as unknown as [string, string, string];
    if (shown.split("/").includes("..") || name.startsWith(".")) throw new Error(`${JSON.stringify(shown)}: ".." is not allowed in an npm: path`);
    const tried: string[] = [];
    for (const start of [home, packageRoot()]) {
      for (let folder = start; ; folder = dirname(folder)) {
        const candidate = join(folder, "node_modules", name);
        if (existsSync(candidate)) return existing(realpathSync(candidate), rest, shown, `the package ${name}`);
        tried.push(candidate);
        if (dirname(folder) === folder) break;
      }
    }
    throw new Error(
      `the package ${name} of ${JSON.stringify(shown)} is not installed (looked for ${tried[0]} and upward); add it to the workspace with npm install ${name}`,
    );
  }

  return {
    resolve(path) {
      check(path);
      if (path.startsWith("npm:")) return npm(path.slice(4), path);
      return existing(home, path, path, "the workspace");
    },
    target(path) {
      check(path);
      if (path.startsWith("npm:")) throw new Error(`${JSON.stringify(path)}: packages are read only`);
      const full = resolve(home, path);
      if (!inside(home, full)) throw new Error(`${JSON.stringify(path)} leads out of the workspace`);
      let folder = dirname(full);
      while (!existsSync(folder)) folder = dirname(folder);
      if (!inside(home, realpathSync(folder)) || (existsSync(full) && !inside(home, realpathSync(full))))
        throw new Error(`${JSON.stringify(path)} leads out of the workspace by a link`);
      return full;
    },
  };
}

function check(path: unknown): asserts path is string {
  if (typeof path !== "string" || path === "")
    throw new Error(`Expected \`path\` to be the path of a file, got ${typeof path === "string" ? '""' : typeof path}`);
  if (path.includes("\0")) throw new Error("the path holds a NUL character");
}

function missing(full: string, shown: string): Error {
  let folder = dirname(full);
  if (!existsSync(folder)) {
    while (!existsSync(dirname(folder))) folder = dirname(folder);
    return new Error(`no file ${JSON.stringify(shown)}: the folder ${folder} does not exist`);
  }
  const others = readdirSync(folder).filter((name) => !name.startsWith("."));
  return new Error(`no file ${JSON.stringify(shown)} (tried ${full})${near(basename(full), others)}`);
}
