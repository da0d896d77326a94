/** The first rows under a sort, without sorting the others. */
import { DuckDBTypeId, type DuckDBConnection, type DuckDBValue } from "@duckdb/node-api";
import { discard, freshName } from "./kept.js";

/** One key of a sort: a column's quoted name, NULLs always last. */
export interface Key {
  name: string;
  desc: boolean;
}

/** Types whose values go back into a statement as they came out of one. */
export const comparable = new Set([
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.DATE,
  DuckDBTypeId.TIME,
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_TZ,
]);

/** `last` breaks ties. */
export const orderBy = (keys: Key[], ...last: string[]): string =>
  ` order by ${[...keys.map(({ name, desc }) => `${name} ${desc ? "desc" : "asc"} nulls last`), ...last].join(", ")}`;

/**
 * Makes the table `name` of the first `count` rows of `source` that pass `where`, in order; rows with equal keys stay in the source's order. `source` must give
 * its rows in one order at each reading; `numbered` says that it is a table, whose rows have numbers.
 *
 * The keys alone are looked at first, for the last one that is wanted. All rows before it are then read as they come, and of those equal to it as many as are
 * missing, which ends early where they are many. Both keep the source's order without numbering its rows, which would be done by one thread.
 */
export async function makeTop(
  connection: DuckDBConnection,
  name: string,
  ask: { source: string; numbered: boolean; where: string; keys: Key[]; count: number },
): Promise<void> {
  const { source, numbered, where, keys, count } = ask;
  const heads = keys.map((key) => key.name).join(", ");
  // one more: are there further rows like the last?
  const found = await connection.runAndReadAll(`select ${heads} from ${source}${where}${orderBy(keys)} limit ${count + 1}`);
  const types = found.columnTypes();
  if (!types.every((type) => comparable.has(type.typeId))) {
    const from = numbered ? `${source}${where}` : `(select *, row_number() over () as "~n" from ${source}${where})`;
    const [list, last] = numbered ? ["*", "rowid"] : ['* exclude "~n"', '"~n"'];
    await connection.run(`create table ${name} as select ${list} from ${from}${orderBy(keys, last)} limit ${count}`);
    return;
  }
  const rows = found.getRows();
  const scratch = freshName();
  try {
    const last = rows[count - 1];
    if (last === undefined || rows.length <= count) await connection.run(`create table ${scratch} as from ${source}${where}`);
    else {
      const { near, before, like, values } = bound(keys, last);
      const given = types.filter((_, i) => last[i] !== null);
      const passing = `from ${source}${where === "" ? " where" : `${where} and`} ${near}`;
      const equal = (row: DuckDBValue[]): boolean => row.every((value, i) => String(value) === String(last[i]));
      if (!equal(rows[count]!)) await connection.run(`create table ${scratch} as ${passing}(${before} or ${like})`, values, given);
      else {
        const missing = rows.slice(0, count).filter(equal).length;
        if (missing === count) await connection.run(`create table ${scratch} as from ${source} limit 0`);
        else await connection.run(`create table ${scratch} as ${passing}(${before})`, values, given);
        await connection.run(`insert into ${scratch} ${passing}${like} limit ${missing}`, values, given);
      }
    }
    await connection.run(`create table ${name} as from ${scratch}${orderBy(keys, "rowid")} limit ${count}`);
  } finally {
    await discard(connection, scratch);
  }
}

/**
 * Conditions about the row of these keys: rows that come before it, rows like it, and, in front of either, what the first key alone says, which is looked up
 * in the statistics of files and tables.
 */
function bound(keys: Key[], row: DuckDBValue[]): { near: string; before: string; like: string; values: DuckDBValue[] } {
  const values: DuckDBValue[] = [];
  const parts = keys.map(({ name, desc }, i) => {
    const value = row[i]!;
    // NULL is the last of all
    if (value === null) return { less: `${name} is not null`, equal: `${name} is null` };
    const hole = `$${values.push(value)}`;
    return { less: `${name} ${desc ? ">" : "<"} ${hole}`, equal: `${name} = ${hole}` };
  });
  const before = parts.reduceRight((rest, { less, equal }) => (rest === "" ? less : `(${less} or (${equal} and ${rest}))`), "");
  const near = row[0] === null ? "" : `${keys[0]!.name} ${keys[0]!.desc ? ">=" : "<="} $1 and `;
  return { near, before, like: parts.map(({ equal }) => equal).join(" and "), values };
}
