/** A file that a cell read changes on disk: the cell is stale, whatever kind of file it is, and others are not. */
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NotebookClient } from "../../test/support/notebook.js";
import { startServer, type RunningServer } from "../../test/support/server.js";
import { noServing } from "../../test/support/serving.js";

let root: string;
let server: RunningServer;
let client: NotebookClient;
const at = (path: string) => join(root, "workspaces/w", path);
const write = (path: string, text: string | Uint8Array) => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "touchstone-changes-"));
  server = await startServer({ root, files: { "workspaces/w/package.json": "{}" }, memoryLimit: 2 ** 31, serving: noServing });
  write("plain.csv", "a\n1\n");
  write("bad.csv", "a\n1\n");
  write("one.json", '[{"a": 1}]');
  write("lines.ndjson", '{"a": 1}\n');
  write("one.arrow", tableToIPC(tableFromArrays({ a: Int32Array.of(1) }), "file"));
  write("text.txt", "one");
  write("many/first.csv", "a\n1\n");
  write("n.nb.ts", '// %% [lazy] id="first" lazy\n');
  client = await NotebookClient.open(server, "workspaces/w/n.nb.ts");
  await client.do({ do: "mode", mode: "lazy" });
  await client.add(
    "make",
    `await relation([{ a: 1 }]).save("one.parquet")
await relation([{ a: 2 }]).save("other.parquet")
await relation([{ y: 1 }]).save("parts/year=2001.parquet")
await relation([{ a: 1 }]).save("base.duckdb", { table: "t" })
await relation([{ a: 2 }]).save("next.duckdb", { table: "t" })`,
  );
  await client.run("make");
  expect(client.state.cells["make"]!.result).toBe("ok");
});
afterAll(async () => {
  client.close();
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

it.each<[string, string, () => void, string?]>([
  ["CSV", "sql`from 'plain.csv'`", () => write("plain.csv", "a\n1\n2\n")],
  ["CSV with rows set aside", 'csv("bad.csv")', () => write("bad.csv", "a\n1\nx\n")],
  [
    "JSON, replaced by a rename",
    "sql`from 'one.json'`",
    () => {
      write("one.json.part", '[{"a": 2}]');
      renameSync(at("one.json.part"), at("one.json"));
    },
  ],
  ["NDJSON", "sql`from 'lines.ndjson'`", () => write("lines.ndjson", '{"a": 1}\n{"a": 2}\n')],
  ["Parquet", "sql`from 'one.parquet'`", () => copyFileSync(at("other.parquet"), at("one.parquet"))],
  ["Arrow", "sql`from 'one.arrow'`", () => write("one.arrow", tableToIPC(tableFromArrays({ a: Int32Array.of(1, 2) }), "file"))],
  [
    "a new Arrow file of a pattern",
    "sql`from '*.arrow'`",
    () => write("two.arrow", tableToIPC(tableFromArrays({ a: Int32Array.of(3) }), "stream")),
    "*.arrow",
  ],
  ["a new file of a pattern", "sql`from 'many/*.csv'`", () => write("many/second.csv", "a\n2\n"), "many/*.csv"],
  ["a file of a pattern that goes", "sql`from 'many/*.csv'`", () => rmSync(at("many/second.csv")), "many/*.csv"],
  [
    "a new folder of a pattern",
    "sql`from 'parts/**/*.parquet'`",
    () => {
      mkdirSync(at("parts/more"));
      copyFileSync(at("parts/year=2001.parquet"), at("parts/more/year=2002.parquet"));
    },
    "parts/**/*.parquet",
  ],
  ["a DuckDB file", 'database("base.duckdb").table("t")', () => copyFileSync(at("next.duckdb"), at("base.duckdb"))],
  ["a file that code reads", 'await (await import("node:fs/promises")).readFile(file("text.txt"), "utf8")', () => write("text.txt", "two")],
])("%s", async (name, source, change, told) => {
  const id = name.replace(/\W+/g, "-").toLowerCase();
  await client.add(id, `const data_${id.replaceAll("-", "_")} = ${source}`);
  await client.add(`${id}-after`, `data_${id.replaceAll("-", "_")}`);
  await client.run(`${id}-after`);
  await client.add(`${id}-other`, "1 + 1");
  await client.run(`${id}-other`);
  expect(client.state.cells[`${id}-after`]!).toMatchObject({ stale: false, result: "ok" });
  change();
  await client.until(() => client.state.cells[id]!.stale && client.state.cells[`${id}-after`]!.stale);
  expect(client.state.cells[id]!.causes.join(" ")).toContain(told ?? "");
  expect(client.state.cells[`${id}-other`]!.stale).toBe(false);
  await client.run(id);
  expect(client.state.cells[id]!).toMatchObject({ stale: false, result: "ok" });
});
