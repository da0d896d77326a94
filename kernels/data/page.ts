/** Answers to the page's questions about a relation: pages under sort and filter, counts, exports. First pages come straight; deep ones from kept order. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { statSync } from "node:fs";
import type { KernelQuery, SortKey, TableExport, TablePage } from "../protocol/document.js";
import type { ColumnInfo } from "../protocol/output.js";
import { find } from "./near.js";
import { condition } from "./filter.js";
import { isQualified, quote, text } from "./names.js";
import { profile } from "./profile.js";
import { shown } from "./wire.js";

/** Rows up to here are read from the relation itself. */
const shallow = 100_000;
/** Values of a relation over files that are kept in a table as soon as it is sorted; a larger one is sorted from the files. */
const keepable = 200_000_000;
/** Kept tables and orders; the one longest unused goes first. */
const most = 8;

interface Kept {
  relation: string;
  table: string;
}
const kept = new Map<string, Promise<Kept>>();
let counter = 0;

/** `fix` makes the relation's row order the same at each reading, and gives the table that holds the rows, if there is one. */
export async function answer(connection: DuckDBConnection, query: KernelQuery, fix: (name: string) => Promise<string | null>): Promise<unknown> {
  if (!("relation" in query)) throw new Error(`${query.query} is not a question about a table`);
  const { relation } = query;
  if (!isQualified(relation)) throw new Error(`Expected \`relation\` to be a qualified name such as nb."flights", got ${JSON.stringify(relation)}`);
  const columns = await columnsOf(connection, relation);
  const stored = await fix(relation);
  const where = condition(query.where ?? [], columns);
  switch (query.query) {
    case "table.page":
      return page(connection, relation, stored, columns, where, query);
    case "table.count":
      return count(connection, relation, where);
    case "table.profile":
      return profile(connection, relation, pick(columns, query.columns), where);
    case "table.export":
      return exportTo(connection, relation, columns, where, query);
  }
}

export async function columnsOf(connection: DuckDBConnection, relation: string): Promise<ColumnInfo[]> {
  const result = await connection.runAndReadAll(`select column_name, column_type from (describe ${relation})`);
  return result.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }));
}

function pick(columns: ColumnInfo[], names: string[] | undefined): ColumnInfo[] {
  if (!names) return columns;
  return names.map((name) => find(columns, name));
}

async function count(connection: DuckDBConnection, relation: string, where: string): Promise<number> {
  const result = await connection.runAndReadAll(`select count(*)::double from ${relation}${where}`);
  return result.getRows()[0]![0] as number;
}

async function cells(connection: DuckDBConnection, relation: string, columns: number): Promise<number> {
  return (await count(connection, relation, "")) * columns;
}

function orderOf(sort: SortKey[], columns: ColumnInfo[], last: string): string {
  const keys = sort.map((key) => `${quote(find(columns, key.column).name)} ${key.desc ? "desc" : "asc"} nulls last`);
  return ` order by ${[...keys, last].join(", ")}`;
}

async function page(
  connection: DuckDBConnection,
  relation: string,
  stored: string | null,
  all: ColumnInfo[],
  where: string,
  query: Extract<KernelQuery, { query: "table.page" }>,
): Promise<TablePage> {
  const { sort = [] } = query;
  const offset = whole(query.offset, "offset");
  const limit = Math.min(whole(query.limit, "limit"), 10_000);
  const columns = pick(all, query.columns);
  const list = columns.length > 0 ? columns.map((column) => quote(column.name)).join(", ") : "1";
  const base = async (): Promise<string> =>
    stored ?? (await keep(connection, relation, "", (name) => `create table ${name} as from ${relation}`)).table;
  let sql: string;
  if (offset + limit <= shallow && sort.length === 0) {
    sql = `select ${list} from ${relation}${where} limit ${limit} offset ${offset}`;
  } else if (offset + limit <= shallow && (stored !== null || (await cells(connection, relation, all.length)) <= keepable)) {
    // the number of the row breaks ties, so that pages fit together
    sql = `select ${list} from ${await base()}${where}${orderOf(sort, all, "rowid")} limit ${limit} offset ${offset}`;
  } else if (offset + limit <= shallow) {
    sql = `select ${list} from (select *, row_number() over () as "~n" from ${relation})${where}${orderOf(sort, all, '"~n"')} limit ${limit} offset ${offset}`;
  } else {
    const table = await base();
    const between = `rowid between ${offset} and ${offset + limit - 1}`;
    if (sort.length === 0 && where === "") {
      sql = `select ${list} from ${table} where ${between} order by rowid`;
    } else {
      const rule = `${where}${orderOf(sort, all, "rowid")}`;
      const order = await keep(connection, relation, rule, (name) => `create table ${name} as select rowid as "~r" from ${table}${rule}`);
      sql = `select ${list} from ${table} t join (select "~r", rowid as "~o" from ${order.table} where ${between}) o on t.rowid = o."~r" order by o."~o"`;
    }
  }
  const result = await connection.runAndReadAll(sql);
  const types = result.columnTypes();
  const rows = columns.length === 0 ? [] : result.getRows().map((row) => row.map((value, i) => shown(value, types[i]!)));
  return { offset, columns, rows };
}

function whole(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`Expected \`${name}\` to be a whole number from 0, got ${value}`);
}

/** A table made once for (relation, rule). */
async function keep(connection: DuckDBConnection, relation: string, rule: string, statement: (name: string) => string): Promise<Kept> {
  const key = `${relation}\0${rule}`;
  const had = kept.get(key);
  if (had) {
    kept.delete(key);
    kept.set(key, had);
    return had;
  }
  const table = `nb."~kept${++counter}"`;
  const made = connection.run(statement(table)).then(() => ({ relation, table }));
  kept.set(key, made);
  try {
    await made;
  } catch (error) {
    kept.delete(key);
    throw error;
  }
  // the table under an order in use is never the oldest, as it is asked for first
  while (kept.size > most) await release(connection, kept.keys().next().value!);
  return made;
}

async function release(connection: DuckDBConnection, key: string): Promise<void> {
  const entry = kept.get(key);
  kept.delete(key);
  const made = await entry?.catch(() => null);
  if (made) await connection.run(`drop table if exists ${made.table}`);
}

/** Drops what was kept for a relation. */
export async function forget(connection: DuckDBConnection, relation: string): Promise<void> {
  for (const key of [...kept.keys()]) if (key.startsWith(`${relation}\0`)) await release(connection, key);
}

async function exportTo(
  connection: DuckDBConnection,
  relation: string,
  columns: ColumnInfo[],
  where: string,
  query: Extract<KernelQuery, { query: "table.export" }>,
): Promise<TableExport> {
  const { sort = [], format, path } = query;
  if (format !== "csv" && format !== "parquet") throw new Error(`Expected \`format\` to be "csv" or "parquet", got ${JSON.stringify(format)}`);
  const list = columns.map((column) => quote(column.name)).join(", ");
  const from = sort.length > 0 ? `(select *, row_number() over () as "~n" from ${relation})` : relation;
  const order = sort.length > 0 ? orderOf(sort, columns, '"~n"') : "";
  const options = format === "csv" ? "format csv, header true" : "format parquet";
  const result = await connection.runAndReadAll(`copy (select ${list} from ${from}${where}${order}) to ${text(path)} (${options})`);
  return { rows: Number(result.getRows()[0]![0]), bytes: statSync(path).size };
}
