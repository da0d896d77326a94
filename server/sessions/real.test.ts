/** Sessions with real kernels: what a person may do at the worst moment. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { mime } from "../../kernels/protocol/output.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

let root: string;
let server: RunningServer;
let client: NotebookClient;
let count = 0;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-real-"));
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit: 1.5 * 2 ** 30, serving: noServing });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(async () => {
  const path = `workspaces/w/n${++count}.nb.ts`;
  writeFileSync(join(root, path), '// %% id="first"\n');
  client = await NotebookClient.open(server, path);
});
afterEach(async () => {
  await client.do({ do: "shutdown" });
  client.close();
});

const cell = (id: string) => client.state.cells[id]!;
const running = (id: string) => client.until(() => cell(id)?.status === "running" && client.state.kernel.state !== "starting");
const idle = () =>
  client.until(() => Object.values(client.state.cells).every((each) => each.status === "idle") && client.state.kernel.state !== "busy");
const printed = (id: string) => (client.state.outputs[id] ?? []).map((output) => (output.kind === "stream" ? output.text : "")).join("");
const errors = (id: string) => (client.state.outputs[id] ?? []).filter((output) => output.kind === "error");

it("keeps the whole of a hundred megabytes, and shows a part", async () => {
  await client.add("a", "const line = 'x'.repeat(999)\nfor (let i = 0; i < 100_000; i++) console.log(line)");
  await client.run("a");
  expect(cell("a").result).toBe("ok");
  const text = await (await server.fetch(`/api/ts/outputs/text?path=${encodeURIComponent(client.state.path)}&cell=a`)).text();
  expect(text.length).toBe(100_000_000);
  const second = await NotebookClient.open(server, client.state.path);
  expect(JSON.stringify(second.state.outputs["a"]).length).toBeLessThan(8_000_000);
  second.close();
});

it("shows the beginning of values of two hundred megabytes, and gives the text whole", async () => {
  await client.add(
    "a",
    "display('é'.repeat(1e8))\ndisplay(new Float64Array(25e6).fill(0.5))\ndisplay({ list: Array.from({ length: 5e6 }, (_, i) => i) })",
  );
  await client.run("a");
  expect(cell("a").result).toBe("ok");
  const displays = client.state.outputs["a"]!.map((output) => (output.kind === "display" ? output.data : {}));
  expect(JSON.stringify(displays).length).toBeLessThan(1_500_000);
  expect(displays[1]!["text/plain"]).toMatch(/^Float64Array\(25000000\) \[/);
  const { handle, length } = displays[0]![mime.value] as { handle: string; length: number };
  expect(length).toBe(1e8);
  const answer = await server.fetch(`/api/ts/values/text?path=${encodeURIComponent(client.state.path)}&handle=${encodeURIComponent(handle)}`);
  let bytes = 0;
  let wrong = 0;
  for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    for (const byte of piece) if (byte !== 0xc3 && byte !== 0xa9) wrong++;
  }
  expect([bytes, wrong]).toEqual([200_000_000, 0]);
  // the kernel answers on
  await client.add("b", "console.log(6 * 7)");
  await client.run("b");
  expect(printed("b")).toBe("42\n");
});

it("says with the cell which lines of a file were left out", async () => {
  writeFileSync(join(root, "workspaces/w/bad.csv"), `id,age\n${"1,2\n".repeat(30_000)}x,3\n`);
  await client.add("a", 'const people = csv("bad.csv")\nawait people.count()');
  await client.run("a");
  expect(cell("a").warnings).toEqual([
    expect.stringMatching(/^1 of 30,001 lines of bad.csv does not fit and was left out: line 30,002, column `id`/),
  ]);
  expect(printed("a")).toBe("");
});

it("asked to run all while it runs, runs each cell once more", async () => {
  await client.add("a", "const a = 1\nawait new Promise((done) => setTimeout(done, 200))");
  await client.add("b", "console.log('b', a)");
  await client.do({ do: "run-all" });
  await running("a");
  await client.do({ do: "run-all" });
  await client.until(() => cell("b").result === "ok");
  await idle();
  expect(printed("b")).toBe("b 1\n");
  expect(client.state.badge.state).toBe("same");
});

it("a stop ends what waits too", async () => {
  await client.add("a", "for (;;) {}");
  await client.add("b", "1");
  await client.do({ do: "run-all" });
  await running("a");
  expect(cell("b").status).toBe("queued");
  await client.do({ do: "interrupt" });
  await idle();
  expect(cell("a").result).toBe("interrupted");
  expect(cell("b")).toMatchObject({ result: "none", status: "idle" });
  expect(client.state.kernel.state).toBe("idle");
});

it("a stop before the kernel has started is kept", async () => {
  await client.add("a", "for (;;) {}");
  // one behind the other, before a kernel can be there
  await Promise.all([client.do({ do: "run", cells: ["a"] }), client.do({ do: "interrupt" })]);
  await client.until(() => client.state.kernel.state === "idle");
  expect(cell("a")).toMatchObject({ status: "idle", result: "none" });
});

it("a deleted cell stops, and the others go on", async () => {
  await client.add("a", "for (;;) {}");
  await client.add("b", "console.log('b')");
  await client.do({ do: "run-all" });
  await running("a");
  await client.do({ do: "ops", ops: [{ op: "delete", id: "a" }] });
  await client.until(() => cell("b").result === "ok");
  expect(cell("a")).toBeUndefined();
  expect(client.state.outputs["a"] ?? []).toEqual([]);
  await idle();
  expect(client.state.kernel.state).toBe("idle");
});

it("restarts while it runs, and runs what was asked", async () => {
  await client.add("a", "const t = 1; if (globalThis.once !== 1) { await new Promise((done) => setTimeout(done, 100)) }");
  await client.add("b", "for (let i = 0; i < 3; i++) console.log(t)");
  await client.do({ do: "run-all" });
  await running("a");
  const { pid } = client.state.kernel;
  await client.do({ do: "restart", then: "all" });
  await client.until(() => cell("b").result === "ok");
  expect(client.state.kernel.pid).not.toBe(pid);
  expect(printed("b")).toBe("1\n1\n1\n");
});

it("says that the kernel was killed under a query, keeps the outputs, and runs again", async () => {
  await client.add("a", "console.log('kept')");
  await client.add(
    "q",
    "const n = sql`select count(*) as n from range(1000000) x, range(1000000) y where x.range + y.range = 7`\nawait n.rows()",
    "sql",
  );
  await client.run("a");
  await client.do({ do: "run", cells: ["q"] });
  await running("q");
  process.kill(client.state.kernel.pid!, "SIGKILL");
  await client.until(() => client.state.kernel.state === "dead");
  expect(client.state.kernel.death).toMatchObject({ signal: "SIGKILL", cell: "q" });
  expect(cell("q")).toMatchObject({ result: "error", status: "idle" });
  expect(errors("q").length).toBe(1);
  expect(printed("a")).toBe("kept\n");
  expect(client.state.variables).toEqual([]);
  expect(client.state.badge.state).toBe("error");
  await client.run("a");
  expect(cell("a").result).toBe("ok");
  expect(client.state.kernel).toMatchObject({ state: "idle", death: null });
});

it("gives each kernel a spill folder of its own, gone with it; those of dead processes go too", async () => {
  const spills = join(root, "workspaces/w/.touchstone/spill");
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  mkdirSync(join(spills, `${dead}-1`), { recursive: true });
  writeFileSync(join(root, "workspaces/w/other.nb.ts"), '// %% id="a"\nawait sql`select 1 as x`.rows()\n');
  const other = await NotebookClient.open(server, "workspaces/w/other.nb.ts");
  expect(existsSync(join(spills, `${dead}-1`))).toBe(false);
  await other.run("a");
  await client.add("a", "await sql`select 1 as x`.rows()");
  await client.run("a");
  expect(readdirSync(spills).length).toBe(2);
  await other.do({ do: "shutdown" });
  await client.do({ do: "shutdown" });
  await server.server.sessions.drop("workspaces/w/other.nb.ts", "test");
  await server.server.sessions.drop(client.state.path, "test");
  expect(readdirSync(spills)).toEqual([]);
  client = await NotebookClient.open(server, "workspaces/w/other.nb.ts");
});

it("interrupts before memory ends, and the variables live", async () => {
  await client.add("a", "const kept = 1");
  await client.add(
    "b",
    "const parts: Uint8Array[] = []\nfor (;;) { parts.push(new Uint8Array(5e7).fill(1)); await new Promise((done) => setTimeout(done, 5)) }",
  );
  await client.add("c", "console.log(kept)");
  await client.run("a");
  await client.run("b");
  expect(cell("b").result).toBe("interrupted");
  expect(client.events.some((event) => event.type === "notice" && /^Memory /.test(event.text))).toBe(true);
  await client.run("c");
  expect(printed("c")).toBe("1\n");
});

it("carries fifty of a hundred thousand displays, and has the rest in pages", async () => {
  await client.add("a", "for (let i = 0; i < 1000; i++) display(i, { id: 'one' })\nfor (let i = 0; i < 100_000; i++) display(i)");
  await client.run("a");
  const shown = client.state.outputs["a"]!;
  expect(shown.length).toBe(50);
  expect(shown[0]).toMatchObject({ id: "one", data: { "text/plain": "999" } });
  expect(client.state.more["a"]).toBe(99_951);
  const more = `/api/ts/outputs/more?path=${encodeURIComponent(client.state.path)}&cell=a`;
  const page = (await (await server.fetch(`${more}&offset=99900`)).json()) as { total: number; outputs: { data: Record<string, string> }[] };
  expect(page.total).toBe(99_951);
  expect(page.outputs.length).toBe(50);
  expect(page.outputs.at(-1)!.data["text/plain"]).toBe("99998");
  expect((await server.fetch(`${more}&limit=x`)).status).toBe(400);
  const second = await NotebookClient.open(server, client.state.path);
  expect(JSON.stringify(second.state).length).toBeLessThan(100_000);
  second.close();
  const { source } = client.state.source.cells.find((one) => one.id === "a")!;
  await client.do({ do: "ops", ops: [{ op: "edit", id: "a", at: 0, remove: source.length, insert: "1" }] });
  await client.run("a");
  expect(client.state.more["a"]).toBeUndefined();
  expect((await server.fetch(more)).status).toBe(404);
});

it("an error in each kind of cell is an error with a sentence", async () => {
  await client.add("code", "nowhere");
  await client.add("sql", "const q = sql`select * from nowhere`", "sql");
  for (const [kind, call] of [
    ["baseline", "baseline"],
    ["train", "train"],
    ["distill", "distill"],
    ["drift", "drift"],
    ["promote", "promote"],
  ] as const)
    await client.add(kind, `const r${kind} = await ${call}({})`, kind);
  await client.add("ab", "const plan = await abTest({ outcome: 5 })", "ab-test");
  await client.do({ do: "run", cells: client.state.source.cells.map((each) => each.id) });
  await idle();
  for (const { id } of client.state.source.cells.slice(1)) {
    expect([id, cell(id).result]).toEqual([id, "error"]);
    expect([id, errors(id).length]).toEqual([id, 1]);
    const output = errors(id)[0]!;
    expect(
      output.kind === "error" && output.error.message.length > 10 && !/Cannot read prop|is not a function|undefined \(/.test(output.error.message),
    ).toBe(true);
  }
});
