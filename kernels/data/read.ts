/** DuckDB results into typed arrays, chunk by chunk, in the worker. */
import { DuckDBTypeId, type DuckDBDataChunk, type DuckDBType, type DuckDBVector } from "@duckdb/node-api";
import { invalidRows } from "./bits.js";
import type { Packed, PackedTable } from "./messages.js";
import type { PlainColumn } from "./numeric.js";
import { milliseconds, plain } from "./value.js";

interface Reader {
  read(vector: DuckDBVector, rows: number): void;
  finish(): Packed;
  /** what `finish` gives, in an array that the next `read` writes over: nothing is allocated for a block */
  lend?(): Packed;
}
type Grown = Float64Array | Float32Array | Int32Array | Uint8Array;

/** A typed array that doubles. */
class Growing<T extends Grown> {
  data: T;
  length = 0;
  readonly #make: (size: number) => T;
  constructor(make: (size: number) => T) {
    this.#make = make;
    this.data = make(2048);
  }
  reserve(more: number): number {
    const at = this.length;
    this.length += more;
    if (this.length > this.data.length) {
      const wider = this.#make(Math.max(this.length, this.data.length * 2));
      wider.set(this.data.subarray(0, at) as never);
      this.data = wider;
    }
    return at;
  }
  finish(): T {
    return (this.data.length === this.length ? this.data : this.data.slice(0, this.length)) as T;
  }
  lend(): T {
    const part = this.data.subarray(0, this.length) as T;
    this.length = 0;
    return part;
  }
}

/** Mask that exists only once a NULL was seen. */
class Nulls {
  #mask: Growing<Uint8Array> | null = null;
  #rows = 0;
  add(invalid: ((row: number) => boolean) | null, rows: number): void {
    if (invalid && !this.#mask) {
      this.#mask = new Growing((size) => new Uint8Array(size));
      this.#mask.reserve(this.#rows);
    }
    if (this.#mask) {
      const at = this.#mask.reserve(rows);
      if (invalid) for (let i = 0; i < rows; i++) if (invalid(i)) this.#mask.data[at + i] = 1;
    }
    this.#rows += rows;
  }
  finish(): Uint8Array | null {
    return this.#mask?.finish() ?? null;
  }
  /** and begins again */
  take(): Uint8Array | null {
    const mask = this.finish();
    this.#mask = null;
    this.#rows = 0;
    return mask;
  }
}

/** Numbers whose vector's items are already numbers: copied as a block. */
function blockReader<T extends Float64Array | Float32Array | Int32Array>(kind: "f64" | "f32" | "i32", make: (size: number) => T): Reader {
  const grown = new Growing(make);
  const nulls = new Nulls();
  const hole = kind === "i32" ? 0 : NaN;
  return {
    read(vector, rows) {
      const { items } = vector as unknown as { items: ArrayLike<number> };
      const at = grown.reserve(rows);
      grown.data.set(items, at);
      const invalid = invalidRows(vector, rows);
      if (invalid) for (let i = 0; i < rows; i++) if (invalid(i)) grown.data[at + i] = hole;
      nulls.add(invalid, rows);
    },
    finish: () => ({ kind, data: grown.finish(), nulls: nulls.finish() }) as Packed,
    lend: () => ({ kind, data: grown.lend(), nulls: nulls.take() }) as Packed,
  };
}

/** 64-bit integers as doubles while all are exact, else bigints. */
function longReader(unsigned: boolean): Reader {
  const grown = new Growing((size) => new Float64Array(size));
  const nulls = new Nulls();
  let wide: unknown[] | null = null;
  return {
    read(vector, rows) {
      const { items } = vector as unknown as { items: BigInt64Array | BigUint64Array };
      const invalid = invalidRows(vector, rows);
      if (wide) {
        for (let i = 0; i < rows; i++) wide.push(invalid?.(i) ? null : items[i]!);
        return;
      }
      const words = new Uint32Array(items.buffer, items.byteOffset, rows * 2);
      const at = grown.reserve(rows);
      for (let i = 0; i < rows; i++) {
        if (invalid?.(i)) {
          grown.data[at + i] = NaN;
          continue;
        }
        const high = unsigned ? words[2 * i + 1]! : words[2 * i + 1]! | 0;
        const value = high * 4294967296 + words[2 * i]!;
        if (value > 9007199254740991 || value < -9007199254740991) {
          wide = Array.from(grown.data.subarray(0, at), (v) => (Number.isNaN(v) ? null : BigInt(v)));
          for (let k = 0; k < rows; k++) wide.push(invalid?.(k) ? null : items[k]!);
          return;
        }
        grown.data[at + i] = value;
      }
      nulls.add(invalid, rows);
    },
    finish: () => (wide ? { kind: "any", data: wide, nulls: null } : { kind: "f64", data: grown.finish(), nulls: nulls.finish() }),
  };
}

/** Values that become one number each. */
function numberReader(kind: "f64" | "date" | "bool", number: (vector: DuckDBVector, row: number) => number): Reader {
  const grown = kind === "bool" ? new Growing((size) => new Uint8Array(size)) : new Growing((size) => new Float64Array(size));
  const nulls = new Nulls();
  return {
    read(vector, rows) {
      const invalid = invalidRows(vector, rows);
      const at = grown.reserve(rows);
      for (let i = 0; i < rows; i++) grown.data[at + i] = invalid?.(i) ? NaN : number(vector, i);
      nulls.add(invalid, rows);
    },
    finish: () => ({ kind, data: grown.finish(), nulls: nulls.finish() }) as Packed,
  };
}

/** TIMESTAMP and TIMESTAMPTZ, in microseconds: words of 32 bits spare a bigint a row while a double is exact (until the year 2255). */
function microsReader(): Reader {
  const grown = new Growing((size) => new Float64Array(size));
  const nulls = new Nulls();
  return {
    read(vector, rows) {
      const { items } = vector as unknown as { items: BigInt64Array };
      const words = new Int32Array(items.buffer, items.byteOffset, rows * 2);
      const invalid = invalidRows(vector, rows);
      const at = grown.reserve(rows);
      for (let i = 0; i < rows; i++) {
        if (invalid?.(i)) {
          grown.data[at + i] = NaN;
          continue;
        }
        const high = words[2 * i + 1]!;
        grown.data[at + i] =
          high >= -0x1fffff && high < 0x1fffff ? Math.floor((high * 4294967296 + (words[2 * i]! >>> 0)) / 1000) : milliseconds(vector.getItem(i))!;
      }
      nulls.add(invalid, rows);
    },
    finish: () => ({ kind: "date", data: grown.finish(), nulls: nulls.finish() }),
  };
}

/** Strings by a dictionary: each distinct one crosses the threads once. */
function textReader(): Reader {
  const codes = new Growing((size) => new Int32Array(size));
  const nulls = new Nulls();
  const known = new Map<string, number>();
  const values: string[] = [];
  return {
    read(vector, rows) {
      const invalid = invalidRows(vector, rows);
      const at = codes.reserve(rows);
      for (let i = 0; i < rows; i++) {
        if (invalid?.(i)) continue;
        const text = vector.getItem(i) as string;
        let code = known.get(text);
        if (code === undefined) {
          code = values.length;
          values.push(text);
          // mostly different values: the dictionary would only cost
          if (values.length < 100_000) known.set(text, code);
        }
        codes.data[at + i] = code;
      }
      nulls.add(invalid, rows);
    },
    finish: () => ({ kind: "text", data: codes.finish(), values, nulls: nulls.finish() }),
  };
}

function blobReader(): Reader {
  const ends = new Growing((size) => new Float64Array(size));
  const bytes = new Growing((size) => new Uint8Array(size));
  const nulls = new Nulls();
  return {
    read(vector, rows) {
      const invalid = invalidRows(vector, rows);
      const at = ends.reserve(rows);
      for (let i = 0; i < rows; i++) {
        const item = (vector as unknown as { getItemBytes(row: number): Uint8Array | null }).getItemBytes(i);
        if (item) {
          const start = bytes.reserve(item.length);
          bytes.data.set(item, start);
        }
        ends.data[at + i] = bytes.length;
      }
      nulls.add(invalid, rows);
    },
    finish: () => ({ kind: "blob", data: ends.finish(), bytes: bytes.finish(), nulls: nulls.finish() }),
  };
}

function anyReader(type: DuckDBType): Reader {
  const data: unknown[] = [];
  return {
    read(vector, rows) {
      for (let i = 0; i < rows; i++) data.push(plain(vector.getItem(i), type));
    },
    finish: () => ({ kind: "any", data, nulls: null }),
  };
}

/** 128-bit integers: numbers while all are exact, else bigints, as the 64-bit ones. */
function hugeReader(type: DuckDBType): Reader {
  const inner = anyReader(type);
  return {
    read: inner.read,
    finish() {
      const data = (inner.finish() as { data: (number | bigint | null)[] }).data;
      if (data.some((v) => typeof v === "bigint")) return { kind: "any", data: data.map((v) => (v === null ? null : BigInt(v))), nulls: null };
      const nulls = data.includes(null) ? Uint8Array.from(data, (v) => (v === null ? 1 : 0)) : null;
      return { kind: "f64", data: Float64Array.from(data as (number | null)[], (v) => v ?? NaN), nulls };
    },
  };
}

function readerOf(type: DuckDBType): Reader {
  switch (type.typeId) {
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
      return blockReader("i32", (size) => new Int32Array(size));
    case DuckDBTypeId.UINTEGER:
    case DuckDBTypeId.DOUBLE:
      return blockReader("f64", (size) => new Float64Array(size));
    case DuckDBTypeId.FLOAT:
      return blockReader("f32", (size) => new Float32Array(size));
    case DuckDBTypeId.BIGINT:
      return longReader(false);
    case DuckDBTypeId.UBIGINT:
      return longReader(true);
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
      return hugeReader(type);
    case DuckDBTypeId.DECIMAL:
      return numberReader("f64", (vector, row) => plain(vector.getItem(row), type) as number);
    case DuckDBTypeId.BOOLEAN:
      return numberReader("bool", (vector, row) => (vector.getItem(row) === true ? 1 : 0));
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return microsReader();
    case DuckDBTypeId.DATE:
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP_NS:
      return numberReader("date", (vector, row) => milliseconds(vector.getItem(row))!);
    case DuckDBTypeId.VARCHAR:
      return type.alias === "JSON" ? anyReader(type) : textReader();
    case DuckDBTypeId.ENUM:
      return textReader();
    case DuckDBTypeId.BLOB:
      return blobReader();
    default:
      return anyReader(type);
  }
}

const plainTypes = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
]);

/** Reads chunks whose columns are all numbers of at most 32 bits or DOUBLE as they lie in DuckDB's memory, without a copy; null where such a chunk has NULLs. */
export function plainReader(types: DuckDBType[]): ((chunk: DuckDBDataChunk) => PlainColumn[] | null) | null {
  if (types.length === 0 || !types.every((type) => plainTypes.has(type.typeId))) return null;
  return (chunk) => {
    const columns: PlainColumn[] = [];
    for (let i = 0; i < types.length; i++) {
      const vector = chunk.getColumnVector(i);
      const { items } = vector as unknown as { items?: unknown };
      if (!ArrayBuffer.isView(items) || invalidRows(vector, chunk.rowCount)) return null;
      columns.push(items as PlainColumn);
    }
    return columns;
  };
}

/** Collects chunks of one result. */
export class TableReader {
  readonly names: string[];
  readonly types: DuckDBType[];
  readonly #told: string[];
  #readers: Reader[];
  #length = 0;
  constructor(names: string[], types: DuckDBType[]) {
    this.names = names;
    this.types = types;
    this.#told = types.map((type) => type.alias ?? type.toString());
    this.#readers = types.map(readerOf);
  }
  get length(): number {
    return this.#length;
  }
  add(chunk: DuckDBDataChunk): void {
    const rows = chunk.rowCount;
    this.#readers.forEach((reader, i) => reader.read(chunk.getColumnVector(i), rows));
    this.#length += rows;
  }
  /** What was read since the last call. */
  take(): PackedTable {
    const columns = this.#readers.map((reader) => reader.finish());
    this.#readers = this.types.map(readerOf);
    return this.#table(columns);
  }
  /** What was read since the last call, for use before the next. */
  lend(): PackedTable {
    return this.#table(
      this.#readers.map((reader, i) => {
        if (reader.lend) return reader.lend();
        this.#readers[i] = readerOf(this.types[i]!);
        return reader.finish();
      }),
    );
  }
  #table(columns: Packed[]): PackedTable {
    const table = { names: this.names, types: this.#told, length: this.#length, columns };
    this.#length = 0;
    return table;
  }
}
