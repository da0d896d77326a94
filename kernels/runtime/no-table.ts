/** Why a name that stands in SQL for a table is none, where the notebook knows it. Pure. */
import { settle } from "../protocol/values.js";

/** `name` as a cell defines it; `own`: the cell whose SQL asks for it. */
export function noTable(name: string, { value, own, cell }: { value: unknown; own: boolean; cell: string }, type: string): string {
  const relation = typeof value === "object" && value !== null && settle in value;
  if (relation && own) return `\`${name}\` is made in this cell, and its name is a table only when the cell is done: write \${${name}} for it here.`;
  const whose = own ? "of this cell" : `of cell ${cell}`;
  if (relation) return `\`${name}\` ${whose} was not there yet when this SQL was put together: write \${${name}} for it, or run this cell again.`;
  const rows = Array.isArray(value) || (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype);
  const make = rows ? `; \`relation(${name})\` makes one of rows or columns` : "";
  return `\`${name}\` ${whose} is no table but ${/^[aeiou]/i.test(type) ? "an" : "a"} ${type}${make}.`;
}
