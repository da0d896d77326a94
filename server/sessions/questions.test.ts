/** `prompt()` of a cell, answered by pages: a real kernel behind a real WebSocket. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

let server: RunningServer;
const path = "workspaces/w/n.nb.ts";
const cells = {
  name: "console.log(`hello ${await prompt('Name?')}`)",
  key: "console.log((await prompt('Key?', { password: true })).length)",
  late: "prompt('early').catch(() => {}); setTimeout(() => prompt('late').catch((error: Error) => console.log(error.message)), 1)",
  many: "const open = Array.from({ length: 25 }, (_, i) => prompt(`${i}`))\nawait Promise.any(open.slice(20)).catch((e: AggregateError) => console.log(String(e.errors[0])))\nawait open[0]",
};
beforeAll(async () => {
  const text = Object.entries(cells).map(([id, source]) => `// %% id="${id}"\n${source}\n`);
  server = await startServer({ spare: false, files: { "workspaces/w/package.json": "{}", [path]: text.join("\n") }, serving: noServing });
});
afterAll(() => server.close());

const printed = (client: NotebookClient, cell: string) =>
  (client.state.outputs[cell] ?? [])
    .map((output) => (output.kind === "stream" ? output.text : output.kind === "error" ? output.error.message : ""))
    .join("");

it("every page sees it; the first answer counts, the second hears why not", async () => {
  const [one, two] = [await NotebookClient.open(server, path, "one"), await NotebookClient.open(server, path, "two")];
  await one.do({ do: "run", cells: ["name"] });
  await two.until(() => two.state.questions.length === 1);
  const [question] = two.state.questions;
  expect(question).toMatchObject({ cell: "name", text: "Name?", password: false });
  // who does not write may answer
  expect(two.state.writer?.name).toBe("one");
  expect(await two.ask({ do: "answer", question: question!.id, value: "Ada" })).toMatchObject({ ok: true });
  expect(await one.ask({ do: "answer", question: question!.id, value: "Bob" })).toMatchObject({
    ok: false,
    error: { code: "not-found", message: expect.stringContaining("does not wait for this answer any more") as string },
  });
  await one.until(() => one.state.cells["name"]?.status === "idle" && one.state.cells["name"].result === "ok");
  expect(printed(one, "name")).toBe("hello Ada\n");
  expect(one.state.questions).toEqual([]);
  // who comes while it waits sees it too
  await one.do({ do: "run", cells: ["key"] });
  await one.until(() => one.state.questions.length === 1);
  const three = await NotebookClient.open(server, path, "three");
  expect(three.state.questions).toMatchObject([{ text: "Key?", password: true }]);
  await three.do({ do: "answer", question: three.state.questions[0]!.id, value: "s3cret" });
  await three.until(() => three.state.cells["key"]?.result === "ok");
  expect(printed(three, "key")).toBe("6\n");
  // what was typed is told to the cell alone
  expect(JSON.stringify([one.events, one.state, three.events, three.state])).not.toContain("s3cret");
  for (const client of [one, two, three]) client.close();
});

it("a cancelled question fails the cell in words; a stop ends the waiting", async () => {
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "run", cells: ["name"] });
  await client.until(() => client.state.questions.length === 1);
  await client.do({ do: "answer", question: client.state.questions[0]!.id, value: null });
  await client.until(() => client.state.cells["name"]?.result === "error");
  expect(printed(client, "name")).toBe('the question "Name?" was not answered');
  await client.do({ do: "run", cells: ["name"] });
  await client.until(() => client.state.questions.length === 1);
  await client.do({ do: "interrupt" });
  await client.until(() => client.state.cells["name"]?.result === "interrupted");
  expect(client.state.questions).toEqual([]);
  expect(printed(client, "name")).toBe("");
  // so does the end of the kernel
  await client.do({ do: "run", cells: ["name"] });
  await client.until(() => client.state.questions.length === 1);
  await client.do({ do: "restart", then: "nothing" });
  await client.until(() => client.state.kernel.state === "idle");
  expect(client.state.questions).toEqual([]);
  client.close();
});

it("asks while the cell runs, and twenty questions at most", async () => {
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "run", cells: ["late"] });
  await client.until(() => printed(client, "late") !== "");
  expect(printed(client, "late")).toContain("prompt() can ask while its cell runs");
  expect(client.state.questions).toEqual([]);
  await client.do({ do: "run", cells: ["many"] });
  await client.until(() => printed(client, "many") !== "");
  expect(printed(client, "many")).toContain("20 questions at a time");
  expect(client.state.questions.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  await client.do({ do: "answer", question: client.state.questions[0]!.id, value: "" });
  await client.until(() => client.state.cells["many"]?.status === "idle");
  expect(client.state.questions).toEqual([]);
  client.close();
});

it("refuses an answer that is none", async () => {
  const client = await NotebookClient.open(server, path);
  for (const value of [1, undefined, {}])
    expect(await client.ask({ do: "answer", question: "q1", value: value as never })).toMatchObject({ ok: false, error: { code: "bad-request" } });
  client.close();
});
