/** The script that the README shows, against a real server with a real kernel. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { packageRoot } from "../../kernels/paths/paths.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

const path = "workspaces/demo/a.nb.ts";
let server: RunningServer;
beforeAll(async () => {
  const cells = { one: "const one = 41", sum: 'console.log("counting")\none + 1', bad: "nowhere" };
  const text = Object.entries(cells).map(([id, source]) => `// %% id="${id}"\n${source}\n`);
  server = await startServer({ files: { [path]: text.join("\n"), "workspaces/demo/package.json": "{}" }, serving: noServing });
});
afterAll(() => server?.close());

function script(
  cell: string,
  token = server.token,
  more: string[] = [],
  url = server.url,
): Promise<{ code: number | null; out: string; errors: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(packageRoot(), "docs/script-client.mjs"), url, token, path, cell, ...more]);
    let out = "";
    let errors = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    child.on("close", (code) => resolve({ code, out, errors }));
  });
}

it("runs a cell with its inputs and prints the result, while another client sees it", async () => {
  const client = await NotebookClient.open(server, path);
  // the page does not write: the script may run
  await client.until(() => client.state.writer !== null);
  client.close();
  await new Promise<void>((resolve) => client.socket.once("close", resolve));
  expect(await script("sum")).toEqual({ code: 0, out: "counting\n42\n", errors: "" });
  const after = await NotebookClient.open(server, path);
  expect(after.state.cells["sum"]).toMatchObject({ result: "ok", status: "idle" });
  expect(after.state.cells["one"]!.result).toBe("ok");
  // a person who writes is not pushed aside
  expect(await script("sum")).toMatchObject({ code: 2, errors: expect.stringMatching(/not-writer: test is writing/) });
  after.close();
});

it("says what is wrong: the cell fails, there is none, the token is another", async () => {
  expect(await script("bad")).toMatchObject({ code: 1, errors: expect.stringMatching(/ReferenceError: nowhere/) });
  expect(await script("none")).toMatchObject({ code: 2, errors: expect.stringMatching(/no cell none .* it has one, sum, bad/) });
  expect((await script("sum", "wrong")).code).toBe(2);
});

it("gives a cell a new text, which is in the file when it ends", async () => {
  expect(await script("one", server.token, ["const one = 100"])).toMatchObject({ code: 0, errors: "" });
  expect(readFileSync(join(server.root, path), "utf8")).toContain("const one = 100\n");
  expect(await script("sum")).toEqual({ code: 0, out: "counting\n101\n", errors: "" });
});

/** A server that answers by hand: each connection is one scene. */
async function scenes(...plays: ((hear: (message: Record<string, unknown>) => void, heard: Heard[], end: () => void) => (message: Heard) => void)[]) {
  const heard: Heard[][] = [];
  const fake = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise<void>((resolve) => fake.once("listening", resolve));
  fake.on("connection", (socket) => {
    const own: Heard[] = [];
    const play = plays[heard.push(own) - 1]?.(
      (message) => socket.send(JSON.stringify(message)),
      own,
      () => socket.terminate(),
    );
    socket.on("message", (data) => {
      const message = JSON.parse((data as Buffer).toString()) as Heard;
      own.push(message);
      play?.(message);
    });
  });
  return { heard, url: `http://127.0.0.1:${(fake.address() as AddressInfo).port}`, close: () => fake.close() };
}
interface Heard {
  type: string;
  id: number;
  rev: number;
  command?: { do: string; token?: string };
}
const snapshot = (epoch: string, source: string, applied: string | null, rev: number) => ({
  type: "snapshot",
  applied,
  state: {
    epoch,
    rev,
    source: { cells: [{ id: "one", kind: "code", source, options: {} }] },
    cells: { one: { run: null, status: "idle", result: "none" } },
    outputs: {},
  },
});
const done = { type: "events", events: [{ type: "cells", cells: { one: { run: "r1", status: "idle", result: "ok" } } }] };

it("sends again what a killed server had answered but not kept, under the same token; what was kept is not sent twice", async () => {
  let token = "";
  const stage = await scenes(
    // it answers the change and is killed before that is on the disk
    (say, _heard, end) => (message) => {
      if (message.type === "hello") say(snapshot("e1", "old", null, 5));
      if (message.command?.do === "ops") {
        token = message.command.token!;
        say({ type: "reply", id: message.id, ok: true });
      }
      if (message.command?.do === "flush") end();
    },
    // back without it: the change comes again, is kept, and the answer to the flush is lost
    (say, _heard, end) => (message) => {
      if (message.type === "hello") say(snapshot("e2", "old", null, 3));
      if (message.command?.do === "ops") say({ type: "reply", id: message.id, ok: true });
      if (message.command?.do === "flush") end();
    },
    // back with it
    (say) => (message) => {
      if (message.type === "hello") say(snapshot("e3", "new", token, 9));
      if (message.command !== undefined) say({ type: "reply", id: message.id, ok: true });
      if (message.command?.do === "run") say(done);
    },
  );
  expect(await script("one", "t", ["new"], stage.url)).toMatchObject({ code: 0, errors: "" });
  const commands = stage.heard.map((scene) => scene.flatMap(({ rev, command }) => (command === undefined ? [] : `${rev} ${command.do}`)));
  expect(commands).toEqual([
    ["5 ops", "5 flush"],
    ["3 ops", "3 flush"],
    ["9 flush", "9 run"],
  ]);
  expect(stage.heard[1]!.find(({ command }) => command?.do === "ops")!.command!.token).toBe(token);
  stage.close();
});

it("makes its change for the newer state when it is refused as stale, and says when a run was lost", async () => {
  const stage = await scenes(
    (say) => (message) => {
      if (message.type === "hello") say(snapshot("e1", "old", null, 1));
      if (message.command?.do === "ops") say({ type: "reply", id: message.id, ok: false, error: { code: "stale", message: "newer", rev: 2 } });
    },
    (say, _heard, end) => (message) => {
      if (message.type === "hello") say(snapshot("e1", "older still", null, 2));
      if (message.command?.do === "run") end();
      else if (message.command !== undefined) say({ type: "reply", id: message.id, ok: true });
    },
    (say) => (message) => {
      if (message.type === "hello") say(snapshot("e2", "new", null, 2));
    },
  );
  expect(await script("one", "t", ["new"], stage.url)).toMatchObject({
    code: 2,
    errors: expect.stringContaining("started again while the cell ran"),
  });
  expect(stage.heard[1]!.map(({ rev, command }) => (command === undefined ? "" : `${rev} ${command.do}`))).toEqual(["", "2 ops", "2 flush", "2 run"]);
  stage.close();
});
