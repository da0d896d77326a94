/** Wire rules of a served version (contracts 5), once for every protocol: JSON values in, checked records out, errors that name the field. */
import type { Field, Signature } from "../protocol/values.js";

/** A request that cannot be answered: told to the caller with its status. */
export class WireError extends Error {
  override name = "WireError";
  readonly status: number;
  readonly field: string | null;
  constructor(message: string, field: string | null = null, status = 400) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

export interface Checked {
  /** values as the row function takes them; extra columns are gone */
  record: Record<string, unknown>;
  /** "range:distance", "unseen:origin", "extra:note": counted and logged, never rejected */
  warnings: string[];
}

/** Makes the check of one record. Fields' sets are built once. */
export function recordChecker(signature: Signature): (value: unknown, where: string) => Checked {
  const fields = signature.inputs;
  const known = new Map(fields.map((field) => [field.name, field]));
  const seen = new Map(fields.filter((field) => field.seen).map((field) => [field.name, new Set(field.seen)]));
  const only = fields.length === 1 ? fields[0]! : null;
  return (value, where) => {
    // a version of one field also takes the bare value, as TF Serving does
    if (only && (typeof value !== "object" || value === null || Array.isArray(value))) value = { [only.name]: value };
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new WireError(`${where}: Expected an object with the fields ${names(fields)}, got ${show(value)}`);
    const given = value as Record<string, unknown>;
    const record: Record<string, unknown> = {};
    const warnings: string[] = [];
    for (const field of fields) {
      const raw = Object.hasOwn(given, field.name) ? given[field.name] : undefined;
      if (raw === undefined || raw === null) {
        if (!field.nullable)
          throw new WireError(
            raw === undefined
              ? `${where}: the field \`${field.name}\` (${field.type}) is missing`
              : `${where}.${field.name}: null is not allowed here (${field.type})`,
            field.name,
          );
        record[field.name] = null;
        continue;
      }
      const native = fromWire(field, raw, `${where}.${field.name}`);
      record[field.name] = native;
      if (field.range && typeof native === "number" && (native < field.range[0] || native > field.range[1])) warnings.push(`range:${field.name}`);
      if (typeof native === "string" && seen.get(field.name)?.has(native) === false && field.seen!.length < 1000)
        warnings.push(`unseen:${field.name}`);
    }
    for (const name in given) if (!known.has(name)) warnings.push(`extra:${name.slice(0, 64)}`);
    return { record, warnings };
  };
}

/** One value by its declared type. Throws a WireError that names the field. */
export function fromWire(field: Field, value: unknown, where: string): unknown {
  const wrong = (expected: string): never => {
    throw new WireError(`${where}: Expected ${expected}, got ${show(value)}`, field.name);
  };
  // a 64-bit tensor of the binary extension; as JSON the same value is a number
  if (typeof value === "bigint" && value >= -0x1fffffffffffffn && value <= 0x1fffffffffffffn) value = Number(value);
  switch (field.type) {
    case "double":
      if (typeof value === "bigint") return Number(value);
      if (typeof value !== "number" || !Number.isFinite(value))
        return (value === "NaN" || Number.isNaN(value)) && field.nullable ? null : wrong("a number");
      return value;
    case "integer":
      if (typeof value !== "number" || !Number.isSafeInteger(value)) return wrong("an integer");
      return value;
    case "bigint": {
      if (typeof value === "number") return Number.isSafeInteger(value) ? value : wrong("an integer, as a string when above 2^53");
      if (typeof value === "bigint") return value;
      if (typeof value !== "string" || !/^-?\d{1,39}$/.test(value)) return wrong("an integer, as a string when above 2^53");
      const big = BigInt(value);
      return big >= -0x1fffffffffffffn && big <= 0x1fffffffffffffn ? Number(big) : big;
    }
    case "decimal":
      if (typeof value === "number" && Number.isFinite(value)) return value;
      if (typeof value !== "string" || !/^-?\d+(\.\d+)?$/.test(value)) return wrong('a decimal as a string ("12.50")');
      return Number(value);
    case "boolean":
      return typeof value === "boolean" ? value : wrong("true or false");
    case "string":
      return typeof value === "string" ? value : wrong("a string");
    case "date":
    case "timestamp": {
      if (value instanceof Date) return value;
      const time = parseTime(value);
      return time === null ? wrong(field.type === "date" ? 'a date ("2001-05-31")' : 'a time in ISO 8601 ("2001-05-31T08:05:00Z")') : new Date(time);
    }
    case "double[]":
    case "image": {
      const flat: number[] = [];
      const walk = (item: unknown): void => {
        if (Array.isArray(item) || ArrayBuffer.isView(item)) for (const inner of item as unknown as unknown[]) walk(inner);
        else if (typeof item === "number" && Number.isFinite(item)) flat.push(item);
        else if (typeof item === "bigint") flat.push(Number(item));
        else throw new WireError(`${where}: Expected a list of numbers, got ${show(item)} in it`, field.name);
      };
      if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return wrong("a list of numbers");
      walk(value);
      return flat;
    }
  }
}

/** ISO 8601 in UTC when no zone is given, or ms since epoch. Null when it is neither. */
function parseTime(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) && Math.abs(value) <= 8.64e15 ? value : null;
  if (typeof value !== "string") return null;
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(value);
  if (!match) return null;
  const [, day, minute = "00:00", second = ":00", zone = "Z"] = match;
  const time = Date.parse(`${day}T${minute}${second}${/^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`);
  // Date.parse turns February 30 into March 2
  return Number.isNaN(time) || new Date(Date.parse(`${day}T00:00:00Z`)).toISOString().slice(0, 10) !== day ? null : time;
}

/** A record's values as JSON, for the log and the sample. */
export function toWire(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value === "number" && Number.isNaN(value)) return null;
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  return value;
}

function names(fields: Field[]): string {
  const all = fields.slice(0, 12).map((field) => `\`${field.name}\``);
  return all.join(", ") + (fields.length > 12 ? ` and ${fields.length - 12} more` : "");
}

/** What was got, short. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "bigint" ? value.toString() : JSON.stringify(value);
  return text === undefined ? typeof value : text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
