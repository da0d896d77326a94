/** Controls of cells, `view(...)`: a real kernel behind a real WebSocket, two clients, a server that starts anew. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

let server: RunningServer;
const path = "workspaces/w/n.nb.ts";
const cells = {
  a: 'const alpha = view(input.range({ min: 0, max: 1, step: 0.1, value: 0.5 }))\nconst word = view(input.text({ label: "word" }))',
  b: "console.log(`${alpha} ${word}`)",
};
const root = mkdtempSync(join(tmpdir(), "touchstone-controls-"));
const start = () => startServer({ spare: false, root, serving: noServing });
beforeAll(async () => {
  const text = Object.entries(cells).map(([id, source]) => `// %% id="${id}"\n${source}\n`);
  mkdirSync(join(root, "workspaces/w"), { recursive: true });
  writeFileSync(join(root, "workspaces/w/package.json"), "{}");
  writeFileSync(join(root, path), text.join("\n"));
  server = await start();
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const printed = (client: NotebookClient, cell: string) =>
  (client.state.outputs[cell] ?? []).map((output) => (output.kind === "stream" ? output.text : "")).join("");
const values = (client: NotebookClient, cell = "a") => Object.fromEntries((client.state.controls[cell] ?? []).map(({ key, value }) => [key, value]));
const quiet = (client: NotebookClient) => Object.values(client.state.cells).every(({ status, result }) => status === "idle" && result === "ok");

it("moves for all, runs the cell and what reads it, and says that a clean run would differ", async () => {
  const [one, two] = [await NotebookClient.open(server, path, "one"), await NotebookClient.open(server, path, "two")];
  await one.do({ do: "run-all" });
  await two.until(() => quiet(two));
  expect(values(two)).toEqual({ alpha: 0.5, word: "" });
  expect(printed(two, "b")).toBe("0.5 \n");
  expect(two.state.badge).toEqual({ state: "same" });

  await one.do({ do: "control", cell: "a", key: "alpha", value: 0.7 });
  await two.until(() => quiet(two) && printed(two, "b") === "0.7 \n");
  expect(values(two)).toEqual({ alpha: 0.7, word: "" });
  expect(two.state.badge).toMatchObject({
    state: "unchecked",
    cells: ["a"],
    why: expect.stringContaining("`alpha` is 0.7, not 0.5: a clean run of the file would differ") as string,
  });
  // only who writes moves them; what is none of its values is refused
  expect(await two.ask({ do: "control", cell: "a", key: "alpha", value: 0.2 })).toMatchObject({ ok: false, error: { code: "not-writer" } });
  for (const [key, value] of [
    ["alpha", 0.75],
    ["alpha", "0.7"],
    ["nobody", 1],
  ] as const)
    expect(await one.ask({ do: "control", cell: "a", key, value })).toMatchObject({ ok: false });

  expect(two.state.badge).toMatchObject({ moved: ["alpha"] });

  // a comparison with a clean run, which has the defaults, says so
  await one.do({ do: "compare" });
  await one.until(() => one.state.clean?.status === "done");
  expect(one.state.clean!.differences.map(({ cell }) => cell)).toEqual(["b"]);
  expect(one.state.badge).toMatchObject({ state: "unchecked", why: "a clean run, with all controls at their defaults, gave other outputs" });

  await one.do({ do: "restart", then: "all" });
  await one.until(() => one.state.kernel.state === "idle" && quiet(one) && printed(one, "b") === "0.7 \n");

  await one.do({ do: "reset", cell: null });
  await one.until(() => quiet(one) && printed(one, "b") === "0.5 \n");
  expect(values(one)).toEqual({ alpha: 0.5, word: "" });
  for (const client of [one, two]) client.close();
});

it("is there again when the server is, and in no file", async () => {
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "control", cell: "a", key: "word", value: "again" });
  await client.until(() => quiet(client) && printed(client, "b") === "0.5 again\n");
  await client.do({ do: "flush" });
  client.close();
  await server.close();
  expect(readFileSync(join(root, path), "utf8")).not.toContain("again");
  server = await start();
  const later = await NotebookClient.open(server, path);
  expect([values(later), later.state.kernel.state]).toEqual([{ alpha: 0.5, word: "again" }, "none"]);
  // moved before anything has run
  await later.do({ do: "control", cell: "a", key: "alpha", value: 0.1 });
  await later.until(() => quiet(later) && printed(later, "b") === "0.1 again\n");
  later.close();
});
