/** A session over a real WebSocket and a real disk, with a kernel that obeys. */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  writeSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  chmodSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import WebSocket from "ws";
import { NotebookClient } from "../../test/support/notebook.js";
import { fakeKernels } from "../../test/support/fake-kernel.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";
import { replay } from "../../kernels/notebook/replay.js";
import type { HistoryView } from "../../kernels/protocol/history.js";
import type { NotebookEvent, NotebookState, ServerMessage } from "../../kernels/protocol/document.js";

let root: string;
let server: RunningServer;
let kernels: ReturnType<typeof fakeKernels>;
const path = "workspaces/demo/a.nb.ts";
const file = () => join(root, path);
const text = `// %% id="a"\nprint one\n\n// %% id="b"\nprint two\n`;

const start = async () => {
  kernels = fakeKernels();
  server = await startServer({ root, takeKernel: kernels.take, quiet: 20, sync: 5, serving: noServing });
};
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-session-"));
  await start2({ [path]: text, "workspaces/demo/package.json": "{}" });
});
async function start2(files: Record<string, string>) {
  kernels = fakeKernels();
  server = await startServer({ root, files, takeKernel: kernels.take, quiet: 20, sync: 5, serving: noServing });
}
afterEach(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const edit = (client: NotebookClient, id: string, source: string) => {
  const old = client.state.source.cells.find((cell) => cell.id === id)!.source;
  return client.ask({ do: "ops", ops: [{ op: "edit", id, at: 0, remove: old.length, insert: source }] });
};
const sourceOf = (client: NotebookClient, id: string) => client.state.source.cells.find((cell) => cell.id === id)?.source;

it("writes the file once the document is quiet, and says so", async () => {
  const client = await NotebookClient.open(server, path);
  await edit(client, "a", "print 1");
  await client.until(() => client.state.savedAt !== null);
  expect(readFileSync(file(), "utf8")).toBe(text.replace("print one", "print 1"));
  expect(readdirSync(join(root, "workspaces/demo")).filter((name) => name.endsWith(".new"))).toEqual([]);
});

it("writes at once when asked to flush", async () => {
  const client = await NotebookClient.open(server, path);
  await edit(client, "b", "print 2");
  await client.do({ do: "flush" });
  expect(readFileSync(file(), "utf8")).toContain("print 2");
});

it("takes in what another program wrote, by cell", async () => {
  const client = await NotebookClient.open(server, path);
  await edit(client, "a", "print mine");
  await client.do({ do: "flush" });
  writeFileSync(file(), readFileSync(file(), "utf8").replace("print two", "print theirs"));
  await client.until(() => sourceOf(client, "b") === "print theirs");
  expect(sourceOf(client, "a")).toBe("print mine");
  expect(client.events.find((event) => event.type === "notice")).toMatchObject({ level: "info", text: "a.nb.ts changed outside: 1 cell differs." });
});

it("waits for the end of a file that another program empties and then writes", async () => {
  const client = await NotebookClient.open(server, path);
  await client.run("a", "b");
  const { run } = client.state.cells["a"]!;
  const out = openSync(file(), "w");
  // long enough for a watcher to have looked
  await new Promise((resolve) => setTimeout(resolve, 200));
  writeSync(out, text.replace("two", "halves"));
  closeSync(out);
  await client.until(() => sourceOf(client, "b") === "print halves");
  expect(client.events.filter((event) => event.type === "cells" && Object.values(event.cells).includes(null))).toEqual([]);
  expect(client.state.cells["a"]).toMatchObject({ result: "ok", run, edited: false });
});

it("leaves a file alone that says the same in other words", async () => {
  const client = await NotebookClient.open(server, path);
  const loose = text.replace("print two\n", "print three").replace("\n\n//", "\n\n\n\n//");
  writeFileSync(file(), loose);
  await client.until(() => sourceOf(client, "b") === "print three");
  await client.do({ do: "flush" });
  expect(readFileSync(file(), "utf8")).toBe(loose);
});

it("says that the file was deleted, and writes it with the next change", async () => {
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "flush" });
  rmSync(file());
  await client.until(() => /was deleted or moved outside/.test(client.state.held ?? ""));
  expect(client.state.source.cells.length).toBe(2);
  await edit(client, "a", "print back");
  await client.do({ do: "flush" });
  expect(readFileSync(file(), "utf8")).toBe(text.replace("print one", "print back"));
});

it("keeps both when a cell changed on both sides", async () => {
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "flush" });
  // the file changes between the edit and its being written
  const asked = edit(client, "a", "print mine");
  writeFileSync(file(), text.replace("print one", "print theirs"));
  await asked;
  await client.until(() => client.state.source.cells.some((cell) => cell.source === "print theirs"));
  expect(client.state.source.cells.map((cell) => cell.source)).toContain("print mine");
  await client.do({ do: "flush" });
  expect(readFileSync(file(), "utf8")).toContain("print theirs");
  expect(readFileSync(file(), "utf8")).toContain("print mine");
});

it("does not write over a file that cannot be read as a notebook", async () => {
  const client = await NotebookClient.open(server, path);
  const broken = `<<<<<<< ours\n${text}=======\n>>>>>>> theirs\n`;
  writeFileSync(file(), broken);
  await client.until(() => /cannot be read now \(line 1: .*conflict markers/.test(client.state.held ?? ""));
  await edit(client, "a", "print still here");
  await client.do({ do: "flush" });
  expect(readFileSync(file(), "utf8")).toBe(broken);
  writeFileSync(file(), text);
  await client.until(() => client.state.savedAt !== null);
  expect(client.state.held).toBe(null);
  expect(readFileSync(file(), "utf8")).toContain("print still here");
});

it("opens a file that cannot be read as one cell and never writes it", async () => {
  const broken = `<<<<<<< ours\n${text}=======\n>>>>>>> theirs\n`;
  writeFileSync(join(root, "workspaces/demo/broken.nb.ts"), broken);
  const client = await NotebookClient.open(server, "workspaces/demo/broken.nb.ts");
  expect(client.state.broken).toMatch(/conflict/);
  expect(client.state.source.cells.length).toBe(1);
  expect(await edit(client, client.state.source.cells[0]!.id, "x")).toMatchObject({ ok: false, error: { code: "bad-request" } });
  await client.do({ do: "flush" });
  expect(readFileSync(join(root, "workspaces/demo/broken.nb.ts"), "utf8")).toBe(broken);
});

it("has document, outputs and results after a restart of the server", async () => {
  let client = await NotebookClient.open(server, path);
  await client.run("a", "b");
  await edit(client, "b", "print three");
  const before = client.state;
  const { epoch } = before;
  await server.close();
  await start();
  client = await NotebookClient.open(server, path);
  expect(client.state.epoch).not.toBe(epoch);
  expect(client.state.source).toEqual(before.source);
  expect(client.state.outputs).toEqual(before.outputs);
  expect(client.state.cells["a"]).toMatchObject({ result: "ok", run: before.cells["a"]!.run, edited: false, status: "idle" });
  expect(client.state.cells["b"]).toMatchObject({ result: "ok", edited: true });
  expect(client.state.outputsFrom["a"]).toMatchObject({ run: before.cells["a"]!.run });
  expect(client.state.kernel.state).toBe("none");
});

it("has what was typed when the server was killed before the file was written", async () => {
  const store = join(root, "workspaces/demo/.touchstone/journal");
  const journal = () => join(store, readdirSync(store)[0]!);
  const client = await NotebookClient.open(server, path);
  await edit(client, "a", "print typed");
  await client.do({ do: "flush" });
  const kept = readFileSync(journal());
  await server.close();
  // as a kill leaves it: the journal has the edit and a torn line, the file has not
  writeFileSync(journal(), kept);
  appendFileSync(journal(), kept.subarray(0, 40));
  writeFileSync(file(), text);
  // the journal says that the file was saved with the edit, so the old file is a change from outside
  await start();
  const again = await NotebookClient.open(server, path);
  expect(["print typed", "print one"]).toContain(sourceOf(again, "a"));
  await server.close();
  const lines = kept.toString().split("\n");
  const ops = lines.findIndex((line) => line.includes('"type":"ops"'));
  writeFileSync(journal(), `${lines.slice(0, ops + 1).join("\n")}\n`);
  writeFileSync(file(), text);
  await start();
  const last = await NotebookClient.open(server, path);
  expect(sourceOf(last, "a")).toBe("print typed");
  await last.until(() => last.state.savedAt !== null);
  expect(readFileSync(file(), "utf8")).toContain("print typed");
});

it("replays from a client's cursor, or gives a snapshot", async () => {
  const client = await NotebookClient.open(server, path);
  const { epoch, seq } = client.state;
  const old = structuredClone(client.state);
  await client.run("a");
  await client.until(() => client.state.kernel.state === "idle");
  const catchUp = (given: { epoch: string | null; cursor: number }) =>
    new Promise<ServerMessage>((resolve, reject) => {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ts/notebook?path=${path}`, {
        headers: { authorization: `Bearer ${server.token}` },
      });
      socket.on("open", () => socket.send(JSON.stringify({ type: "hello", client: "late", name: "Late", ...given })));
      socket.on("message", (data: Buffer) => {
        resolve(JSON.parse(data.toString()) as ServerMessage);
        socket.close();
      });
      socket.on("error", reject);
    });
  const replayed = await catchUp({ epoch, cursor: seq });
  expect(replayed.type).toBe("events");
  const { events } = replayed as { events: NotebookEvent[] };
  let state: NotebookState = old;
  for (const event of events) state = replay(state, event);
  expect(state.outputs).toEqual(client.state.outputs);
  expect(state.cells).toEqual(client.state.cells);
  for (const given of [
    { epoch: "another", cursor: seq },
    { epoch: null, cursor: 0 },
    { epoch, cursor: 1e9 },
    { epoch, cursor: -5 },
  ])
    expect((await catchUp(given)).type).toBe("snapshot");
});

it("shows two clients the same, and one of them writes", async () => {
  const one = await NotebookClient.open(server, path, "Ana");
  const two = await NotebookClient.open(server, path, "Ben");
  expect(two.state.writer?.name).toBe("Ana");
  expect(await edit(two, "a", "x")).toMatchObject({ ok: false, error: { code: "not-writer" } });
  await edit(one, "a", "print new");
  await two.until(() => sourceOf(two, "a") === "print new");
  await two.do({ do: "write" });
  await one.until(() => one.state.writer?.name === "Ben");
  await two.run("a");
  await one.until(() => one.state.seq === two.state.seq);
  expect(one.state).toEqual(two.state);
  two.close();
  await one.until(() => one.state.writer === null);
  await edit(one, "b", "print back");
  expect(one.state.writer?.name).toBe("Ana");
});

it("refuses an old revision with the newer one, and changes nothing", async () => {
  const client = await NotebookClient.open(server, path);
  const rev = client.state.rev;
  await edit(client, "a", "print 1");
  const reply = await client.ask({ do: "ops", ops: [{ op: "delete", id: "b" }] }, rev);
  expect(reply).toMatchObject({ ok: false, error: { code: "stale", rev: client.state.rev } });
  expect(sourceOf(client, "b")).toBe("print two");
});

it("runs on without any client", async () => {
  await server.fetch("/api/ts/home");
  const client = await NotebookClient.open(server, path);
  await edit(client, "a", "print begun\nwait");
  await client.do({ do: "run", cells: ["a"] });
  await client.until(() => (client.state.outputs["a"] ?? []).length > 0);
  client.close();
  kernels.all[0]!.release();
  const again = await NotebookClient.open(server, path);
  await again.until(() => again.state.cells["a"]!.result === "ok");
  expect(again.state.outputs["a"]).toEqual([{ kind: "stream", name: "stdout", text: "begun\n" }]);
});

it("stops a cell, explains a death, restarts, and leaves no kernel", async () => {
  const client = await NotebookClient.open(server, path);
  await edit(client, "a", "wait");
  await client.do({ do: "run", cells: ["a", "b"] });
  await client.until(() => client.state.cells["a"]!.status === "running");
  await client.do({ do: "interrupt" });
  await client.until(() => client.state.cells["a"]!.result === "interrupted");
  expect(client.state.cells["b"]!.result).toBe("none");
  await edit(client, "a", "die");
  await client.do({ do: "run", cells: ["a"] });
  await client.until(() => client.state.kernel.state === "dead");
  expect(client.state.kernel.death).toMatchObject({ cause: expect.stringContaining("signal 9"), cell: "a", signal: "SIGKILL" });
  await client.do({ do: "restart", then: { to: "b" } });
  await client.until(() => client.state.kernel.state === "dead" && client.state.kernel.death !== null);
  await edit(client, "a", "print ok");
  await client.do({ do: "restart", then: "all" });
  await client.until(() => ["a", "b"].every((id) => client.state.cells[id]!.result === "ok"));
  await client.do({ do: "shutdown" });
  expect(client.state.kernel.state).toBe("none");
  await server.close();
  expect(kernels.all.slice(2).every((kernel) => kernel.stopped)).toBe(true);
});

it("keeps the whole printed text when the page shows its end", async () => {
  const client = await NotebookClient.open(server, path);
  await edit(client, "a", "print first line\nflood 120");
  await client.run("a");
  const [shown] = client.state.outputs["a"]!;
  expect(shown).toMatchObject({ kind: "stream", cut: expect.any(Number) });
  const whole = await (await server.fetch(`/api/ts/outputs/text?path=${path}&cell=a`)).text();
  expect(whole.length).toBe(11 + 120 * 10_000);
  expect(whole.startsWith("first line")).toBe(true);
});

it.each([
  ["no JSON", "{", 4400],
  ["no type", { x: 1 }, 4400],
  ["a command before hello", { type: "command", id: 1, rev: 1, command: { do: "run-all" } }, 4400],
  ["a hello without a name", { type: "hello", client: "x" }, 4400],
] as const)("closes with a reason: %s", async (_, message, code) => {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ts/notebook?path=${path}`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  socket.on("open", () => socket.send(typeof message === "string" ? message : JSON.stringify(message)));
  const closed = await new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on("close", (number, reason) => resolve({ code: number, reason: reason.toString() })),
  );
  expect(closed.code).toBe(code);
  expect(closed.reason).toMatch(/^Expected/);
});

it.each([
  ["workspaces/demo/none.nb.ts", 4404],
  ["workspaces/demo/package.json", 4400],
  ["../x.nb.ts", 4400],
  ["", 4400],
])("closes with a reason: %s", async (wrong, code) => {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ts/notebook?path=${encodeURIComponent(wrong)}`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  const closed = await new Promise<number>((resolve) => socket.on("close", resolve));
  expect(closed).toBe(code);
});

it.each([
  ["no token", { origin: "OWN" }, 401],
  ["nothing", {}, 403],
  ["another site", { origin: "https://evil.example", cookie: "COOKIE" }, 403],
  ["a cookie without Origin", { cookie: "COOKIE" }, 403],
  ["another Host", { host: "evil.example", cookie: "COOKIE" }, 403],
] as const)("refuses the upgrade: %s", async (_, headers, status) => {
  const { access } = server.server;
  const given = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      value === "COOKIE" ? `${access.cookieName}=${access.cookieValue}` : value === "OWN" ? server.url : value,
    ]),
  );
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ts/notebook?path=${path}`, { headers: given });
  const got = await new Promise<number>((resolve) => {
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode!));
    socket.on("open", () => resolve(101));
    socket.on("error", () => {});
  });
  expect(got).toBe(status);
});

it("answers a wrong command by its id and goes on", async () => {
  const client = await NotebookClient.open(server, path);
  expect(await client.ask({ do: "explode" } as never)).toMatchObject({ ok: false, error: { code: "bad-request" } });
  expect(await client.ask({ do: "call", call: { query: "table.export", relation: "t", format: "csv", path: "/etc/passwd" } })).toMatchObject({
    ok: false,
    error: { code: "bad-request" },
  });
  expect(await client.ask({ do: "call", call: { query: "table.count", relation: "t" } })).toMatchObject({ ok: false, error: { code: "gone" } });
  await client.run("a");
  expect(await client.do({ do: "call", call: { query: "table.count", relation: "t" } })).toBe(10_000_000);
});

it("opens in a folder that cannot be written, and says so", async () => {
  // root may write anywhere
  if (process.getuid?.() === 0) {
    expect(existsSync(file())).toBe(true);
    return;
  }
  chmodSync(join(root, "workspaces/demo"), 0o555);
  const client = await NotebookClient.open(server, path);
  await client.until(() => client.events.some((event) => event.type === "notice" && event.level === "warning"));
  chmodSync(join(root, "workspaces/demo"), 0o755);
});

it("has the old document or a newer one, wherever a kill cut the journal", async () => {
  const client = await NotebookClient.open(server, path);
  await edit(client, "a", "print 1");
  await edit(client, "a", "print 2");
  await client.do({ do: "flush" });
  await server.close();
  const store = join(root, "workspaces/demo/.touchstone/journal");
  const journal = join(store, readdirSync(store)[0]!);
  const kept = readFileSync(journal);
  const saved = kept.lastIndexOf(10, kept.length - 2) + 1;
  for (let cut = kept.length; cut >= 0; cut -= 83) {
    writeFileSync(journal, kept);
    truncateSync(journal, cut);
    // the file is written only once the journal has the document
    const written = cut >= saved;
    writeFileSync(file(), written ? text.replace("print one", "print 2") : text);
    await start();
    const again = await NotebookClient.open(server, path);
    expect(again.state.source.cells.map((cell) => cell.id)).toEqual(["a", "b"]);
    expect(written ? ["print 2"] : ["print one", "print 1", "print 2"]).toContain(sourceOf(again, "a"));
    await server.close();
  }
  await start();
});

it("makes a point of the history of what came of running all, once as long as nothing is new", async () => {
  const client = await NotebookClient.open(server, path);
  const points = async () => {
    const { points } = (await (await server.fetch(`/api/ts/history?path=${path}`)).json()) as HistoryView;
    return points.map(({ why, name, changed }) => [why, name?.replace(/ in [\d.]+ s/, ""), changed]).reverse();
  };
  const all = async () => {
    await client.do({ do: "run-all", promote: false });
    await client.until(() => Object.values(client.state.cells).every((cell) => cell.status === "idle" && cell.result !== null));
  };
  await all();
  const first = [
    ["run", undefined, 0],
    ["run", "2 cells ran", 0],
  ];
  expect(await points()).toEqual(first);
  await all();
  expect(await points()).toEqual(first);
  await edit(client, "b", "fail");
  await all();
  expect((await points()).slice(-2)).toEqual([
    ["run", undefined, 1],
    ["run", "2 cells ran, 1 failed", 0],
  ]);
});
