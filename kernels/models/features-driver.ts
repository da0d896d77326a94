/**
 * The part of features.mjs that turns records into float32 vectors. It stands alone and is bundled into every version, so that a served
 * version reads its records by the same code as its training did. It runs inside the pure realm (features-realm.ts).
 */

/** A field's type as declared: "double", "string?" ... */
type Coerce = (value: unknown) => unknown;
type Row = (record: Record<string, unknown>, state: unknown) => ArrayLike<number>;

/** What goes wrong with one record. `record` counts from 0 in this call. */
export interface Fault {
  fault: string;
  record: number;
  field: string | null;
  /** place in the vector */
  index: number | null;
}

export interface Driver {
  input: Record<string, string>;
  /** numbers of one record, as the row function gives them */
  row: (record: object, state: unknown) => ArrayLike<number>;
  /** width of a vector, from one record */
  measure: (records: ArrayLike<object>, state: unknown) => number;
  /** writes `count` vectors of `width` to `out` from `at` on; `source` is records, or columns by name */
  fill: (source: object, count: number, byColumn: boolean, state: unknown, out: Float32Array, at: number, width: number, first: number) => void;
  state: (json: string) => unknown;
}

// in the pure realm `Date` is a slower one that closes the clock; the realm lends the driver the plain constructor
declare const $plainDate: DateConstructor | undefined;
const PlainDate = typeof $plainDate === "undefined" ? Date : $plainDate;

const toString = Object.prototype.toString;
const getTime = Date.prototype.getTime;
const iso = /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

class Bad {
  reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const show = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "bigint") return `${String(value)}n`;
  if (value !== null && typeof value === "object") return toString.call(value) === "[object Array]" ? "a list" : "an object";
  return String(value);
};
const expected = (what: string, value: unknown) => new Bad(`Expected ${what}, got ${show(value)}`);

/** Milliseconds since the epoch; texts without a zone are UTC. */
function milliseconds(value: unknown): number {
  if (typeof value === "number" && value === value) return value;
  if (typeof value === "bigint") return Number(value);
  if (toString.call(value) === "[object Date]") return getTime.call(value as Date);
  if (typeof value === "string") {
    const match = iso.exec(value);
    if (match) {
      const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "0", zone = "Z"] = match;
      const days = new PlainDate(0);
      days.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
      const whole =
        days.getTime() + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000 + 1e-9);
      const real =
        days.getUTCMonth() === Number(month) - 1 &&
        days.getUTCDate() === Number(day) &&
        Number(hour) < 25 &&
        Number(minute) < 60 &&
        Number(second) < 61;
      if (real) {
        if (zone === "Z" || zone === "z") return whole;
        const digits = zone.replace(":", "");
        const offset = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5) || "0");
        return whole - (digits[0] === "-" ? -offset : offset) * 60_000;
      }
    }
  }
  throw expected("a time (ISO 8601, UTC when it names no zone)", value);
}

function numbers(value: unknown): Float64Array {
  if (value === null || typeof value !== "object" || typeof (value as ArrayLike<unknown>).length !== "number")
    throw expected("a list of numbers", value);
  const list = value as ArrayLike<unknown>;
  if (list.length > 0 && list[0] !== null && typeof list[0] === "object") {
    // an image in rows
    const parts: Float64Array[] = [];
    let length = 0;
    for (let i = 0; i < list.length; i++) {
      const part = numbers(list[i]);
      parts.push(part);
      length += part.length;
    }
    const out = new Float64Array(length);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
  const out = new Float64Array(list.length);
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    const x = typeof item === "bigint" ? Number(item) : item;
    if (typeof x !== "number" || x !== x) throw new Bad(`Expected a list of numbers, item ${i} is ${show(item)}`);
    out[i] = x + 0;
  }
  return out;
}

const safe = (value: bigint) => {
  if (value > 9007199254740991n || value < -9007199254740991n) throw new Bad(`${value} is too large for a double; declare the field as bigint`);
  return Number(value);
};

/** Null, undefined and NaN all reach the row function as null: columns of numbers cannot tell them apart. */
const types: Record<string, Coerce> = {
  double: (value) => {
    // -0 is 0: JSON writers drop its sign
    if (typeof value === "number") return value === value ? value + 0 : null;
    if (typeof value === "bigint") return safe(value);
    throw expected("a number", value);
  },
  integer: (value) => {
    const x = typeof value === "bigint" ? safe(value) : value;
    if (typeof x === "number" && x !== x) return null;
    if (typeof x !== "number" || Math.floor(x) !== x || x === Infinity || x === -Infinity) throw expected("an integer", value);
    return x + 0;
  },
  bigint: (value) => {
    if (typeof value === "bigint") return value;
    if (typeof value === "number") {
      if (value !== value) return null;
      if (Number.isSafeInteger(value)) return BigInt(value);
    }
    if (typeof value === "string" && /^-?\d{1,40}$/.test(value)) return BigInt(value);
    throw expected("an integer", value);
  },
  boolean: (value) => {
    if (typeof value === "boolean") return value;
    throw expected("true or false", value);
  },
  string: (value) => {
    if (typeof value === "string") return value;
    throw expected("a text", value);
  },
  timestamp: (value) => {
    if (typeof value === "number" && value !== value) return null;
    const ms = milliseconds(value);
    // -0 and fractions of a millisecond do not survive a Date
    const date = new PlainDate(Math.floor(ms) + 0);
    // the ends of its range stand for infinite times
    if (date.getTime() !== date.getTime() || Math.abs(ms) === 8.64e15) {
      if (toString.call(value) === "[object Date]") return null;
      throw expected("a time", value);
    }
    return date;
  },
  date: (value) => {
    const date = types.timestamp!(value) as Date | null;
    return date === null ? null : new PlainDate(Math.floor(date.getTime() / 86_400_000) * 86_400_000);
  },
  decimal: (value) => {
    if (typeof value === "string" && /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(value)) return Number(value);
    return types.double!(value);
  },
  "double[]": numbers,
  image: numbers,
};

/** Makes functions, classes and values of cells unchangeable to the last part, so that no call can leave something behind for the next. */
export function fix<T>(value: T): T {
  const seen = new Set<unknown>();
  const visit = (one: unknown): void => {
    if (one === null || (typeof one !== "object" && typeof one !== "function") || seen.has(one) || ArrayBuffer.isView(one)) return;
    seen.add(one);
    Object.freeze(one);
    for (const key of Reflect.ownKeys(one)) {
      const own = Object.getOwnPropertyDescriptor(one, key)!;
      visit(own.value);
      visit(own.get);
      visit(own.set);
    }
  };
  visit(value);
  return value;
}

/**
 * `[a, ...b, c]` of cells is written `join([a], b, [c])`: V8 compiles and throws away code for a spread behind a fraction again and again
 * ("out of bounds" in the literal), 12 us a row against 0.6.
 */
export function join(...parts: Iterable<unknown>[]): unknown[] {
  const out: unknown[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Iterable<unknown> & ArrayLike<unknown>;
    if (Array.isArray(part) || ArrayBuffer.isView(part)) for (let j = 0; j < part.length; j++) out.push(part[j]);
    else for (const one of part) out.push(one);
  }
  return out;
}

/** A captured date: its setters are closed. */
export function fixedDate(ms: number): Date {
  const date = new Date(ms);
  for (const name of Object.getOwnPropertyNames(Date.prototype)) {
    if (!name.startsWith("set")) continue;
    Object.defineProperty(date, name, {
      value: () => {
        throw new TypeError("a captured date cannot be changed; make a copy: new Date(date)");
      },
    });
  }
  return Object.freeze(date);
}

export function createDriver(input: Record<string, string>, row: Row): Driver {
  const names = Object.keys(input);
  const coerce = names.map((name) => types[input[name]!.replace("?", "")]!);
  const fault = (text: string, record: number, field: string | null = null, index: number | null = null): Fault => ({
    fault: text,
    record,
    field,
    index,
  });

  /** one record object, used again for each: sealed, so that the row function cannot leave anything on it */
  const fresh = () => {
    const record: Record<string, unknown> = {};
    for (const name of names) Object.defineProperty(record, name, { value: null, writable: true, enumerable: true, configurable: true });
    return Object.seal(record);
  };
  const convert = (i: number, value: unknown, record: number): unknown => {
    if (value === null || value === undefined) return null;
    try {
      return coerce[i]!(value);
    } catch (error) {
      throw fault(error instanceof Bad ? error.reason : String(error), record, names[i]!);
    }
  };
  const call = (record: Record<string, unknown>, state: unknown, at: number): ArrayLike<number> => {
    let vector: ArrayLike<number>;
    try {
      vector = row(record, state);
    } catch (error) {
      throw fault(`row failed: ${String((error as Error | null)?.message ?? error)}`, at);
    }
    if (vector === null || typeof vector !== "object" || typeof vector.length !== "number") {
      const what = typeof (vector as { then?: unknown } | null)?.then === "function" ? "a promise; it must not be async" : show(vector);
      throw fault(`Expected row to return a list of numbers, got ${what}`, at);
    }
    return vector;
  };
  const set = (record: Record<string, unknown>, source: object, at: number) => {
    if (source === null || typeof source !== "object") throw fault(`Expected a record, got ${show(source)}`, at);
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      // own fields only: a field called `constructor` that a record lacks is null
      record[name] = convert(i, Object.hasOwn(source, name) ? (source as Record<string, unknown>)[name] : null, at);
    }
  };

  return {
    input,
    row: (source, state) => {
      const record = fresh();
      set(record, source, 0);
      return call(record, state, 0);
    },
    measure: (records, state) => {
      const record = fresh();
      set(record, records[0]!, 0);
      return call(record, state, 0).length;
    },
    fill: (source, count, byColumn, state, out, at, width, first) => {
      const record = fresh();
      const columns = byColumn
        ? names.map((name) => (Object.hasOwn(source, name) ? (source as Record<string, ArrayLike<unknown>>)[name]! : null))
        : null;
      for (let i = 0; i < count; i++) {
        const here = first + i;
        if (columns) {
          for (let j = 0; j < names.length; j++) record[names[j]!] = convert(j, columns[j] === null ? null : columns[j]![i], here);
        } else set(record, (source as object[])[i]!, here);
        const vector = call(record, state, here);
        if (vector.length !== width) throw fault(`Expected row to return ${width} numbers, got ${vector.length}`, here);
        for (let j = 0; j < width; j++) {
          const value = vector[j];
          const rounded = Math.fround(value as number);
          if (typeof value !== "number" || rounded - rounded !== 0)
            throw fault(`number ${j} of the vector is ${show(value)}, which is not a finite float32`, here, null, j);
          out[at++] = rounded;
        }
      }
    },
    state: (json) => deepFreeze(JSON.parse(json)),
  };
}

function deepFreeze(value: unknown): unknown {
  if (value !== null && typeof value === "object") {
    for (const key of Object.keys(value)) deepFreeze((value as Record<string, unknown>)[key]);
    Object.freeze(value);
  }
  return value;
}
