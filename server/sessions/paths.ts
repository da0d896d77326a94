/** Which files are notebooks, and where their workspace keeps its things. Names from a request never leave ROOT, links included. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, posix, relative, resolve, sep } from "node:path";

export interface NotebookPlace {
  /** from ROOT, forward slashes */
  path: string;
  file: string;
  /** absolute folder */
  workspace: string;
  /** WORKSPACE/.touchstone */
  store: string;
  /** name of the notebook within the workspace, as one file name */
  key: string;
  href: string;
}

export class PathError extends Error {
  readonly code: "not-found" | "bad-request";
  constructor(code: "not-found" | "bad-request", message: string) {
    super(message);
    this.code = code;
  }
}

export const notebookEnding = ".nb.ts";

/** `path` from ROOT ("workspaces/flights/late.nb.ts", or without "workspaces/"). Throws a PathError. `exists` false: the file may be missing. */
export function placeOf(root: string, path: string, exists = true): NotebookPlace {
  if (path === "" || path.includes("\0")) throw new PathError("bad-request", "Expected `path` to name a notebook.");
  if (!path.endsWith(notebookEnding))
    throw new PathError("bad-request", `${basename(path)} is not a notebook: its name does not end in ${notebookEnding}.`);
  let file = inside(root, path);
  if (!existsSync(file)) {
    const shorter = inside(root, join("workspaces", path));
    if (existsSync(shorter)) file = shorter;
    else if (exists) throw new PathError("not-found", `There is no notebook ${path}.`);
  }
  if (existsSync(file) && !statSync(file).isFile()) throw new PathError("bad-request", `${path} is a folder.`);
  const workspace = workspaceOf(root, file);
  const name = relative(workspace, file).split(sep).join("/");
  return {
    path: relative(root, file).split(sep).join("/"),
    file,
    workspace,
    store: join(workspace, ".touchstone"),
    key: encodeURIComponent(name),
    href: hrefOf(root, workspace, name),
  };
}

/** The absolute path of `path` under `folder`; throws when it leaves it, also by a link. */
export function inside(folder: string, path: string): string {
  const full = resolve(folder, path);
  if (!within(folder, full)) throw new PathError("bad-request", `${path} is outside of this folder.`);
  if (!within(real(folder), real(full))) throw new PathError("bad-request", `${path} is a link that leads outside of this folder.`);
  return full;
}

/** Links resolved as far as the path exists; the rest is to be made. */
function real(path: string): string {
  for (let at = path; ; at = dirname(at)) if (existsSync(at)) return at === path ? realpathSync(at) : join(realpathSync(at), relative(at, path));
}

const within = (folder: string, path: string) => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** The nearest folder above with a package.json, but never further up than ROOT/workspaces/NAME, nor ROOT. */
export function workspaceOf(root: string, file: string): string {
  const shelf = join(root, "workspaces");
  const folder = dirname(file);
  for (let at = folder; ; at = dirname(at)) {
    if (dirname(at) === shelf || at === root || at === dirname(at)) return at === dirname(at) ? folder : at;
    if (existsSync(join(at, "package.json"))) return at;
  }
}

/** The page's address; workspaces outside the shelf are named by their path from ROOT, "~" is ROOT itself: a browser would drop ".". */
function hrefOf(root: string, workspace: string, name: string): string {
  const from = relative(root, workspace).split(sep).join("/");
  const shelf = posix.dirname(from) === "workspaces" ? posix.basename(from) : from;
  const word = from === "" ? "~" : shelf === "~" ? `./${from}` : shelf;
  return `/w/${encodeURIComponent(word)}/n/${name.split("/").map(encodeURIComponent).join("/")}`;
}
