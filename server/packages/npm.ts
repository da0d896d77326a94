/** npm of the Node that runs the server, as its child: no scripts of packages, a limit on time, its failure in one sentence. */
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

export interface NpmRun {
  args: string[];
  cwd: string;
  signal: AbortSignal;
  /** ms */
  patience: number;
  said(text: string): void;
}

/** The program npm-cli.js beside this Node, or of the npm on PATH; null when there is none. */
export function findNpm(): string | null {
  const folder = dirname(process.execPath);
  const tail = join("node_modules", "npm", "bin", "npm-cli.js");
  const beside = [join(folder, "..", "lib", tail), join(folder, tail)].find((path) => existsSync(path));
  if (beside !== undefined) return beside;
  for (const each of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(each, "npm");
    if (each === "" || !existsSync(path)) continue;
    const file = realpathSync(path);
    if (file.endsWith(".js")) return file;
  }
  return null;
}

/** Resolves when npm has ended well; rejects with a sentence. */
export function npm({ args, cwd, signal, patience, said }: NpmRun): Promise<void> {
  const program = findNpm();
  if (program === null) return Promise.reject(new Error("npm was not found beside this Node nor on PATH; install npm, or the packages by hand."));
  return new Promise((resolve, reject) => {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_)|TOUCHSTONE_|INIT_CWD$|NODE_OPTIONS$)/.test(name)),
    );
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--no-progress", "--loglevel=http", "--fetch-retries=1"];
    const child = spawn(process.execPath, [program, ...args, ...flags], { cwd, env, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
    let text = "";
    let late = false;
    const kill = () => child.kill("SIGKILL");
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, patience);
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (piece: string) => {
        text = (text + piece).slice(-64_000);
        said(piece);
      });
    const end = (error: Error | null) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", kill);
      if (error === null) resolve();
      else reject(error);
    };
    child.once("error", (error) => end(new Error(`npm could not be started: ${error.message}`)));
    child.once("close", (code) => {
      if (signal.aborted) end(new Error("The installation was cancelled."));
      else if (late) end(new Error(`npm did not end within ${Math.round(patience / 1000)} s.`));
      else end(code === 0 ? null : new Error(explainNpm(text)));
    });
  });
}

/** npm's own words for what went wrong, as a person needs them. */
export function explainNpm(text: string): string {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(text)?.[1] ?? "";
  const detail = [...text.matchAll(/^npm (?:error|ERR!) (?!code |errno |syscall |A complete log|A log)(.+)$/gm)].map((match) => match[1]!.trim());
  const first = detail.find((line) => line !== "") ?? "it gave no reason";
  const absent = /'([^'\s]+?)(?:@[^'\s@]*)?' (?:is not in this registry|could not be found)/.exec(text)?.[1];
  if (code === "E404") return `The registry has no such package: ${absent ?? first.replace(/^404\s+/, "")}`;
  if (code === "ETARGET" || code === "ENOVERSIONS") return `There is no such version: ${first}`;
  if (/^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|ENETUNREACH|EHOSTUNREACH)$/.test(code))
    return `The package registry cannot be reached (${code}). Check the network, or the registry and proxy in npm's configuration.`;
  if (code === "ERESOLVE") return `It does not fit the packages that are installed: ${detail.slice(0, 4).join(" ")}`;
  if (code === "E401" || code === "E403") return `The registry refuses: ${first}`;
  if (code === "ENOSPC") return "The disk is full.";
  if (code === "EINTEGRITY") return `What the registry sent is not what it announced: ${first}`;
  return `npm failed${code === "" ? "" : ` (${code})`}: ${first}`;
}
