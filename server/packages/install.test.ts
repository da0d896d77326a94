import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { startKernel } from "../../test/support/kernel.js";
import { startRegistry, type Registry } from "../../test/support/registry.js";
import { cancelInstall, changePackages, install, installing } from "./install.js";
import { readSpec } from "./names.js";
import { explainNpm, npm } from "./npm.js";
import { commit, recover, stage } from "./transaction.js";
import { viewPackages } from "./view.js";

let registry: Registry;
let root: string;
let workspace: string;
beforeAll(async () => {
  registry = await startRegistry({
    "fixture-esm": {
      "package.json": JSON.stringify({ name: "fixture-esm", version: "1.2.3", type: "module", exports: { types: "./m.d.ts", import: "./m.js" } }),
      "m.js": "export const two = 2",
      "m.d.ts": "export declare const two: number",
    },
    "fixture-cjs": {
      "package.json": JSON.stringify({ name: "fixture-cjs", version: "2.0.0", main: "i.js", scripts: { install: "exit 1" } }),
      "i.js": "exports.three = 3",
    },
  });
});
afterAll(() => registry.close());
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "touchstone-install-"));
  workspace = join(root, "workspaces", "demo");
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, ".npmrc"), `registry=${registry.url}\ncache=${join(root, "cache")}\n`);
  writeFileSync(join(workspace, "package.json"), '{ "name": "demo", "private": true }\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const manifest = () => readFileSync(join(workspace, "package.json"), "utf8");

it("installs, records and imports without a restart; scripts of packages are not run, and named", async () => {
  const kernel = await startKernel({ workspace });
  const source = 'import { two } from "fixture-esm"\nimport { three } from "fixture-cjs"\ntwo + three';
  const missing = await kernel.run(source, { id: "a" });
  expect(missing.error?.suggestion).toMatchObject({ action: { type: "install", packages: ["fixture-esm"] } });
  const done = await install(workspace, root, ["fixture-esm", "fixture-cjs"]);
  expect(done).toEqual({
    installed: [
      { name: "fixture-esm", version: "1.2.3" },
      { name: "fixture-cjs", version: "2.0.0" },
    ],
    scripts: ["fixture-cjs"],
  });
  expect(JSON.parse(manifest())).toMatchObject({ dependencies: { "fixture-esm": "^1.2.3", "fixture-cjs": "^2.0.0" } });
  expect(existsSync(join(workspace, "package-lock.json"))).toBe(true);
  expect((await kernel.run(source, { id: "a" })).displays[0]).toMatchObject({ "text/plain": "5" });
  await kernel.close();
});

it("leaves all as it was when a package does not exist, or the registry cannot be reached", async () => {
  await install(workspace, root, ["fixture-esm"]);
  const before = [manifest(), readFileSync(join(workspace, "package-lock.json"), "utf8")];
  await expect(install(workspace, root, ["fixture-cjs", "nowhere-at-all"])).rejects.toThrow(/no such package: nowhere-at-all\. Nothing was changed/);
  writeFileSync(join(workspace, ".npmrc"), "registry=http://127.0.0.1:9/\nfetch-retry-mintimeout=1\nfetch-retry-maxtimeout=1\n");
  await expect(install(workspace, root, ["fixture-other"])).rejects.toThrow(/cannot be reached \(ECONNREFUSED\).*Nothing was changed/s);
  expect([manifest(), readFileSync(join(workspace, "package-lock.json"), "utf8")]).toEqual(before);
  expect(existsSync(join(workspace, "node_modules/fixture-esm/m.js"))).toBe(true);
  expect(existsSync(join(workspace, "node_modules/fixture-cjs"))).toBe(false);
});

it("is one at a time, and can be cancelled", async () => {
  const first = install(workspace, root, ["fixture-esm"]);
  expect(installing(workspace)?.packages).toEqual(["fixture-esm"]);
  await expect(install(workspace, root, ["fixture-cjs"])).rejects.toThrow("fixture-esm is being installed");
  cancelInstall(workspace);
  await expect(first).rejects.toThrow("cancelled. Nothing was changed");
  expect(manifest()).toBe('{ "name": "demo", "private": true }\n');
});

it("adds to a workspace that the root lists: its package.json, its own folder, and the root's lock, so that npm ci still works", async () => {
  writeFileSync(join(root, ".npmrc"), `registry=${registry.url}\ncache=${join(root, "cache")}\n`);
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "top", workspaces: ["workspaces/*"], dependencies: { "fixture-cjs": "2.0.0" } }));
  await npm({ args: ["install"], cwd: root, signal: new AbortController().signal, patience: 60_000, said: () => {} });
  const before = readFileSync(join(root, "package.json"), "utf8");
  expect(await install(workspace, root, ["fixture-esm", "fixture-cjs"])).toEqual({
    installed: [
      { name: "fixture-esm", version: "1.2.3" },
      { name: "fixture-cjs", version: "2.0.0" },
    ],
    scripts: [],
  });
  expect(JSON.parse(manifest())).toMatchObject({ dependencies: { "fixture-esm": "^1.2.3" } });
  expect(readFileSync(join(root, "package.json"), "utf8")).toBe(before);
  // what the root has already is not there twice
  expect(readdirSync(join(workspace, "node_modules"))).toEqual(["fixture-esm"]);
  expect(existsSync(join(workspace, "package-lock.json"))).toBe(false);
  const cells = [{ id: "a", kind: "code" as const, source: 'import "fixture-esm"', options: {} }];
  expect(await viewPackages(workspace, root, cells)).toMatchObject({
    shared: true,
    packages: [
      { name: "fixture-cjs", wanted: "^2.0.0", installed: "2.0.0", locked: "2.0.0", cells: [] },
      { name: "fixture-esm", wanted: "^1.2.3", installed: "1.2.3", locked: "1.2.3", cells: ["a"] },
    ],
  });
  await npm({ args: ["ci"], cwd: root, signal: new AbortController().signal, patience: 60_000, said: () => {} });
  expect(existsSync(join(root, "node_modules/fixture-esm/m.js"))).toBe(true);
  await changePackages(workspace, root, { task: "remove", packages: ["fixture-esm"] });
  expect(manifest()).not.toContain("fixture-esm");
  expect(readFileSync(join(root, "package-lock.json"), "utf8")).not.toContain("node_modules/fixture-esm");
});

it("removes a package, and restores what package.json asks for", async () => {
  await install(workspace, root, ["fixture-esm"]);
  rmSync(join(workspace, "node_modules"), { recursive: true });
  expect((await viewPackages(workspace, root, [])).packages).toMatchObject([{ name: "fixture-esm", installed: null, locked: "1.2.3" }]);
  const lines: string[] = [];
  await changePackages(workspace, root, { task: "restore", packages: [] }, (line) => lines.push(line));
  expect(lines.join("\n")).toMatch(/added 1 package|http fetch/);
  expect((await viewPackages(workspace, root, [])).packages).toMatchObject([{ name: "fixture-esm", installed: "1.2.3", bytes: expect.any(Number) }]);
  await changePackages(workspace, root, { task: "remove", packages: ["fixture-esm"] });
  expect(await viewPackages(workspace, root, [])).toMatchObject({ packages: [], broken: null });
  expect(existsSync(join(workspace, "node_modules/fixture-esm"))).toBe(false);
});

it("lists what cells import and package.json does not name; a package.json that cannot be read is told", async () => {
  const cell = (id: string, source: string) => ({ id, kind: "code" as const, source, options: {} });
  const cells = [
    cell("a", 'import fs from "node:fs"\nimport os from "os"\nimport x from "./x.ts"'),
    cell("b", 'await import("@s/p/deep")'),
    cell("c", 'import "@s/p"'),
  ];
  expect((await viewPackages(workspace, root, cells)).packages).toMatchObject([
    { name: "@s/p", wanted: null, installed: null, own: null, cells: ["b", "c"] },
  ]);
  // what an `npm:` path reads although the workspace has not installed it
  const { packages } = await viewPackages(workspace, root, [cell("d", "csv('npm:vega-datasets/data/a.csv')")]);
  expect(packages).toMatchObject([{ name: "vega-datasets", installed: null, own: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string }]);
  writeFileSync(join(workspace, "package.json"), "{ half");
  expect((await viewPackages(workspace, root, [])).broken).toMatch(/JSON/);
});

it.each(["noted", "old node_modules", "new node_modules", "old package.json", "new package.json"])(
  "ends a commit that was killed after: %s",
  (at) => {
    mkdirSync(join(workspace, "node_modules", "old"), { recursive: true });
    const staged = stage(workspace, root);
    rmSync(join(staged.folder, "node_modules"), { recursive: true });
    mkdirSync(join(staged.folder, "node_modules", "new"), { recursive: true });
    writeFileSync(join(staged.folder, "package.json"), "new");
    const kill = () =>
      commit(workspace, root, staged, (name) => {
        if (name === at) throw new Error("killed");
      });
    expect(kill).toThrow("killed");
    recover(workspace);
    expect(manifest()).toBe("new");
    expect(existsSync(join(workspace, "node_modules/new"))).toBe(true);
    expect(existsSync(join(workspace, "node_modules/old"))).toBe(false);
    expect(existsSync(join(workspace, ".touchstone/packages"))).toBe(false);
  },
);

it("forgets what was staged when it was killed before the commit", () => {
  writeFileSync(join(stage(workspace, root).folder, "package.json"), "half");
  recover(workspace);
  expect(manifest()).toBe('{ "name": "demo", "private": true }\n');
});

it("takes names of the registry alone", () => {
  expect(readSpec("@scope/a-b@^1.2.3-rc.1")).toEqual({ name: "@scope/a-b", version: "^1.2.3-rc.1" });
  for (const [range] of [["1.x"], [">=1.2 <2"], ["1.2 - 2"], ["1 || 2"], ["*"], ["~1.2.0-rc.1"]])
    expect(readSpec(`d3@${range}`), range).toEqual({ name: "d3", version: range });
  expect(readSpec("d3@latest")).toEqual({ name: "d3", version: "latest" });
  for (const wrong of [
    "--force",
    "-g",
    "./x",
    "../x",
    "/x",
    "a b",
    "git+https://h/x",
    "http://h/x.tgz",
    "x@npm:y",
    "x@file:../y",
    "github:a/b",
    "a/b",
    "A",
    "",
    ".x",
    "node_modules",
  ])
    expect(readSpec(wrong), wrong).toBeNull();
});

it("says in a sentence what npm says in a page", () => {
  expect(explainNpm("npm error code ETARGET\nnpm error notarget No matching version found for x@9.\n")).toBe(
    "There is no such version: notarget No matching version found for x@9.",
  );
  expect(explainNpm("npm error code E404\nnpm error 404 Not Found - GET http://h/@a%2fb\nnpm error 404  '@a/b@^1' is not in this registry.\n")).toBe(
    "The registry has no such package: @a/b",
  );
  expect(explainNpm("")).toBe("npm failed: it gave no reason");
});
