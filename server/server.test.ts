import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NotebookClient } from "../test/support/notebook.js";
import { startServer, type RunningServer } from "../test/support/server.js";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    files: {
      "workspaces/demo/package.json": "{}",
      "workspaces/demo/a.nb.ts": `// %% id="a"\nconst x = 1 + 1\nx\n\n// %% id="b"\nconsole.log("y is", x + 1)\nx + 1\n`,
    },
  });
});
afterAll(() => server.close());

it("opens a notebook, runs a cell in a real kernel and shows the result", async () => {
  const client = await NotebookClient.open(server, "workspaces/demo/a.nb.ts");
  expect(client.state.source.cells.map((cell) => cell.id)).toEqual(["a", "b"]);
  await client.do({ do: "run", cells: ["a"] });
  await client.until(() => client.state.cells["b"]?.result === "ok" && client.state.kernel.state === "idle");
  const { state } = client;
  expect(state.cells["a"]).toMatchObject({ status: "idle", result: "ok", stale: false, edited: false });
  expect(JSON.stringify(state.outputs["a"])).toContain("2");
  expect(JSON.stringify(state.outputs["b"])).toContain("y is 3");
  expect(state.badge).toEqual({ state: "same" });
  client.close();
});

it("answers requests without a body, with too much of it, and without its length", async () => {
  const at = (init: RequestInit) => server.fetch("/api/ts/proposals/none/commit", { method: "POST", ...init }).then((answer) => answer.status);
  expect(await at({})).toBe(404);
  const post = (init: RequestInit) => server.fetch("/api/ts/notebooks", { method: "POST", ...init }).then((answer) => answer.status);
  expect(await post({})).toBe(400);
  expect(await post({ body: "x".repeat(33 * 2 ** 20) })).toBe(413);
  const stream = new Blob(["{}"]).stream();
  expect(await post({ body: stream, duplex: "half" } as RequestInit)).toBe(411);
});

it.each(["//", "//:99999999/", "http://[", "*"])("refuses an upgrade of %s, which any page may ask for, and goes on", async (target) => {
  const { port, host } = new URL(server.url);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () =>
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: https://example.org\r\n\r\n",
      ),
    );
    let text = "";
    socket.on("data", (piece) => (text += piece));
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 40[013] /);
  expect((await server.fetch("/api/ts/ping")).status).toBe(200);
});
