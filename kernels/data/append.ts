/** Rows added to a table whose columns are learned as they come, in the worker. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { load } from "./load.js";
import type { DataRequest } from "./messages.js";
import { bare, text } from "./names.js";

let count = 0;

export async function append(connection: DuckDBConnection, request: Extract<DataRequest, { do: "append" }>): Promise<void> {
  const { name, columns, length } = request;
  const known = await connection.runAndReadAll(
    `select column_name, data_type from duckdb_columns() where schema_name = 'nb' and table_name = ${text(bare(name))}`,
  );
  if (known.getRows().length === 0) return load(connection, name, columns, length);
  const types = new Map(known.getRows().map(([column, type]) => [String(column), String(type)]));
  const chunk = `nb."~chunk${++count}"`;
  await load(connection, chunk, columns, length);
  try {
    if (columns.every((column) => types.get(column.name) === column.type))
      return void (await connection.run(`insert into ${name} by name from ${chunk}`));
    // the wider type of both, and NULL where a column is new
    const wider = `nb."~wider${count}"`;
    await connection.run(`create table ${wider} as from ${name} union all by name from ${chunk}`);
    await connection.run(`drop table ${name}`);
    await connection.run(`alter table ${wider} rename to "${bare(name).replaceAll('"', '""')}"`);
  } finally {
    await connection.run(`drop table if exists ${chunk}`);
  }
}
