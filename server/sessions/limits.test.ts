/** Data at its limits in real kernels: a query beyond memory, and one database file between two notebooks. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TablePage } from "../../kernels/protocol/document.js";
import { mime, type TableView } from "../../kernels/protocol/output.js";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

let root: string;
let server: RunningServer;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-limits-"));
  // DuckDB gets half of it
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit: 700 * 2 ** 20, serving: noServing });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

async function open(name: string): Promise<NotebookClient> {
  const path = `workspaces/w/${name}.nb.ts`;
  writeFileSync(join(root, path), '// %% id="first"\n');
  const client = await NotebookClient.open(server, path);
  await client.do({ do: "mode", mode: "lazy" });
  return client;
}
const printed = (client: NotebookClient, id: string) =>
  (client.state.outputs[id] ?? [])
    .map((output) => (output.kind === "stream" ? output.text : output.kind === "error" ? output.error.message : ""))
    .join("");

it("a query that needs too much memory ends in a sentence; the connection, its tables and the variables live", async () => {
  const client = await open("memory");
  await client.add("kept", "const kept = sql`select 42 as x`\nconst one = 1", "code");
  await client.run("kept");
  await client.add("big", "const big = await sql`select list(i) as l, list('some text ' || i) as m from range(60000000) t(i)`.rows()");
  await client.run("big");
  expect(client.state.cells["big"]!.result).toBe("error");
  expect(printed(client, "big")).toMatch(/^The query needs more memory than DuckDB may use here/);
  await client.add("after", "console.log((await kept.rows())[0].x, one)");
  await client.run("after");
  expect(printed(client, "after")).toBe("42 1\n");
  expect(client.state.kernel.death).toBeNull();
  await client.do({ do: "shutdown" });
  client.close();
});

it("a database file is written by one kernel and read by another, which is told when it changes", async () => {
  const [writer, reader] = [await open("writer"), await open("reader")];
  await writer.add("save", 'await relation(Array.from({ length: 50_000 }, (_, i) => ({ i, v: 1 }))).save("shop.duckdb", { table: "orders" })');
  await writer.run("save");
  expect(printed(writer, "save")).toBe("");
  await reader.add("read", 'const orders = database("shop.duckdb").table("orders")\norders');
  await reader.add("sum", "console.log(Number((await sql`select sum(v) as s from ${orders}`.rows())[0].s))");
  await reader.run("read");
  await reader.run("sum");
  expect(printed(reader, "sum")).toBe("50000\n");
  // the file is replaced under the reader, which has it open
  await writer.add("again", 'await relation(Array.from({ length: 50_000 }, (_, i) => ({ i, v: 2 }))).save("shop.duckdb", { table: "orders" })');
  await writer.run("again");
  expect([writer.state.cells["again"]!.result, printed(writer, "again")]).toEqual(["ok", ""]);
  await reader.until(() => reader.state.cells["read"]!.stale && reader.state.cells["sum"]!.stale);
  // what is on show stays what it was, also far down
  const output = reader.state.outputs["read"]!.find((one) => one.kind === "display" && mime.table in one.data);
  const { relation } = (output as { data: Record<string, unknown> }).data[mime.table] as TableView;
  const page = await reader.ask({ do: "call", call: { query: "table.page", relation, offset: 49_000, limit: 2 } });
  expect((page as { value: TablePage }).value.rows).toEqual([
    [49_000, 1],
    [49_001, 1],
  ]);
  await reader.run("read");
  await reader.run("sum");
  expect(printed(reader, "sum")).toBe("100000\n");
  // both write at once: each table is there, or its cell says that the other was writing
  const save = (table: string) => `await relation(Array.from({ length: 50_000 }, (_, i) => ({ i }))).save("shop.duckdb", { table: "${table}" })`;
  await writer.add("w", save("from_writer"));
  await reader.add("r", save("from_reader"));
  await Promise.all([writer.run("w"), reader.run("r")]);
  await reader.add("tables", 'console.log((await database("shop.duckdb").tables()).join())');
  await reader.run("tables");
  const tables = printed(reader, "tables").trim().split(",");
  expect(tables).toContain("orders");
  for (const [client, id, table] of [
    [writer, "w", "from_writer"],
    [reader, "r", "from_reader"],
  ] as const) {
    if (client.state.cells[id]!.result === "ok") expect(tables).toContain(table);
    else expect(printed(client, id)).toContain("is being written by another kernel");
  }
  for (const client of [writer, reader]) {
    await client.do({ do: "shutdown" });
    client.close();
  }
});
