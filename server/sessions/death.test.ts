/** Deaths of real kernels: each says what happened, in which cell, with which size and limit; outputs stay; one command brings the notebook back to where it was. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

const memoryLimit = 400 * 2 ** 20;
let root: string;
let server: RunningServer;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-death-"));
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit, serving: noServing });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const printed = (client: NotebookClient, id: string) =>
  (client.state.outputs[id] ?? [])
    .map((output) =>
      output.kind === "stream"
        ? output.text
        : output.kind === "error"
          ? `${output.error.name}: ${output.error.message}`
          : String(output.data["text/plain"]),
    )
    .join("");
const dead = (client: NotebookClient) => client.until(() => client.state.kernel.state === "dead");

let notebooks = 0;
/** A notebook whose first two cells have run, and a third one. */
async function open(third: string): Promise<NotebookClient> {
  const path = `workspaces/w/n${++notebooks}.nb.ts`;
  writeFileSync(join(root, path), `// %% id="a"\nconst a = 20\n\n// %% id="b"\nconsole.log("b", a + 1)\n\n// %% id="c"\n${third}\n`);
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "mode", mode: "lazy" });
  await client.run("a", "b");
  return client;
}
async function close(client: NotebookClient): Promise<void> {
  await client.do({ do: "shutdown" });
  client.close();
}

/** ends the kernel in cell c; what is said of it */
const ends: [name: string, source: string, cause: RegExp, signal: string | null, code: number | null][] = [
  [
    "SIGKILL",
    'console.log("half"); process.kill(process.pid, "SIGKILL"); await new Promise(() => {})',
    /^killed from outside \(signal 9\) at \d+ MB of 400 MB; /,
    "SIGKILL",
    null,
  ],
  [
    "SIGTERM",
    'console.log("half"); process.kill(process.pid, "SIGTERM"); await new Promise(() => {})',
    /^ended from outside \(SIGTERM\) at \d+ MB of 400 MB$/,
    "SIGTERM",
    null,
  ],
  ["a native abort", 'console.log("half"); process.abort()', /^aborted by native code \(SIGABRT\) at \d+ MB of 400 MB/, "SIGABRT", null],
  [
    "a crash of native code",
    'console.log("half"); process.kill(process.pid, "SIGSEGV"); await new Promise(() => {})',
    /^a native library crashed \(SIGSEGV\) at \d+ MB of 400 MB$/,
    "SIGSEGV",
    null,
  ],
  [
    "an exit behind the kernel's back",
    'console.log("half"); process.reallyExit(7)',
    /^the process ended with exit code 7 at \d+ MB of 400 MB$/,
    null,
    7,
  ],
  [
    "the heap limit in one native call",
    `console.log("half"); JSON.parse("[" + ('"' + "x".repeat(1000) + '",').repeat(2.5e5) + "0]")`,
    /^out of memory: the heap of JavaScript values reached its limit of \d+ MB, the process stood at \d+ MB of 400 MB \(SIGABRT\)$/,
    "SIGABRT",
    null,
  ],
  [
    "the memory limit of the process in one native call",
    // a call that fills 2 GB, and hears no stop
    'import { scryptSync } from "node:crypto"; console.log("half"); scryptSync("x", "y", 64, { N: 2 ** 21, r: 8, maxmem: 2 ** 32 })',
    /^out of memory: it took \d.* where 400 MB is the limit, in a native call that no stop reaches \(SIGKILL\)$/,
    "SIGKILL",
    null,
  ],
];

describe.each(ends)("death by %s", (_name, source, cause, signal, code) => {
  it("names the cell, the size and the limit, keeps outputs, and comes back to the same point", async () => {
    const client = await open(source);
    // its size is known
    await client.until(() => client.state.kernel.memory.length > 0);
    await client.do({ do: "run", cells: ["c"] });
    await dead(client);
    const { death, lost } = client.state.kernel;
    expect(death).toMatchObject({ cell: "c", signal, code });
    expect(death!.cause).toMatch(cause);
    expect(lost).toBe(3);
    // outputs stay, and the one of the cell that ran says why
    expect(printed(client, "b")).toBe("b 21\n");
    expect(printed(client, "c")).toMatch(/^half\nKernelError: /);
    expect(printed(client, "c")).toContain(death!.cause);
    const log = await (await server.fetch(`/api/ts/notebooks/log?path=${encodeURIComponent(client.state.path)}`)).text();
    expect(log).toContain(`the kernel ended: ${death!.cause}`);
    // the cell is mended, and one command runs what had run
    const { source: text } = client.state.source.cells[2]!;
    await client.do({ do: "ops", ops: [{ op: "edit", id: "c", at: 0, remove: text.length, insert: 'console.log("c", a + 2)' }] });
    await client.do({ do: "restart", then: "same" });
    await client.until(() => client.state.cells["c"]?.result === "ok" && client.state.kernel.state === "idle");
    expect([printed(client, "b"), printed(client, "c")]).toEqual(["b 21\n", "c 22\n"]);
    expect(client.state.badge.state).toBe("same");
    await close(client);
  });
});

it("keeps the log when the notebook is closed, without the server's token", async () => {
  // natives print to the process itself
  const client = await open(`import { writeSync } from "node:fs"\nwriteSync(2, "asked for /?t=${server.token}\\n")`);
  await client.run("c");
  const log = async () => await (await server.fetch(`/api/ts/notebooks/log?path=${encodeURIComponent(client.state.path)}`)).text();
  await expect.poll(log).toContain("asked for /?t=***\n");
  const { path } = client.state;
  await close(client);
  await server.server.sessions.drop(path, "closed");
  expect(server.server.sessions.get(path)).toBe(null);
  expect(await log()).toContain("asked for /?t=***\n");
});

it("runs again what a kernel held that died while nothing ran", async () => {
  const client = await open("console.log(a)");
  process.kill(client.state.kernel.pid!, "SIGKILL");
  await dead(client);
  expect(client.state.kernel).toMatchObject({ lost: 2, death: { cell: null, signal: "SIGKILL" } });
  await client.do({ do: "restart", then: "same" });
  await client.until(
    () => client.state.kernel.state === "idle" && client.state.cells["b"]!.status === "idle" && client.state.badge.state !== "error",
  );
  await client.until(() => client.state.variables.some(({ name }) => name === "a"));
  // what had not run has not run
  expect(client.state.cells["c"]!.result).toBe("none");
  expect(printed(client, "b")).toBe("b 21\n");
  await close(client);
});

/** what must not end the kernel: the cell is told, and its variables live */
const survived: [name: string, source: string, said: RegExp][] = [
  ["process.exit in a cell", "process.exit(3)", /process\.exit\(3\) would end the kernel/],
  ["process.exit of the module", 'import { exit } from "node:process"\nexit(3)', /process\.exit\(3\) would end the kernel/],
  ["process.exit in a timer of a cell that is over", "setTimeout(() => process.exit(4), 30)", /process\.exit\(4\) would end the kernel/],
  ["an error in a timer of a cell that is over", 'setTimeout(() => { throw new Error("late") }, 30)', /Error: late/],
  [
    "an error in an emitter's listener",
    'import { EventEmitter } from "node:events"\nconst e = new EventEmitter()\nsetTimeout(() => e.emit("error", new Error("unheard")), 30)',
    /Error: unheard/,
  ],
  ["a promise that nobody awaits", 'setTimeout(() => void Promise.reject(new Error("alone")), 30)', /Error: alone/],
  [
    "an error of a socket that nobody hears",
    'import { connect } from "node:net"\nconnect(1, "127.0.0.1"); await new Promise((r) => setTimeout(r, 200))',
    /ECONNREFUSED/,
  ],
];
it.each(survived)("outlives %s, and says so at its cell", async (_name, source, said) => {
  const client = await open(source);
  const { pid } = client.state.kernel;
  await client.do({ do: "run", cells: ["c"] });
  // another cell runs meanwhile: the error is not its
  await client.run("b");
  await client.until(() => said.test(printed(client, "c")) || said.test(printed(client, "b")));
  expect(printed(client, "c")).toMatch(said);
  expect(printed(client, "b")).toBe("b 21\n");
  await client.run("a");
  expect(client.state.kernel).toMatchObject({ state: "idle", pid, death: null });
  await close(client);
});

it("raises the limit of a living kernel without losing its values, and keeps it for the next ones", async () => {
  const hog =
    "const held = []\nfor (let i = 0; i < 90; i++) {\n  held.push(Buffer.alloc(4 * 2 ** 20, 1))\n  await new Promise((next) => setTimeout(next, 5))\n}\nawait new Promise((next) => setTimeout(next, 1500))\nconsole.log(held.length)";
  const client = await open(hog);
  await client.run("c");
  expect(client.state.cells["c"]!.result).toBe("interrupted");
  const { nearLimit, pid } = client.state.kernel;
  expect(nearLimit).toMatchObject({ cell: "c", of: "process", limit: memoryLimit });
  const beyond = await client.ask({ do: "limit", bytes: 2 ** 50 });
  expect(beyond).toMatchObject({
    ok: false,
    error: { message: expect.stringMatching(/^A kernel's memory limit is from 256 MB to .* on this machine/) },
  });
  await client.do({ do: "limit", bytes: 2 * memoryLimit });
  expect(client.state.kernel).toMatchObject({ pid, memoryLimit: 2 * memoryLimit, nearLimit: null });
  await client.run("c");
  expect(printed(client, "c")).toBe("90\n");
  expect(client.state.variables.map(({ name }) => name)).toContain("a");
  // a new kernel of this notebook has room in its heap too, and another notebook is as before
  await client.do({ do: "restart", then: "same" });
  await client.until(() => client.state.kernel.state === "idle" && client.state.cells["c"]!.status === "idle" && client.state.kernel.pid !== pid);
  await client.add("heap", 'import { getHeapStatistics } from "node:v8"\nconsole.log(getHeapStatistics().heap_size_limit > 700 * 2 ** 20)');
  await client.run("heap");
  expect(printed(client, "heap")).toBe("true\n");
  await close(client);
  await server.server.sessions.drop(client.state.path, "closed");
  const again = await NotebookClient.open(server, client.state.path);
  expect(again.state.kernel.memoryLimit).toBe(2 * memoryLimit);
  again.close();
  const other = await open("1");
  expect(other.state.kernel.memoryLimit).toBe(memoryLimit);
  await close(other);
});

it("restarts with more room where the heap was full", async () => {
  const client = await open(`JSON.parse("[" + ('"' + "x".repeat(1000) + '",').repeat(2e5) + "0]").length`);
  await client.do({ do: "run", cells: ["c"] });
  await dead(client);
  expect(client.state.kernel.death!.cause).toMatch(/^out of memory: the heap/);
  await client.do({ do: "limit", bytes: 1500 * 2 ** 20, then: { to: "c" } });
  await client.until(() => client.state.cells["c"]?.result === "ok");
  expect(printed(client, "c")).toBe("200001");
  await close(client);
});

it("says after 5 s that a native call hears no stop, and a restart ends it", async () => {
  const client = await open(
    'import { scryptSync } from "node:crypto"; console.log("half"); scryptSync("x", "y", 64, { N: 2 ** 14, r: 8, p: 4000, maxmem: 2 ** 32 })',
  );
  await client.do({ do: "run", cells: ["c"] });
  await client.until(() => printed(client, "c") === "half\n");
  await client.do({ do: "interrupt" });
  await client.until(() => client.state.kernel.stuck != null);
  expect(client.state.kernel).toMatchObject({ state: "stopping", death: null });
  expect(client.events.findLast((event) => event.type === "notice")).toMatchObject({
    text: "The stop has no effect yet: a native call does not yield. Restart the kernel, or wait until it returns.",
    cell: "c",
  });
  await client.do({ do: "restart", then: "nothing" });
  await client.run("b");
  expect([printed(client, "b"), printed(client, "c")]).toEqual(["b 21\n", "half\n"]);
  expect(client.state.kernel).toMatchObject({ state: "idle", stuck: null });
  await close(client);
});
