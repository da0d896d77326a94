/** Two pages and a script on one notebook, over real WebSockets that break: all see the same operations and events in the same order. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import WebSocket from "ws";
import type { NotebookEvent } from "../../kernels/protocol/document.js";
import { parseNotebook } from "../../kernels/notebook/parse.js";
import { fakeKernels } from "../../test/support/fake-kernel.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { Dice } from "../../test/support/soak-edits.js";
import { noServing } from "../../test/support/serving.js";
import { NotebookSession, type SessionSocket } from "../../web/controllers/session.js";

const path = "workspaces/demo/a.nb.ts";
let root: string;
let server: RunningServer;
const pages: Page[] = [];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-clients-"));
  const files = { [path]: `// %% id="a"\nprint one\n\n// %% id="b"\nprint two\n`, "workspaces/demo/package.json": "{}" };
  server = await startServer({ root, files, takeKernel: fakeKernels().take, quiet: 50, sync: 5, serving: noServing });
});
afterEach(async () => {
  for (const page of pages.splice(0)) page.session.close();
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

/** A page's own connection: its model of the document, over a WebSocket. */
class Page {
  readonly session: NotebookSession;
  readonly events: NotebookEvent[] = [];
  readonly notices: string[] = [];
  snapshots = 0;
  #socket: WebSocket | null = null;
  #waiting = new Set<() => void>();

  constructor(client: string) {
    this.session = new NotebookSession({
      ...{ path, client, name: client },
      connect: () => this.#connect(),
      onChange: () => this.#waiting.forEach((look) => look()),
      onNotice: ({ text }) => this.notices.push(text),
      onEvent: (event) => this.events.push(event),
    });
    pages.push(this);
    this.session.open();
  }
  #connect(): SessionSocket {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ts/notebook?path=${path}`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    this.#socket = socket;
    const page: SessionSocket = {
      send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
      close: () => socket.terminate(),
      ...{ onopen: null, onmessage: null, onclose: null },
    };
    socket.on("open", () => page.onopen?.());
    socket.on("message", (data: Buffer) => {
      const text = data.toString();
      if (text.startsWith('{"type":"snapshot"')) this.snapshots++;
      page.onmessage?.({ data: text });
    });
    socket.on("close", (code, reason) => page.onclose?.({ code, reason: reason.toString() }));
    socket.on("error", () => {});
    return page;
  }
  /** the network is gone, without a word */
  cut(): void {
    this.#socket?.terminate();
  }
  until(fits: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!fits()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
  get ready(): boolean {
    return this.session.link === "open" && this.session.doc !== null && !this.session.unsent;
  }
  get text(): string {
    return (this.session.doc?.source.cells ?? []).map((cell) => `${cell.id}=${cell.source}`).join("|");
  }
  type(id: string, insert: string): void {
    this.session.edit([{ op: "edit", id, at: 0, remove: 0, insert }]);
  }
}

it("two pages and a script see the same order of operations and events, over connections that break at random", async () => {
  const dice = new Dice(7);
  const [one, two] = [new Page("one"), new Page("two")];
  await Promise.all([one.until(() => one.ready), two.until(() => two.ready)]);
  const script = await NotebookClient.open(server, path, "script");
  const from = script.state.seq;
  const said: NotebookEvent[] = [];
  server.server.sessions.get(path)!.listen((event) => said.push(event));
  const typed: string[] = [];
  for (let i = 0; i < 120; i++) {
    const page = dice.pick([one, two])!;
    if (dice.likely(0.25)) page.cut();
    if (!page.session.writing && page.session.link === "open" && dice.likely(0.5)) await page.session.command({ do: "write" }).catch(() => {});
    if (page.session.writing && page.session.doc !== null) {
      const word = `w${i};`;
      page.type(dice.pick(["a", "b"])!, word);
      typed.push(word);
    }
    if (dice.likely(0.1) && script.state.writer === null) await script.ask({ do: "run", cells: ["a"] });
    // the network's turn
    await new Promise((resolve) => setImmediate(resolve));
  }
  const rest = () =>
    Promise.all(
      [one, two].map((page) =>
        page.until(() => page.session.link === "open" && page.session.doc!.inflight.length + page.session.doc!.waiting.length === 0),
      ),
    );
  await rest();
  const last = () => server.server.sessions.get(path)!.state.seq;
  await Promise.all([one, two].map((page) => page.until(() => page.session.state!.seq === last())));
  await script.until(() => script.state.seq === last());
  const { state } = server.server.sessions.get(path)!;
  // what each saw of the log is the log
  const log = new Map(said.map((event) => [event.seq, event]));
  expect(script.events.filter((event) => event.seq > from)).toEqual(said);
  for (const page of [one, two]) {
    expect(page.events.map((event) => event.seq)).toEqual([...page.events.map((event) => event.seq)].sort((a, b) => a - b));
    for (const event of page.events) if (log.has(event.seq)) expect(event).toEqual(log.get(event.seq));
    // each came back from its cursor: one snapshot, the first, and no event missing
    expect(page.snapshots).toBe(1);
    expect(page.events.filter((event) => log.has(event.seq))).toEqual(said);
    expect(page.session.state).toEqual(state);
    expect(page.session.doc!.source).toEqual(state.source);
  }
  expect(script.state).toEqual(state);
  // every word is there once: in the document, or offered back to the page whose turn it was no longer
  const shown = one.text;
  const aside = [one, two].flatMap((page) => page.session.doc!.aside.map(({ text }) => text)).join("|");
  for (const word of typed) expect([word, shown.split(word).length - 1 === 1 || aside.includes(word)]).toEqual([word, true]);
  expect(typed.length).toBeGreaterThan(40);
  await script.do({ do: "flush" });
  expect(parseNotebook(readFileSync(join(root, path), "utf8")).source).toEqual(state.source);
  script.close();
});

it("one that joins late, or was away, catches up from its cursor", async () => {
  const one = new Page("one");
  await one.until(() => one.ready);
  const away = new Page("away");
  await away.until(() => away.ready);
  // away while much happens
  away.cut();
  await away.until(() => away.session.link === "lost");
  for (let i = 0; i < 30; i++) one.type("a", `${i} `);
  await one.until(() => one.ready);
  await one.session.command({ do: "run", cells: ["b"] });
  await one.until(() => one.session.state!.cells["b"]!.result === "ok");
  const late = new Page("late");
  away.session.retryNow();
  for (const page of [away, late]) await page.until(() => page.ready && page.session.state!.seq === one.session.state!.seq);
  expect([away.snapshots, late.snapshots]).toEqual([1, 1]);
  expect(away.session.back).toMatchObject({ results: 1, epochChanged: false });
  for (const page of [away, late]) expect(page.session.state).toEqual(one.session.state);
});

it("writing is taken over with a press: the one before is told, keeps what it had typed, and may take it back", async () => {
  const [one, two] = [new Page("one"), new Page("two")];
  await one.until(() => one.ready && one.session.state!.writer?.client === "one");
  await two.until(() => two.ready);
  expect([one.session.writing, two.session.writing]).toEqual([true, false]);
  // a page that was cut types on; meanwhile the other takes over and changes the same place
  one.cut();
  await one.until(() => one.session.link === "lost");
  one.type("a", "first ");
  await two.session.command({ do: "write" });
  two.type("a", "second ");
  await two.until(() => two.ready && two.session.writing);
  one.session.retryNow();
  await one.until(() => one.session.link === "open" && one.session.doc!.aside.length === 1);
  expect(one.session.writing).toBe(false);
  expect(one.notices.join()).toMatch(/two is writing/);
  expect(one.text).toBe("a=second print one|b=print two");
  await one.session.command({ do: "write" });
  await one.until(() => one.session.writing);
  one.session.putBack(one.session.doc!.aside[0]!, "n");
  await one.until(() => one.ready);
  await two.until(() => two.text.includes("first "));
  expect(two.session.writing).toBe(false);
  expect(two.text).toMatch(/^a=(first second|second first) print one\|b=print two$/);
});

it("a command that carries an old revision is refused with the newer state on its way, and changes nothing", async () => {
  const one = new Page("one");
  await one.until(() => one.ready);
  const script = await NotebookClient.open(server, path, "script");
  await script.do({ do: "write" });
  const old = script.state.rev;
  await script.do({ do: "ops", ops: [{ op: "edit", id: "a", at: 0, remove: 0, insert: "new " }] });
  const newer = server.server.sessions.get(path)!.state;
  for (const command of [
    { do: "ops", ops: [{ op: "delete", id: "b" }] },
    { do: "run", cells: ["a"] },
    { do: "run-all" },
    { do: "rename", cell: "a", from: "x", to: "y" },
  ] as const) {
    const reply = await script.ask(command as never, old);
    expect([command.do, reply]).toMatchObject([command.do, { ok: false, error: { code: "stale", rev: newer.rev } }]);
  }
  // the newer operations are there before the refusal
  expect(script.state.source).toEqual(newer.source);
  expect(server.server.sessions.get(path)!.state.source).toEqual(newer.source);
  expect(newer.source.cells.map((cell) => cell.source)).toEqual(["new print one", "print two"]);
  script.close();
});
