/** Reads DuckDB's validity mask without a bigint per row. */
import type { DuckDBVector } from "@duckdb/node-api";

/** 64-bit words, one bit a row, 1 = not NULL; undefined = no NULLs. Byte order is the machine's, which is little-endian wherever DuckDB runs. */
export function invalidRows(vector: DuckDBVector, rows: number): ((row: number) => boolean) | null {
  const { data, offset } = (vector as unknown as { validity: { data: BigUint64Array | null; offset: number } }).validity;
  if (!data) return null;
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  const full = offset === 0 && allSet(bits, rows);
  return full ? null : (row) => ((bits[(row + offset) >>> 5]! >>> ((row + offset) & 31)) & 1) === 0;
}

function allSet(bits: Uint32Array, rows: number): boolean {
  const words = rows >>> 5;
  for (let i = 0; i < words; i++) if (bits[i] !== 0xffffffff) return false;
  const rest = rows & 31;
  return rest === 0 || (~bits[words]! & (2 ** rest - 1)) === 0;
}
