/** JavaScript values as typed SQL literals. A view cannot have parameters, so a bound value is written into it, and never as text that could be read as SQL. */
import { text } from "./names.js";

/** Throws an Error that says what is wrong, without naming the place. */
export function literal(value: unknown): string {
  if (value === null) return "NULL";
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return number(value);
    case "bigint":
      return bigint(value);
    case "string":
      return string(value);
    case "undefined":
      throw new Error("is undefined: use null for SQL's NULL");
    case "function":
    case "symbol":
      throw new Error(`is a ${typeof value}, which is no value of SQL`);
  }
  if (value instanceof Date) return timestamp(value);
  if (value instanceof Uint8Array) return `'${Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, "0").toUpperCase()}`).join("")}'::BLOB`;
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) return list(value as ArrayLike<unknown>);
  if (value instanceof Promise) throw new Error("is a promise: write `await` before it");
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    const entries = Object.entries(value as object);
    if (entries.length === 0) throw new Error("is an empty object, which is no value of SQL");
    return `{${entries.map(([key, item]) => `${string(key)}: ${literal(item)}`).join(", ")}}`;
  }
  throw new Error(`is a ${(value as object).constructor?.name ?? "strange object"}, which is no value of SQL`);
}

function number(value: number): string {
  if (Number.isNaN(value)) return "'nan'::DOUBLE";
  if (!Number.isFinite(value)) return value > 0 ? "'infinity'::DOUBLE" : "'-infinity'::DOUBLE";
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    if (Math.abs(value) < 2 ** 31) return value < 0 ? `(${value})` : String(value);
    return `(${value}::BIGINT)`;
  }
  return `'${Object.is(value, -0) ? "-0.0" : value}'::DOUBLE`;
}

function bigint(value: bigint): string {
  if (value >= -(2n ** 63n) && value < 2n ** 63n) return `'${value}'::BIGINT`;
  if (value >= -(2n ** 127n) && value < 2n ** 127n) return `'${value}'::HUGEINT`;
  throw new Error("is a bigint of more than 128 bits");
}

function string(value: string): string {
  if (value.includes("\0")) throw new Error("is a string with a NUL character, which SQL text cannot hold");
  if (/\p{Surrogate}/u.test(value)) throw new Error("is a string with half a surrogate pair, which is not valid text");
  return text(value);
}

function timestamp(value: Date): string {
  const ms = value.getTime();
  if (Number.isNaN(ms)) throw new Error("is an invalid Date");
  const year = value.getUTCFullYear();
  if (year >= 1 && year <= 9999) return `'${value.toISOString().replace("T", " ").replace("Z", "")}'::TIMESTAMP`;
  return `make_timestamp_ms(${ms}::BIGINT)`;
}

function list(values: ArrayLike<unknown>): string {
  const items = Array.from(values);
  // one type for all: 1 beside 0.5 is a double
  const doubles = items.some((item) => typeof item === "number" && !Number.isSafeInteger(item));
  const parts = items.map((item, i) => {
    try {
      return doubles && typeof item === "number" ? `'${Number.isFinite(item) ? item : number(item).split("'")[1]}'::DOUBLE` : literal(item);
    } catch (error) {
      throw new Error(`holds an item [${i}] that ${(error as Error).message}`, { cause: error });
    }
  });
  return `[${parts.join(", ")}]`;
}
