// Builds dist/: esbuild bundles the server's and kernels' entries, vite the page. Each part is skipped while its sources are unchanged.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Process entries: name in dist/ -> source. Missing sources are left out. */
const entries = {
  cli: "server/cli/main.ts",
  server: "server/main.ts",
  kernel: "kernels/runtime/main.ts",
  "kernel-control": "kernels/runtime/control.ts",
  "kernel-duckdb": "kernels/data/worker.ts",
  "log-worker": "kernels/data/log-worker.ts",
  "model-host": "kernels/models/host.ts",
  judge: "kernels/models/judge.ts",
  probe: "kernels/tensors/probe.ts",
  library: "kernels/runtime/library.ts",
  language: "kernels/language/main.ts",
  "language-wire": "kernels/language/wire.ts",
  "export-server": "kernels/models/export-server.ts",
  report: "web/report/headless.ts",
};

function* files(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (!/\.test\.ts$/.test(entry.name)) yield path;
  }
}

/** A stamp of the sources: path, size and mtime; content would cost 50 ms more at each start. */
function stampOf(folders) {
  const hash = createHash("sha256");
  for (const folder of folders) {
    for (const path of statSync(join(root, folder), { throwIfNoEntry: false })?.isFile() ? [join(root, folder)] : files(join(root, folder))) {
      const { size, mtimeMs } = statSync(path);
      hash.update(`${path}\0${size}\0${mtimeMs}\n`);
    }
  }
  return hash.digest("hex");
}

async function once(name, folders, build) {
  const dist = join(root, "dist");
  mkdirSync(dist, { recursive: true });
  const stamp = stampOf([...folders, "scripts/build.mjs", "package-lock.json"]);
  const file = join(dist, `.${name}.stamp`);
  if (existsSync(file) && readFileSync(file, "utf8") === stamp) return false;
  await build(dist);
  writeFileSync(`${file}.${process.pid}`, stamp);
  renameSync(`${file}.${process.pid}`, file);
  return true;
}

/** Packages of many small files that a kernel needs before its first result: read as one file they cost a tenth (scope-manager alone has 180). */
const inlined = /^(@typescript-eslint\/(scope-manager|types|visitor-keys)|eslint-visitor-keys|magic-string|@jridgewell\/[\w-]+)(\/|$)/;

const packages = {
  name: "packages",
  setup({ onResolve, onLoad }) {
    // a report has no fonts of KaTeX
    onResolve({ filter: /^[^./].*\.css$/ }, ({ path }) => ({ path, namespace: "no-style" }));
    onLoad({ filter: /./, namespace: "no-style" }, () => ({ contents: "" }));
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => (kind === "entry-point" || inlined.test(path) ? undefined : { path, external: true }));
  },
};

/** Server, kernel, hosts, workers: dist/*.js. Returns false when nothing had changed. */
export async function buildServer() {
  return once("server", ["server", "kernels", "web/report", "web/controllers", "web/elements", "web/styles"], async (dist) => {
    const { build, stop } = await import("esbuild");
    const points = Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(join(root, path))));
    const result = await build({
      absWorkingDir: root,
      entryPoints: points,
      outdir: dist,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      plugins: [packages],
      loader: { ".css": "text" },
      sourcemap: "linked",
      chunkNames: "chunks/[name]-[hash]",
      write: false,
      logLevel: "error",
    });
    // its service would live as long as the server that starts in this process
    await stop();
    // written by rename: a process that is starting never reads half a file
    for (const file of result.outputFiles) {
      mkdirSync(join(file.path, ".."), { recursive: true });
      const temporary = `${file.path}.${process.pid}`;
      writeFileSync(temporary, file.contents);
      renameSync(temporary, file.path);
    }
  });
}

/** The page: dist/web. */
export async function buildWeb(say = () => {}) {
  if (!existsSync(join(root, "web/index.html"))) return false;
  return once("web", ["web", "kernels/protocol", "kernels/notebook", "kernels/cells"], async (dist) => {
    say("building the page (once, about 15 s)");
    const { build } = await import("vite");
    const out = join(dist, `web.${process.pid}`);
    await build({
      root: join(root, "web"),
      configFile: join(root, "web/vite.config.js"),
      logLevel: "error",
      build: { outDir: out, emptyOutDir: true },
    });
    rmSync(join(dist, "web"), { recursive: true, force: true });
    renameSync(out, join(dist, "web"));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = Date.now();
  await buildServer();
  await buildWeb(console.log);
  console.log(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
