// npm run setup:gpu [-- --yes]: installs the CUDA binding of TensorFlow.js, checks that it computes on a GPU, and leaves everything as it was if not.
// --package SPEC installs another build of it: a folder, an archive or a version.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
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
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";

const name = "@tensorflow/tfjs-node-gpu";
const { values } = parseArgs({ options: { yes: { type: "boolean", default: false }, package: { type: "string", default: name } } });
const root = process.cwd();
const modules = join(root, "node_modules");
const backup = join(root, "node_modules.before-gpu");
const shell = process.platform === "win32";
const npm = (args, stdio) => spawnSync("npm", args, { cwd: root, encoding: "utf8", shell, stdio });

if (!existsSync(join(root, "package.json"))) fail("Run it in the folder of Touchstone: there is no package.json here.");
if (existsSync(backup)) {
  console.log("An earlier run was cut off: node_modules is put back first.");
  restoreModules();
}

const shown = npm(["view", values.package, "dist.unpackedSize"], ["ignore", "pipe", "ignore"]).stdout?.trim();
const size = /^\d+$/.test(shown ?? "") ? `${(Number(shown) / 1e6).toFixed(1)} MB of package, then` : "the package, then";
console.log(
  `This downloads ${values.package}: ${size} several hundred MB of libtensorflow with CUDA by its install script. Nothing is saved to package.json.`,
);
console.log("It needs an NVIDIA GPU with its driver, CUDA 11.2 and cuDNN 8.1.");
if (!values.yes) {
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  // the end of the input is a no
  const answer = await Promise.race([prompt.question("Go on? [y/N] "), new Promise((resolve) => prompt.once("close", () => resolve("")))]);
  prompt.close();
  if (!/^y(es)?$/i.test(answer.trim())) fail("Nothing was installed. With --yes it does not ask.");
}

const texts = ["package.json", "package-lock.json"]
  .filter((file) => existsSync(join(root, file)))
  .map((file) => [file, readFileSync(join(root, file))]);
const had = existsSync(modules);
if (had) mirror(modules, backup);
// Ctrl+C ends npm, and what it left is undone below
process.on("SIGINT", () => {});

const installed = npm(["install", "--no-save", "--no-audit", "--no-fund", values.package], "inherit");
if (installed.status !== 0) undo("The installation failed (see above)");
const load = `import util from "node:util"; import { createRequire } from "node:module";
// tfjs-node 4.22 calls it, and Node 23 dropped it
util.isNullOrUndefined ??= (value) => value == null;
const tf = createRequire(process.cwd() + "/package.json")(${JSON.stringify(name)});
await tf.ready?.();
if (!tf.backend().isUsingGpuDevice) throw new Error("TensorFlow sees no CUDA device");`;
const loaded = spawnSync(process.execPath, ["--input-type=module", "-e", load], { cwd: root, encoding: "utf8", timeout: 120_000 });
if (loaded.status !== 0)
  undo(`It does not work here: ${/Error: (.*)/.exec(loaded.stderr ?? "")?.[1] ?? `its process ended with ${loaded.signal ?? loaded.status}`}`);
rmSync(backup, { recursive: true, force: true });
console.log("The CUDA binding loads and sees a GPU. `node touchstone.js doctor` shows it.");

function fail(why) {
  console.error(why);
  process.exit(1);
}

function undo(why) {
  for (const [file, content] of texts) writeFileSync(join(root, file), content);
  if (had) restoreModules();
  else rmSync(modules, { recursive: true, force: true });
  if (!texts.some(([file]) => file === "package-lock.json")) rmSync(join(root, "package-lock.json"), { force: true });
  fail(`${why}. package.json, package-lock.json and node_modules are as they were.`);
}

function restoreModules() {
  rmSync(modules, { recursive: true, force: true });
  renameSync(backup, modules);
}

/** A copy by hard links where the disk has them: npm replaces files, it does not write into them, but for its own list of what is installed. */
function mirror(from, to) {
  const part = `${to}.part`;
  rmSync(part, { recursive: true, force: true });
  walk(from, part);
  renameSync(part, to);
}

function walk(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target, "junction");
    else if (entry.isDirectory()) walk(source, target);
    else if (entry.name === ".package-lock.json") copyFileSync(source, target);
    else {
      try {
        linkSync(source, target);
      } catch {
        copyFileSync(source, target);
      }
    }
  }
}
