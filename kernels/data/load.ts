/** JavaScript values into a DuckDB table, a vector at a time, in the worker. */
import {
  DuckDBBlobValue,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  listValue,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
} from "@duckdb/node-api";
import { bare, quote } from "./names.js";
import type { LoadColumn, Packed } from "./messages.js";

const size = 2048;

/** Creates `name` (qualified, quoted) and fills it. */
export async function load(connection: DuckDBConnection, name: string, columns: LoadColumn[], length: number): Promise<void> {
  const definition = columns.map((column) => `${quote(column.name)} ${column.type}`).join(", ");
  await connection.run(`create or replace table ${name} (${definition})`);
  if (length === 0) return;
  const appender = await connection.createAppender(bare(name), "nb");
  try {
    const types: DuckDBType[] = columns.map((_, i) => appender.columnType(i));
    for (let from = 0; from < length; from += size) {
      const rows = Math.min(size, length - from);
      const chunk = DuckDBDataChunk.create(types, rows);
      columns.forEach(({ column }, i) => fill(chunk.getColumnVector(i), column, from, rows));
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

function fill(vector: DuckDBVector, column: Packed, from: number, rows: number): void {
  const direct = (column.kind === "f64" || column.kind === "f32" || column.kind === "i32") && !column.nulls;
  if (direct) (vector as unknown as { items: Float64Array }).items.set(column.data.subarray(from, from + rows) as Float64Array);
  else for (let i = 0; i < rows; i++) vector.setItem(i, valueAt(column, from + i));
  vector.flush();
}

function valueAt(column: Packed, row: number): DuckDBValue {
  if (column.kind === "any") return nested(column.data[row]);
  if (column.nulls?.[row]) return null;
  switch (column.kind) {
    case "bool":
      return column.data[row] === 1;
    case "date":
      return new DuckDBTimestampValue(BigInt(column.data[row]!) * 1000n);
    case "text":
      return column.values[column.data[row]!]!;
    case "blob":
      return new DuckDBBlobValue(column.bytes.subarray(row === 0 ? 0 : column.data[row - 1]!, column.data[row]!));
    default:
      return column.data[row]!;
  }
}

function nested(value: unknown): DuckDBValue {
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array)))
    return listValue(Array.from(value as ArrayLike<unknown>, nested));
  if (value instanceof Date) return new DuckDBTimestampValue(BigInt(value.getTime()) * 1000n);
  return (value ?? null) as DuckDBValue;
}
