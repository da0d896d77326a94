import { request } from "node:http";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

let root: string;
let server: RunningServer;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-upload-"));
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit: 2 ** 30, serving: noServing });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});
const data = (name = "") => join(root, "workspaces/w/data", name);
const put = (query: string, body: BodyInit, init: RequestInit = {}) => server.fetch(`/api/ts/files?${query}`, { method: "PUT", body, ...init });

describe("an upload", () => {
  it("is there whole, under a free name, and replaces only when asked to", async () => {
    const first = await put("workspace=w&name=a.csv", "x\n1\n");
    expect([first.status, await first.json()]).toEqual([201, { path: "data/a.csv", bytes: 4 }]);
    expect(readFileSync(data("a.csv"), "utf8")).toBe("x\n1\n");
    expect(await (await put("workspace=w&name=a.csv", "y\n")).json()).toEqual({ path: "data/a-2.csv", bytes: 2 });
    expect(readFileSync(data("a.csv"), "utf8")).toBe("x\n1\n");
    expect(await (await put("workspace=w&name=a.csv&replace=1", "z\n")).json()).toEqual({ path: "data/a.csv", bytes: 2 });
    expect(readFileSync(data("a.csv"), "utf8")).toBe("z\n");
    expect(readdirSync(data()).sort()).toEqual(["a-2.csv", "a.csv"]);
  });

  it("of 300 MB passes through flat memory", async () => {
    const piece = Buffer.alloc(2 ** 20, 0x61);
    const before = process.memoryUsage().rss;
    let most = 0;
    const url = new URL(server.url);
    const answer = await new Promise<number>((resolve, reject) => {
      const sent = request(
        {
          ...{ host: url.hostname, port: url.port, method: "PUT", path: "/api/ts/files?workspace=w&name=big.csv" },
          headers: { authorization: `Bearer ${server.token}`, "content-length": String(300 * 2 ** 20) },
        },
        (response) => {
          response.resume();
          response.on("end", () => resolve(response.statusCode!));
        },
      );
      sent.on("error", reject);
      let left = 300;
      const push = (): void => {
        while (left > 0) {
          left--;
          most = Math.max(most, process.memoryUsage().rss);
          if (!sent.write(piece)) return void sent.once("drain", push);
        }
        sent.end();
      };
      push();
    });
    expect(answer).toBe(201);
    expect(statSync(data("big.csv")).size).toBe(300 * 2 ** 20);
    // client and server share this process: a body held in memory would be 300 MB and more
    expect(most - before).toBeLessThan(150 * 2 ** 20);
    rmSync(data("big.csv"));
  });

  it("that is cut off leaves nothing", async () => {
    const url = new URL(server.url);
    await new Promise<void>((resolve) => {
      const sent = request({
        ...{ host: url.hostname, port: url.port, method: "PUT", path: "/api/ts/files?workspace=w&name=cut.csv" },
        headers: { authorization: `Bearer ${server.token}`, "content-length": "1000000" },
      });
      sent.on("error", () => resolve());
      sent.on("close", () => resolve());
      sent.write(Buffer.alloc(100_000), () => {
        // the part is there, then the connection is gone
        const look = setInterval(() => {
          if (!readdirSync(data()).some((name) => name.startsWith(".cut.csv"))) return;
          clearInterval(look);
          sent.destroy();
        }, 5);
      });
    });
    await expect.poll(() => readdirSync(data()).filter((name) => name.includes("cut"))).toEqual([]);
  });

  it.each([
    ["workspace=w&name=../x.csv", 400, "name of a file"],
    ["workspace=w&name=.x.csv", 400, "name of a file"],
    ["workspace=w&name=", 400, "name of a file"],
    ["workspace=w&name=x.exe", 415, "no kind that a cell can read"],
    ["workspace=w&name=x", 415, "no kind"],
    ["workspace=w", 400, "`workspace` and `name`"],
    ["workspace=none&name=x.csv", 404, "no workspace"],
    ["workspace=..&name=x.csv", 400, "folder's name"],
  ])("refuses %s", async (query, status, message) => {
    const answer = await put(query, "x");
    expect(answer.status).toBe(status);
    expect(JSON.stringify(await answer.json())).toContain(message.replaceAll('"', '\\"'));
  });

  it("does not follow a link out of the workspace", async () => {
    mkdirSync(join(root, "workspaces/linked"), { recursive: true });
    writeFileSync(join(root, "workspaces/linked/package.json"), "{}");
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(root, "workspaces/linked/data"));
    expect((await put("workspace=linked&name=x.csv", "x")).status).toBe(400);
    expect(existsSync(join(root, "elsewhere/x.csv"))).toBe(false);
  });

  it("without the token is refused", async () => {
    expect((await fetch(`${server.url.replace(/\/$/, "")}/api/ts/files?workspace=w&name=b.csv`, { method: "PUT", body: "x" })).status).toBe(403);
    expect(existsSync(data("b.csv"))).toBe(false);
  });
});
