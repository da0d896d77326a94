/** A real server for tests, on a free port and a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startServer as start, type RunningServer as Server, type ServerOptions } from "../../server/main.js";

export interface RunningServer {
  url: string;
  token: string;
  root: string;
  server: Server;
  /** stops everything; a folder made here is removed */
  close(): Promise<void>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** `root`: an existing folder; else a new one with `files` in it. */
export async function startServer(options: Partial<ServerOptions> & { files?: Record<string, string> } = {}): Promise<RunningServer> {
  const { files = {}, ...rest } = options;
  const made = options.root === undefined;
  const root = options.root ?? mkdtempSync(join(tmpdir(), "touchstone-test-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const server = await start({ port: 0, ...rest, root });
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
