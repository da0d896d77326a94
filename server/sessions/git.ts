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

function git(folder: string, args: string[], input = ""): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"))),
      GIT_OPTIONAL_LOCKS: "0",
      LC_ALL: "C",
    };
    const fixed = ["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "log.showSignature=false"];
    const child = execFile(
      "git",
      [...fixed, ...args],
      { cwd: folder, env, timeout: patience, maxBuffer: 64 * 2 ** 20, encoding: "buffer" },
      (error, out, said) => {
        if (error === null) resolve(out);
        else reject(Object.assign(new Error(said.toString().trim().split("\n")[0] || error.message), { code: error.code }));
      },
    );
    // it may have ended before it has read this
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
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

/** A commit's file never changes: what was read once is kept. */
const known = new Map<string, NotebookSource | null>();
const mostKnown = 500;

/** The file in each of these commits, by one process; null where it was deleted or does not parse. */
async function readAll(folder: string, commits: readonly Commit[]): Promise<(NotebookSource | null)[]> {
  const key = ({ hash, path }: Commit) => `${folder}\0${hash}:${path}`;
  const found = new Map(commits.map((commit) => [key(commit), known.get(key(commit)) ?? null]));
  const fresh = commits.filter((commit) => !known.has(key(commit)) && !commit.path.includes("\n"));
  if (known.size + fresh.length > mostKnown) known.clear();
  if (fresh.length > 0) {
    const asked = fresh.map(({ hash, path }) => `${hash}:${path}\n`).join("");
    const bytes = await git(folder, ["cat-file", "--batch"], asked);
    let at = 0;
    for (const commit of fresh) {
      const eol = bytes.indexOf(10, at);
      // "HASH blob SIZE", else "NAME missing"
      const size = /^[0-9a-f]+ blob (\d+)$/.exec(bytes.toString("utf8", at, eol))?.[1];
      at = eol + 1;
      const parsed = size === undefined ? null : parseBytes(bytes.subarray(at, at + Number(size)));
      const source = parsed === null || parsed.broken !== null ? null : parsed.source;
      known.set(key(commit), source);
      found.set(key(commit), source);
      if (size !== undefined) at += Number(size) + 1;
    }
  }
  return commits.map((commit) => found.get(key(commit)) ?? null);
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
  const sources = await readAll(dirname(file), commits).catch(() => []);
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
  return commit === undefined ? null : ((await readAll(dirname(file), [commit]))[0] ?? null);
}
