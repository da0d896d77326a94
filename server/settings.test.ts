/** Settings of all kernels: in force at once, kept, below what the server was started with. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SettingsView } from "../kernels/protocol/http.js";
import { fakeKernels } from "../test/support/fake-kernel.js";
import { NotebookClient } from "../test/support/notebook.js";
import { startServer, type RunningServer } from "../test/support/server.js";
import { noServing } from "../test/support/serving.js";

const hour = 3_600_000;
const path = "workspaces/w/a.nb.ts";
let root: string;
let server: RunningServer;
let clock: number;
let kernels: ReturnType<typeof fakeKernels>;
/** room that each kernel was started with */
let rooms: number[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "touchstone-settings-"));
  clock = Date.UTC(2026, 0, 1);
  kernels = fakeKernels();
  rooms = [];
});
afterEach(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});
const start = async (options: { idleMs?: number; memoryLimit?: number } = {}) => {
  const files = { [path]: `// %% id="a"\nprint one\n`, "workspaces/w/package.json": "{}" };
  const takeKernel = (room: number) => {
    rooms.push(room);
    return kernels.take();
  };
  server = await startServer({ root, files, takeKernel, now: () => clock, serving: noServing, ...options });
};
const get = async () => (await (await server.fetch("/api/ts/settings")).json()) as SettingsView;
const set = async (given: unknown) => {
  const answer = await server.fetch("/api/ts/settings", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(given),
  });
  return { status: answer.status, body: (await answer.json()) as SettingsView & { error?: { message: string } } };
};

it("hours without use: in force for an open notebook at once, and after a restart of the server", async () => {
  await start();
  expect((await get()).idle).toEqual({ hours: 24, default: 24, most: 8760, fixed: false });
  const client = await NotebookClient.open(server, path);
  await client.run("a");
  expect((await set({ idleHours: 1.5 })).body.idle.hours).toBe(1.5);
  clock += 1.4 * hour;
  server.server.sessions.cull();
  expect(client.state.kernel.state).toBe("idle");
  clock += 0.2 * hour;
  server.server.sessions.cull();
  await client.until(() => client.state.kernel.state === "none");
  expect(client.state.kernel.culled).toMatchObject({ idleMs: 1.5 * hour });
  client.close();
  await server.close();
  await start();
  expect((await get()).idle.hours).toBe(1.5);
  expect((await set({ idleHours: null })).body.idle.hours).toBe(24);
});

it("memory: the next kernel gets it, a notebook with a limit of its own keeps that", async () => {
  await start();
  const { memory } = await get();
  const client = await NotebookClient.open(server, path);
  await client.run("a");
  const more = memory.least * 2;
  expect((await set({ memory: more })).body.memory.bytes).toBe(more);
  await client.do({ do: "restart", then: "nothing" });
  await client.until(() => client.state.kernel.state === "idle" && kernels.all.length === 2);
  expect(rooms).toEqual([memory.bytes, more]);
  await client.do({ do: "limit", bytes: memory.least });
  await set({ memory: more + 1 });
  await client.do({ do: "restart", then: "nothing" });
  await client.until(() => client.state.kernel.state === "idle" && kernels.all.length === 3);
  expect(rooms.at(-1)).toBe(memory.least);
  client.close();
  await server.close();
  await start();
  expect((await get()).memory.bytes).toBe(more + 1);
});

it("disk for results: the next kernel is told, and the setting is kept", async () => {
  await start();
  const { cache } = await get();
  expect(cache).toEqual({ bytes: 4 * 2 ** 30, default: 4 * 2 ** 30, least: 2 ** 26, most: 2 ** 40 });
  const client = await NotebookClient.open(server, path);
  await client.run("a");
  expect((await set({ cache: 2 ** 27 })).body.cache.bytes).toBe(2 ** 27);
  await client.do({ do: "restart", then: "nothing" });
  await client.until(() => client.state.kernel.state === "idle" && kernels.all.length === 2);
  expect(kernels.all.map((kernel) => kernel.config?.cacheBytes)).toEqual([cache.bytes, 2 ** 27]);
  client.close();
  await server.close();
  await start();
  expect((await get()).cache.bytes).toBe(2 ** 27);
  expect((await set({ cache: null })).body.cache.bytes).toBe(cache.default);
});

it("refuses in a sentence what cannot be, and changes nothing", async () => {
  await start();
  const before = await get();
  for (const given of [
    { idleHours: -1 },
    { idleHours: 9000 },
    { memory: 1 },
    { memory: 2 ** 60 },
    { memory: "4 GB" },
    { cache: 1 },
    { cache: 2 ** 50 },
    { idleHours: true },
    { other: 1 },
  ]) {
    const { status, body } = await set(given);
    expect([given, status]).toEqual([given, 400]);
    expect(body.error!.message.length).toBeGreaterThan(10);
  }
  expect(await get()).toEqual(before);
  await server.close();
  writeFileSync(join(root, ".touchstone", "settings.json"), "{ half");
  await start();
  expect(await get()).toEqual(before);
});

it("what the server was started with stands above it, and is not written over", async () => {
  await start();
  await set({ idleHours: 2 });
  await server.close();
  await start({ idleMs: 5 * hour, memoryLimit: 2 ** 30 });
  expect(await get()).toMatchObject({ idle: { hours: 5, fixed: true }, memory: { bytes: 2 ** 30, fixed: true } });
  expect((await set({ idleHours: 3 })).body.error!.message).toMatch(/--idle/);
  expect((await set({ memory: 2 ** 31 })).body.error!.message).toMatch(/TOUCHSTONE_MEMORY/);
  expect(JSON.parse(readFileSync(join(root, ".touchstone", "settings.json"), "utf8"))).toMatchObject({ idleHours: 2 });
});
