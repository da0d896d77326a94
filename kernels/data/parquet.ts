/** What Parquet has no type for. */
import type { ColumnInfo } from "../protocol/output.js";
import type { PackedTable } from "./messages.js";
import { quote } from "./names.js";
import { columnOf } from "./unpack.js";

/** DuckDB's writer rounds, wraps or reshapes such values. Throws an Error that names the column; `read` answers a query. */
export async function checkParquet(info: ColumnInfo[], relation: string, read: (sql: string) => Promise<PackedTable>): Promise<void> {
  const union = info.find(({ type }) => /\bUNION\(/.test(type));
  if (union)
    throw new Error(
      `Parquet cannot hold column \`${union.name}\`, a ${union.type}: say \`${union.name}::varchar\` in the SQL, or save to a .duckdb file`,
    );
  const found = info.map(({ name, type }) => ({ name, type, lost: lostInParquet(quote(name), type) })).filter(({ lost }) => lost !== null);
  if (found.length === 0) return;
  const counts = await read(`select ${found.map(({ lost }) => `count(*) filter (where ${lost})`).join(", ")} from ${relation}`);
  for (const [i, { name, type }] of found.entries()) {
    const lost = Number(columnOf(counts.columns[i]!)[0]);
    if (lost > 0)
      throw new Error(
        `Parquet cannot hold ${lost.toLocaleString("en")} of the values of column \`${name}\` (${type}) without loss: say \`${name}::varchar\` in the SQL, or save to a .duckdb file`,
      );
  }
}

/** A condition on the values that Parquet changes: 128-bit integers become doubles; an interval has whole milliseconds below 2^32 and no sign. */
function lostInParquet(column: string, type: string): string | null {
  if (type === "UHUGEINT") return `${column} > 9007199254740992::uhugeint`;
  if (type === "HUGEINT") return `${column} > 9007199254740992 or ${column} < -9007199254740992`;
  if (type !== "INTERVAL") return null;
  const part = (name: string) => `date_part('${name}', ${column})::hugeint`;
  const micros = `(${part("hour")} * 3600000000 + ${part("minute")} * 60000000 + ${part("microsecond")})`;
  const signs = ["year", "month", "day"].map((name) => `${part(name)} < 0`);
  return [...signs, `${micros} < 0`, `${micros} % 1000 <> 0`, `${micros} >= 4294967296000`].join(" or ");
}
