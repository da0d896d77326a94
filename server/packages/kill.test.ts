/** An installation whose server is killed by the system (kill -9) at any moment: the workspace is as it was, or as it was to be. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleProgram } from "../../test/support/kill.js";
import { startRegistry, type Registry } from "../../test/support/registry.js";
import { install, recoverInstall } from "./install.js";

let registry: Registry;
let folder: string;
let program: string;
/** passes requests on, but for one that a test holds */
let gate: Server;
let held: ((path: string) => void) | null = null;
beforeAll(async () => {
  const files = (name: string) => ({ "package.json": JSON.stringify({ name, version: "1.0.0", main: "i.js" }), "i.js": `exports.name = "${name}"` });
  registry = await startRegistry({ "fixture-old": files("fixture-old"), "fixture-new": files("fixture-new") });
  folder = mkdtempSync(join(tmpdir(), "install-kill-"));
  program = await bundleProgram("test/support/install-program.ts", folder);
  gate = createServer((request, response) => {
    if (held !== null && request.url?.includes("fixture-new")) return held(request.url);
    void fetch(new URL((request.url ?? "/").slice(1), registry.url)).then(async (answer) => {
      const type = answer.headers.get("content-type") ?? "application/octet-stream";
      const body = Buffer.from(await answer.arrayBuffer());
      const own = `http://127.0.0.1:${(gate.address() as AddressInfo).port}/`;
      response.writeHead(answer.status, { "content-type": type }).end(type.includes("json") ? body.toString().replaceAll(registry.url, own) : body);
    });
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  gate.close();
  gate.closeAllConnections();
  registry.close();
  rmSync(folder, { recursive: true, force: true });
});

it("leaves all as it was when it is killed while npm fetches", async () => {
  const root = join(folder, "root");
  const workspace = join(root, "workspaces", "demo");
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, ".npmrc"), `registry=http://127.0.0.1:${(gate.address() as AddressInfo).port}/\ncache=${join(root, "cache")}\n`);
  writeFileSync(join(workspace, "package.json"), '{ "name": "demo", "private": true }\n');
  await install(workspace, root, ["fixture-old"]);
  const state = () => ({
    manifest: readFileSync(join(workspace, "package.json"), "utf8"),
    lock: readFileSync(join(workspace, "package-lock.json"), "utf8"),
    packages: readdirSync(join(workspace, "node_modules")).sort(),
    text: readFileSync(join(workspace, "node_modules/fixture-old/i.js"), "utf8"),
  });
  const before = state();
  const asked = new Promise<string>((resolve) => (held = resolve));
  const child = spawn(process.execPath, [program, workspace, root, "fixture-new"], { stdio: ["ignore", "ignore", "inherit"] });
  await asked;
  const orphans = execFileSync("ps", ["-o", "pid=", "--ppid", String(child.pid)], { encoding: "utf8" })
    .trim()
    .split(/\s+/)
    .map(Number);
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await ended;
  expect(state()).toEqual(before);
  // npm outlives its server, and what it still writes goes to the staged copy
  for (const pid of orphans) process.kill(pid, "SIGKILL");
  held = null;
  recoverInstall(workspace);
  expect(existsSync(join(workspace, ".touchstone", "packages"))).toBe(false);
  expect(state()).toEqual(before);
  // and the next one works
  await install(workspace, root, ["fixture-new"]);
  expect(state().packages).toContain("fixture-new");
});
