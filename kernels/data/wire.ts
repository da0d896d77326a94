/** One DuckDB value on the wire (contracts 5): JSON that loses nothing that a person or a model needs. The table of rules is in README.md beside this file. */
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBUnionValue,
  DuckDBVariantValue,
  type DuckDBType,
  type DuckDBValue,
} from "@duckdb/node-api";
import type { WireValue } from "../protocol/output.js";
import { entriesOf, farthest, milliseconds } from "./value.js";

/** BIGINT and wider: number when safe, else string. DECIMAL, INTERVAL, TIME, UUID, BIT: string. TIMESTAMP: ISO UTC. NaN and infinities: string. BLOB: base64. */
export function wire(value: DuckDBValue, type: DuckDBType): WireValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : String(value);
  const time = milliseconds(value);
  // beyond what a Date holds: as DuckDB writes it
  if (time !== null) return Math.abs(time) >= farthest && isFinite(value) ? String(value) : isoOf(time, value instanceof DuckDBDateValue);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString("base64");
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    const inner = (type as { valueType: DuckDBType }).valueType;
    return value.items.map((item) => wire(item, inner));
  }
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(entriesOf(value, type).map(([name, item, inner]) => [name, wire(item, inner)]));
  }
  if (value instanceof DuckDBMapValue) {
    const { keyType, valueType } = type as unknown as { keyType: DuckDBType; valueType: DuckDBType };
    return value.entries.map(({ key, value: item }) => [wire(key, keyType), wire(item, valueType)]);
  }
  if (value instanceof DuckDBUnionValue) {
    const { memberTypes, memberTags } = type as unknown as { memberTypes: DuckDBType[]; memberTags: string[] };
    return wire(value.value, memberTypes[memberTags.indexOf(value.tag)]!);
  }
  if (value instanceof DuckDBVariantValue) return value.type ? wire(value.value, value.type) : String(value);
  return String(value);
}

const isFinite = (value: DuckDBValue): boolean => (value as { isFinite?: boolean }).isFinite === true;

/** ISO in UTC; a DATE without its time. */
export function isoOf(ms: number, date: boolean): string {
  if (Math.abs(ms) >= farthest) return ms > 0 ? "infinity" : "-infinity";
  const iso = new Date(ms).toISOString();
  return date ? iso.slice(0, iso.indexOf("T")) : iso;
}

/** As `wire`, for the grid: a long BLOB is its size and beginning. */
export function shown(value: DuckDBValue, type: DuckDBType): WireValue {
  if (!(value instanceof DuckDBBlobValue) || value.bytes.length <= 48) return wire(value, type);
  return `${Buffer.from(value.bytes.subarray(0, 16)).toString("hex")}… (${value.bytes.length} bytes)`;
}
