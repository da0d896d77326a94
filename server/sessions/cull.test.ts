/** Idle kernels are shut down, by a clock of the test. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import WebSocket from "ws";
import { fakeKernels } from "../../test/support/fake-kernel.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

const hour = 3_600_000;
const path = "workspaces/w/a.nb.ts";
let root: string;
let server: RunningServer;
let kernels: ReturnType<typeof fakeKernels>;
let clock: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "touchstone-cull-"));
  clock = Date.UTC(2026, 0, 1);
  kernels = fakeKernels();
});
afterEach(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});
const start = async (idleMs?: number) => {
  const files = { [path]: `// %% id="a"\nprint one\n\n// %% id="b"\nwait\n`, "workspaces/w/package.json": "{}" };
  server = await startServer({
    root,
    files,
    takeKernel: kernels.take,
    now: () => clock,
    serving: noServing,
    ...(idleMs !== undefined && { idleMs }),
  });
  return await NotebookClient.open(server, path);
};
/** the time passes, and the server looks around */
const pass = (ms: number) => {
  clock += ms;
  server.server.sessions.cull();
};

it("shuts a kernel down that nobody has used for a day, says so, and comes back to the same point", async () => {
  const client = await start();
  await client.run("a");
  const { outputs, cells } = client.state;
  pass(23 * hour);
  expect(kernels.all[0]!.stopped).toBe(false);
  pass(2 * hour);
  await client.until(() => client.state.kernel.state === "none");
  expect(kernels.all[0]!.stopped).toBe(true);
  expect(client.state.kernel).toMatchObject({ culled: { at: clock, idleMs: 24 * hour }, lost: 1, death: null });
  expect(client.state.outputs["a"]).toEqual(outputs["a"]);
  const home = (await (await server.fetch("/api/ts/home")).json()) as { workspaces: { notebooks: { kernel: unknown }[] }[] };
  expect(home.workspaces[0]!.notebooks[0]!.kernel).toMatchObject({ state: "none", culled: { idleMs: 24 * hour } });
  await client.do({ do: "restart", then: "same" });
  await client.until(() => client.state.kernel.state === "idle" && client.state.kernel.culled === null && kernels.all.length === 2);
  await client.until(() => client.state.cells["a"]!.status === "idle" && client.state.cells["a"]!.run !== cells["a"]!.run);
  client.close();
});

it("leaves alone what runs, whoever works with it, and everything where no time is set", async () => {
  const client = await start(hour);
  await client.do({ do: "run", cells: ["b"] });
  await client.until(() => client.state.cells["b"]!.status === "running");
  pass(5 * hour);
  expect(client.state.kernel.state).toBe("busy");
  await client.do({ do: "interrupt" });
  await client.until(() => client.state.kernel.state === "idle");
  // an edit counts, and a question to a table
  clock += 0.9 * hour;
  await client.do({ do: "ops", ops: [{ op: "edit", id: "a", at: 0, remove: 0, insert: "// here\n" }] });
  pass(0.9 * hour);
  await client.do({ do: "call", call: { query: "table.count", relation: "x" } });
  pass(0.9 * hour);
  expect(kernels.all.some((kernel) => kernel.stopped)).toBe(false);
  pass(0.1 * hour);
  await client.until(() => client.state.kernel.state === "none");
  client.close();
  await server.close();

  const never = await start(0);
  await never.run("a");
  pass(1000 * hour);
  expect(kernels.all.at(-1)!.stopped).toBe(false);
  never.close();
});

it("ends a Jupyter kernel without a notebook by the same hours, unless somebody is connected", async () => {
  const client = await start(3 * hour);
  client.close();
  const make = async () => ((await (await server.fetch("/api/kernels", { method: "POST", body: "{}" })).json()) as { id: string }).id;
  const [left, kept] = [await make(), await make()];
  const socket = new WebSocket(`${server.url.replace(/^http/, "ws").replace(/\/$/, "")}/api/kernels/${kept}/channels?token=${server.token}`);
  await once(socket, "open");
  const ids = async () => ((await (await server.fetch("/api/kernels")).json()) as { id: string }[]).map(({ id }) => id);
  pass(2 * hour);
  expect(await ids()).toEqual(expect.arrayContaining([left, kept]));
  pass(2 * hour);
  expect(await ids()).toEqual(expect.arrayContaining([kept]));
  expect(await ids()).not.toContain(left);
  expect(kernels.all.filter(({ stopped }) => stopped)).toHaveLength(1);
  socket.close();
});
