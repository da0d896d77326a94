/** The routes of packages, against a real server with a real kernel and a registry of its own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PackagesView } from "../../kernels/protocol/http.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startRegistry, type Registry } from "../../test/support/registry.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

const path = "workspaces/demo/a.nb.ts";
let registry: Registry;
let server: RunningServer;
beforeAll(async () => {
  const files = (name: string) => ({ "package.json": JSON.stringify({ name, version: "1.0.0", main: "i.js" }), "i.js": "exports.two = 2" });
  registry = await startRegistry({ "fixture-a": files("fixture-a"), "fixture-b": files("fixture-b") });
  server = await startServer({
    files: {
      [path]: `// %% id="a"\nimport { two } from "fixture-a"\ntwo\n`,
      "workspaces/demo/package.json": '{ "name": "demo", "private": true }',
      "workspaces/demo/b.nb.ts": `// %% id="b"\nimport "fixture-b"\n`,
    },
    serving: noServing,
  });
  writeFileSync(join(server.root, "workspaces/demo/.npmrc"), `registry=${registry.url}\ncache=${join(server.root, "cache")}\n`);
});
afterAll(async () => {
  await server?.close();
  registry?.close();
});
const ask = async (task: string, packages: unknown) => {
  const answer = await server.fetch(`/api/ts/packages/${task}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ path, packages }),
  });
  return { status: answer.status, body: (await answer.json()) as { error?: { code: string; message: string }; installed?: unknown } };
};

it("tells every notebook of the workspace, and who imported what is gone", async () => {
  const client = await NotebookClient.open(server, path);
  const other = await NotebookClient.open(server, "workspaces/demo/b.nb.ts");
  expect(await ask("install", ["fixture-a@1", "fixture-b"])).toMatchObject({
    status: 200,
    body: { installed: [{ version: "1.0.0" }, { version: "1.0.0" }] },
  });
  for (const one of [client, other]) {
    await one.until(() => one.state.packages?.status === "done");
    expect(one.state.packages).toMatchObject({ task: "install", said: "Installed fixture-a 1.0.0, fixture-b 1.0.0." });
  }
  await client.do({ do: "run", cells: ["a"] });
  await client.until(() => client.state.cells["a"]?.result === "ok" && client.state.cells["a"].status === "idle");
  const view = (await (await server.fetch(`/api/ts/packages?path=${path}`)).json()) as PackagesView;
  expect(view.packages.map(({ name, cells }) => [name, cells])).toEqual([
    ["fixture-a", ["a"]],
    ["fixture-b", []],
  ]);
  // the other notebook counts, as its page has it now
  const others = async () =>
    ((await (await server.fetch(`/api/ts/packages?path=${path}`)).json()) as PackagesView).packages.map(({ name, others }) => [
      name,
      others.map((one) => [one.path, one.cells]),
    ]);
  const b = "workspaces/demo/b.nb.ts";
  expect(await others()).toEqual([
    ["fixture-a", []],
    ["fixture-b", [[b, 1]]],
  ]);
  await other.do({
    do: "ops",
    ops: [{ op: "insert", cell: { id: "b2", kind: "code", source: 'import "fixture-a"; import "left-pad"', options: {} }, after: "b" }],
  });
  expect(await others()).toEqual([
    ["fixture-a", [[b, 1]]],
    ["fixture-b", [[b, 1]]],
    ["left-pad", [[b, 1]]],
  ]);
  await other.do({ do: "ops", ops: [{ op: "delete", id: "b2" }] });
  expect((await ask("remove", ["fixture-a", "fixture-b"])).status).toBe(200);
  const notices = () => client.events.flatMap((event) => (event.type === "notice" ? [event.text] : []));
  await client.until(() => notices().length > 0);
  expect(notices()).toEqual(["fixture-a 1.0.0 was removed: the kernel has the old one until it is restarted."]);
  client.close();
  other.close();
});

it("refuses what is no name, and an unknown task", async () => {
  for (const packages of [["--force"], ["./x"], "fixture-a", [1], [], Array.from({ length: 51 }, () => "a")])
    expect((await ask("install", packages)).status).toBe(400);
  expect((await ask("remove", ["fixture-a@1"])).body.error).toMatchObject({ code: "bad-request", message: expect.stringContaining("name alone") });
  expect((await ask("upgrade", ["fixture-a"])).status).toBe(404);
});
