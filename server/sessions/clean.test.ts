/** "Run clean and compare" with real kernels: the page's own kernel is left alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

let root: string;
let server: RunningServer;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-clean-"));
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit: 1.5 * 2 ** 30, serving: noServing });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

it("verifies equal outputs, finds the cell that differs, and leaves variables and pid as they were", async () => {
  const path = "workspaces/w/clean.nb.ts";
  writeFileSync(join(root, path), `// %% id="a"\nconst list = [1]\n\n// %% id="b"\nlist.length\n\n// %% id="c"\nlist.push(2)\n`);
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "run-all" });
  // `c` changes a value of `a`: only a clean run can tell
  await client.until(() => client.state.badge.state === "unchecked" && client.state.cells["c"]?.result === "ok");
  const { pid } = client.state.kernel;
  const compared = () => client.until(() => client.state.clean !== null && client.state.clean.status !== "running");
  await client.do({ do: "compare" });
  await compared();
  expect(client.state.clean).toMatchObject({ status: "done", differences: [], done: 3, total: 3 });
  expect(client.state.badge).toMatchObject({ state: "same", verified: client.state.clean!.at });

  // by states all is well, but `b` has seen what `c` did to the list
  await client.run("b");
  expect(client.state.badge).toMatchObject({ state: "unchecked", cells: ["c"] });
  await client.do({ do: "compare" });
  await client.until(() => client.state.clean?.status === "done" && client.state.clean.runs > 3);
  expect(client.state.clean!.differences).toEqual([{ cell: "b", here: "2", clean: "1" }]);
  expect(client.state.badge).toMatchObject({ state: "unchecked", cells: ["b"] });
  expect(client.state.kernel.pid).toBe(pid);
  expect(client.state.kernel.state).toBe("idle");
  await client.do({ do: "shutdown" });
  client.close();
});

it("a value that a run changed unseen turns the badge until a clean run agrees", async () => {
  const path = "workspaces/w/unseen.nb.ts";
  const cells = { a: "const rows = [3, 1]", sort: "const sorted = (list) => list.sort()", b: "const least = sorted(rows)[0]" };
  writeFileSync(
    join(root, path),
    Object.entries(cells)
      .map(([id, source]) => `// %% id="${id}"\n${source}\n`)
      .join("\n"),
  );
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "run-all" });
  await client.until(() => client.state.cells["b"]?.result === "ok" && client.state.cells["b"].status === "idle");
  expect(client.state.cells["b"]!.warnings).toEqual([
    "this run changed `rows[0]` of cell a; cells that use `rows` do not run again for it. Make a changed copy, or do it in cell a (line 1)",
  ]);
  expect(client.state.badge).toMatchObject({ state: "unchecked", cells: ["b"] });
  await client.do({ do: "compare" });
  await client.until(() => client.state.clean?.status === "done");
  expect(client.state.badge).toMatchObject({ state: "same", verified: client.state.clean!.at });

  // sorted already: what the earlier run did is still there
  await client.run("b");
  expect(client.state.cells["b"]!.warnings).toEqual([
    "an earlier run of this cell changed `rows[0]` of cell a, which holds what that run made of it; run cell a again",
  ]);
  expect(client.state.badge).toMatchObject({ state: "unchecked", cells: ["b"] });
  await client.do({ do: "ops", ops: [{ op: "edit", id: "b", at: 21, remove: 4, insert: "[...rows]" }] });
  await client.do({ do: "run-all" });
  await client.until(() => client.state.badge.state === "same");
  expect(client.state.cells["b"]!.warnings).toEqual([]);
  await client.do({ do: "shutdown" });
  client.close();
});

it("a cell that asks a person ends the clean run with a sentence, and the page's own answer stays", async () => {
  const path = "workspaces/w/asks.nb.ts";
  writeFileSync(
    join(root, path),
    `// %% id="a"\nconst one = 1\n\n// %% id="who"\nconst who = await prompt("Name?")\n\n// %% id="c"\n\`\${who} ${"${one}"}\`\n`,
  );
  const client = await NotebookClient.open(server, path);
  const run = client.do({ do: "run-all" });
  await client.until(() => client.state.questions.length === 1);
  await client.do({ do: "answer", question: client.state.questions[0]!.id, value: "Ana" });
  await run;
  await client.until(() => client.state.cells["c"]?.result === "ok" && client.state.kernel.state === "idle");
  await client.do({ do: "compare" });
  await client.until(() => client.state.clean !== null && client.state.clean.status !== "running");
  expect(client.state.clean).toMatchObject({
    status: "failed",
    why: expect.stringMatching(/^cell 2 `who` asks for input with prompt\(\)/) as string,
  });
  expect(client.state.questions).toEqual([]);
  expect(client.state.outputs["c"]).toMatchObject([{ kind: "display", data: { "text/plain": "Ana 1" } }]);
  await client.do({ do: "shutdown" });
  client.close();
});
