/** Packed columns as the kernel's code gets them: `rows()` and `columns()`. */
import type { Columns } from "../protocol/values.js";
import type { Packed, PackedTable } from "./messages.js";

/** A column as `columns()` gives it: typed arrays for numbers (NULL is NaN; integers with NULLs are a Float64Array), else a plain array with null. */
export function columnOf(column: Packed): Columns[string] {
  switch (column.kind) {
    case "f64":
    case "f32":
      return column.data;
    case "i32":
      return column.nulls ? Float64Array.from(column.data, (v, i) => (column.nulls![i] ? NaN : v)) : column.data;
    default:
      return valuesOf(column);
  }
}

/** A column as plain values, NULL as null. */
export function valuesOf(column: Packed): unknown[] {
  if (column.kind === "any") return column.data;
  const { data, nulls } = column;
  const values = new Array<unknown>(data.length);
  const value = valueReader(column);
  for (let i = 0; i < data.length; i++) values[i] = nulls?.[i] ? null : value(i);
  return values;
}

function valueReader(column: Exclude<Packed, { kind: "any" }>): (row: number) => unknown {
  const { data } = column;
  switch (column.kind) {
    case "bool":
      return (i) => data[i] === 1;
    case "date":
      return (i) => new Date(data[i]!);
    case "text":
      return (i) => column.values[data[i]!];
    case "blob":
      // views into one buffer: 70,000 images are one allocation
      return (i) => column.bytes.subarray(i === 0 ? 0 : data[i - 1]!, data[i]!);
    default:
      return (i) => data[i];
  }
}

/** The table as records. */
export function rowsOf(table: PackedTable): Record<string, unknown>[] {
  const columns = table.columns.map(valuesOf);
  const { names } = table;
  // a column called __proto__ must be a property like any other
  if (names.includes("__proto__"))
    return Array.from({ length: table.length }, (_, row) => Object.fromEntries(names.map((name, i) => [name, columns[i]![row]])));
  return Array.from({ length: table.length }, (_, row) => {
    const record: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) record[names[i]!] = columns[i]![row];
    return record;
  });
}

export function columnsOf(table: PackedTable): Columns {
  return Object.fromEntries(table.names.map((name, i) => [name, columnOf(table.columns[i]!)]));
}

/** Buffers to hand over with a table. */
export function buffersOf(columns: Packed[]): ArrayBuffer[] {
  return columns.flatMap((column) => {
    if (column.kind === "any") return [];
    const arrays: ArrayBufferView[] = [column.data];
    if (column.nulls) arrays.push(column.nulls);
    if (column.kind === "blob") arrays.push(column.bytes);
    return arrays.map((array) => array.buffer as ArrayBuffer);
  });
}
