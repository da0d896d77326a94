/** Kills a program at its n-th step, for every n: the program is a TypeScript file bundled once; steps are counted by the seam of server/registry/disk.ts. */
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../kernels/paths/paths.js";

export interface Ran {
  /** true when it reached its end */
  finished: boolean;
  /** lines printed before the end or the kill */
  lines: string[];
  errors: string;
}

/** Bundles a program of test/support into `folder`. */
export async function bundleProgram(source: string, folder: string): Promise<string> {
  const outfile = join(folder, "program.mjs");
  // what holds native code is not bundled, and processes are started from dist
  for (const name of ["node_modules", "dist", "touchstone.js"]) symlinkSync(join(packageRoot(), name), join(folder, name));
  await build({
    ...{ entryPoints: [join(packageRoot(), source)], outfile, bundle: true, format: "esm", platform: "node", target: "node20.19", logLevel: "error" },
    external: ["esbuild", "oxc-parser"],
    banner: { js: `import { createRequire as nodeRequire } from "node:module"; const require = nodeRequire(import.meta.url);` },
  });
  return outfile;
}

/** Runs it with `arguments_`; it kills itself at step `at`. */
export function runProgram(program: string, arguments_: string[], at: number, env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...arguments_], { env: { ...process.env, ...env, TOUCHSTONE_KILL_AT: String(at) } });
    let text = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    child.stderr.setEncoding("utf8").on("data", (piece: string) => (errors += piece));
    child.on("close", (_, signal) => resolve({ finished: signal === null, lines: text.split("\n").filter((line) => line !== ""), errors }));
  });
}
