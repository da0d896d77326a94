/** What Home shows: workspaces with their notebooks, kernels, models, examples. */
import { readdirSync, readFileSync, statSync, existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { Hono } from "hono";
import type { ExampleView, HomeView, NotebookView, WorkspaceView } from "../../kernels/protocol/http.js";
import { packageRoot } from "../../kernels/paths/paths.js";
import type { Effects } from "../effects.js";
import { readRuns } from "../sessions/runs.js";
import { notebookEnding, placeOf } from "../sessions/paths.js";

/** the shipped ones, in the order of the job */
const exampleNames = ["flights", "digits", "ridership"];

export function homeRoutes(effects: Effects): Hono {
  return new Hono().get("/home", (c) => c.json(home(effects)));
}

export function home(effects: Effects): HomeView {
  const { root, sessions, serving } = effects;
  const workspaces = listWorkspaces(root).map((name): WorkspaceView => {
    const folder = name === "." ? root : join(root, "workspaces", name);
    return { name, notebooks: findNotebooks(folder).map((file) => view(effects, file)) };
  });
  const kernels = sessions
    .all()
    .filter((session) => !["none", "dead"].includes(session.state.kernel.state))
    .map(({ place, state }) => ({ path: place.path, href: place.href, title: state.source.front.title ?? place.path, kernel: state.kernel }));
  return { root, workspaces, kernels, models: serving.models(), examples: listExamples(root) };
}

function view({ root, sessions }: Effects, file: string): NotebookView {
  const place = placeOf(root, relative(root, file));
  const session = sessions.get(place.path);
  const kept = readRuns(place);
  const base = { path: place.path, href: place.href, name: place.path.split("/").at(-1)!, modifiedAt: statSync(file).mtimeMs };
  if (session === null)
    return { ...base, title: titleOf(file), lastRun: kept?.lastRun ?? null, badge: kept?.badge ?? null, kernel: null, running: null };
  const { state } = session;
  const cells = Object.values(state.cells);
  const queued = session.queued;
  const since = cells.find((cell) => cell.status === "running")?.startedAt ?? null;
  return {
    ...base,
    title: state.source.front.title ?? base.name,
    lastRun: session.lastRun(),
    badge: state.badge,
    kernel: state.kernel,
    running: queued === 0 ? null : { done: session.done, of: session.done + queued, since: since ?? Date.now() },
  };
}

export function listWorkspaces(root: string): string[] {
  const shelf = join(root, "workspaces");
  if (!existsSync(shelf)) return ["."];
  return readdirSync(shelf, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
}

/** Notebooks of a folder, at most three levels down, without packages and hidden folders. */
export function findNotebooks(folder: string, depth = 3): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isFile()) return entry.name.endsWith(notebookEnding) ? [path] : [];
      return entry.isDirectory() && depth > 0 && !entry.name.startsWith(".") && entry.name !== "node_modules" ? findNotebooks(path, depth - 1) : [];
    });
}

/** `title:` of the front matter, else the file's name. */
export function titleOf(file: string): string {
  const head = readFileSync(file, "utf8").slice(0, 2000);
  return /^\/\/ title: *(.+?) *$/m.exec(head)?.[1] ?? file.split(sep).at(-1)!;
}

/** Shipped examples: in this ROOT, or in the package where they can be copied from. */
export function listExamples(root: string): ExampleView[] {
  return exampleNames.flatMap((name) => {
    const here = join(root, "workspaces", name);
    const folder = existsSync(here) ? here : join(packageRoot(), "workspaces", name);
    const file = findNotebooks(folder)[0];
    if (file === undefined) return [];
    const path = `workspaces/${name}/${relative(folder, file).split(sep).join("/")}`;
    const { href } = placeOf(root, path, false);
    return [{ name, title: titleOf(file), path, href }];
  });
}
