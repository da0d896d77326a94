/** Where the last of the wanted rows under a sort lies, told by little: statistics of files, or a sample. A guess, which whoever uses it must verify. */
import type { DuckDBConnection, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { text, unquote } from "./names.js";
import { comparable, orderBy, type Key } from "./order.js";

/** A relation has at least so many rows before a guess is worth its time. */
const guessable = 1_000_000;
/** rows of a sample, from the beginning: what comes later is not had without reading what is before */
const sampled = 500_000;
/** Types whose values in the statistics of a Parquet file are read back by a cast. */
const told = /^(U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|DATE|TIMESTAMP|BOOLEAN)$/;

/** What is guessed about. */
export interface Ground {
  source: string;
  /** it is a table, whose rows have numbers */
  numbered: boolean;
  where: string;
  /** about how many rows the source has */
  rows: number;
  /** the Parquet files, as an argument in SQL, all of whose rows the source gives; null: something else */
  files: string | null;
  /** the key's type */
  type: string;
}

/** Some more than the wanted rows have this key or come before it; `tied`: all that were looked at have it. */
export interface Guess {
  value: DuckDBValue;
  type: DuckDBType;
  tied: boolean;
  /** few more than the wanted rows, so that they are as well read at once */
  few: boolean;
}

/** Guesses the first key of row number `count` in order of `key`. */
export async function guess(connection: DuckDBConnection, ground: Ground, key: Key, count: number): Promise<Guess | null> {
  // a table's first key alone is read as fast as any sample
  if (ground.rows < guessable || (ground.numbered && ground.where === "")) return null;
  if (ground.where === "") return (await byStatistics(connection, ground, key, count)) ?? bySample(connection, ground, key, count);
  return bySample(connection, ground, key, count);
}

/**
 * Each row group holds a row with the best value that its statistics tell; and of row groups that lie on the right side of a value as a whole, all rows do. A few
 * more than are wanted, as a number may lose its last digits in the statistics.
 */
async function byStatistics(connection: DuckDBConnection, { files, type }: Ground, { name, desc }: Key, wanted: number): Promise<Guess | null> {
  const count = wanted + 3;
  if (files === null || !told.test(type)) return null;
  const [best, worst, order, tighter, loosest, tightest] = desc
    ? ["max", "min", "desc", "greatest", "min", "max"]
    : ["min", "max", "asc", "least", "max", "min"];
  const found = await connection.runAndReadAll(
    `with groups as (select try_cast(stats_${best}_value as ${type}) as best, try_cast(stats_${worst}_value as ${type}) as worst, row_group_num_rows - coalesce(stats_null_count, 0) as n
       from parquet_metadata(${files}) where path_in_schema = ${text(unquote(name))}),
     single as (select best as v from groups where best is not null order by v ${order} limit ${count}),
     whole as (select worst as v from (select worst, sum(n) over (order by worst ${order}) as so_far from groups where worst is not null) where so_far >= ${count} order by v ${order} limit 1),
     each as (select count(*) as n, ${loosest}(v) as v, min(v) = max(v) as same from single),
     guesses as (select case when n * 3 >= ${count} then v end as v, n > 1 and same as same, (select ${tightest}(v) from whole) as w from each)
     select ${tighter}(v, w) as value, same and value = v from guesses where value is not null`,
  );
  const row = found.getRows()[0];
  return row ? { value: row[0]!, type: found.columnType(0), tied: row[1] === true, few: true } : null;
}

async function bySample(connection: DuckDBConnection, { source, where, rows }: Ground, key: Key, count: number): Promise<Guess | null> {
  const size = Math.min(sampled, Math.floor(rows / 10));
  const mean = (count * size) / rows;
  // so many of the sample that rarely fewer than `count` of all come before the last of them
  const rank = Math.ceil(mean + 3 * Math.sqrt(mean) + 2);
  // one in twenty is no guess
  if (rank > size / 20) return null;
  const some = where === "" ? " where" : `${where} and`;
  const found = await connection.runAndReadAll(
    `select ${key.name} from (from ${source} limit ${size})${some} ${key.name} is not null${orderBy([key])} limit ${rank}`,
  );
  const best = found.getRows().map(([value]) => value!);
  if (best.length < rank || !comparable.has(found.columnType(0).typeId)) return null;
  return { value: best[rank - 1]!, type: found.columnType(0), tied: String(best[0]) === String(best[rank - 1]), few: false };
}
