/** The server on its port: everything that createApp leaves to the world. Also an entry of its own, for a process manager. */
import { createServer, type Server } from "node:http";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { loadAccess, type Access } from "./access.js";
import { createApp } from "./app.js";
import type { ServingPort } from "./effects.js";
import { silent, type Log } from "./log.js";
import { doctor } from "./doctor.js";
import { packageRoot } from "../kernels/paths/paths.js";
import { Settings } from "./settings.js";
import { createSessions, type Sessions, type SessionsOptions } from "./sessions/sessions.js";
import { redactor } from "./sessions/redact.js";
import { attachSockets, notebookSocket } from "./sessions/socket.js";
import { JupyterKernels } from "./jupyter/kernels.js";
import { channels } from "./jupyter/socket.js";
import { openServing } from "./serving/open.js";

export interface ServerOptions extends Partial<
  Pick<SessionsOptions, "quiet" | "sync" | "watch" | "spare" | "takeKernel" | "memoryLimit" | "backend" | "idleMs" | "now">
> {
  root: string;
  /** asked for: an error when it is taken; null: 4747, or the next free one. 0: any */
  port: number | null;
  log?: Log;
  dev?: boolean;
  serving?: ServingPort;
}

export interface RunningServer {
  url: string;
  port: number;
  access: Access;
  sessions: Sessions;
  serving: ServingPort;
  close(): Promise<void>;
}

export class PortError extends Error {}

const defaultPort = 4747;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { root } = options;
  const log = options.log ?? silent;
  const access = loadAccess(root);
  const serving = options.serving ?? openServing({ root, log });
  const { port: asked, serving: _, dev, ...rest } = options;
  const settings = new Settings(root, options);
  const { idleMs, memoryLimit, cacheBytes } = settings;
  const redact = redactor(process.env, [access.token]);
  const sessions = createSessions({
    ...rest,
    redact,
    idleMs,
    memoryLimit,
    cacheBytes,
    log,
    handle: (method, params) => serving.handle(method, params),
  });
  settings.onChange = (changed) => sessions.configure(changed);
  const jupyter = new JupyterKernels(sessions);
  const app = createApp({
    root,
    web: join(packageRoot(), "dist/web"),
    cache: dev !== true,
    access,
    log,
    now: Date.now,
    sessions,
    jupyter,
    serving,
    settings,
    doctor: () => doctor(root),
  });
  const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  const sockets = attachSockets(server, { access, routes: [notebookSocket(sessions, log), channels(jupyter)] });
  let port: number;
  try {
    port = await listen(server, asked);
  } catch (error) {
    await Promise.all([sessions.close(), serving.close()]);
    throw error;
  }
  const about = join(root, ".touchstone", "server.json");
  mkdirSync(join(root, ".touchstone"), { recursive: true, mode: 0o700 });
  writeFileSync(`${about}.new`, JSON.stringify({ pid: process.pid, port, startedAt: Date.now() }), { mode: 0o600 });
  renameSync(`${about}.new`, about);
  sessions.warm();
  let closing: Promise<void> | null = null;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    access,
    sessions,
    serving,
    close() {
      closing ??= (async () => {
        server.close();
        await jupyter.close();
        await sessions.close();
        sockets.close();
        await serving.close();
        server.closeAllConnections();
        rmSync(about, { force: true });
      })();
      return closing;
    },
  };
}

async function listen(server: Server, asked: number | null): Promise<number> {
  const attempt = (port: number) =>
    new Promise<number>((resolve, reject) => {
      const failed = (error: Error) => reject(error);
      server.once("error", failed);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", failed);
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  const first = asked ?? defaultPort;
  for (let port = first; port < first + 50; port++) {
    try {
      return await attempt(port);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EACCES") throw new PortError(`port ${port} needs rights that this user does not have; choose one above 1023`);
      if (code !== "EADDRINUSE") throw error;
      if (asked !== null) throw new PortError(`port ${port} is in use by another program; choose another with --port, or leave it out`);
    }
  }
  throw new PortError(`ports ${first} to ${first + 49} are all in use; choose one with --port`);
}
