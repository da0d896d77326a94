/** The language service behind a real server: asked over the notebook's WebSocket, killed, restarted. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Completions, LanguageQuestion, LanguageState } from "../../kernels/protocol/language.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { check, firstLines } from "../cli/check.js";
import { startLanguage } from "./process.js";

const path = "workspaces/demo/a.nb.ts";
let server: RunningServer;
let client: NotebookClient;
beforeAll(async () => {
  server = await startServer({
    spare: false,
    files: {
      "workspaces/demo/package.json": `{ "name": "demo", "private": true }`,
      [path]: `// %% id="a"\nconst cutoff = new Date()\n\n// %% id="b"\ncutoff.nope\n`,
    },
  });
  client = await NotebookClient.open(server, path);
});
afterAll(async () => {
  client.close();
  await server.close();
});
const ask = async <T>(question: LanguageQuestion): Promise<T> => ((await client.do({ do: "language", question })) as { value: T }).value;
const said = () => (client.state.language.problems["b"] ?? []).map((one) => one.message);

it("starts with the first question, answers a viewer, and tells everyone what it finds", async () => {
  expect(client.state.language.state).toBe("off");
  expect(server.server.sessions.languages.pids()).toEqual([]);
  const viewer = await NotebookClient.open(server, path, "viewer");
  const found = (await viewer.do({ do: "language", question: { ask: "problems" } })) as { value: LanguageState["problems"] };
  expect(found.value["b"]).toMatchObject([{ line: 1, column: 8, severity: "error", message: "Property 'nope' does not exist on type 'Date'." }]);
  await client.until(() => client.state.language.state === "ready" && said().length === 1);
  viewer.close();
});

it("follows edits, and pushes what became of the problems", async () => {
  await client.do({ do: "ops", ops: [{ op: "edit", id: "b", at: 7, remove: 4, insert: "getTime()" }] });
  const { items } = await ask<Completions>({ ask: "complete", cell: "b", at: 7 });
  expect(items.map((item) => item.label)).toContain("getFullYear");
  await client.until(() => said().length === 0);
});

it("refuses a question about an older text of the cell with the newer revision, and answers for cells that stayed", async () => {
  const old = client.state.rev;
  await client.do({ do: "ops", ops: [{ op: "edit", id: "b", at: 0, remove: 0, insert: " " }] });
  const reply = await client.ask({ do: "language", question: { ask: "hover", cell: "b", at: 2 } }, old);
  expect(reply).toMatchObject({ ok: false, error: { code: "stale", rev: client.state.rev } });
  expect(await client.ask({ do: "language", question: { ask: "hover", cell: "a", at: 7 } }, old)).toMatchObject({
    ok: true,
    value: { value: { signature: "const cutoff: Date" } },
  });
  expect(await client.ask({ do: "language", question: { ask: "hover", cell: "a", at: -1 } })).toMatchObject({
    ok: false,
    error: { code: "bad-request" },
  });
});

it("`touchstone check` finds what the page shows, word for word", async () => {
  const file = "workspaces/demo/same.nb.ts";
  const full = join(server.root, file);
  const text = [
    "const q = sql`select range as n, 'a' as w from range(3)`",
    "const rows = await q.rows()\nrows[0]!.n!.toUpperCase()\nrows[0]!.nope",
    "const bad = sql`select nn from q`",
    "fetch('x').text()",
  ];
  writeFileSync(full, text.map((source, i) => `// %% id="k${i}"\n${source}\n`).join("\n"));
  const page = await NotebookClient.open(server, file);
  const { value } = (await page.do({ do: "language", question: { ask: "problems" } })) as { value: LanguageState["problems"] };
  page.close();
  const said: string[] = [];
  await check({ file: full, say: (line) => void said.push(line) });
  const begins = firstLines(readFileSync(full, "utf8"), page.state.source.cells);
  const shown = Object.entries(value).flatMap(([cell, list]) =>
    list.map(({ line, column, severity, message }) => `${full}:${begins.get(cell)! + line - 1}:${column}  ${severity}: ${message} (cell ${cell})`),
  );
  expect(shown.length).toBe(4);
  expect(said.slice(0, -1).sort()).toEqual(shown.sort());
});

it("serves code that is not in the notebook", async () => {
  const session = server.server.sessions.get(path)!;
  const { languages } = server.server.sessions;
  expect((await languages.complete(session, "cutoff.get", 10)).items.map((item) => item.label)).toContain("getTime");
  expect(await languages.inspect(session, "1 + cutoff", 6)).toMatchObject({ signature: "const cutoff: Date" });
});

it("a death takes nothing with it: it is said, and the service comes back with the problems of now", async () => {
  const [pid] = server.server.sessions.languages.pids();
  process.kill(pid!, "SIGKILL");
  await client.until(() => client.state.language.state === "dead");
  expect(client.state.language.why).toMatch(/SIGKILL; it starts again in 1 s/);
  await client.do({ do: "ops", ops: [{ op: "edit", id: "a", at: 0, remove: 25, insert: "const cutoff = 'x'" }] });
  await client.until(() => client.state.language.state === "ready" && said().length === 1);
  expect(said()[0]).toMatch(/'getTime' does not exist on type '"x"'/);
  expect(server.server.sessions.languages.pids()).not.toEqual([pid]);
  await client.run("a");
  expect(client.state.cells["a"]!.result).toBe("ok");
});

it("one that uses up its memory says so", async () => {
  const child = startLanguage({ ready: () => undefined, problems: () => undefined }, 30);
  const notebook = join(server.root, path);
  const cells = [{ id: "a", kind: "code" as const, source: "tf.tensor1d([1]).nope", options: {} }];
  child.send({ type: "open", notebook, workspace: join(server.root, "workspaces/demo"), rev: 1, cells });
  await expect(child.ask({ client: "t", notebook, question: { ask: "problems" } })).rejects.toThrow(
    "The language service stopped: it used up its 30 MB of memory.",
  );
  expect(await child.ended).toBe("it used up its 30 MB of memory");
});
