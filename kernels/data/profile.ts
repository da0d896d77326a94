/** What the columns of a relation look like: nulls, distinct values, quantiles, histogram, most frequent values. */
import type { DuckDBConnection, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { exactDistinct, type ColumnProfile, type TableProfile } from "../protocol/document.js";
import type { ColumnInfo, WireValue } from "../protocol/output.js";
import { quote, unused } from "./names.js";
import { isoOf, shown } from "./wire.js";

/** Above this many rows a fixed sample is looked at. */
const limit = 1_000_000;
const sampleSize = 200_000;
const binCount = 20;
const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95];
let counter = 0;

/** `where` is "" or " where ..." over the relation's columns. */
export async function profile(connection: DuckDBConnection, relation: string, columns: ColumnInfo[], where: string): Promise<TableProfile> {
  const read = async (sql: string): Promise<{ rows: DuckDBValue[][]; types: DuckDBType[] }> => {
    const result = await connection.runAndReadAll(sql);
    return { rows: result.getRows(), types: result.columnTypes() };
  };
  const rows = Number((await read(`select count(*) from ${relation}${where}`)).rows[0]![0]);
  const list = columns.map((column) => quote(column.name)).join(", ") || "1";
  const source = `select ${list} from ${relation}${where}`;
  const table = `nb."~profile${++counter}"`;
  const sampled = rows > limit;
  const number = quote(
    unused(
      "~n",
      columns.map(({ name }) => name),
    ),
  );
  await connection.run(
    `create table ${table} as ${sampled ? `select ${list} from (select *, row_number() over () as ${number} from (${source})) where hash(${number}) % ${Math.floor(rows / sampleSize)} = 0` : source}`,
  );
  try {
    const looked = sampled ? Number((await read(`select count(*) from ${table}`)).rows[0]![0]) : rows;
    const found: ColumnProfile[] = [];
    for (const column of columns) found.push(await one(read, table, column, looked));
    return { rows, looked, columns: found };
  } finally {
    await connection.run(`drop table if exists ${table}`);
  }
}

function kindOf(type: string): ColumnProfile["kind"] {
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL)/.test(type) && !type.endsWith("]")) return "number";
  if (/^(DATE|TIMESTAMP)/.test(type) && !type.endsWith("]")) return "date";
  if (type === "BOOLEAN") return "boolean";
  if (type === "VARCHAR" || type === "UUID" || (type.startsWith("ENUM") && !type.endsWith("]"))) return "text";
  return "other";
}

async function one(
  read: (sql: string) => Promise<{ rows: DuckDBValue[][]; types: DuckDBType[] }>,
  table: string,
  { name, type }: ColumnInfo,
  looked: number,
): Promise<ColumnProfile> {
  const column = quote(name);
  const kind = kindOf(type);
  const ordered = kind !== "other";
  const key = ordered ? column : `md5(${column}::varchar)`;
  const distinctOf = looked <= exactDistinct ? `count(distinct ${key})` : `approx_count_distinct(${key})`;
  const counts = await read(
    `select count(*)::double, count(${column})::double, ${distinctOf}::double
     ${ordered ? `, min(${column}), max(${column})` : ""} from ${table}`,
  );
  const [all, present, distinct, min = null, max = null] = counts.rows[0]!;
  const base: ColumnProfile = {
    name,
    type,
    kind,
    nulls: Number(all) - Number(present),
    distinct: Math.min(Number(distinct), Number(present)),
    min: ordered ? shown(min, counts.types[3]!) : null,
    max: ordered ? shown(max, counts.types[4]!) : null,
    quantiles: null,
    bins: null,
    top: null,
  };
  if (kind === "number" || kind === "date") return { ...base, ...(await spread(read, table, column, kind, type)) };
  return { ...base, top: ordered ? await frequent(read, table, column) : null };
}

/** Quantiles and bins of finite values; dates are taken as ms since epoch. */
async function spread(
  read: (sql: string) => Promise<{ rows: DuckDBValue[][] }>,
  table: string,
  column: string,
  kind: "number" | "date",
  type: string,
): Promise<Pick<ColumnProfile, "quantiles" | "bins">> {
  const value = kind === "date" ? `epoch_ms(${column}::timestamp)::double` : `${column}::double`;
  const finite = kind === "date" ? `isfinite(${column})` : `isfinite(${column}::double)`;
  const source = `(select ${value} as v from ${table} where ${column} is not null and ${finite})`;
  const marks = (await read(`select min(v), max(v), ${quantiles.map((q) => `quantile_cont(v, ${q})`).join(", ")} from ${source}`)).rows[0] as (
    number | null
  )[];
  const [from, to, ...cuts] = marks;
  if (from === null || from === undefined || to === null || to === undefined) return { quantiles: null, bins: null };
  const tell = (v: number): number | string => (kind === "date" ? isoOf(v, type === "DATE") : v);
  if (from === to) return { quantiles: cuts.map((v) => tell(v!)), bins: [{ from: tell(from), to: tell(to), count: await total(read, source) }] };
  const width = (to - from) / binCount;
  const counted = await read(
    `select least(${binCount - 1}, floor((v - (${from})) / ${width}))::integer as b, count(*)::double from ${source} group by b`,
  );
  const count = new Map(counted.rows.map(([bin, n]) => [Number(bin), Number(n)]));
  const bins = Array.from({ length: binCount }, (_, i) => ({
    from: tell(from + i * width),
    to: tell(i === binCount - 1 ? to : from + (i + 1) * width),
    count: count.get(i) ?? 0,
  }));
  return { quantiles: cuts.map((v) => tell(v!)), bins };
}

async function total(read: (sql: string) => Promise<{ rows: DuckDBValue[][] }>, source: string): Promise<number> {
  return Number((await read(`select count(*) from ${source}`)).rows[0]![0]);
}

async function frequent(
  read: (sql: string) => Promise<{ rows: DuckDBValue[][]; types: DuckDBType[] }>,
  table: string,
  column: string,
): Promise<{ value: WireValue; count: number }[]> {
  const { rows, types } = await read(
    `select ${column}, count(*)::double as n from ${table} where ${column} is not null group by ${column} order by n desc, ${column} limit 10`,
  );
  return rows.map(([value, n]) => ({ value: shown(value!, types[0]!), count: Number(n) }));
}
