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
