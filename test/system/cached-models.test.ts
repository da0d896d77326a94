/** The digits example with its costly cells on disk: a server that was started anew runs all in a moment, trains nothing, and promotes the same version. */
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { packageRoot } from "../../kernels/paths/paths.js";
import type { FindingView } from "../../kernels/protocol/output.js";
import { mime } from "../../kernels/protocol/output.js";
import { NotebookClient } from "../support/notebook.js";
import { startServer, type RunningServer } from "../support/server.js";

const path = "workspaces/digits/teacher.nb.ts";
const costly = ["floor", "teacher", "student"];
const root = mkdtempSync(join(tmpdir(), "touchstone-cached-"));
let server: RunningServer | null = null;
afterEach(async () => {
  await server?.close();
  rmSync(root, { recursive: true, force: true });
});

/** The example on 1,500 digits, smaller and shorter, each costly cell with `cache` and a line in a file when its code runs. */
function small(): string {
  let text = readFileSync(join(packageRoot(), path), "utf8");
  const put = (from: string | RegExp, to: string) => {
    if (text.replace(from, to) === text) throw new Error(`the example has no ${from} any more`);
    text = text.replace(from, to);
  };
  put("length: 70_000", "length: 1_500");
  put(/image: \[(.*)\],/, "image: [$1].slice(0, 1_500),");
  put(/digit: Int32Array\.from\((.*)\),\n/, "digit: Int32Array.from($1).slice(0, 1_500),\n");
  put("cut: [55_000, 60_000]", "cut: [1_000, 1_200]");
  put("units: 400, activation", "units: 48, activation");
  put("units: 400, activation", "units: 48, activation");
  put("epochs: 5", "epochs: 3");
  put("students: [64]", "students: [12]");
  put("epochs: 16", "epochs: 2");
  for (const id of costly) put(new RegExp(`(// %% \\[\\w+\\] id="${id}")\n`), `$1 cache\nran("${id}")\n`);
  put(
    '// %% id="read"\n',
    '// %% id="ran"\nimport { appendFileSync } from "node:fs"\nconst ran = (id) => appendFileSync("ran.txt", id + "\\n")\n\n// %% id="read"\n',
  );
  return text;
}
const ran = () =>
  existsSync(join(root, "workspaces/digits/ran.txt")) ? readFileSync(join(root, "workspaces/digits/ran.txt"), "utf8").trim().split("\n") : [];

async function open(): Promise<NotebookClient> {
  server = await startServer({ root });
  return NotebookClient.open(server, path);
}
async function runAll(client: NotebookClient): Promise<void> {
  const cells = client.state.source.cells.filter((cell) => cell.kind !== "markdown").map((cell) => cell.id);
  const of = (id: string) => client.state.cells[id]!;
  const before = cells.map((id) => of(id).run);
  await client.do({ do: "run-all", promote: true });
  await client.until(
    () => cells.every((id, i) => of(id).run !== before[i] && of(id).status === "idle") || cells.some((id) => of(id).result === "error"),
  );
  expect(cells.flatMap((id) => (of(id).result === "ok" ? [] : [[id, client.state.outputs[id]]]))).toEqual([]);
}
const finding = (client: NotebookClient, id: string) =>
  client.state.outputs[id]!.flatMap((output) =>
    output.kind === "display" && mime.finding in output.data ? [output.data[mime.finding] as FindingView] : [],
  ).at(-1)!;

it("takes the trained models from disk in a server started anew, runs one anew by one command, and proposes the same version", async () => {
  mkdirSync(join(root, "workspaces/digits"), { recursive: true });
  writeFileSync(join(root, path), small());
  writeFileSync(join(root, "workspaces/digits/package.json"), '{ "name": "digits", "private": true }');
  let client = await open();
  await client.do({ do: "mode", mode: "lazy" });
  await runAll(client);
  expect(ran()).toEqual(costly);
  expect(costly.map((id) => client.state.cells[id]!.cached)).toEqual([null, null, null]);
  const before = costly.map((id) => finding(client, id));
  const proposed = finding(client, "promote").proposal!;
  await server!.close();

  client = await open();
  await runAll(client);
  expect(ran()).toEqual(costly);
  expect(costly.map((id) => client.state.cells[id]!.cached?.savedMs)).toEqual(costly.map(() => expect.any(Number) as number));
  expect(costly.map((id) => client.state.cells[id]!.warnings)).toEqual([[], [], []]);
  expect(costly.map((id) => finding(client, id))).toEqual(before);
  const again = finding(client, "promote").proposal!;
  expect(again.manifest.files).toEqual(proposed.manifest.files);
  expect(again.id).toBe(proposed.id);

  // as the button beside "from cache" does
  await client.do({ do: "run", cells: ["teacher"], inputs: false, fresh: true });
  await client.until(() => client.state.cells["teacher"]!.status === "idle" && client.state.cells["teacher"]!.cached === null);
  expect(ran()).toEqual([...costly, "teacher"]);
  expect(finding(client, "teacher").numbers).toEqual(before[1]!.numbers);
});
