// npm run test:backends: the suite of test/backends on every TensorFlow.js back end that can be had here. It installs `webgpu` and tfjs-node into
// dist/backends, outside node_modules, so that nothing else finds them; libtensorflow comes out of TensorFlow's CPU wheel (docs/decisions/0020).
// What cannot be had is said in a sentence, and the rest is tested. Needs a network, 700 MB of disk, python3 with pip, g++ and Node's headers.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "dist/backends");
const packages = join(folder, "node_modules/@tensorflow");
const node = join(packages, "tfjs-node");
const wheel = { name: "tensorflow-cpu==2.9.1", python: "310" };

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (error) throw new Error(`${command} does not start (${error.code})`);
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${(stderr || stdout).trim().split("\n").slice(-3).join(" ")}`);
  return stdout;
}

function installPackages() {
  if (existsSync(join(packages, "tfjs-backend-webgpu"))) return;
  console.log("… npm install of webgpu, @tensorflow/tfjs-backend-webgpu, @tensorflow/tfjs-node (without its own download)");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const tfjs = JSON.parse(readFileSync(join(root, "node_modules/@tensorflow/tfjs/package.json"), "utf8")).version;
  const wanted = ["webgpu", `@tensorflow/tfjs-backend-webgpu@${tfjs}`, `@tensorflow/tfjs-node@${tfjs}`];
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...wanted], { stdio: ["ignore", "inherit", "inherit"] });
  // they must register with the engine that Touchstone loads: a copy of their own would have another
  for (const name of readdirSync(packages)) {
    if (name !== "tfjs-node" && name !== "tfjs-backend-webgpu") rmSync(join(packages, name), { recursive: true });
  }
}

/** The members of the wheel that the binding needs, where libtensorflow's own archive would put them. */
const extract = `
import sys, zipfile, os
archive, target = sys.argv[1:]
libraries = {'tensorflow/libtensorflow_framework.so.2', 'tensorflow/python/_pywrap_tensorflow_internal.so'}
with zipfile.ZipFile(archive) as wheel:
    for name in wheel.namelist():
        if name in libraries: path = os.path.join(target, 'lib', os.path.basename(name))
        elif name.startswith('tensorflow/include/tensorflow/') and name.endswith('.h'): path = os.path.join(target, name[len('tensorflow/'):])
        else: continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with wheel.open(name) as source, open(path, 'wb') as out:
            while chunk := source.read(1 << 20): out.write(chunk)
`;

function buildBinding() {
  const done = join(node, "lib/napi-v8/tfjs_binding.node");
  if (existsSync(done)) return;
  const include = join(dirname(process.execPath), "../include/node");
  if (!existsSync(join(include, "node_api.h"))) throw new Error(`Node's headers are not at ${include}`);
  console.log(`… the wheel of ${wheel.name} (207 MB), for libtensorflow`);
  const download = join(folder, "wheel");
  run("python3", [
    ...["-m", "pip", "download", wheel.name, "--no-deps", "--only-binary=:all:", "--python-version", wheel.python, "--implementation", "cp"],
    ...["--platform", "manylinux2014_x86_64", "-d", download],
  ]);
  const deps = join(node, "deps");
  run("python3", [
    "-c",
    extract,
    join(
      download,
      readdirSync(download).find((name) => name.endsWith(".whl")),
    ),
    deps,
  ]);
  rmSync(download, { recursive: true });
  const library = join(deps, "lib/_pywrap_tensorflow_internal.so");
  // the library is Python's as well: names of Python that the C interface never calls are satisfied by empty data
  const missing = run("nm", ["-D", "--undefined-only", library]).match(/\b_?Py\w+/g) ?? [];
  const stub = join(deps, "python.c");
  writeFileSync(stub, [...new Set(missing)].map((name) => `char ${name}[1024];\n`).join(""));
  run("gcc", ["-shared", "-fPIC", stub, "-o", join(deps, "lib/libpython-names.so")]);
  mkdirSync(join(node, "lib/napi-v8"), { recursive: true });
  console.log("… compiling the binding");
  run("g++", [
    ...["-O1", "-shared", "-fPIC", "-std=c++17", "-DNAPI_VERSION=8", "-w"],
    ...[`-I${include}`, `-I${node}`, `-I${join(deps, "include")}`],
    ...[join(node, "binding/tfjs_backend.cc"), join(node, "binding/tfjs_binding.cc"), "-o", `${done}.part`],
    ...[`-L${join(deps, "lib")}`, "-Wl,--no-as-needed", "-lpython-names", "-l:_pywrap_tensorflow_internal.so", "-l:libtensorflow_framework.so.2"],
    ...["-Wl,--unresolved-symbols=ignore-all", "-Wl,-rpath,$ORIGIN/../../deps/lib"],
  ]);
  renameSync(`${done}.part`, done);
}

/** Chromium carries SwiftShader, a Vulkan driver without a GPU. */
function softwareDriver() {
  const places = [
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
    "/opt/google/chrome",
    process.env.CHROME_PATH && dirname(process.env.CHROME_PATH),
  ];
  return places.map((place) => place && join(place, "vk_swiftshader_icd.json")).find((file) => file && existsSync(file));
}

const absent = [];
try {
  installPackages();
  try {
    buildBinding();
  } catch (error) {
    absent.push(`node (${error.message})`);
  }
} catch (error) {
  absent.push(`webgpu and node (${error.message})`);
}
const driver = softwareDriver();
if (!driver) absent.push("webgpu without a GPU (no Chromium with SwiftShader was found)");
for (const one of absent) console.log(`not to be had here: ${one}`);
const env = { ...process.env, TOUCHSTONE_BACKENDS: resolve(folder) };
if (driver && !env.VK_DRIVER_FILES) {
  env.VK_DRIVER_FILES = driver;
  // Chromium's folder has the Vulkan loader too
  env.LD_LIBRARY_PATH = [env.LD_LIBRARY_PATH, dirname(driver)].filter(Boolean).join(":");
}
const { status } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "--project", "unit", "kernels/tensors/suite", "--reporter=verbose"],
  {
    cwd: root,
    env,
    stdio: "inherit",
  },
);
process.exit(status ?? 1);
