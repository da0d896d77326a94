/** Other kernels, installed into a temporary folder by their ordinary installers and driven over their own protocol: what ours is measured against. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quantile } from "./figure.js";

export interface Peer {
  name: "ipykernel" | "Deno";
  /** ms from start to first result, median of three */
  start: number;
  /** ms of a round trip of `1 + 1` */
  p50: number;
}

/** Measures the peers that install here; says on stderr which do not, and why. `count` round trips each. */
export function measurePeers(count: number): Peer[] {
  const folder = mkdtempSync(join(tmpdir(), "touchstone-peers-"));
  const step = (command: string, args: string[], cwd = folder): string => {
    const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", timeout: 300_000 });
    if (status !== 0) throw new Error(error?.message ?? (stderr.trim().split("\n").at(-1) || `${command} ended with ${status}`));
    return stdout;
  };
  const python = join(folder, "venv/bin/python");
  const peers: Peer[] = [];
  const measure = (name: Peer["name"], argv: () => string[]) => {
    try {
      if (!existsSync(python)) {
        step("python3", ["-m", "venv", "venv"]);
        step(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "ipykernel"]);
      }
      mkdirSync(join(folder, "kernels", name), { recursive: true });
      writeFileSync(join(folder, "kernels", name, "kernel.json"), JSON.stringify({ argv: argv(), display_name: name, language: name }));
      const script = join(process.cwd(), "test/bench/jupyter.py");
      const { start, trips } = JSON.parse(step(python, [script, join(folder, "kernels"), name, String(count)])) as { start: number; trips: number[] };
      peers.push({ name, start, p50: quantile(trips.slice(Math.floor(count / 5)), 0.5) });
    } catch (error) {
      process.stderr.write(`${name} is not measured: ${(error as Error).message}\n`);
    }
  };
  try {
    measure("ipykernel", () => [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]);
    measure("Deno", () => {
      writeFileSync(join(folder, "package.json"), "{}");
      step("npm", ["install", "--no-audit", "--no-fund", "deno"]);
      return [join(folder, "node_modules/.bin/deno"), "jupyter", "--kernel", "--conn", "{connection_file}"];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return peers;
}
