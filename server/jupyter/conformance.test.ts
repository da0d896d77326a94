/** The conformance list of Jupyter kernels over our WebSocket, by the client that JupyterLab itself uses. */
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  KernelManager,
  KernelMessage,
  KernelSpecManager,
  ServerConnection,
  SessionManager,
  type Kernel,
  type KernelConnection,
} from "@jupyterlab/services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";
import { decode, encode, v1 } from "./framing.js";

let root: string;
let server: RunningServer;
let settings: ServerConnection.ISettings;
let kernels: KernelManager;
let kernel: Kernel.IKernelConnection;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-jupyter-"));
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit: 1.5 * 2 ** 30, serving: noServing });
  settings = ServerConnection.makeSettings({
    baseUrl: `${server.url}/`,
    wsUrl: `${server.url.replace("http", "ws")}/`,
    token: server.token,
    appendToken: true,
  });
  kernels = new KernelManager({ serverSettings: settings });
  await kernels.ready;
  kernel = await kernels.startNew({ name: "touchstone" });
});
afterAll(async () => {
  kernels?.dispose();
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

type Content = KernelMessage.IExecuteRequestMsg["content"];
interface Ran {
  reply: KernelMessage.IExecuteReplyMsg["content"];
  iopub: { type: string; content: Record<string, unknown>; parent: unknown }[];
  request: string;
}
async function run(code: string, options: Partial<Content> = {}, on: Kernel.IKernelConnection = kernel): Promise<Ran> {
  const future = on.requestExecute({ code, ...options });
  const iopub: Ran["iopub"] = [];
  future.onIOPub = ({ header, content, parent_header }) =>
    void iopub.push({ type: header.msg_type, content: content as Record<string, unknown>, parent: (parent_header as { msg_id?: string }).msg_id });
  const { content } = await future.done;
  return { reply: content, iopub, request: future.msg.header.msg_id };
}
const types = (ran: Ran) => ran.iopub.map(({ type, content }) => (type === "status" ? content["execution_state"] : type));
const first = (ran: Ran, type: string) => ran.iopub.find((message) => message.type === type)?.content;
const text = (ran: Ran) => (first(ran, "execute_result")?.["data"] as Record<string, string> | undefined)?.["text/plain"];
const streams = (ran: Ran, name: string) => ran.iopub.map(({ content }) => (content["name"] === name ? content["text"] : "")).join("");

describe("basic", () => {
  it("execute: input, result and reply between busy and idle, all with the request as parent", async () => {
    const ran = await run("const a = 20\na + 1");
    expect(types(ran)).toEqual(["busy", "execute_input", "execute_result", "idle"]);
    expect(first(ran, "execute_input")).toMatchObject({ code: "const a = 20\na + 1", execution_count: expect.any(Number) });
    expect(ran.reply).toMatchObject({ status: "ok", user_expressions: {}, payload: [] });
    expect(text(ran)).toBe("21");
    expect(new Set(ran.iopub.map(({ parent }) => parent))).toEqual(new Set([ran.request]));
  });
  it("stdout and stderr", async () => {
    const ran = await run("console.log('out'); console.error('err')");
    expect([streams(ran, "stdout"), streams(ran, "stderr")]).toEqual(["out\n", "err\n"]);
  });
  it("kernel_info", async () => {
    const { content } = await kernel.requestKernelInfo().then((reply) => reply as KernelMessage.IInfoReplyMsg);
    expect(content).toMatchObject({ status: "ok", protocol_version: "5.4", language_info: { name: "typescript", file_extension: ".ts" } });
    expect((await new KernelSpecManager({ serverSettings: settings }).ready.then(() => kernel.spec))?.language).toBe("typescript");
  });
  it("a shutdown by message is answered, and the kernel is gone", async () => {
    const other = await kernels.startNew({ name: "touchstone" });
    await run("1", {}, other);
    const message = encode("default", {
      channel: "control",
      header: { msg_id: "m", msg_type: "shutdown_request", session: "s", username: "u" },
      parent_header: {},
      metadata: {},
      content: { restart: false },
      buffers: [],
    });
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/kernels/${other.id}/channels?token=${server.token}`);
    const reply = await new Promise<string>((resolve) => {
      socket.on("open", () => socket.send(message));
      socket.on("message", (data) => String(data).includes("shutdown_reply") && resolve(String(data)));
    });
    expect(JSON.parse(reply)).toMatchObject({ channel: "control", content: { status: "ok", restart: false }, parent_header: { msg_id: "m" } });
    await new Promise((resolve) => socket.once("close", resolve));
    expect((await server.fetch(`/api/kernels/${other.id}`)).status).toBe(404);
    other.dispose();
  });
});

describe("interactive", () => {
  it("complete: names and properties, in code points", async () => {
    await run("const shelf = { books: [1], open() {} }");
    const { content } = (await kernel.requestComplete({ code: "'😀'; shelf.bo", cursor_pos: 13 })) as {
      content: KernelMessage.ICompleteReplyMsg["content"] & { matches: string[] };
    };
    expect(content).toMatchObject({ status: "ok", matches: ["books"], cursor_start: 11, cursor_end: 13 });
    const names = (await kernel.requestComplete({ code: "she", cursor_pos: 3 })).content as { matches: string[] };
    expect(names.matches).toContain("shelf");
  });
  it("inspect", async () => {
    await run("function area(r: number) { return r * r }");
    const { content } = await kernel.requestInspect({ code: "area(2)", cursor_pos: 2, detail_level: 0 });
    expect(content).toMatchObject({ status: "ok", found: true, data: { "text/plain": expect.stringContaining("area: function") } });
    expect((await kernel.requestInspect({ code: "nowhere", cursor_pos: 2, detail_level: 0 })).content).toMatchObject({ found: false });
  });
  it("history", async () => {
    await run("'remember me'");
    const { content } = (await kernel.requestHistory({ output: false, raw: true, hist_access_type: "tail", n: 1 })) as KernelMessage.IHistoryReplyMsg;
    expect((content as unknown as { history: unknown[][] }).history[0]![2]).toBe("'remember me'");
  });
  it("history with outputs: the text of what each request ended with, of this session and the one before", async () => {
    const own = await kernels.startNew({ name: "touchstone" });
    const history = async (content: object) => {
      const asked = { output: true, raw: true, ...content } as Parameters<typeof own.requestHistory>[0];
      return ((await own.requestHistory(asked)).content as unknown as { history: unknown[][] }).history;
    };
    await run("const n = 6", {}, own);
    await run("console.log('printed'); n * 7", {}, own);
    await run("'silent'", { silent: true }, own);
    await run("'not kept'", { store_history: false }, own);
    await run("throw new Error('no')", {}, own);
    await run("await sql`select 1 as x`", { user_expressions: { other: "n" } }, own);
    expect(await history({ hist_access_type: "tail", n: 10 })).toEqual([
      [1, 1, ["const n = 6", null]],
      [1, 2, ["console.log('printed'); n * 7", "42"]],
      [1, 3, ["throw new Error('no')", null]],
      [1, 4, ["await sql`select 1 as x`", "x\n1"]],
    ]);
    expect(await history({ hist_access_type: "search", pattern: "*n * 7" })).toEqual([[1, 2, ["console.log('printed'); n * 7", "42"]]]);
    await own.restart();
    await run("'again'", {}, own);
    expect(await history({ hist_access_type: "range", session: 0, start: 1, stop: 9 })).toEqual([[2, 1, ["'again'", "again"]]]);
    expect(await history({ hist_access_type: "range", session: -1, start: 2, stop: 3, output: false })).toEqual([
      [1, 2, "console.log('printed'); n * 7"],
    ]);
    await own.shutdown();
  });
  it.each([
    ["1 + 1", { status: "complete" }],
    ["function f() {", { status: "incomplete", indent: "  " }],
    ["const t = `a", { status: "incomplete", indent: "" }],
    ["[1,\n  2,", { status: "incomplete", indent: "  " }],
    ["const 1 = 2", { status: "invalid" }],
    ["a b c", { status: "invalid" }],
  ])("is_complete: %j", async (code, expected) => {
    expect((await kernel.requestIsComplete({ code })).content).toEqual(expected);
  });
  it("comm_info, and a comm to an unknown target is closed", async () => {
    expect((await kernel.requestCommInfo({})).content).toEqual({ status: "ok", comms: {} });
    const comm = kernel.createComm("nobody");
    const closed = new Promise<string>((resolve) => (comm.onClose = (message) => resolve(message.content.comm_id)));
    await comm.open({ x: 1 }).done;
    expect(await closed).toBe(comm.commId);
  });
  it("comms: opened by either side, messages and buffers both ways, listed, closed", async () => {
    const registered = await run(`cell.comm.register("echo", (comm, data) => {
      comm.send({ hello: data })
      comm.onMessage((sent, buffers) => {
        if (sent === "bye") comm.close({ left: true })
        else comm.send({ got: sent }, buffers.map((bytes) => bytes.map((byte) => byte + 1)))
      })
      comm.onClose((why) => console.log("closed by client", why))
    })`);
    expect(registered.reply.status).toBe("ok");
    const comm = kernel.createComm("echo");
    const heard: { data: unknown; buffers: number[][] }[] = [];
    const bytes = (one: ArrayBuffer | ArrayBufferView) => [
      ...(ArrayBuffer.isView(one) ? new Uint8Array(one.buffer, one.byteOffset, one.byteLength) : new Uint8Array(one)),
    ];
    comm.onMsg = ({ content, buffers = [] }) => void heard.push({ data: content.data, buffers: buffers.map(bytes) });
    const opening = comm.open({ x: 1 });
    const parents: unknown[] = [];
    opening.onIOPub = ({ header, parent_header }) =>
      void parents.push([header.msg_type, (parent_header as { msg_id: string }).msg_id === opening.msg.header.msg_id]);
    await opening.done;
    expect(heard).toEqual([{ data: { hello: { x: 1 } }, buffers: [] }]);
    expect(parents).toEqual([
      ["status", true],
      ["comm_msg", true],
      ["status", true],
    ]);
    await comm.send({ n: 2 }, undefined, [new Uint8Array([1, 2, 3]).buffer]).done;
    expect(heard[1]).toEqual({ data: { got: { n: 2 } }, buffers: [[2, 3, 4]] });
    const listed = { status: "ok", comms: { [comm.commId]: { target_name: "echo" } } };
    expect((await kernel.requestCommInfo({})).content).toEqual(listed);
    expect((await kernel.requestCommInfo({ target_name: "other" })).content).toEqual({ status: "ok", comms: {} });
    const closed = new Promise<unknown>((resolve) => (comm.onClose = ({ content }) => resolve(content.data)));
    await comm.send("bye").done;
    expect(await closed).toEqual({ left: true });
    expect((await kernel.requestCommInfo({})).content).toEqual({ status: "ok", comms: {} });

    // the kernel opens one to a target of the client, which closes it
    const opened = new Promise<{ comm: Kernel.IComm; data: unknown }>((resolve) =>
      kernel.registerCommTarget("view", (made, { content }) => resolve({ comm: made, data: content.data })),
    );
    await run(`const view = cell.comm.open("view", { rows: 3 })\nlet ended = "open"\nview.onClose(() => (ended = "closed"))`);
    const { comm: made, data } = await opened;
    expect(data).toEqual({ rows: 3 });
    await made.close({}).done;
    expect(text(await run("ended"))).toBe("closed");
    expect((await run("view.send(1)")).reply).toMatchObject({ status: "error", evalue: "This comm is closed." });
    // a handler that throws is told, and the kernel goes on
    await run(`cell.comm.register("bad", () => { throw new Error("no widget") })`);
    const failing = kernel.createComm("bad");
    const said = new Promise<string>((resolve) =>
      kernel.iopubMessage.connect((_, { header, content }) => void (header.msg_type === "error" && resolve((content as { evalue: string }).evalue))),
    );
    await failing.open({}).done;
    expect(await said).toBe("no widget");
    expect(text(await run("1 + 1"))).toBe("2");
  });
  it("errors: name, value, traceback with the line, and what waits is aborted", async () => {
    const [failed, aborted] = await Promise.all([run("const fine = 1\nnull.x", { stop_on_error: true }), run("'never'", { stop_on_error: true })]);
    expect(failed.reply).toMatchObject({
      status: "error",
      ename: "TypeError",
      evalue: expect.stringContaining("null"),
      traceback: expect.any(Array),
    });
    expect((failed.reply as { traceback: string[] }).traceback.join("\n")).toMatch(/TypeError[^]*line 2[^]*: null\.x[^]*In \[\d+\]:2:/);
    expect(first(failed, "error")).toMatchObject({ ename: "TypeError" });
    expect(aborted.reply.status).toBe("aborted");
    expect(types(aborted)).toEqual(["busy", "idle"]);
  });
});

describe("rich", () => {
  it("display_data, update_display_data by its id, clear_output", async () => {
    const shown = await run("display('one', { id: 'p' }); display('two', { id: 'p' }); cell.clear({ wait: true }); display(3)");
    expect(types(shown).slice(2, -1)).toEqual(["display_data", "update_display_data", "clear_output", "display_data"]);
    expect(first(shown, "display_data")).toMatchObject({ data: { "text/plain": "one" }, transient: { display_id: "p" } });
    expect(first(shown, "clear_output")).toEqual({ wait: true });
    // the client hands it to the outputs that showed the id
    const heard: unknown[] = [];
    const note = (_: unknown, message: KernelMessage.IIOPubMessage) =>
      void (message.header.msg_type === "update_display_data" && heard.push(message.content));
    kernel.iopubMessage.connect(note);
    await run("display('later', { id: 'p', update: true })");
    kernel.iopubMessage.disconnect(note);
    expect(heard).toMatchObject([{ data: { "text/plain": "later" }, transient: { display_id: "p" } }]);
  });
  it("rich results: tables are HTML, figures Plotly, all have text", async () => {
    expect(first(await run("sql`select 42 as answer`"), "execute_result")!["data"]).toMatchObject({
      "text/html": expect.stringContaining("<td>42</td>"),
      "text/plain": expect.stringContaining("answer"),
    });
    expect(first(await run("({ data: [{ type: 'bar', y: [1] }], layout: {} })"), "execute_result")!["data"]).toMatchObject({
      "application/vnd.plotly.v1+json": { data: [{ type: "bar", y: [1] }], layout: {} },
      "text/plain": "figure, 1 trace",
    });
    expect(first(await run("html`<b>x</b>`"), "execute_result")!["data"]).toEqual({ "text/html": "<b>x</b>", "text/plain": "x" });
  });
  it("silent, store_history and user_expressions", async () => {
    const before = (await run("0")).reply.execution_count!;
    const silent = await run("console.log('s'); 5", { silent: true });
    expect(types(silent)).toEqual(["busy", "stream", "idle"]);
    const counted = await run("const ue = 2", { user_expressions: { twice: "ue * 2", bad: "nope" } });
    expect(counted.reply).toMatchObject({
      execution_count: before + 1,
      user_expressions: { twice: { status: "ok", data: { "text/plain": "4" } }, bad: { status: "error", ename: "ReferenceError" } },
    });
  });
});

describe("advanced", () => {
  it("counts", async () => {
    const one = (await run("1")).reply.execution_count!;
    expect((await run("2")).reply.execution_count).toBe(one + 1);
  });
  it("interrupt by REST ends a loop, and the variables stay", async () => {
    await run("let kept = 'kept'");
    const future = kernel.requestExecute({ code: "console.log('in'); for (;;) {}" });
    const seen = new Promise<void>((resolve) => (future.onIOPub = ({ header }) => void (header.msg_type === "stream" && resolve())));
    await seen;
    // asked beside it, answered at once: there is nothing to know
    expect((await kernel.requestComplete({ code: "kep", cursor_pos: 3 })).content).toMatchObject({ status: "ok", matches: [] });
    expect(kernel.status).toBe("busy");
    await kernel.interrupt();
    expect((await future.done).content).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(text(await run("kept"))).toBe("kept");
  });
  it("interrupt_request on the control channel ends a loop", async () => {
    await run("let held = 'held'");
    const future = kernel.requestExecute({ code: "console.log('in'); for (;;) {}" });
    const iopub: string[] = [];
    const seen = new Promise<void>(
      (resolve) =>
        (future.onIOPub = ({ header, content }) => {
          iopub.push(header.msg_type);
          if (header.msg_type === "stream" && (content as { text: string }).text === "in\n") resolve();
        }),
    );
    await seen;
    const asked = KernelMessage.createMessage<KernelMessage.IInterruptRequestMsg>({
      ...{ msgType: "interrupt_request", channel: "control", session: kernel.clientId, content: {} },
    });
    const reply = await (kernel as KernelConnection).sendControlMessage(asked, true).done;
    expect(reply).toMatchObject({
      channel: "control",
      header: { msg_type: "interrupt_reply" },
      content: { status: "ok" },
      parent_header: { msg_id: asked.header.msg_id },
    });
    expect((await future.done).content).toMatchObject({
      status: "error",
      ename: "Interrupted",
      evalue: expect.stringContaining("variables are kept"),
    });
    expect(iopub.slice(-2)).toEqual(["error", "status"]);
    expect(text(await run("held"))).toBe("held");
  });
  it("stdin", async () => {
    const future = kernel.requestExecute({ code: "`hello ${await prompt('name? ')}`", allow_stdin: true });
    future.onStdin = (message) => {
      const { content } = message as KernelMessage.IInputRequestMsg;
      expect(content).toEqual({ prompt: "name? ", password: false });
      kernel.sendInputReply({ status: "ok", value: "Ada" }, message.header as KernelMessage.IHeader<"input_request">);
    };
    let shown: unknown;
    future.onIOPub = ({ header, content }) => void (header.msg_type === "execute_result" && (shown = (content as { data: unknown }).data));
    await future.done;
    expect(shown).toEqual({ "text/plain": "hello Ada" });
    expect((await run("await prompt('x')", { allow_stdin: false })).reply).toMatchObject({
      status: "error",
      evalue: expect.stringContaining("nobody to ask"),
    });
  });
  it("restart keeps the id, changes the session and forgets the names", async () => {
    const sessionOf = async () => (await kernel.requestKernelInfo())!.header.session;
    const { id } = kernel;
    const before = await sessionOf();
    await run("const gone = 1");
    await kernel.restart();
    expect(kernel.id).toBe(id);
    expect(await sessionOf()).not.toBe(before);
    const ran = await run("typeof gone");
    expect([text(ran), ran.reply.execution_count]).toEqual(["undefined", 1]);
  });
  it("reconnects", async () => {
    await run("const before = 'still here'");
    await kernel.reconnect();
    expect(text(await run("before"))).toBe("still here");
  });
  it("death is said with its cause to all who listen", async () => {
    const other = await kernels.startNew({ name: "touchstone" });
    const said: string[] = [];
    other.iopubMessage.connect((_, { header, content }) => void (header.msg_type === "stream" && said.push((content as { text: string }).text)));
    const dead = new Promise<void>((resolve) => other.statusChanged.connect((_, status) => void (status === "dead" && resolve())));
    other.requestExecute({ code: "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})" }).done.catch(() => undefined);
    await dead;
    expect(said.join("")).toMatch(/killed from outside .signal 9/);
    expect(((await (await server.fetch(`/api/kernels/${other.id}`)).json()) as { execution_state: string }).execution_state).toBe("dead");
  });
});

it("speaks v1 in binary", async () => {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/kernels/${kernel.id}/channels?token=${server.token}`, [v1]);
  await new Promise((resolve) => socket.once("open", resolve));
  expect(socket.protocol).toBe(v1);
  socket.send(
    encode(v1, {
      channel: "shell",
      header: { msg_id: "k", msg_type: "kernel_info_request", session: "s", username: "u" },
      parent_header: {},
      metadata: {},
      content: {},
      buffers: [],
    }),
  );
  const heard = await new Promise<Buffer>((resolve) => socket.once("message", (data) => resolve(data as Buffer)));
  expect(new TextDecoder().decode(heard)).toContain('"execution_state":"busy"');
  socket.send("hello");
  expect(await new Promise((resolve) => socket.once("close", resolve))).toBe(1007);
  expect(() => decode(v1, "x")).toThrow();
});

it("a session on a notebook sees its variables, and the notebook none of the console's", async () => {
  writeFileSync(join(root, "workspaces/w/n.nb.ts"), '// %% id="first"\nconst rate = 0.5\n');
  const client = await NotebookClient.open(server, "workspaces/w/n.nb.ts");
  await client.run("first");
  const sessions = new SessionManager({ serverSettings: settings, kernelManager: kernels });
  await sessions.ready;
  const session = await sessions.startNew({ path: "workspaces/w/n.nb.ts", name: "n", type: "notebook", kernel: { name: "touchstone" } });
  expect(text(await run("const mine = rate * 4\nmine", {}, session.kernel!))).toBe("2");
  await client.add("other", "console.log(typeof mine)");
  await client.run("other");
  expect(client.state.outputs["other"]).toMatchObject([{ text: "undefined\n" }]);
  await session.shutdown();
  // its page is open: the kernel stays
  expect(client.state.kernel.state).toBe("idle");
  sessions.dispose();
  client.close();
});

it("a cell's comms close with its next run, and a stop reaches a handler that does not end", async () => {
  writeFileSync(
    join(root, "workspaces/w/comms.nb.ts"),
    `// %% id="c"\ncell.comm.register("cell", (comm) => comm.onMessage((what) => { if (what === "spin") { comm.send("in"); for (;;); } }))\n`,
  );
  const client = await NotebookClient.open(server, "workspaces/w/comms.nb.ts");
  await client.run("c");
  const sessions = new SessionManager({ serverSettings: settings, kernelManager: kernels });
  await sessions.ready;
  const session = await sessions.startNew({ path: "workspaces/w/comms.nb.ts", name: "n", type: "notebook", kernel: { name: "touchstone" } });
  const own = session.kernel!;
  const open = async () => {
    const comm = own.createComm("cell");
    const closed = new Promise<string>((resolve) => (comm.onClose = ({ content }) => resolve(content.comm_id)));
    await comm.open({}).done;
    return { comm, closed };
  };
  const one = await open();
  expect((await own.requestCommInfo({ target_name: "cell" })).content).toMatchObject({ comms: { [one.comm.commId]: { target_name: "cell" } } });
  await client.do({ do: "run", cells: ["c"] });
  expect(await one.closed).toBe(one.comm.commId);
  expect((await own.requestCommInfo({})).content).toEqual({ status: "ok", comms: {} });
  await client.until(() => client.state.cells["c"]?.status === "idle");
  const two = await open();
  const within = new Promise<void>((resolve) => (two.comm.onMsg = () => resolve()));
  const spinning = two.comm.send("spin").done;
  await within;
  await own.interrupt();
  await spinning;
  await client.until(() => JSON.stringify(client.state.outputs["c"] ?? []).includes("did not end and was stopped"));
  expect(text(await run("1 + 1", {}, own))).toBe("2");
  await session.shutdown();
  sessions.dispose();
  client.close();
});

/** The whole list of kernel-testbed, item by item. Heartbeat and iopub_welcome exist on ZMQ alone. */
const list: [string, string][] = [
  ["execute_input_broadcast", "execute: input, result and reply between busy and idle"],
  ["execute_reply_ok", "execute: input, result and reply between busy and idle"],
  ["stdout_capture", "stdout and stderr"],
  ["stderr_capture", "stdout and stderr"],
  ["kernel_info valid, language, protocol", 'it("kernel_info"'],
  ["shutdown_reply", "a shutdown by message is answered"],
  ["status busy/idle lifecycle", "execute: input, result and reply between busy and idle"],
  ["complete", "complete: names and properties"],
  ["inspect", 'it("inspect"'],
  ["history", 'it("history"'],
  ["is_complete complete, incomplete", "is_complete: %j"],
  ["comm_info", "comm_info, and a comm to an unknown target is closed"],
  ["error_handling", "errors: name, value, traceback with the line"],
  ["display_data", "display_data, update_display_data by its id"],
  ["update_display_data", "display_data, update_display_data by its id"],
  ["execute_result", "execute: input, result and reply between busy and idle"],
  ["rich result", "rich results: tables are HTML"],
  ["comms_lifecycle", "comms: opened by either side"],
  ["execution_count_increments", 'it("counts"'],
  ["interrupt_request", "interrupt_request on the control channel"],
  ["parent_header_correlation", "all with the request as parent"],
  ["stdin input_request", 'it("stdin"'],
];
it.each(list)("the list: %s", (_, test) => {
  const text = readFileSync(import.meta.filename, "utf8");
  expect(text.slice(0, text.indexOf("const list:"))).toContain(test);
});
