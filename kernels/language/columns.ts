/** DuckDB's types as TypeScript's: what `.rows()` gives (the table in kernels/data/README.md). Every column may hold NULL. */
import type { ColumnInfo } from "../protocol/output.js";

const numbers = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|UHUGEINT|FLOAT|DOUBLE|DECIMAL(\(.*\))?|BIGNUM)$/;
const dates = /^(DATE|TIMESTAMP|TIMESTAMP_S|TIMESTAMP_MS|TIMESTAMP_NS|TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ|DATETIME)$/;

/** The members of `STRUCT(a INTEGER, b VARCHAR[])`, split at the commas of the outermost level. */
function parts(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let quote = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== "") {
      if (c === quote) quote = "";
    } else if (c === '"' || c === "'") quote = c;
    else if (c === "(" || c === "[") depth++;
    else if (c === ")" || c === "]") depth--;
    else if (c === "," && depth === 0) {
      found.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...found, text.slice(from)].map((part) => part.trim()).filter((part) => part !== "");
}

/** `name TYPE` or `"quoted name" TYPE`. */
function member(text: string): { name: string; type: string } {
  const match = /^(?:"((?:[^"]|"")*)"|(\S+))\s+(.+)$/s.exec(text);
  return match ? { name: (match[1]?.replaceAll('""', '"') ?? match[2])!, type: match[3]! } : { name: text, type: "" };
}

const key = (name: string) => (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name));

/** The type of a value that is not NULL. */
function valueType(type: string): string {
  const name = type.trim();
  const list = /^(.*)\[\d*\]$/s.exec(name);
  if (list) return `(${typeOf(list[1]!)})[]`;
  if (numbers.test(name)) return "number";
  if (dates.test(name)) return "Date";
  if (name === "BOOLEAN") return "boolean";
  if (name === "BLOB") return "Uint8Array";
  if (name === "INTERVAL") return "{ months: number; days: number; micros: number }";
  if (name === "JSON" || name === "VARIANT") return "any";
  if (name === '"NULL"' || name === "NULL") return "null";
  const of = /^(STRUCT|MAP|UNION|ENUM)\((.*)\)$/s.exec(name);
  if (of?.[1] === "STRUCT")
    return `{ ${parts(of[2]!)
      .map(member)
      .map((one) => `${key(one.name)}: ${typeOf(one.type)}`)
      .join("; ")} }`;
  if (of?.[1] === "UNION")
    return parts(of[2]!)
      .map((one) => valueType(member(one).type))
      .join(" | ");
  if (of?.[1] === "ENUM")
    return parts(of[2]!)
      .map((one) => JSON.stringify(one.slice(1, -1).replaceAll("''", "'")))
      .join(" | ");
  if (of?.[1] === "MAP") {
    const [from, to] = parts(of[2]!);
    return from === "VARCHAR" ? `Record<string, ${typeOf(to!)}>` : `[${valueType(from!)}, ${typeOf(to!)}][]`;
  }
  return "string";
}

/** The TypeScript type of a column. */
export function typeOf(type: string): string {
  const value = valueType(type);
  return value === "any" || value === "null" ? value : `${value} | null`;
}

/** The type of a row, on one line. */
export function rowType(columns: readonly ColumnInfo[]): string {
  return `{ ${columns.map(({ name, type }) => `${key(name)}: ${typeOf(type)}`).join("; ")} }`;
}
