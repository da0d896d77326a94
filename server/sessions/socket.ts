/** WebSockets: upgrades by route, and the one of a notebook, /api/ts/notebook?path=... Access is checked before the upgrade. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type ServerOptions, type WebSocket } from "ws";
import { addressOf, checkAccess, type Access } from "../access.js";
import type { Log } from "../log.js";
import { readMessage } from "./guard.js";
import { PathError } from "./paths.js";
import type { Session } from "./session.js";
import type { Sessions } from "./sessions.js";
import type { Viewer, Wire } from "./viewer.js";

/** Longest message of a client: a pasted cell of some megabytes. */
const maxPayload = 32 * 2 ** 20;
/** a connection that says nothing for so long is gone */
const pingEvery = 15_000;

/** One kind of WebSocket: its paths, and what happens on it once the upgrade is accepted. */
export interface SocketRoute {
  path: RegExp;
  options?: Pick<ServerOptions, "maxPayload" | "handleProtocols">;
  /** why an upgrade is refused with 404; null: it is not */
  refusal?(match: RegExpExecArray): string | null;
  serve(socket: WebSocket, url: URL, match: RegExpExecArray): void;
}

export function notebookSocket(sessions: Sessions, log: Log): SocketRoute {
  return { path: /^\/api\/ts\/notebook$/, serve: (socket, url) => serve(socket, url.searchParams.get("path") ?? "", { sessions, log }) };
}

/** Accepts upgrades by the given routes; access is checked first. */
export function attachSockets(server: Server, options: { access: Access; routes: SocketRoute[] }): { close(): void } {
  const all = options.routes.map((route) => ({
    route,
    sockets: new WebSocketServer({ maxPayload, ...route.options, noServer: true, perMessageDeflate: false }),
  }));
  const alive = new WeakSet<WebSocket>();
  const timer = setInterval(() => {
    for (const { sockets } of all)
      for (const socket of sockets.clients) {
        if (!alive.has(socket)) {
          socket.terminate();
          continue;
        }
        alive.delete(socket);
        socket.ping();
      }
  }, pingEvery);
  timer.unref();

  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on("error", () => stream.destroy());
    const header = (name: string) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    const verdict = checkAccess(options.access, { method: "GET", url: request.url ?? "/", header, upgrade: true });
    if (verdict.ok !== true)
      return refuse(stream, verdict.ok === false ? verdict.status : 401, verdict.ok === false ? verdict.message : "Not signed in.");
    const url = addressOf(request.url ?? "/")!;
    for (const { route, sockets } of all) {
      const match = route.path.exec(url.pathname);
      if (match === null) continue;
      const refusal = route.refusal?.(match) ?? null;
      if (refusal !== null) return refuse(stream, 404, refusal);
      return sockets.handleUpgrade(request, stream, head, (socket) => {
        alive.add(socket);
        socket.on("pong", () => alive.add(socket));
        route.serve(socket, url, match);
      });
    }
    refuse(stream, 404, "There is no such WebSocket.");
  });
  return {
    close() {
      clearInterval(timer);
      for (const { sockets } of all) {
        for (const socket of sockets.clients) socket.terminate();
        sockets.close();
      }
    },
  };
}

function serve(socket: WebSocket, path: string, { sessions, log }: { sessions: Sessions; log: Log }): void {
  let session: Session;
  try {
    session = sessions.open(path);
  } catch (error) {
    // the upgrade is accepted first: a browser sees no reason of a refused one
    const known = error instanceof PathError;
    if (!known) log.error({ error, path }, "notebook could not be opened");
    const text = known ? error.message : `The notebook could not be opened: ${(error as Error).message}`;
    socket.close(known && error.code === "not-found" ? 4404 : 4400, text.slice(0, 120));
    return;
  }
  const wire: Wire = {
    send: (text) => socket.send(text),
    get pending() {
      return socket.bufferedAmount;
    },
    close: (code, reason) => socket.close(code, reason.slice(0, 120)),
  };
  let viewer: Viewer | null = null;
  socket.on("message", (data, binary) => {
    const read = binary ? { wrong: "Expected a text message.", id: null } : readMessage((data as Buffer).toString());
    if ("wrong" in read) {
      if (read.id !== null && viewer !== null)
        viewer.message({ type: "reply", id: read.id, ok: false, error: { code: "bad-request", message: read.wrong } });
      else socket.close(4400, read.wrong.slice(0, 120));
      return;
    }
    const { message } = read;
    if (message.type === "hello") {
      if (viewer === null) viewer = session.join(wire, message);
      return;
    }
    if (viewer === null) socket.close(4400, "Expected `hello` first.");
    else session.receive(viewer, message);
  });
  socket.on("close", () => {
    if (viewer !== null) session.leave(viewer);
  });
  socket.on("error", () => socket.terminate());
}

function refuse(stream: Duplex, status: number, message: string): void {
  const words: Record<number, string> = { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found" };
  const body = JSON.stringify({ error: { code: "refused", message } });
  stream.end(
    `HTTP/1.1 ${status} ${words[status] ?? "Refused"}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
