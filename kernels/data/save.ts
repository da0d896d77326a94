/** A relation as a file of its own: whole or not at all. */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { expected } from "./expected.js";
import { checkJson, checkParquet } from "./formats.js";
import type { PackedTable } from "./messages.js";
import { text } from "./names.js";
import type { TableRelation } from "./relation.js";

const formats = { csv: "format csv, header true", parquet: "format parquet", json: "format json, array true", ndjson: "format json" };

/** By the ending; `table` is the name in a `.duckdb` file, `read` answers a query. */
export async function saveTo(
  relation: TableRelation<object>,
  path: string,
  table: string | undefined,
  read: (sql: string) => Promise<PackedTable>,
): Promise<void> {
  const { engine } = relation;
  const target = engine.files.target(path);
  mkdirSync(dirname(target), { recursive: true });
  if (/\.(duckdb|db)$/i.test(path)) {
    if (typeof table !== "string" || table === "" || table.includes("\0")) throw expected("table", "the name of a table of the file", table);
    await relation.fixed();
    await engine.request({ do: "save", name: relation.name, path: target, table });
    return;
  }
  const ending = /\.(csv|parquet|json|ndjson)$/i.exec(path)?.[1]?.toLowerCase() as keyof typeof formats | undefined;
  if (!ending) throw expected("path", "a file that ends in .csv, .parquet, .json, .ndjson or .duckdb", path);
  if (ending !== "csv") await (ending === "parquet" ? checkParquet : checkJson)(await relation.info(), relation.name, read);
  const temporary = `${target}.${process.pid}.part`;
  try {
    await read(`copy (from ${relation.name}) to ${text(temporary)} (${formats[ending]})`);
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
}
