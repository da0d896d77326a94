/** A real server for tests, on a free port and a folder of its own; and a client of a notebook's WebSocket. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import WebSocket from "ws";
import { replay } from "../../kernels/notebook/replay.js";
import type { Command, NotebookEvent, NotebookState, ServerMessage } from "../../kernels/protocol/document.js";
import { startServer as start, type RunningServer, type ServerOptions } from "../../server/main.js";

export interface TestServer {
  url: string;
  token: string;
  root: string;
  server: RunningServer;
  /** stops everything; a folder made here is removed */
  close(): Promise<void>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** `root`: an existing folder; else a new one with `files` in it. */
export async function startServer(options: Partial<ServerOptions> & { files?: Record<string, string> } = {}): Promise<TestServer> {
  const { files = {}, ...rest } = options;
  const made = options.root === undefined;
  const root = options.root ?? mkdtempSync(join(tmpdir(), "touchstone-test-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const server = await start({ port: 0, spare: false, quiet: 100, sync: 20, ...rest, root });
  const { token } = server.access;
  return {
    url: server.url,
    token,
    root,
    server,
    async close() {
      await server.close();
      if (made) rmSync(root, { recursive: true, force: true });
    },
    fetch: (path, init = {}) =>
      fetch(server.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) } }),
  };
}

export interface TestClient {
  readonly state: NotebookState;
  readonly events: NotebookEvent[];
  /** the reply's value; throws with the server's sentence when refused */
  command(command: Command): Promise<unknown>;
  /** resolves when the state is so; fails when the connection ends */
  until(what: (state: NotebookState) => boolean): Promise<NotebookState>;
  send(message: unknown): void;
  close(): void;
}

let clients = 0;

export async function openNotebook(
  server: Pick<TestServer, "url" | "token">,
  path: string,
  options: { client?: string; epoch?: string; cursor?: number; state?: NotebookState } = {},
): Promise<TestClient> {
  const client = options.client ?? `client-${++clients}`;
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ts/notebook?path=${encodeURIComponent(path)}`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  let state: NotebookState | null = options.state ?? null;
  const events: NotebookEvent[] = [];
  const replies = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const waiting = new Set<{ what(state: NotebookState): boolean; resolve(state: NotebookState): void; reject(error: Error): void }>();
  let next = 1;
  let rev = 0;
  const check = () => {
    for (const one of [...waiting]) {
      if (state === null || !one.what(state)) continue;
      waiting.delete(one);
      one.resolve(state);
    }
  };
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ServerMessage;
    if (message.type === "snapshot") state = message.state;
    else if (message.type === "events")
      for (const event of message.events) {
        events.push(event);
        state = replay(state!, event);
      }
    else if (message.type === "reply") {
      const reply = replies.get(message.id);
      replies.delete(message.id);
      if (message.ok) reply?.resolve(message.value);
      else reply?.reject(Object.assign(new Error(message.error.message), message.error));
    }
    rev = Math.max(rev, state?.rev ?? 0);
    check();
  });
  let ended: string | null = null;
  socket.on("close", (code, reason) => {
    ended = `closed with ${code} ${reason.toString()}`;
    for (const one of [...waiting, ...replies.values()]) one.reject(new Error(ended));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  socket.send(JSON.stringify({ type: "hello", client, name: client, epoch: options.epoch ?? null, cursor: options.cursor ?? 0 }));
  const self: TestClient = {
    get state() {
      return state!;
    },
    events,
    command(command) {
      const id = next++;
      const seen = rev;
      // edits sent before the answer count on each other
      if (command.do === "ops" || command.do === "field" || command.do === "rename") rev++;
      return new Promise((resolve, reject) => {
        if (ended !== null) return reject(new Error(ended));
        replies.set(id, {
          resolve,
          reject: (error) => {
            rev = state?.rev ?? 0;
            reject(error);
          },
        });
        socket.send(JSON.stringify({ type: "command", id, rev: seen, command }));
      });
    },
    until(what) {
      return new Promise((resolve, reject) => {
        if (ended !== null) return reject(new Error(ended));
        waiting.add({ what, resolve, reject });
        check();
      });
    },
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    close: () => socket.close(),
  };
  await self.until((now) => now.path !== "");
  rev = self.state.rev;
  return self;
}
