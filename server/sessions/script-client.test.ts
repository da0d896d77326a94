/** The script that the README shows, against a real server with a real kernel. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageRoot } from "../../kernels/paths/paths.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

const path = "workspaces/demo/a.nb.ts";
let server: RunningServer;
beforeAll(async () => {
  const cells = { one: "const one = 41", sum: 'console.log("counting")\none + 1', bad: "nowhere" };
  const text = Object.entries(cells).map(([id, source]) => `// %% id="${id}"\n${source}\n`);
  server = await startServer({ files: { [path]: text.join("\n"), "workspaces/demo/package.json": "{}" }, serving: noServing });
});
afterAll(() => server?.close());

function script(cell: string, token = server.token): Promise<{ code: number | null; out: string; errors: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(packageRoot(), "docs/script-client.mjs"), server.url, token, path, cell]);
    let out = "";
    let errors = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    child.on("close", (code) => resolve({ code, out, errors }));
  });
}

it("runs a cell with its inputs and prints the result, while another client sees it", async () => {
  const client = await NotebookClient.open(server, path);
  // the page does not write: the script may run
  await client.until(() => client.state.writer !== null);
  client.close();
  await new Promise<void>((resolve) => client.socket.once("close", resolve));
  expect(await script("sum")).toEqual({ code: 0, out: "counting\n42\n", errors: "" });
  const after = await NotebookClient.open(server, path);
  expect(after.state.cells["sum"]).toMatchObject({ result: "ok", status: "idle" });
  expect(after.state.cells["one"]!.result).toBe("ok");
  // a person who writes is not pushed aside
  expect(await script("sum")).toMatchObject({ code: 2, errors: expect.stringMatching(/not-writer: test is writing/) });
  after.close();
});

it("says what is wrong: the cell fails, there is none, the token is another", async () => {
  expect(await script("bad")).toMatchObject({ code: 1, errors: expect.stringMatching(/ReferenceError: nowhere/) });
  expect(await script("none")).toMatchObject({ code: 2, errors: expect.stringMatching(/no cell none .* it has one, sum, bad/) });
  expect((await script("sum", "wrong")).code).toBe(2);
});
