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
import { basename, join } from "node:path";

const parts = ["node_modules", "package-lock.json", "package.json"] as const;
const folderOf = (workspace: string) => join(workspace, ".touchstone", "packages");

/** A copy of what npm reads and writes; files of packages are linked, as npm replaces and never changes them. */
export function stage(workspace: string): string {
  recover(workspace);
  const staged = join(folderOf(workspace), "stage");
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true, mode: 0o700 });
  for (const name of ["package.json", "package-lock.json", ".npmrc"])
    if (existsSync(join(workspace, name))) cpSync(join(workspace, name), join(staged, name));
  if (!existsSync(join(staged, "package.json")))
    writeFileSync(join(staged, "package.json"), `${JSON.stringify({ name: nameOf(workspace), private: true }, null, 2)}\n`);
  if (existsSync(join(workspace, "node_modules"))) linkTree(join(workspace, "node_modules"), join(staged, "node_modules"));
  return staged;
}

const nameOf = (workspace: string) =>
  basename(workspace)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "") || "workspace";

function linkTree(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
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
export function commit(workspace: string, step: (name: string) => void = () => {}): void {
  const folder = folderOf(workspace);
  const staged = join(folder, "stage");
  writeFileSync(join(folder, "commit.new"), JSON.stringify(parts.filter((name) => existsSync(join(staged, name)))));
  renameSync(join(folder, "commit.new"), join(folder, "commit"));
  step("noted");
  finish(workspace, step);
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
  for (const name of JSON.parse(readFileSync(join(folder, "commit"), "utf8")) as string[]) {
    const staged = join(folder, "stage", name);
    // moved already
    if (!existsSync(staged)) continue;
    const own = join(workspace, name);
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
