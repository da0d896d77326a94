/** Answers to the page's questions about a relation: pages under sort and filter, counts, exports. First pages come straight; deep ones from kept order. */
import type { DuckDBConnection, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { statSync } from "node:fs";
import type { KernelQuery, SortKey, TableExport, TablePage } from "../protocol/document.js";
import type { ColumnInfo } from "../protocol/output.js";
import type { Aside, Asides } from "./asides.js";
import { copyRows } from "./copy.js";
import { condition } from "./filter.js";
import { discard, freshName, had, keep, ready } from "./kept.js";
import { isQualified, quote, text, unused } from "./names.js";
import { find } from "./near.js";
import { comparable, orderBy, type Key } from "./order.js";
import type { Under } from "./parquet-under.js";
import { profile } from "./profile.js";
import { withoutRowid } from "./rowid.js";
import { makeTop, type TopAsk } from "./top.js";
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
/** Where a relation's rows are. */
export interface Standing {
  /** the table that holds them; null: a view */
  table: string | null;
  /** the view reads text files, as a whole each time */
  slow: boolean;
  /** as DuckDB estimates them, of a view */
  rows: number;
  /** the Parquet files that are all that the view reads */
  under: Under | null;
}

/** `fix` makes the relation's row order the same at each reading, and says where its rows are. */
export async function answer(
  connection: DuckDBConnection,
  query: KernelQuery,
  columnsOf: (name: string) => Promise<ColumnInfo[]>,
  fix: (name: string) => Promise<Standing>,
  asides: Asides,
): Promise<unknown> {
  if (!("relation" in query)) throw new Error(`${query.query} is not a question about a table`);
  const { relation } = query;
  if (!isQualified(relation)) throw new Error(`Expected \`relation\` to be a qualified name such as nb."flights", got ${JSON.stringify(relation)}`);
  const columns = await columnsOf(relation);
  if (query.query === "table.page")
    return withoutRowid(connection, query, columns, async (query, all) => {
      const standing = await fix(query.relation);
      return page(connection, { relation: query.relation, standing, all, where: condition(query.where ?? [], all), asides }, query);
    });
  await fix(relation);
  const where = condition(("where" in query && query.where) || [], columns);
  switch (query.query) {
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

const keysOf = (sort: SortKey[], columns: ColumnInfo[]): Key[] => sort.map(({ column, desc }) => ({ name: quote(find(columns, column).name), desc }));

interface Ask {
  relation: string;
  standing: Standing;
  all: ColumnInfo[];
  where: string;
  asides: Asides;
}

async function page(connection: DuckDBConnection, ask: Ask, query: Extract<KernelQuery, { query: "table.page" }>): Promise<TablePage> {
  const { relation, where, all } = ask;
  const offset = whole(query.offset, "offset");
  const limit = Math.min(whole(query.limit, "limit"), 10_000);
  const columns = pick(all, query.columns);
  const keys = keysOf(query.sort ?? [], all);
  const names = columns.map((column) => quote(column.name));
  const list = names.length > 0 ? names.join(", ") : "1";
  const fetch = async ({ text: sql, values, types }: Bound): Promise<TablePage> => {
    const result = await connection.runAndReadAll(sql, values, types);
    const found = result.columnTypes();
    const rows = columns.length === 0 ? [] : result.getRows().map((row) => row.map((value, i) => shown(value, found[i]!)));
    return { offset, columns, rows };
  };
  const slice = (table: string): Bound => ({
    text: `select ${list} from ${table} where rowid between ${offset} and ${offset + limit - 1} order by rowid`,
  });
  if (keys.length === 0 && offset + limit <= shallow) {
    const straight = { text: `select ${list} from ${relation}${where} limit ${limit} offset ${offset}` };
    if (where === "") return fetch(straight);
    const over = ask.asides.giveWay();
    try {
      const table = await ready(relation, "");
      return await fetch(table === null ? straight : { text: `select ${list} from ${table}${where} limit ${limit} offset ${offset}` });
    } finally {
      // who filters goes on to sort, and to filter otherwise
      prepare(ask);
      over();
    }
  }
  if (keys.length > 0 && offset + limit <= shallowSorted) {
    const top = await ready(relation, topRule(where, keys));
    if (top) return fetch(slice(top));
    return first(connection, ask, keys, { names, until: offset + limit }, (table) => fetch(slice(table)));
  }
  const over = ask.asides.giveWay();
  try {
    if (keys.length === 0 && where === "") return await fetch(slice(await base(connection, ask)));
    return await fetch(await deep(connection, await base(connection, ask), { relation, where, keys, all, names, offset, limit }));
  } finally {
    over();
  }
}

/** Sorts whose first rows were asked for once. */
const asked = new Set<string>();
function remember(key: string): void {
  asked.add(key);
  if (asked.size > 100) asked.delete(asked.values().next().value!);
}

const topRule = (where: string, keys: Key[]): string => `${where}${orderBy(keys, "rowid")}\0top`;

/** The table of the relation's rows; a view's is made. */
async function base(connection: DuckDBConnection, { relation, standing }: Ask, by: Aside | null = null): Promise<string> {
  if (standing.table !== null) return standing.table;
  const file = standing.under?.same ? standing.under.files : null;
  return keep(connection, relation, "", (name) => copyRows(connection, name, relation, file, () => by?.stopped === true), by);
}

const isKeepable = ({ standing, all }: Ask): boolean => standing.table !== null || standing.rows * all.length <= keepableValues;

/** Has the rows of a view over files made into a table when pages are quiet. */
function prepare(ask: Ask): void {
  const { relation, standing, asides } = ask;
  if (standing.table === null && isKeepable(ask)) asides.later(`${relation}\0`, (other, me) => base(other, ask, me));
}

/** A page of the first `until` rows under a sort. What makes the next ones quick is made when they are here. */
async function first(
  connection: DuckDBConnection,
  ask: Ask,
  keys: Key[],
  { names, until }: { names: string[]; until: number },
  read: (table: string) => Promise<TablePage>,
): Promise<TablePage> {
  const { relation, standing, where, all, asides } = ask;
  const keepable = isKeepable(ask);
  const type = all.find((column) => quote(column.name) === keys[0]!.name)!.type;
  const source = async (by: DuckDBConnection): Promise<Pick<TopAsk, "source" | "numbered" | "ground">> => {
    // text files are read once, whatever is asked
    const table = standing.table ?? (standing.slow && keepable ? await base(by, ask) : await ready(relation, ""));
    if (table === null) return { source: relation, numbered: false, ground: { rows: standing.rows, files: standing.under?.files ?? null, type } };
    return { source: table, numbered: true, ground: { rows: await count(by, table, ""), files: null, type } };
  };
  const top = topRule(where, keys);
  const wanted = Math.min(shallowSorted, Math.floor(topValues / all.length));
  const makeAll = (by: DuckDBConnection) => async (name: string) => makeTop(by, name, { ...(await source(by)), where, keys, count: wanted });
  const over = asides.giveWay();
  try {
    // what is being made already is nearly there; who asks again goes on through these rows
    const again = wanted === shallowSorted && asked.has(`${relation}\0${top}`);
    asked.delete(`${relation}\0${top}`);
    const made = again ? await keep(connection, relation, top, makeAll(connection)) : await had(relation, top);
    if (made) return await read(made);
    remember(`${relation}\0${top}`);
    const page = freshName();
    try {
      const from = await source(connection);
      if (wanted === shallowSorted) await makeTop(connection, page, { ...from, where, keys, count: until });
      else {
        // a table of thousands of columns takes seconds to make: of a very wide relation only what is on show
        const some = [...new Set([...names, ...keys.map(({ name }) => name)])].join(", ");
        await makeTop(connection, page, { source: `(select ${some} from ${from.source}${where})`, numbered: false, where: "", keys, count: until });
      }
      return await read(page);
    } finally {
      await discard(connection, page);
    }
  } finally {
    prepare(ask);
    if (wanted === shallowSorted) asides.later(`${relation}\0top`, (other, me) => keep(other, relation, top, makeAll(other), me));
    over();
  }
}

/** A statement and what stands in its holes. */
interface Bound {
  text: string;
  values?: DuckDBValue[];
  types?: DuckDBType[];
}

/**
 * Page at any depth, by a copy in that order that is made once. Where it would be too large, by a table of row numbers in order; the first key, kept beside
 * them, narrows what is read.
 */
async function deep(
  connection: DuckDBConnection,
  table: string,
  ask: { relation: string; where: string; keys: Key[]; all: ColumnInfo[]; names: string[]; offset: number; limit: number },
): Promise<Bound> {
  const { relation, where, keys, all, names, offset, limit } = ask;
  const rule = `${where}${orderBy(keys, "rowid")}`;
  const key = keys[0]?.name ?? "rowid";
  const between = `rowid between ${offset} and ${offset + limit - 1}`;
  if ((await count(connection, table, "")) * all.length <= copyable) {
    const copy = await keep(connection, relation, rule, (name) => connection.run(`create table ${name} as from ${table}${rule}`));
    return { text: `select ${names.join(", ") || "1"} from ${copy} where ${between} order by rowid` };
  }
  const order = await keep(connection, relation, rule, (name) =>
    connection.run(`create table ${name} as select rowid as "~r", ${key} as "~k" from ${table}${rule}`),
  );
  const range = await connection.runAndReadAll(`select min("~k"), max("~k"), count(*) = count("~k") from ${order} where ${between}`);
  const [low, high, whole] = range.getRows()[0]!;
  const type = range.columnTypes()[0]!;
  const narrow = whole === true && low !== null && comparable.has(type.typeId);
  const list = names.length > 0 ? names.map((name) => `t.${name}`).join(", ") : "1";
  const text = `select ${list} from ${table} t join (select "~r", rowid as "~o" from ${order} where ${between}) o on t.rowid = o."~r"${
    narrow ? ` where t.${key} between $1 and $2` : ""
  } order by o."~o"`;
  return narrow ? { text, values: [low!, high!], types: [type, type] } : { text };
}

async function beginning(connection: DuckDBConnection, relation: string, columns: ColumnInfo[], limit: number): Promise<TablePage> {
  const result = await connection.runAndReadAll(`from ${relation} limit ${Math.min(whole(limit, "limit"), 10_000)}`);
  const types = result.columnTypes();
  return { offset: 0, columns, rows: result.getRows().map((row) => row.map((value, i) => wire(value, types[i]!))) };
}

function whole(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`Expected \`${name}\` to be a whole number from 0, got ${value}`);
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
  const number = quote(
    unused(
      "~n",
      columns.map(({ name }) => name),
    ),
  );
  const from = sort.length > 0 ? `(select *, row_number() over () as ${number} from ${relation})` : relation;
  const order = sort.length > 0 ? orderBy(keysOf(sort, columns), number) : "";
  const options = format === "csv" ? "format csv, header true" : "format parquet";
  const result = await connection.runAndReadAll(`copy (select ${list} from ${from}${where}${order}) to ${text(path)} (${options})`);
  return { rows: Number(result.getRows()[0]![0]), bytes: statSync(path).size };
}
