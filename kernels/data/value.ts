/** One DuckDB value as JavaScript (rows, columns). The table of rules is in README.md beside this file; wire.ts has the rules of the wire. */
import {
  DuckDBArrayValue,
  DuckDBBitValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTypeId,
  DuckDBUnionValue,
  DuckDBVariantValue,
  type DuckDBType,
  type DuckDBValue,
} from "@duckdb/node-api";

/** The widest time that a Date can hold; DuckDB's infinities become these, so that order is kept. */
export const farthest = 8.64e15;

/** Integers are numbers while that is exact, else bigints. */
export function integer(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** ms since epoch of a DATE or any TIMESTAMP, rounded down; infinities, and what no Date holds, are +-8.64e15; null when it is none. */
export function milliseconds(value: DuckDBValue): number | null {
  const ms = unbounded(value);
  return ms === null ? null : Math.max(-farthest, Math.min(farthest, ms));
}

function unbounded(value: DuckDBValue): number | null {
  if (value instanceof DuckDBDateValue) return value.isFinite ? value.days * 86_400_000 : Math.sign(value.days) * farthest;
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
    return value.isFinite ? floor(value.micros, 1000n) : value.micros > 0n ? farthest : -farthest;
  if (value instanceof DuckDBTimestampNanosecondsValue)
    return value.isFinite ? floor(value.nanos, 1_000_000n) : value.nanos > 0n ? farthest : -farthest;
  if (value instanceof DuckDBTimestampMillisecondsValue) return value.isFinite ? Number(value.millis) : value.millis > 0n ? farthest : -farthest;
  if (value instanceof DuckDBTimestampSecondsValue) return value.isFinite ? Number(value.seconds) * 1000 : value.seconds > 0n ? farthest : -farthest;
  return null;
}

function floor(value: bigint, by: bigint): number {
  const rest = value % by;
  return Number(rest < 0n ? value / by - 1n : value / by);
}

/** A DuckDB value as a plain JavaScript value that structured clone keeps. */
export function plain(value: DuckDBValue, type: DuckDBType): unknown {
  if (value === null) return null;
  if (typeof value === "bigint") return integer(value);
  if (typeof value === "string") return type.alias === "JSON" ? parse(value) : value;
  if (typeof value !== "object") return value;
  const time = milliseconds(value);
  if (time !== null) return new Date(time);
  if (value instanceof DuckDBBlobValue) return Uint8Array.from(value.bytes);
  if (value instanceof DuckDBDecimalValue) return decimal(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    const inner = (type as { valueType: DuckDBType }).valueType;
    return value.items.map((item) => plain(item, inner));
  }
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(entriesOf(value, type).map(([name, item, inner]) => [name, plain(item, inner)]));
  }
  if (value instanceof DuckDBMapValue) {
    const { keyType, valueType } = type as unknown as { keyType: DuckDBType; valueType: DuckDBType };
    const entries = value.entries.map(({ key, value: item }) => [plain(key, keyType), plain(item, valueType)] as const);
    return keyType.typeId === DuckDBTypeId.VARCHAR ? Object.fromEntries(entries as [string, unknown][]) : entries.map(([k, v]) => [k, v]);
  }
  if (value instanceof DuckDBUnionValue) {
    const { memberTypes, memberTags } = type as unknown as { memberTypes: DuckDBType[]; memberTags: string[] };
    return plain(value.value, memberTypes[memberTags.indexOf(value.tag)]!);
  }
  if (value instanceof DuckDBVariantValue) return value.type ? plain(value.value, value.type) : String(value);
  if (value instanceof DuckDBIntervalValue) return { months: value.months, days: value.days, micros: integer(value.micros) };
  if (value instanceof DuckDBBitValue) return value.toString();
  return String(value);
}

/** Name, value and type of each field. Throws where fields have no names of their own: node-api keeps only the last of them (1.5.6). */
export function entriesOf({ entries }: DuckDBStructValue, type: DuckDBType): [name: string, value: DuckDBValue, type: DuckDBType][] {
  const { entryNames, entryTypes } = type as unknown as { entryNames: string[]; entryTypes: DuckDBType[] };
  if (new Set(entryNames).size < entryNames.length)
    throw new Error("the fields of a STRUCT such as `row(1, 2)` have no names, and it cannot be read: say `{'a': 1, 'b': 2}` in the SQL");
  return entryNames.map((name, i) => [name, entries[name] ?? null, entryTypes[i]!]);
}

/** The nearest double: exact digits are divided by an exact power of ten. */
function decimal(value: DuckDBDecimalValue): number {
  return value.value >= -9007199254740991n && value.value <= 9007199254740991n && value.scale <= 22
    ? Number(value.value) / 10 ** value.scale
    : Number(value.toString());
}

/** Integers beyond 2^53 stay exact, as bigints. */
function parse(text: string): unknown {
  try {
    return /\d{16}/.test(text) ? parseWide(text) : JSON.parse(text);
  } catch {
    return text;
  }
}

const marker = "\u0000integer ";

function parseWide(text: string): unknown {
  const marked = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? JSON.stringify(marker + token) : token,
  );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(marker) ? BigInt(value.slice(marker.length)) : value,
  );
}
