/** The page's filters as SQL. */
import type { Filter } from "../protocol/document.js";
import type { ColumnInfo } from "../protocol/output.js";
import { quote, text } from "./names.js";
import { find } from "./near.js";

/** " where ..." or "". Values are rendered as literals; text is compared with the column's own type. */
export function condition(filters: Filter[], columns: ColumnInfo[]): string {
  const parts = filters.map((filter) => one(filter, columns)).filter((part) => part !== "");
  return parts.length > 0 ? ` where ${parts.join(" and ")}` : "";
}

function one(filter: Filter, columns: ColumnInfo[]): string {
  if (filter.op === "search") return search(filter.text, columns);
  const { name, type } = find(columns, filter.column);
  const column = quote(name);
  const value = (v: string | number | boolean): string => (typeof v === "string" ? `cast(${text(refuseNul(v))} as ${type})` : literal(v));
  switch (filter.op) {
    case "range": {
      const bounds: string[] = [];
      if (filter.min !== undefined) bounds.push(`${column} >= ${value(filter.min)}`);
      if (filter.max !== undefined) bounds.push(`${column} <= ${value(filter.max)}`);
      return bounds.join(" and ");
    }
    case "contains":
      return `contains(lower(${column}::varchar), lower(${text(refuseNul(filter.text))}))`;
    case "regex":
      return `regexp_matches(${column}::varchar, ${text(refuseNul(filter.text))})`;
    case "in": {
      const values = filter.values.filter((v) => v !== null).map(value);
      const parts = [
        ...(values.length > 0 ? [`${column} in (${values.join(", ")})`] : []),
        ...(values.length < filter.values.length ? [`${column} is null`] : []),
      ];
      return parts.length > 0 ? `(${parts.join(" or ")})` : "false";
    }
    case "null":
      return `${column} is null`;
    case "not-null":
      return `${column} is not null`;
    default:
      throw new Error(
        `Expected \`op\` to be range, contains, regex, in, null, not-null or search, got ${JSON.stringify((filter as { op: unknown }).op)}`,
      );
  }
}

/** A text in any column but bytes, as the grid shows it: one look at each row, however many columns it has. The separator is no key of a keyboard. */
function search(wanted: string, columns: ColumnInfo[]): string {
  const list = columns.filter(({ type }) => type !== "BLOB").map(({ name }) => `${quote(name)}::varchar`);
  if (list.length === 0) return "false";
  return `contains(lower(concat_ws(chr(31), ${list.join(", ")})), lower(${text(refuseNul(wanted))}))`;
}

function literal(value: number | boolean): string {
  if (typeof value === "boolean") return String(value);
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? `(${value})` : `'${value}'::double`;
}

function refuseNul(value: string): string {
  if (value.includes("\0")) throw new Error("a filter's text holds a NUL character, which SQL cannot hold");
  return value;
}
