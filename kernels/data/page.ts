/** Answers to the page's questions about a relation: pages under sort and filter, counts, exports. First pages come straight; deep ones from kept order. */
import { DuckDBTypeId, type DuckDBConnection, type DuckDBType, type DuckDBValue } from "@duckdb/node-api";
import { statSync } from "node:fs";
import type { KernelQuery, SortKey, TableExport, TablePage } from "../protocol/document.js";
import type { ColumnInfo } from "../protocol/output.js";
import { find } from "./near.js";
import { condition } from "./filter.js";
import { isQualified, quote, text } from "./names.js";
import { profile } from "./profile.js";
import { shown, wire } from "./wire.js";

/** Rows up to here are read from the relation itself. */
const shallow = 100_000;
/** Rows up to here are found under a sort without an order of all rows. */
const shallowSorted = 10_000;
/** Values of a relation over files that are kept in a table as soon as it is sorted; a larger one is sorted from the files. */
const keepableValues = 200_000_000;
/** Values of the first rows of a sorted view that are kept, all columns, so that scrolling there costs nothing. */
const topValues = 5_000_000;
/** Values up to which a sorted view that is read deep is kept as a copy; of a larger one the order alone. Both may be spilled to disk like all tables. */
const copyable = 60_000_000;
/** Kept tables and orders; the one longest unused goes first. */
const most = 12;

/** Runs work on another connection, after this answer. */
export type Aside = (work: (connection: DuckDBConnection) => Promise<unknown>) => void;

interface Kept {
  relation: string;
  table: string;
}
const kept = new Map<string, { made: Promise<Kept>; ready: boolean }>();
let counter = 0;

/** `fix` makes the relation's row order the same at each reading, and gives the table that holds the rows, if there is one. */
export async function answer(
  connection: DuckDBConnection,
  query: KernelQuery,
  columnsOf: (name: string) => Promise<ColumnInfo[]>,
  fix: (name: string) => Promise<string | null>,
  aside: Aside,
): Promise<unknown> {
  if (!("relation" in query)) throw new Error(`${query.query} is not a question about a table`);
  const { relation } = query;
  if (!isQualified(relation)) throw new Error(`Expected \`relation\` to be a qualified name such as nb."flights", got ${JSON.stringify(relation)}`);
  const columns = await columnsOf(relation);
  const stored = await fix(relation);
  const where = condition(("where" in query && query.where) || [], columns);
  switch (query.query) {
    case "table.page":
      return page(connection, { relation, stored, all: columns, where, aside }, query);
    case "table.count":
      return count(connection, relation, where);
    case "table.profile":
      return profile(connection, relation, pick(columns, query.columns), where);
    case "table.rows":
      return beginning(connection, relation, columns, query.limit);
    case "table.export":
      return exportTo(connection, relation, columns, where, query);
  }
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
  { relation, stored, all, where, aside }: { relation: string; stored: string | null; all: ColumnInfo[]; where: string; aside: Aside },
  query: Extract<KernelQuery, { query: "table.page" }>,
): Promise<TablePage> {
  const { sort = [] } = query;
  const offset = whole(query.offset, "offset");
  const limit = Math.min(whole(query.limit, "limit"), 10_000);
  const columns = pick(all, query.columns);
  const names = columns.map((column) => quote(column.name));
  const base = async (on = connection): Promise<string> =>
    stored ?? (await keep(on, relation, "", (name) => `create table ${name} as from ${relation}`)).table;
  let sql: Bound;
  const list = names.length > 0 ? names.join(", ") : "1";
  if (sort.length === 0 && offset + limit <= shallow) sql = { text: `select ${list} from ${relation}${where} limit ${limit} offset ${offset}` };
  else if (sort.length === 0 && where === "") {
    sql = { text: `select ${list} from ${await base()} where rowid between ${offset} and ${offset + limit - 1} order by rowid` };
  } else if (sort.length > 0 && offset + limit <= shallowSorted) {
    const rule = `${where}${orderOf(sort, all, "rowid")}`;
    const top = await ready(relation, `${rule}\0top`);
    if (top) sql = { text: `select ${list} from ${top.table} where rowid between ${offset} and ${offset + limit - 1} order by rowid` };
    else {
      // the first one straight from the files: they are in memory for the next
      const kept = await had(relation, "");
      const keepable = stored !== null || kept !== null || (await cells(connection, relation, all.length)) <= keepableValues;
      sql = await first(connection, stored ?? kept?.table ?? null, { relation, where, sort, all, list, offset, limit });
      const wanted = Math.min(shallowSorted, Math.floor(topValues / all.length));
      if (keepable)
        aside(async (other) => {
          const table = await base(other);
          if (wanted < shallowSorted || (stored === null && !(await had(relation, "")))) return;
          await keep(other, relation, `${rule}\0top`, async (name) => {
            const { text, values, types } = await first(other, table, { relation, where, sort, all, list: "*", offset: 0, limit: wanted });
            return { text: `create table ${name} as ${text}`, ...(values && { values }), ...(types && { types }) };
          });
        });
    }
  } else sql = await deep(connection, await base(), { relation, where, sort, all, names, offset, limit });
  const result = await connection.runAndReadAll(sql.text, sql.values, sql.types);
  const types = result.columnTypes();
  const rows = columns.length === 0 ? [] : result.getRows().map((row) => row.map((value, i) => shown(value, types[i]!)));
  return { offset, columns, rows };
}

/** A statement and what stands in its holes. */
interface Bound {
  text: string;
  values?: DuckDBValue[];
  types?: DuckDBType[];
}

/**
 * Page of the first rows under a sort: the key of the last row wanted is found first, on its column alone, and then only the rows up to it are read and sorted.
 * `table` is null when the rows stay in their files; the number of the row breaks ties, so that pages fit together.
 */
async function first(
  connection: DuckDBConnection,
  table: string | null,
  ask: { relation: string; where: string; sort: SortKey[]; all: ColumnInfo[]; list: string; offset: number; limit: number },
): Promise<Bound> {
  const { relation, where, sort, all, list, offset, limit } = ask;
  const [{ column, desc }] = sort as [SortKey];
  const key = quote(find(all, column).name);
  const last = await connection.runAndReadAll(
    `select ${key} from ${table ?? relation}${where} order by ${key} ${desc ? "desc" : "asc"} nulls last limit 1 offset ${Math.max(0, offset + limit - 1)}`,
  );
  const bound = last.getRows()[0]?.[0] ?? null;
  const type = last.columnTypes()[0]!;
  const bounded = bound !== null && comparable.has(type.typeId);
  const upto = bounded ? `${where === "" ? " where" : `${where} and`} ${key} ${desc ? ">=" : "<="} $1` : where;
  const tail = ` limit ${limit} offset ${offset}`;
  const text = table
    ? `select ${list} from ${table}${upto}${orderOf(sort, all, "rowid")}${tail}`
    : `select ${list} from (select *, row_number() over () as "~n" from (from ${relation}${upto}))${orderOf(sort, all, '"~n"')}${tail}`;
  return bounded ? { text, values: [bound], types: [type] } : { text };
}

/**
 * Page at any depth, by a copy in that order that is made once. Where it would be too large, by a table of row numbers in order; the first key, kept beside
 * them, narrows what is read.
 */
async function deep(
  connection: DuckDBConnection,
  table: string,
  ask: { relation: string; where: string; sort: SortKey[]; all: ColumnInfo[]; names: string[]; offset: number; limit: number },
): Promise<Bound> {
  const { relation, where, sort, all, names, offset, limit } = ask;
  const rule = `${where}${orderOf(sort, all, "rowid")}`;
  const key = sort[0] === undefined ? "rowid" : quote(find(all, sort[0].column).name);
  const between = `rowid between ${offset} and ${offset + limit - 1}`;
  if ((await cells(connection, table, all.length)) <= copyable) {
    const copy = await keep(connection, relation, rule, (name) => `create table ${name} as from ${table}${rule}`);
    return { text: `select ${names.join(", ") || "1"} from ${copy.table} where ${between} order by rowid` };
  }
  const order = await keep(connection, relation, rule, (name) => `create table ${name} as select rowid as "~r", ${key} as "~k" from ${table}${rule}`);
  const range = await connection.runAndReadAll(`select min("~k"), max("~k"), count(*) = count("~k") from ${order.table} where ${between}`);
  const [low, high, whole] = range.getRows()[0]!;
  const type = range.columnTypes()[0]!;
  const narrow = whole === true && low !== null && comparable.has(type.typeId);
  const list = names.length > 0 ? names.map((name) => `t.${name}`).join(", ") : "1";
  const text = `select ${list} from ${table} t join (select "~r", rowid as "~o" from ${order.table} where ${between}) o on t.rowid = o."~r"${
    narrow ? ` where t.${key} between $1 and $2` : ""
  } order by o."~o"`;
  return narrow ? { text, values: [low!, high!], types: [type, type] } : { text };
}

/** Types whose values go back into a statement as they came out of one. */
const comparable = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.DATE,
  DuckDBTypeId.TIMESTAMP,
]);

async function beginning(connection: DuckDBConnection, relation: string, columns: ColumnInfo[], limit: number): Promise<TablePage> {
  const result = await connection.runAndReadAll(`from ${relation} limit ${Math.min(whole(limit, "limit"), 10_000)}`);
  const types = result.columnTypes();
  return { offset: 0, columns, rows: result.getRows().map((row) => row.map((value, i) => wire(value, types[i]!))) };
}

function whole(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`Expected \`${name}\` to be a whole number from 0, got ${value}`);
}

/** A table made once for (relation, rule). */
async function keep(
  connection: DuckDBConnection,
  relation: string,
  rule: string,
  statement: (name: string) => string | Promise<Bound>,
): Promise<Kept> {
  const key = `${relation}\0${rule}`;
  const known = kept.get(key);
  if (known) {
    kept.delete(key);
    kept.set(key, known);
    return known.made;
  }
  const table = `nb."~kept${++counter}"`;
  const made = (async () => {
    const asked = await statement(table);
    if (typeof asked === "string") await connection.run(asked);
    else await connection.run(asked.text, asked.values, asked.types);
    return { relation, table };
  })();
  const entry = { made, ready: false };
  kept.set(key, entry);
  try {
    await made;
    entry.ready = true;
  } catch (error) {
    kept.delete(key);
    throw error;
  }
  // the table under an order in use is never the oldest, as it is asked for first
  while (kept.size > most) await release(connection, kept.keys().next().value!);
  return made;
}

/** What is kept, or is being made, for (relation, rule); null when it is not, or could not be made. */
async function had(relation: string, rule: string): Promise<Kept | null> {
  const key = `${relation}\0${rule}`;
  const known = kept.get(key);
  if (!known) return null;
  kept.delete(key);
  kept.set(key, known);
  return known.made.catch(() => null);
}

/** The same, without waiting for it to be made. */
async function ready(relation: string, rule: string): Promise<Kept | null> {
  return kept.get(`${relation}\0${rule}`)?.ready ? had(relation, rule) : null;
}

async function release(connection: DuckDBConnection, key: string): Promise<void> {
  const entry = kept.get(key);
  kept.delete(key);
  const made = await entry?.made.catch(() => null);
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
