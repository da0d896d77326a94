/** Tables of a real kernel: they page while the cell computes, and what takes long says so and can be stopped. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { KernelQuery, ServerMessage, TablePage } from "../../kernels/protocol/document.js";
import { mime, type TableView } from "../../kernels/protocol/output.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

let root: string;
let server: RunningServer;
let client: NotebookClient;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-tables-"));
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit: 2 ** 31, serving: noServing });
  writeFileSync(join(root, "workspaces/w/n.nb.ts"), '// %% id="first"\n');
  client = await NotebookClient.open(server, "workspaces/w/n.nb.ts");
});
afterAll(async () => {
  client.close();
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const viewOf = (cell: string): TableView => {
  const output = client.state.outputs[cell]!.find((one) => one.kind === "display" && mime.table in one.data);
  return (output as { data: Record<string, unknown> }).data[mime.table] as TableView;
};
const page = (relation: string, more: Partial<Extract<KernelQuery, { query: "table.page" }>> = {}) =>
  client.ask({ do: "call", call: { query: "table.page", relation, offset: 0, limit: 3, ...more } });

it("page while a cell spins", async () => {
  await client.add("t", "const t = sql`select i as id, (i * 7) % 1000 as v from range(100000) t(i)`", "sql");
  await client.run("t");
  const { relation } = viewOf("t");
  await client.add("spin", "for (;;) {}");
  await client.do({ do: "run", cells: ["spin"] });
  await client.until(() => client.state.cells["spin"]!.status === "running");
  const reply = await page(relation, { offset: 50_000, sort: [{ column: "v", desc: true }] });
  expect(reply).toMatchObject({ ok: true });
  expect((reply as { value: TablePage }).value.rows.map(([, v]) => v)).toEqual([499, 499, 499]);
  expect(client.state.cells["spin"]!.status).toBe("running");
  await client.do({ do: "interrupt" });
  await client.until(() => client.state.cells["spin"]!.result === "interrupted");
});

it("that take long say how far they are, and stop when asked", async () => {
  await client.add("long", "const long = sql`select i as id, hash(i) as h from range(60000000) t(i)`", "sql");
  await client.run("long");
  const { relation } = viewOf("long");
  // sorts sixty million rows
  const answer = page(relation, { offset: 30_000_000, sort: [{ column: "h", desc: false }] });
  const id = client.lastId;
  const working = await new Promise<Extract<ServerMessage, { type: "working" }>>((resolve) =>
    client.socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as ServerMessage;
      if (message.type === "working") resolve(message);
    }),
  );
  expect(working.id).toBe(id);
  expect(working.percent).toBeGreaterThanOrEqual(0);
  expect(working.percent).toBeLessThanOrEqual(100);
  client.send({ type: "cancel", id });
  expect(await answer).toMatchObject({ ok: false, error: { code: "kernel", message: "The query was stopped." } });
  // the table lives
  expect(await page(relation, { offset: 5, limit: 1, columns: ["id"] })).toMatchObject({ ok: true, value: { rows: [[5]] } });
});

it("of a kernel that is gone are refused with what to do", async () => {
  const { relation } = viewOf("t");
  await client.do({ do: "restart", then: "nothing" });
  await client.until(() => client.state.kernel.state === "idle");
  const reply = await page(relation);
  expect(reply).toMatchObject({ ok: false, error: { code: "gone" } });
  expect((reply as { error: { message: string } }).error.message).toContain("run its cell again");
});
