/** The first rows under a sort, without sorting the others. */
import type { DuckDBConnection, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { guess, type Guess } from "./guess.js";
import { discard, freshName } from "./kept.js";
import { quote, unused } from "./names.js";
import { comparable, orderBy, type Key } from "./order.js";

export interface TopAsk {
  /** gives its rows in one order at each reading */
  source: string;
  /** it is a table, whose rows have numbers */
  numbered: boolean;
  where: string;
  keys: Key[];
  count: number;
  /** what a guess can go by: about how many rows there are, the Parquet files that they are, the type of the first key */
  ground?: { rows: number; files: string | null; type: string };
}

/** rows up to which those before a guess are taken */
const mostGuessed = 50_000;

/** Makes the table `name` of the first `count` rows of `source` that pass `where`, in order; rows with equal keys stay in the source's order. */
export async function makeTop(connection: DuckDBConnection, name: string, ask: TopAsk): Promise<void> {
  const scratch = freshName();
  try {
    const reading = await guessed(connection, scratch, ask);
    if (reading !== "made") {
      await discard(connection, scratch);
      if (!(await exact(connection, scratch, ask, reading))) return await sortAll(connection, name, ask);
    }
    await connection.run(`create table ${name} as from ${scratch}${orderBy(ask.keys, "rowid")} limit ${ask.count}`);
  } finally {
    await discard(connection, scratch);
  }
}

/** Rows with this first key and those before it hold the wanted ones; null: nothing is known. */
type Narrowed = Guess | null;

/**
 * Makes the table `scratch` of the wanted rows and some more, in the source's order, by one reading of it: all rows that do not come after a value which was
 * guessed for the last of them. Where there are too many such rows they are not taken, but hold the wanted ones.
 */
async function guessed(connection: DuckDBConnection, scratch: string, ask: TopAsk): Promise<"made" | Narrowed> {
  const { source, where, keys, count, ground } = ask;
  const key = keys[0]!;
  const near = ground ? await guess(connection, { ...ask, ...ground }, key, count) : null;
  if (!near || !(near.few || (near.tied && keys.length === 1))) return near;
  const most = mostGuessed + 2 * count;
  const passing = `from ${source}${where === "" ? " where" : `${where} and`} ${key.name}`;
  // where many rows are like it, the first of them in the source's order are the ones, and reading ends early
  const tied = near.tied && keys.length === 1;
  const first = tied ? before(key) : `${before(key)}=`;
  // of files they are counted first, by the statistics and the key alone: to take them up to a limit is left to one thread
  if (near.few && (await firstNumber(connection, `select count(*) ${passing} ${first} $1`, [near.value], [near.type])) >= most) return near;
  const take = (into: string, comparison: string, limit: string): Promise<number> =>
    firstNumber(connection, `${into} ${passing} ${comparison} $1${limit}`, [near.value], [near.type]);
  let found = await take(`create table ${scratch} as`, first, near.few ? "" : ` limit ${most}`);
  if (found < count && tied) found += await take(`insert into ${scratch}`, "=", ` limit ${count - found}`);
  return found >= most ? near : found >= count ? "made" : null;
}

const before = ({ desc }: Key): string => (desc ? ">" : "<");

/**
 * The same without a guess. The keys alone are looked at first, for the last one that is wanted. All rows before it are then read as they come, and of those equal
 * to it as many as are missing, which ends early where they are many. Both keep the source's order without numbering its rows, which would be done by one thread.
 * False: the keys' values do not go back into a statement.
 */
async function exact(connection: DuckDBConnection, scratch: string, ask: TopAsk, narrowed: Narrowed): Promise<boolean> {
  const { source, where, keys, count } = ask;
  const heads = keys.map((key) => key.name).join(", ");
  const some = narrowed ? `${where === "" ? " where" : `${where} and`} ${keys[0]!.name} ${before(keys[0]!)}= $1` : where;
  // one more: are there further rows like the last?
  const found = await connection.runAndReadAll(
    `select ${heads} from ${source}${some}${orderBy(keys)} limit ${count + 1}`,
    narrowed ? [narrowed.value] : [],
    narrowed ? [narrowed.type] : [],
  );
  const types = found.columnTypes();
  if (!types.every((type) => comparable.has(type.typeId))) return false;
  const rows = found.getRows();
  const last = rows[count - 1];
  if (narrowed && rows.length <= count) return exact(connection, scratch, ask, null);
  if (last === undefined || rows.length <= count) {
    await connection.run(`create table ${scratch} as from ${source}${where}`);
    return true;
  }
  const { near, less, like, values } = bound(keys, last);
  const given = types.filter((_, i) => last[i] !== null);
  const passing = `from ${source}${where === "" ? " where" : `${where} and`} ${near}`;
  const equal = (row: DuckDBValue[]): boolean => row.every((value, i) => String(value) === String(last[i]));
  if (!equal(rows[count]!)) {
    await connection.run(`create table ${scratch} as ${passing}(${less} or ${like})`, values, given);
    return true;
  }
  const make = `create table ${scratch} as`;
  const earlier = equal(rows[0]!)
    ? await firstNumber(connection, `${make} from ${source} limit 0`)
    : await firstNumber(connection, `${make} ${passing}(${less})`, values, given);
  await connection.run(`insert into ${scratch} ${passing}${like} limit ${count - earlier}`, values, given);
  return true;
}

/** The number in the first place of the result: of a table that is made or filled, how many rows are new. */
async function firstNumber(connection: DuckDBConnection, sql: string, values: DuckDBValue[] = [], types: DuckDBType[] = []): Promise<number> {
  return Number((await connection.runAndReadAll(sql, values, types)).getRows()[0]![0]);
}

/** By numbers of the rows, where keys are of types that are only sorted. */
async function sortAll(connection: DuckDBConnection, name: string, { source, numbered, where, keys, count }: TopAsk): Promise<void> {
  const names = numbered ? [] : (await connection.runAndReadAll(`from ${source} limit 0`)).columnNames();
  const number = numbered ? "rowid" : quote(unused("~n", names));
  const from = numbered ? `${source}${where}` : `(select *, row_number() over () as ${number} from ${source}${where})`;
  const list = numbered ? "*" : `* exclude ${number}`;
  await connection.run(`create table ${name} as select ${list} from ${from}${orderBy(keys, number)} limit ${count}`);
}

/**
 * Conditions about the row of these keys: rows that come before it, rows like it, and, in front of either, what the first key alone says, which is looked up
 * in the statistics of files and tables.
 */
function bound(keys: Key[], row: DuckDBValue[]): { near: string; less: string; like: string; values: DuckDBValue[] } {
  const values: DuckDBValue[] = [];
  const parts = keys.map(({ name, desc }, i) => {
    const value = row[i]!;
    // NULL is the last of all
    if (value === null) return { less: `${name} is not null`, equal: `${name} is null` };
    const hole = `$${values.push(value)}`;
    return { less: `${name} ${before({ name, desc })} ${hole}`, equal: `${name} = ${hole}` };
  });
  const earlier = parts.reduceRight((rest, { less, equal }) => (rest === "" ? less : `(${less} or (${equal} and ${rest}))`), "");
  const near = row[0] === null ? "" : `${keys[0]!.name} ${before(keys[0]!)}= $1 and `;
  return { near, less: earlier, like: parts.map(({ equal }) => equal).join(" and "), values };
}
