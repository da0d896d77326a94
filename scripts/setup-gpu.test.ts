/** The set-up of the CUDA binding, with packages of our own in its place: no network, no GPU. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { packageRoot } from "../kernels/paths/paths.js";

let root: string;
let project: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "touchstone-gpu-"));
  project = join(root, "project");
  mkdirSync(join(project, "node_modules/kept"), { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "name": "project", "version": "1.0.0" }\n');
  writeFileSync(
    join(project, "package-lock.json"),
    '{ "name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {} }\n',
  );
  writeFileSync(join(project, "node_modules/kept/package.json"), '{ "name": "kept", "version": "1.0.0" }\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function binding(code: string, install?: string): string {
  const folder = join(root, "binding");
  mkdirSync(folder);
  const scripts = install === undefined ? {} : { install };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "@tensorflow/tfjs-node-gpu", version: "4.22.0", main: "main.js", scripts }));
  writeFileSync(join(folder, "main.js"), code);
  return folder;
}

function setup(args: string[], input = "") {
  const ran = spawnSync(process.execPath, [join(packageRoot(), "scripts/setup-gpu.mjs"), ...args], {
    ...{ cwd: project, encoding: "utf8", input, timeout: 120_000 },
    env: { ...process.env, npm_config_offline: "true", npm_config_cache: join(root, "cache"), npm_config_update_notifier: "false" },
  });
  return { status: ran.status, text: ran.stdout + ran.stderr };
}

/** Every file of the project with its content. */
const snapshot = () =>
  readdirSync(project, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), "utf8")])
    .sort();

it("says the size and installs nothing without a yes", () => {
  const before = snapshot();
  const { status, text } = setup(["--package", binding("")], "n\n");
  expect(text).toMatch(/several hundred MB[^]*Nothing was installed/);
  expect(status).toBe(1);
  expect(snapshot()).toEqual(before);
});

it.each([
  ["its install script fails", "", "node -e process.exit(3)", "The installation failed"],
  ["it does not load", 'throw new Error("libtensorflow.so.2: cannot open shared object file")', undefined, "libtensorflow.so.2: cannot open"],
  ["there is no GPU", "exports.backend = () => ({ isUsingGpuDevice: false })", undefined, "TensorFlow sees no CUDA device"],
])("undoes itself where %s", (_, code, install, why) => {
  const before = snapshot();
  const { status, text } = setup(["--yes", "--package", binding(code, install)]);
  expect(text).toContain(why);
  expect(text).toContain("are as they were");
  expect(status).toBe(1);
  expect(snapshot()).toEqual(before);
});

it("keeps a binding that works, saves nothing, and puts back what a cut off run left", () => {
  mkdirSync(join(project, "node_modules.before-gpu/kept"), { recursive: true });
  writeFileSync(join(project, "node_modules.before-gpu/kept/package.json"), '{ "name": "kept", "version": "1.0.0" }\n');
  rmSync(join(project, "node_modules"), { recursive: true });
  const manifest = readFileSync(join(project, "package.json"), "utf8");
  const { status, text } = setup(["--yes", "--package", binding("exports.backend = () => ({ isUsingGpuDevice: true })")]);
  expect(text).toContain("An earlier run was cut off");
  expect(text).toContain("sees a GPU");
  expect(status).toBe(0);
  expect(existsSync(join(project, "node_modules/@tensorflow/tfjs-node-gpu/main.js"))).toBe(true);
  expect(existsSync(join(project, "node_modules.before-gpu"))).toBe(false);
  expect(readFileSync(join(project, "package.json"), "utf8")).toBe(manifest);
});
