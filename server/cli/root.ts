/** Which folder a command is about (design 12), and whether a server already runs there. */
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join, resolve } from "node:path";

/** TOUCHSTONE_HOME, else the nearest folder upward with .touchstone/server.json or workspaces/, else null. */
export function findRoot(from: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const home = env["TOUCHSTONE_HOME"];
  if (home !== undefined && home !== "") return resolve(home);
  for (let at = resolve(from); ; at = dirname(at)) {
    if (existsSync(join(at, ".touchstone", "server.json")) || existsSync(join(at, "workspaces"))) return at;
    if (at === dirname(at)) return null;
  }
}

/** ROOT of a notebook file: as above from its folder, else the nearest folder with a package.json, else its own. */
export function rootOfFile(file: string, env: NodeJS.ProcessEnv = process.env): string {
  const found = findRoot(dirname(file), env);
  if (found !== null) return found;
  for (let at = dirname(file); at !== dirname(at); at = dirname(at)) if (existsSync(join(at, "package.json"))) return at;
  return dirname(file);
}

export interface Owner {
  pid: number;
  port: number;
  url: string;
  token: string;
}

/** The server that runs on this ROOT: pid alive and port answering with its token, else null. */
export async function findOwner(root: string): Promise<Owner | null> {
  try {
    const { pid, port } = JSON.parse(readFileSync(join(root, ".touchstone", "server.json"), "utf8")) as { pid: number; port: number };
    const token = readFileSync(join(root, ".touchstone", "token"), "utf8").trim();
    process.kill(pid, 0);
    const owner = { pid, port, url: `http://127.0.0.1:${port}`, token };
    const { status } = await call(owner, "GET", "/api/ts/ping", { timeout: 3000 });
    return status === 200 ? owner : null;
  } catch {
    return null;
  }
}

/** One request to a running server. */
export function call(
  owner: Owner,
  method: string,
  path: string,
  { body, timeout = 10_000 }: { body?: unknown; timeout?: number } = {},
): Promise<{ status: number; body: unknown }> {
  const text = body === undefined ? null : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${owner.token}`,
    ...(text !== null && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
  };
  return new Promise((done, fail) => {
    const sent = request({ host: "127.0.0.1", port: owner.port, method, path, timeout, headers }, (response) => {
      let all = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (all += piece));
      response.on("end", () => {
        try {
          done({ status: response.statusCode ?? 0, body: all === "" ? null : (JSON.parse(all) as unknown) });
        } catch {
          done({ status: response.statusCode ?? 0, body: all });
        }
      });
    });
    sent.on("timeout", () => sent.destroy(new Error("the running server did not answer in time")));
    sent.on("error", fail);
    sent.end(text ?? undefined);
  });
}
