/** Packed columns as the kernel's code gets them: `rows()` and `columns()`. */
import type { Columns, MaskedColumns } from "../protocol/values.js";
import type { Packed, PackedTable } from "./messages.js";

/** A column as `columns()` gives it: typed arrays for numbers, with `fill` in the place of NULL, else a plain array with null. */
export function columnOf(column: Packed, fill = NaN): Columns[string] {
  switch (column.kind) {
    case "f64":
    case "f32":
      if (column.nulls && !Number.isNaN(fill)) for (let i = 0; i < column.data.length; i++) if (column.nulls[i]) column.data[i] = fill;
      return column.data;
    case "i32":
      if (!column.nulls) return column.data;
      // the same type whether or not a NULL is there, where the filling allows it
      return (fill | 0) === fill
        ? column.data.map((v, i) => (column.nulls![i] ? fill : v))
        : Float64Array.from(column.data, (v, i) => (column.nulls![i] ? fill : v));
    default:
      return valuesOf(column);
  }
}

/** Is it a typed array in `columns()`, which has no place for a NULL? */
function isNumeric(column: Packed): column is Extract<Packed, { kind: "f64" | "f32" | "i32" }> {
  return column.kind === "f64" || column.kind === "f32" || column.kind === "i32";
}

/** Columns by the rule for NULL in numeric ones. Throws an Error that names column and count. */
export function columnsBy(table: PackedTable, nulls: "error" | number): Columns {
  if (nulls === "error")
    table.columns.forEach((column, i) => {
      const count = isNumeric(column) ? countNulls(column.nulls) : 0;
      if (count > 0)
        throw new Error(
          `column \`${table.names[i]}\` has ${count.toLocaleString("en")} NULL${count === 1 ? "" : "s"} in ${table.length.toLocaleString("en")} rows, and a typed array has no place for them: say { nulls: "mask" }, { nulls: 0 } or another number, or filter them out`,
        );
    });
  return columnsOf(table, nulls === "error" ? NaN : nulls);
}

/** Columns with their masks; a numeric column holds 0 where its mask is 1. */
export function maskedOf(table: PackedTable): MaskedColumns {
  return Object.fromEntries(
    table.names.map((name, i) => {
      const column = table.columns[i]!;
      const mask = column.kind === "any" ? Uint8Array.from(column.data, (v) => (v === null ? 1 : 0)) : column.nulls;
      return [name, { values: columnOf(column, 0), nulls: mask && countNulls(mask) > 0 ? mask : null }];
    }),
  );
}

function countNulls(nulls: Uint8Array | null): number {
  let count = 0;
  if (nulls) for (const one of nulls) count += one;
  return count;
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

/** All columns; `fill` stands for NULL in numeric ones. */
export function columnsOf(table: PackedTable, fill = NaN): Columns {
  return Object.fromEntries(table.names.map((name, i) => [name, columnOf(table.columns[i]!, fill)]));
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
