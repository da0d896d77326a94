/** What a file format has no place for: a relation that holds such values is not saved to it. */
import type { ColumnInfo } from "../protocol/output.js";
import type { PackedTable } from "./messages.js";
import { quote } from "./names.js";
import { columnOf } from "./unpack.js";

type Read = (sql: string) => Promise<PackedTable>;
interface Lost {
  /** a condition on the values that the format changes; null: none of this type */
  of(column: string, type: string): string | null;
  format: string;
}

/** DuckDB's writer rounds, wraps or reshapes such values. Throws an Error that names the column; `read` answers a query. */
export async function checkParquet(info: ColumnInfo[], relation: string, read: Read): Promise<void> {
  const union = info.find(({ type }) => /\bUNION\(/.test(type));
  if (union)
    throw new Error(
      `Parquet cannot hold column \`${union.name}\`, a ${union.type}: say \`${union.name}::varchar\` in the SQL, or save to a .duckdb file`,
    );
  await refuse({ format: "Parquet", of: lostInParquet }, info, relation, read);
}

/** JSON has no NaN and no infinity; an infinite date is read again as 1900-01-01 (DuckDB 1.5.6). Throws as `checkParquet`. */
export function checkJson(info: ColumnInfo[], relation: string, read: Read): Promise<void> {
  const of = (column: string, type: string) =>
    /^(FLOAT|DOUBLE|DATE|TIMESTAMP.*)$/.test(type) && !type.endsWith("]") ? `not isfinite(${column})` : null;
  return refuse({ format: "JSON", of }, info, relation, read);
}

async function refuse(lost: Lost, info: ColumnInfo[], relation: string, read: Read): Promise<void> {
  const found = info.map(({ name, type }) => ({ name, type, where: lost.of(quote(name), type) })).filter(({ where }) => where !== null);
  if (found.length === 0) return;
  const counts = await read(`select ${found.map(({ where }) => `count(*) filter (where ${where})`).join(", ")} from ${relation}`);
  for (const [i, { name, type }] of found.entries()) {
    const n = Number(columnOf(counts.columns[i]!)[0]);
    if (n > 0)
      throw new Error(
        `${lost.format} cannot hold ${n.toLocaleString("en")} of the values of column \`${name}\` (${type}) without loss: say \`${name}::varchar\` in the SQL, or save to a .duckdb file`,
      );
  }
}

/** 128-bit integers become doubles; an interval has whole milliseconds below 2^32 and no sign; seconds become microseconds, which have less room. */
function lostInParquet(column: string, type: string): string | null {
  if (type === "UHUGEINT") return `${column} > 9007199254740992::uhugeint`;
  if (type === "HUGEINT") return `${column} > 9007199254740992 or ${column} < -9007199254740992`;
  if (type === "TIMESTAMP_S") return `${column} is not null and not coalesce(isfinite(try_cast(${column} as timestamp)), false)`;
  if (type !== "INTERVAL") return null;
  const part = (name: string) => `date_part('${name}', ${column})::hugeint`;
  const micros = `(${part("hour")} * 3600000000 + ${part("minute")} * 60000000 + ${part("microsecond")})`;
  const signs = ["year", "month", "day"].map((name) => `${part(name)} < 0`);
  return [...signs, `${micros} < 0`, `${micros} % 1000 <> 0`, `${micros} >= 4294967296000`].join(" or ");
}
