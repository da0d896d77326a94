/** Columns of an Arrow batch as DuckDB's values, type by type, from the raw buffers: nothing is rounded on the way. */
import {
  arrayValue,
  blobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimeValue,
  DuckDBUnionValue,
  listValue,
  mapValue,
  structValue,
  type DuckDBValue,
} from "@duckdb/node-api";
import { DateUnit, IntervalUnit, Precision, TimeUnit, Type, UnionMode, type Data, type DataType, type Field } from "apache-arrow";
import { quote } from "./names.js";

export interface Column {
  /** DuckDB's type */
  type: string;
  /** value i, which is not NULL unless it says so itself */
  get(i: number): DuckDBValue;
  /** all values as DuckDB stores them, when there is nothing to convert */
  direct?: { readonly length: number; subarray(from: number, to: number): ArrayLike<number | bigint> };
}

/** What the code below reads of Arrow's generic classes. */
interface Raw {
  type: DataType;
  values: never;
  valueOffsets: Int32Array | BigInt64Array;
  typeIds: Int8Array;
  children: Data[];
  dictionary?: { data: Data[] };
  offset: number;
  length: number;
  getValid(i: number): boolean;
}
const decoder = new TextDecoder();
const perSecond = (unit: TimeUnit): bigint => [1n, 1000n, 1_000_000n, 1_000_000_000n][unit]!;

/** DuckDB's type for one of Arrow's. Throws an Error that names the column. */
export function duckType(type: DataType, column: string): string {
  const inner = (field: Field): string => duckType(field.type as DataType, column);
  const of = type as unknown as {
    isSigned: boolean;
    bitWidth: number;
    precision: number;
    scale: number;
    unit: number;
    timezone?: string | null;
    listSize: number;
    children: Field[];
    dictionary: DataType;
    typeIds: ArrayLike<number>;
  };
  switch (type.typeId) {
    case Type.Null:
      return "INTEGER";
    case Type.Int:
      return `${of.isSigned ? "" : "U"}${{ 8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT" }[of.bitWidth]!}`;
    case Type.Float:
      return of.precision === Precision.DOUBLE ? "DOUBLE" : "FLOAT";
    case Type.Bool:
      return "BOOLEAN";
    case Type.Utf8:
    case Type.LargeUtf8:
      return "VARCHAR";
    case Type.Binary:
    case Type.LargeBinary:
    case Type.FixedSizeBinary:
      return "BLOB";
    case Type.Decimal:
      // wider than any number of DuckDB's: all digits as text
      return of.precision > 38 || of.scale < 0 || of.scale > of.precision ? "VARCHAR" : `DECIMAL(${of.precision},${of.scale})`;
    case Type.Date:
      return "DATE";
    case Type.Time:
      return "TIME";
    case Type.Timestamp:
      return of.timezone ? "TIMESTAMPTZ" : of.unit === TimeUnit.NANOSECOND ? "TIMESTAMP_NS" : "TIMESTAMP";
    case Type.Interval:
    case Type.Duration:
      return "INTERVAL";
    case Type.List:
      return `${inner(of.children[0]!)}[]`;
    case Type.FixedSizeList:
      return `${inner(of.children[0]!)}[${of.listSize}]`;
    case Type.Struct:
      return `STRUCT(${of.children.map((field) => `${quote(field.name)} ${inner(field)}`).join(", ")})`;
    case Type.Map: {
      const [key, value] = (of.children[0]!.type as unknown as { children: Field[] }).children;
      return `MAP(${inner(key!)}, ${inner(value!)})`;
    }
    case Type.Union:
      return `UNION(${of.children.map((field) => `${quote(field.name)} ${inner(field)}`).join(", ")})`;
    case Type.Dictionary:
      return duckType(of.dictionary, column);
    default:
      throw new Error(`column \`${column}\` is ${String(type)} in Arrow, which has no counterpart here`);
  }
}

/** Reads a column; `get` gives null for NULL. */
export function columnOf(data: Data, name: string): Column {
  const column = present(data as unknown as Raw, name);
  const { getValid } = data as unknown as Raw;
  return { ...column, get: (i) => (getValid.call(data, i) ? column.get(i) : null) };
}

function present(data: Raw, name: string): Column {
  const type = duckType(data.type, name);
  const values = data.values as unknown as ArrayLike<number> & ArrayLike<bigint> & Uint8Array;
  const { unit, bitWidth, scale, precision, listSize, byteWidth } = data.type as unknown as Record<string, number>;
  const child = (i: number): Column => columnOf(data.children[i]!, name);
  const span = (i: number): [number, number] => [Number(data.valueOffsets[i]), Number(data.valueOffsets[i + 1])];
  switch (data.type.typeId) {
    case Type.Null:
      return { type, get: () => null };
    case Type.Int:
      return { type, direct: values as never, get: (i) => values[i]! };
    case Type.Float:
      if (precision === Precision.HALF) return { type, get: (i) => half(values[i]!) };
      return { type, direct: values as never, get: (i) => values[i]! };
    case Type.Bool:
      return { type, get: (i) => ((values[(data.offset + i) >> 3]! >> ((data.offset + i) & 7)) & 1) === 1 };
    case Type.Utf8:
    case Type.LargeUtf8:
      return { type, get: (i) => decoder.decode(values.subarray(...span(i))) };
    case Type.Binary:
    case Type.LargeBinary:
      return { type, get: (i) => blobValue(values.slice(...span(i))) };
    case Type.FixedSizeBinary:
      return { type, get: (i) => blobValue(values.slice(i * byteWidth!, (i + 1) * byteWidth!)) };
    case Type.Decimal: {
      const words = values as unknown as Uint32Array;
      const size = bitWidth! / 32;
      const number = (i: number): bigint => {
        let all = 0n;
        for (let k = size - 1; k >= 0; k--) all = (all << 32n) | BigInt(words[i * size + k]!);
        return BigInt.asIntN(bitWidth!, all);
      };
      if (type === "VARCHAR") return { type, get: (i) => decimalText(number(i), scale!) };
      return { type, get: (i) => new DuckDBDecimalValue(number(i), precision!, scale!) };
    }
    case Type.Date:
      if (unit === DateUnit.DAY) return { type, get: (i) => new DuckDBDateValue(Number(values[i])) };
      return { type, get: (i) => new DuckDBDateValue(Number(floorDiv(BigInt(values[i]!), 86_400_000n))) };
    case Type.Time:
      return { type, get: (i) => new DuckDBTimeValue(scaled(BigInt(values[i]!), unit!)) };
    case Type.Timestamp:
      if (type === "TIMESTAMP_NS") return { type, get: (i) => new DuckDBTimestampNanosecondsValue(BigInt(values[i]!)) };
      if (type === "TIMESTAMPTZ") return { type, get: (i) => new DuckDBTimestampTZValue(scaled(BigInt(values[i]!), unit!)) };
      return { type, get: (i) => new DuckDBTimestampValue(scaled(BigInt(values[i]!), unit!)) };
    case Type.Duration:
      return { type, get: (i) => new DuckDBIntervalValue(0, 0, scaled(BigInt(values[i]!), unit!)) };
    case Type.Interval: {
      const words = new Int32Array(values.buffer, values.byteOffset, values.byteLength / 4);
      if (unit === IntervalUnit.YEAR_MONTH) return { type, get: (i) => new DuckDBIntervalValue(words[i]!, 0, 0n) };
      if (unit === IntervalUnit.DAY_TIME) return { type, get: (i) => new DuckDBIntervalValue(0, words[2 * i]!, BigInt(words[2 * i + 1]!) * 1000n) };
      const nanos = (i: number) => (BigInt(words[4 * i + 3]!) << 32n) | BigInt(words[4 * i + 2]! >>> 0);
      return { type, get: (i) => new DuckDBIntervalValue(words[4 * i]!, words[4 * i + 1]!, floorDiv(nanos(i), 1000n)) };
    }
    case Type.List: {
      const items = child(0);
      return { type, get: (i) => listValue(range(...span(i), items)) };
    }
    case Type.FixedSizeList: {
      const items = child(0);
      return { type, get: (i) => arrayValue(range((data.offset + i) * listSize!, (data.offset + i + 1) * listSize!, items)) };
    }
    case Type.Struct: {
      const fields = (data.type as unknown as { children: Field[] }).children.map((field, i) => [field.name, child(i)] as const);
      return { type, get: (i) => structValue(Object.fromEntries(fields.map(([field, column]) => [field, column.get(i)]))) };
    }
    case Type.Map: {
      const [keys, items] = data.children[0]!.children.map((part) => columnOf(part as Data, name)) as [Column, Column];
      return {
        type,
        get: (i) => {
          const [from, to] = span(i);
          return mapValue(Array.from({ length: to - from }, (_, k) => ({ key: keys.get(from + k), value: items.get(from + k) })));
        },
      };
    }
    case Type.Union: {
      const {
        children: fields,
        typeIdToChildIndex,
        mode,
      } = data.type as unknown as {
        children: Field[];
        typeIdToChildIndex: Record<number, number>;
        mode: UnionMode;
      };
      const parts = fields.map((_, i) => child(i));
      return {
        type,
        get: (i) => {
          const which = typeIdToChildIndex[data.typeIds[i]!]!;
          return new DuckDBUnionValue(fields[which]!.name, parts[which]!.get(mode === UnionMode.Dense ? Number(data.valueOffsets[i]) : i));
        },
      };
    }
    default: {
      // a dictionary may have come in several parts
      const parts = data.dictionary!.data.map((part) => ({ length: part.length, column: columnOf(part, name) }));
      const known = new Map<number, DuckDBValue>();
      return {
        type,
        get: (i) => {
          const code = Number(values[i]);
          const had = known.get(code);
          if (had !== undefined) return had;
          let at = code;
          const part = parts.find(({ length }) => at < length || ((at -= length), false))!;
          const value = part.column.get(at);
          known.set(code, value);
          return value;
        },
      };
    }
  }
}

function range(from: number, to: number, items: Column): DuckDBValue[] {
  return Array.from({ length: to - from }, (_, k) => items.get(from + k));
}

/** Microseconds of a count of `unit`s, rounded down. */
function scaled(value: bigint, unit: TimeUnit): bigint {
  return unit === TimeUnit.NANOSECOND ? floorDiv(value, 1000n) : value * (1_000_000n / perSecond(unit));
}
function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return String(value * 10n ** BigInt(-scale));
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
