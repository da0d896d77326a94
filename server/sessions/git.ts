/** The commits of a notebook's file, where its folder is a checkout of git. Nothing that a repository could name is run: no hooks, filters, pagers or diffs. */
import { execFile } from "node:child_process";
import { basename, dirname } from "node:path";
import { parseBytes } from "../../kernels/notebook/decode.js";
import type { NotebookSource } from "../../kernels/protocol/document.js";
import type { PointView } from "../../kernels/protocol/history.js";
import { counts } from "./history.js";

const most = 50;
const patience = 10_000;
const commitId = /^[0-9a-f]{40,64}$/;

interface Commit {
  hash: string;
  at: number;
  author: string;
  name: string;
  /** of the file then, from the top of the repository */
  path: string;
}

function git(folder: string, args: string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"))),
      GIT_OPTIONAL_LOCKS: "0",
      LC_ALL: "C",
    };
    const fixed = ["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "log.showSignature=false"];
    execFile("git", [...fixed, ...args], { cwd: folder, env, timeout: patience, maxBuffer: 64 * 2 ** 20, encoding: "buffer" }, (error, out, said) => {
      if (error === null) resolve(out);
      else reject(Object.assign(new Error(said.toString().trim().split("\n")[0] || error.message), { code: error.code }));
    });
  });
}

async function log(file: string): Promise<Commit[]> {
  const format = "--format=%x01%H%x00%at%x00%an%x00%s%x00";
  const text = await git(dirname(file), ["log", "--follow", "--name-only", "-z", `-n${most}`, format, "--", basename(file)]);
  return text
    .toString()
    .split("\u0001")
    .slice(1)
    .flatMap((one): Commit[] => {
      const [hash = "", at = "", author = "", name = "", ...rest] = one.split("\0");
      const path = rest.map((part) => part.replace(/^\n+/, "")).find((part) => part !== "");
      return path === undefined || !commitId.test(hash) ? [] : [{ hash, at: Number(at) * 1000, author, name, path }];
    });
}

async function read(folder: string, { hash, path }: Commit): Promise<NotebookSource | null> {
  try {
    const parsed = parseBytes(await git(folder, ["cat-file", "blob", `${hash}:${path}`]));
    return parsed.broken === null ? parsed.source : null;
  } catch {
    // it was deleted in this commit
    return null;
  }
}

/** Newest first; empty where there is no git or no checkout, with the reason where there is one. */
export async function gitPoints(file: string): Promise<{ points: PointView[]; why: string | null }> {
  let commits: Commit[];
  try {
    commits = await log(file);
  } catch (error) {
    const { message, code } = error as Error & { code?: unknown };
    const none = code === "ENOENT" || /not a git repository|does not have any commits/.test(message);
    return { points: [], why: none ? null : `git cannot be asked: ${message}` };
  }
  const sources = await Promise.all(commits.map((commit) => read(dirname(file), commit)));
  const points = commits.flatMap(({ hash, at, author, name }, i): PointView[] => {
    const source = sources[i];
    if (source == null) return [];
    return [{ id: `git-${hash}`, at, why: "commit", name, author, ...counts(sources[i + 1] ?? null, source) }];
  });
  return { points, why: null };
}

/** The notebook as a commit had it; null: it is none of the file's. */
export async function gitSource(file: string, id: string): Promise<NotebookSource | null> {
  const hash = id.replace(/^git-/, "");
  if (!commitId.test(hash)) return null;
  const commit = (await log(file).catch(() => [])).find((one) => one.hash === hash);
  return commit === undefined ? null : read(dirname(file), commit);
}
