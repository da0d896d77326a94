import { expect, it, vi } from "vitest";
import type { ClientMessage, NotebookState, ServerMessage } from "../../kernels/protocol/document.js";
import { NotebookSession, type Notice, type SessionSocket } from "./session.js";

const state = (more: Partial<NotebookState> = {}): NotebookState => ({
  epoch: "e1",
  seq: 5,
  path: "w/a.nb.ts",
  rev: 3,
  source: { front: {}, cells: [{ id: "c", kind: "code", source: "1", options: {} }] },
  broken: null,
  cells: {},
  outputs: {},
  more: {},
  outputsFrom: {},
  queue: [],
  clean: null,
  mode: "auto",
  kernel: { state: "idle", pid: 1, backend: null, memory: [], memoryLimit: 1, death: null, tensors: null },
  variables: [],
  badge: { state: "same" },
  language: { state: "off", problems: {} },
  writer: null,
  clients: [],
  held: null,
  savedAt: null,
  packages: null,
  questions: [],
  controls: {},
  reopened: null,
  ...more,
});

function start() {
  const sent: ClientMessage[] = [];
  const sockets: SessionSocket[] = [];
  const notices: Notice[] = [];
  const session = new NotebookSession({
    path: "w/a.nb.ts",
    client: "me",
    name: "Me",
    connect: () => {
      const socket: SessionSocket = {
        send: (text) => sent.push(JSON.parse(text) as ClientMessage),
        close() {},
        onopen: null,
        onmessage: null,
        onclose: null,
      };
      sockets.push(socket);
      return socket;
    },
    onChange() {},
    onNotice: (notice) => notices.push(notice),
  });
  const say = (message: ServerMessage) => sockets.at(-1)!.onmessage!({ data: JSON.stringify(message) });
  session.open();
  sockets[0]!.onopen!();
  say({ type: "snapshot", state: state(), applied: null });
  return { session, sent, sockets, notices, say };
}

it("sends an edit with the revision that it saw, again after a newer one, and shows the result once", () => {
  vi.useFakeTimers();
  const { session, sent, say } = start();
  session.edit([{ op: "edit", id: "c", at: 1, remove: 0, insert: "x" }]);
  vi.advanceTimersByTime(20);
  const first = sent.at(-1) as Extract<ClientMessage, { type: "command" }>;
  expect(first).toMatchObject({ type: "command", rev: 3, command: { do: "ops" } });
  say({ type: "reply", id: first.id, ok: false, error: { code: "stale", message: "older", rev: 4 } });
  say({ type: "events", events: [{ seq: 6, type: "ops", rev: 4, by: "other", ops: [{ op: "edit", id: "c", at: 0, remove: 0, insert: "2" }] }] });
  const second = sent.at(-1) as Extract<ClientMessage, { type: "command" }>;
  expect(second.rev).toBe(4);
  const ops = [{ op: "edit" as const, id: "c", at: 2, remove: 0, insert: "x" }];
  expect(second.command).toEqual({ do: "ops", ops, token: (first.command as { token: string }).token });
  say({ type: "events", events: [{ seq: 7, type: "ops", rev: 5, by: "me", ops, token: (first.command as { token: string }).token }] });
  expect(session.doc!.source.cells[0]!.source).toBe("21x");
  expect(session.doc!.inflight).toEqual([]);
  session.close();
  vi.useRealTimers();
});

it("shows once what was applied although the answer was lost", () => {
  vi.useFakeTimers();
  const { session, sent, sockets, say } = start();
  session.edit([{ op: "edit", id: "c", at: 1, remove: 0, insert: "x" }]);
  vi.advanceTimersByTime(20);
  const { command } = sent.at(-1) as Extract<ClientMessage, { type: "command" }>;
  const { ops, token } = command as Extract<typeof command, { do: "ops" }>;
  sockets[0]!.onclose!({ code: 1006, reason: "" });
  session.edit([{ op: "edit", id: "c", at: 2, remove: 0, insert: "y" }]);
  vi.advanceTimersByTime(300);
  sockets[1]!.onopen!();
  say({ type: "events", events: [{ seq: 6, type: "ops", rev: 4, by: "me", ops, token: token! }] });
  expect(session.doc!.source.cells[0]!.source).toBe("1xy");
  expect(sent.at(-1)).toMatchObject({ rev: 4, command: { ops: [{ at: 2, insert: "y" }] } });
  session.close();
  vi.useRealTimers();
});

it("sends again, under the same name, what was lost with the connection", () => {
  vi.useFakeTimers();
  const { session, sent, sockets, say } = start();
  session.edit([{ op: "edit", id: "c", at: 1, remove: 0, insert: "x" }]);
  vi.advanceTimersByTime(20);
  const { command } = sent.at(-1) as Extract<ClientMessage, { type: "command" }>;
  sockets[0]!.onclose!({ code: 1006, reason: "" });
  vi.advanceTimersByTime(300);
  sockets[1]!.onopen!();
  say({ type: "events", events: [] });
  expect((sent.at(-1) as { command: unknown }).command).toEqual(command);
  session.close();
  vi.useRealTimers();
});

it("puts aside what was typed while another took over, and puts it back when asked", () => {
  vi.useFakeTimers();
  const { session, sent, say } = start();
  session.edit([{ op: "edit", id: "c", at: 1, remove: 0, insert: " + 1" }]);
  vi.advanceTimersByTime(20);
  const command = sent.at(-1) as Extract<ClientMessage, { type: "command" }>;
  say({
    type: "events",
    events: [
      { seq: 6, type: "writer", writer: { client: "ana", name: "Ana" } },
      { seq: 7, type: "ops", rev: 4, by: "ana", ops: [{ op: "edit", id: "c", at: 0, remove: 0, insert: "x = " }] },
    ],
  });
  say({ type: "reply", id: command.id, ok: false, error: { code: "not-writer", message: "Ana is writing; take over first.", rev: 4 } });
  expect(session.doc!.source.cells[0]!.source).toBe("x = 1");
  expect(session.doc!.aside).toEqual([{ cell: "c", kind: "code", before: "x = 1", text: "x = 1 + 1" }]);
  session.putBack(session.doc!.aside[0]!, "new");
  expect(session.doc!.source.cells[0]!.source).toBe("x = 1 + 1");
  expect(session.doc!.aside).toEqual([]);
  session.close();
  vi.useRealTimers();
});

it("takes back what the server refuses and says why", () => {
  vi.useFakeTimers();
  const { session, sent, say, notices } = start();
  session.edit([{ op: "delete", id: "c" }]);
  vi.advanceTimersByTime(20);
  const command = sent.at(-1) as Extract<ClientMessage, { type: "command" }>;
  say({ type: "reply", id: command.id, ok: false, error: { code: "not-writer", message: "Ana is writing" } });
  expect(session.doc!.source.cells).toHaveLength(1);
  expect(notices).toEqual([{ level: "warning", text: "Ana is writing" }]);
  session.close();
  vi.useRealTimers();
});

it("replays from its cursor after a lost link and keeps what was typed meanwhile", () => {
  vi.useFakeTimers();
  const { session, sent, sockets, say } = start();
  sockets[0]!.onclose!({ code: 1006, reason: "" });
  expect(session.link).toBe("lost");
  session.edit([{ op: "edit", id: "c", at: 1, remove: 0, insert: "y" }]);
  vi.advanceTimersByTime(300);
  expect(sockets).toHaveLength(2);
  sockets[1]!.onopen!();
  expect(sent.at(-1)).toEqual({ type: "hello", client: "me", name: "Me", epoch: "e1", cursor: 5 });
  say({ type: "events", events: [] });
  expect(session.link).toBe("open");
  expect(sent.at(-1)).toMatchObject({ type: "command", command: { do: "ops", ops: [{ op: "edit", insert: "y" }] } });
  session.close();
  vi.useRealTimers();
});

it("joins streams, replaces displays of one id and clears at the first output of a run", () => {
  const { session, say } = start();
  say({
    type: "events",
    events: [
      { seq: 6, type: "outputs", cell: "c", run: "r1", clear: true, outputs: [{ kind: "stream", name: "stdout", text: "a" }] },
      {
        seq: 7,
        type: "outputs",
        cell: "c",
        run: "r1",
        clear: false,
        outputs: [
          { kind: "stream", name: "stdout", text: "b" },
          { kind: "display", id: "d", data: { "text/plain": "1" } },
        ],
      },
      { seq: 8, type: "outputs", cell: "c", run: "r1", clear: false, outputs: [{ kind: "display", id: "d", data: { "text/plain": "2" } }] },
      { seq: 8, type: "outputs", cell: "c", run: "r1", clear: false, outputs: [{ kind: "stream", name: "stdout", text: "seen before" }] },
    ],
  });
  expect(session.state!.outputs["c"]).toEqual([
    { kind: "stream", name: "stdout", text: "ab" },
    { kind: "display", id: "d", data: { "text/plain": "2" } },
  ]);
  session.close();
});
