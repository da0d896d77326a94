/** JavaScript values as columns for DuckDB: what `relation(rows | columns)` takes. */
import type { LoadColumn, Packed } from "./messages.js";
import { expected } from "./expected.js";

/** Throws an Error that names column and row of a value that has no place in a table. */
export function pack(values: unknown): { columns: LoadColumn[]; length: number } {
  if (Array.isArray(values)) return packRows(values);
  if (typeof values !== "object" || values === null) throw expected("values", "an array of records or an object of columns", values);
  const entries = Object.entries(values);
  if (entries.length === 0) throw new Error("the relation would have no columns");
  const lengths = entries.map(([name, column]) => {
    if (Array.isArray(column) || (ArrayBuffer.isView(column) && !(column instanceof DataView))) return (column as ArrayLike<unknown>).length;
    throw expected(name, "an array or a typed array", column);
  });
  const other = lengths.findIndex((length) => length !== lengths[0]);
  if (other > 0) throw new Error(`column \`${entries[0]![0]}\` has ${lengths[0]} values and \`${entries[other]![0]}\` has ${lengths[other]}`);
  return { columns: name(entries.map(([key, column]) => packColumn(key, column as ArrayLike<unknown>))), length: lengths[0]! };
}

function packRows(rows: unknown[]): { columns: LoadColumn[]; length: number } {
  if (rows.length === 0) throw new Error("a relation of no records has no columns: give columns instead, such as { x: [], y: [] }");
  const names = new Set<string>();
  rows.forEach((row, i) => {
    if (typeof row !== "object" || row === null || Array.isArray(row)) throw expected(`values[${i}]`, "a record such as { x: 1 }", row);
    for (const key of Object.keys(row)) names.add(key);
  });
  if (names.size === 0) throw new Error("the relation would have no columns");
  const columns = [...names].map((key) =>
    packColumn(
      key,
      rows.map((row) => (Object.hasOwn(row as object, key) ? (row as Record<string, unknown>)[key] : null)),
    ),
  );
  return { columns: name(columns), length: rows.length };
}

/** DuckDB does not tell upper from lower case in names. */
function name(columns: LoadColumn[]): LoadColumn[] {
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    if (name === "" || name.includes("\0")) throw new Error(`${JSON.stringify(name)} cannot name a column`);
    const had = seen.get(name.toLowerCase());
    if (had !== undefined) throw new Error(`columns \`${had}\` and \`${name}\` differ only in case, and SQL takes them for one`);
    seen.set(name.toLowerCase(), name);
  }
  return columns;
}

function packColumn(name: string, values: ArrayLike<unknown>): LoadColumn {
  if (ArrayBuffer.isView(values)) return { name, ...typed(values as never) };
  // a hole of a sparse array is a NULL too
  const list = Array.from(values as unknown[]);
  const kind = kindOf(name, list);
  const nulls = list.some((value) => value == null) ? Uint8Array.from(list, (value) => (value == null ? 1 : 0)) : null;
  switch (kind) {
    case "boolean":
      return { name, type: "BOOLEAN", column: { kind: "bool", data: Uint8Array.from(list, (value) => (value === true ? 1 : 0)), nulls } };
    case "int":
      return { name, type: "INTEGER", column: { kind: "i32", data: Int32Array.from(list as number[], (value) => value ?? 0), nulls } };
    case "double":
      return { name, type: "DOUBLE", column: { kind: "f64", data: Float64Array.from(list, (value, row) => numberOf(value, name, row)), nulls } };
    case "long":
    case "huge":
      return {
        name,
        type: kind === "long" ? "BIGINT" : "HUGEINT",
        column: any(list.map((value) => (value == null ? null : BigInt(value as number)))),
      };
    case "date":
      return { name, type: "TIMESTAMP", column: { kind: "date", data: Float64Array.from(list as Date[], (value) => value?.getTime() ?? 0), nulls } };
    case "bytes":
      return { name, type: "BLOB", column: bytes(list as (Uint8Array | null)[], nulls) };
    case "none":
    case "numbers":
      return { name, type: "DOUBLE[]", column: any(list.map((value) => (value == null ? null : Array.from(value as ArrayLike<number>)))) };
    case "floats":
      return { name, type: "FLOAT[]", column: any(list.map((value) => (value == null ? null : Array.from(value as ArrayLike<number>)))) };
    case "longs":
      return {
        name,
        type: "BIGINT[]",
        column: any(list.map((value) => (value == null ? null : Array.from(value as ArrayLike<number | bigint>, BigInt)))),
      };
    case "texts":
      return { name, type: "VARCHAR[]", column: any(list) };
    case "json":
      return {
        name,
        type: "JSON",
        column: texts(
          list.map((value, row) => (value == null ? null : jsonOf(value, name, row))),
          nulls,
        ),
      };
    case "text":
    case "empty":
      return { name, type: "VARCHAR", column: texts(list as (string | null)[], nulls) };
  }
}

type Kind =
  "boolean" | "int" | "long" | "huge" | "double" | "text" | "date" | "bytes" | "numbers" | "floats" | "longs" | "texts" | "none" | "json" | "empty";

/** The narrowest type that holds every value of the column. */
function kindOf(name: string, list: unknown[]): Kind {
  let kind: Kind = "empty";
  let first = 0;
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (value == null) continue;
    const found = kindOfValue(value);
    if (found === null) throw new Error(`column \`${name}\` holds ${tell(value)} in row ${i}, which is no value of a table`);
    const joined: Kind | null = kind === "empty" ? found : join(kind, found);
    if (joined === null)
      throw new Error(`column \`${name}\` holds ${tell(list[first])} in row ${first} and ${tell(value)} in row ${i}: a column has one type`);
    if (kind === "empty") first = i;
    kind = joined;
  }
  return kind;
}

function tell(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 20 ? `${value.slice(0, 20)}...` : value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid Date" : `a Date (${value.toISOString()})`;
  if (typeof value === "object" && value !== null) return `an object of ${value.constructor?.name ?? "no class"}`;
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : `${String(value)} (${typeof value})`;
}

function kindOfValue(value: unknown): Kind | null {
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "number":
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) return "double";
      return value >= -(2 ** 31) && value < 2 ** 31 ? "int" : "long";
    case "bigint":
      if (value >= -(2n ** 63n) && value < 2n ** 63n) return "long";
      return value >= -(2n ** 127n) && value < 2n ** 127n ? "huge" : null;
    case "string":
      return value.includes("\0") || /\p{Surrogate}/u.test(value) ? null : "text";
    case "object":
      break;
    default:
      return null;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : "date";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Float32Array) return "floats";
  if (ArrayBuffer.isView(value))
    return value instanceof DataView || value instanceof BigInt64Array || value instanceof BigUint64Array ? null : "numbers";
  if (Array.isArray(value)) {
    // a list of nothing is one of anything
    if (value.length === 0) return "none";
    if (value.every((item) => typeof item === "number")) return "numbers";
    if (
      value.every(
        (item) => (typeof item === "number" && Number.isSafeInteger(item)) || (typeof item === "bigint" && BigInt.asIntN(64, item) === item),
      )
    )
      return "longs";
    return value.every((item) => typeof item === "string") ? "texts" : "json";
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? "json" : null;
}

const widths: Kind[] = ["int", "long", "huge"];

function join(a: Kind, b: Kind): Kind | null {
  if (a === b) return a;
  const [i, j] = [widths.indexOf(a), widths.indexOf(b)];
  if (i >= 0 && j >= 0) return widths[Math.max(i, j)]!;
  const both = new Set([a, b]);
  if (both.has("double")) return both.has("int") || both.has("long") ? "double" : null;
  if (both.has("none")) {
    const other = a === "none" ? b : a;
    return ["numbers", "floats", "longs", "texts", "json"].includes(other) ? other : null;
  }
  if (both.has("numbers") && both.has("floats")) return "numbers";
  if (["json", "numbers", "texts"].includes(a) && ["json", "numbers", "texts"].includes(b)) return "json";
  return null;
}

function numberOf(value: unknown, name: string, row: number): number {
  if (typeof value === "bigint" && !Number.isSafeInteger(Number(value)))
    throw new Error(`column \`${name}\` holds ${value} in row ${row}, which is beyond 2^53, and fractions: a column has one type`);
  return value == null ? NaN : Number(value);
}

function jsonOf(value: unknown, name: string, row: number): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== "bigint") return inner;
    throw new Error(
      `column \`${name}\` holds a bigint inside of an object or a mixed list in row ${row}, which JSON cannot hold exactly: make it a text`,
    );
  });
}

function any(data: unknown[]): Packed {
  return { kind: "any", data, nulls: null };
}

function texts(list: (string | null | undefined)[], nulls: Uint8Array | null): Packed {
  const known = new Map<string, number>();
  const values: string[] = [];
  const data = Int32Array.from(list, (value) => {
    if (value == null) return 0;
    let code = known.get(value);
    if (code === undefined) {
      known.set(value, (code = values.length));
      values.push(value);
    }
    return code;
  });
  return { kind: "text", data, values, nulls };
}

/** One buffer for all: 70,000 images are handed to the worker at once. */
function bytes(list: (Uint8Array | null | undefined)[], nulls: Uint8Array | null): Packed {
  let total = 0;
  const data = Float64Array.from(list, (value) => (total += value?.length ?? 0));
  const all = new Uint8Array(total);
  list.forEach((value, i) => {
    if (value) all.set(value, i === 0 ? 0 : data[i - 1]);
  });
  return { kind: "blob", data, bytes: all, nulls };
}

function typed(values: ArrayBufferView): { type: string; column: Packed } {
  if (values instanceof Float64Array) return { type: "DOUBLE", column: { kind: "f64", data: values.slice(), nulls: null } };
  if (values instanceof Float32Array) return { type: "FLOAT", column: { kind: "f32", data: values.slice(), nulls: null } };
  if (values instanceof BigInt64Array) return { type: "BIGINT", column: any(Array.from(values)) };
  if (values instanceof BigUint64Array) return { type: "UBIGINT", column: any(Array.from(values)) };
  if (values instanceof Uint32Array) return { type: "UINTEGER", column: { kind: "f64", data: Float64Array.from(values), nulls: null } };
  const type =
    values instanceof Int8Array
      ? "TINYINT"
      : values instanceof Int16Array
        ? "SMALLINT"
        : values instanceof Uint16Array
          ? "USMALLINT"
          : values instanceof Int32Array
            ? "INTEGER"
            : "UTINYINT";
  return { type, column: { kind: "i32", data: Int32Array.from(values as Int32Array), nulls: null } };
}
