import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, buildSync } from "esbuild";
import { expect, test } from "vitest";
import { entry, packageRoot } from "../paths/paths.js";
import { loadBackend, wasmFolder } from "./backend.js";

test("the chain ends at the first back end that loads and says why better ones were passed over", async () => {
  const { name, device, skipped, tf } = await loadBackend("");
  expect(["cuda", "webgpu", "node", "wasm"]).toContain(name);
  expect(device).not.toBe("");
  expect(tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0]).toBe(11);
  for (const { why } of skipped) expect(why.length).toBeGreaterThan(10);
  expect(skipped.map((s) => s.name)).toEqual(["cuda", "webgpu", "node", "wasm"].slice(0, skipped.length));
});

test("a forced back end is the only one tried, and a wrong one fails with its reason", async () => {
  expect(await loadBackend("cpu")).toMatchObject({ name: "cpu", skipped: [] });
  expect(await loadBackend("wasm")).toMatchObject({ name: "wasm", device: "WebAssembly SIMD, 1 thread" });
  await expect(loadBackend("quantum")).rejects.toThrow("Expected `TOUCHSTONE_BACKEND` to be one of cuda, webgpu, node, wasm, cpu, got `quantum`");
});

test("each back end that is not to be had fails, when forced by the environment, in a sentence with its reason", () => {
  const force = (name: string) =>
    spawnSync(process.execPath, ["--input-type=module", "-e", `await (await import(${JSON.stringify(loader)})).loadBackend()`], {
      encoding: "utf8",
      env: { ...process.env, TOUCHSTONE_BACKEND: name, TOUCHSTONE_BACKENDS: "" },
    });
  const folder = mkdtempSync(join(tmpdir(), "touchstone-backend-"));
  const loader = join(folder, "loader.mjs");
  try {
    buildSync({
      ...{
        entryPoints: [join(import.meta.dirname, "backend.ts")],
        bundle: true,
        platform: "node",
        format: "esm",
        packages: "external",
        outfile: loader,
      },
    });
    // beside our packages, as the installed code is
    symlinkSync(join(packageRoot(), "node_modules"), join(folder, "node_modules"), "dir");
    const why = {
      cuda: "optional: it needs an NVIDIA GPU and downloads hundreds of MB",
      webgpu: "the package is not installed (132 MB, optional)",
      node: "the package is not installed (optional)",
    };
    const installed = { cuda: "@tensorflow/tfjs-node-gpu", webgpu: "webgpu", node: "@tensorflow/tfjs-node" };
    for (const [name, reason] of Object.entries(why)) {
      if (existsSync(join(packageRoot(), "node_modules", installed[name as keyof typeof why]))) continue;
      const { status, stderr } = force(name);
      expect(status).toBe(1);
      expect(stderr).toContain(`BackendError: the back end "${name}" was asked for and does not load: ${reason}`);
    }
    expect(force("tpu").stderr).toContain("BackendError: Expected `TOUCHSTONE_BACKEND` to be one of cuda, webgpu, node, wasm, cpu, got `tpu`");
    expect(force("cpu").status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("switching back and forth keeps one engine", async () => {
  const a = await loadBackend("wasm");
  const x = a.tf.tensor([1, 2, 3]);
  const b = await loadBackend("cpu");
  expect(b.tf).toBe(a.tf);
  expect([...x.square().dataSync()]).toEqual([1, 4, 9]);
});

test("the wasm binary may be given as bytes, for a bundled process without node_modules", async () => {
  const folder = mkdtempSync(join(tmpdir(), "touchstone-wasm-"));
  try {
    copyFileSync(join(wasmFolder(), "tfjs-backend-wasm-simd.wasm"), join(folder, "binary.wasm"));
    await build({
      stdin: {
        contents: `
          import { readFileSync } from "node:fs";
          import { loadBackend } from "./backend.js";
          const { tf, name } = await loadBackend("wasm", { wasmBinary: readFileSync("binary.wasm") });
          console.log(name, tf.matMul([[1, 2]], [[3], [4]], false, false).dataSync()[0]);`,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      platform: "node",
      format: "esm",
      banner: { js: 'import { createRequire as R } from "node:module"; const require = R(import.meta.url);' },
      outfile: join(folder, "main.mjs"),
      logLevel: "error",
    });
    expect(execFileSync(process.execPath, ["main.mjs"], { cwd: folder, encoding: "utf8" })).toBe("wasm 11\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the probe prints one line of JSON about every back end", () => {
  const results = JSON.parse(execFileSync(process.execPath, [entry("probe")], { encoding: "utf8" })) as {
    name: string;
    loads: boolean;
    why?: string;
    gflops?: number;
  }[];
  expect(results.map((r) => r.name)).toEqual(["cuda", "webgpu", "node", "wasm", "cpu"]);
  expect(results.find((r) => r.name === "wasm")).toMatchObject({ loads: true });
  for (const r of results) expect(r.loads ? r.gflops : r.why).toBeTruthy();
});
