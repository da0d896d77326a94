/** What Parquet has no type for. */

/** A condition on the values that Parquet changes: 128-bit integers become doubles; an interval has whole milliseconds below 2^32 and no sign. */
export function lostInParquet(column: string, type: string): string | null {
  if (type === "UHUGEINT") return `${column} > 9007199254740992::uhugeint`;
  if (type === "HUGEINT") return `${column} > 9007199254740992 or ${column} < -9007199254740992`;
  if (type !== "INTERVAL") return null;
  const part = (name: string) => `date_part('${name}', ${column})::hugeint`;
  const micros = `(${part("hour")} * 3600000000 + ${part("minute")} * 60000000 + ${part("microsecond")})`;
  const signs = ["year", "month", "day"].map((name) => `${part(name)} < 0`);
  return [...signs, `${micros} < 0`, `${micros} % 1000 <> 0`, `${micros} >= 4294967296000`].join(" or ");
}
