/** Captured values as source text: JSON by value, with the numbers that JSON lacks, dates and simple regular expressions. Everything else is refused. */
import { types } from "node:util";
import { settle } from "../protocol/values.js";

/** Why a value cannot be captured; `path` is where in it. */
export class ValueError extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** Largest text of one capture's values: data belongs into `fit`. */
const limit = 4_000_000;

/**
 * Collects values into one module. A value that is reached twice stays one value, so that comparing by identity gives the same answer.
 * Values are written as they are now; what a cell does to them later does not matter.
 */
export function createValues() {
  const lines: string[] = [];
  const known = new Map<object, string>();
  const names = new Map<string, string>();
  let size = 0;

  const emit = (text: string): string => {
    size += text.length;
    if (size > limit) throw new ValueError("", `is larger than ${limit / 1e6} MB as text; compute it in \`fit\`, whose result travels as state`);
    return text;
  };
  const key = (name: string) => (name === "__proto__" ? '["__proto__"]' : JSON.stringify(name));

  const write = (value: unknown, path: string, open: Set<object>): string => {
    if (typeof value === "string") return emit(JSON.stringify(value));
    if (typeof value === "number")
      return emit(Object.is(value, -0) ? "-0" : Number.isFinite(value) ? String(value) : value !== value ? "(0/0)" : value > 0 ? "(1/0)" : "(-1/0)");
    if (value === null || typeof value === "boolean") return emit(String(value));
    if (value === undefined) return "(void 0)";
    if (typeof value === "bigint") return emit(`${value < 0n ? "-" : ""}${value < 0n ? -value : value}n`);
    if (typeof value === "symbol") throw new ValueError(path, "is a symbol, which cannot be captured by value");
    if (typeof value === "function") throw new ValueError(path, "is a function inside a value; declare it at the top level of a cell");
    const had = known.get(value);
    if (had !== undefined) return had;
    if (open.has(value)) throw new ValueError(path, "is part of itself, which cannot be captured by value");
    if (types.isProxy(value)) throw new ValueError(path, "is a proxy, whose answers may change; only plain values can be captured");
    open.add(value);
    const text = object(value, path, open);
    const name = `v${known.size}`;
    open.delete(value);
    known.set(value, name);
    lines.push(`const ${name} = ${text};`);
    return name;
  };

  const object = (value: object, path: string, open: Set<object>): string => {
    if (value instanceof Date) {
      plainOwn(value, path, "a date");
      return emit(`$date(${Date.prototype.getTime.call(value)})`);
    }
    if (value instanceof RegExp) {
      if (value.global || value.sticky)
        throw new ValueError(
          path,
          `is a regular expression with the flag ${value.global ? "g" : "y"}, which remembers where it stopped (lastIndex); write it inside of \`row\``,
        );
      if (value.lastIndex !== 0) throw new ValueError(path, "is a regular expression that was changed");
      return emit(`$fix(new RegExp(${JSON.stringify(value.source)}, ${JSON.stringify(value.flags)}))`);
    }
    const what = kindOf(value);
    if (what) throw new ValueError(path, what);
    const list = Array.isArray(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    const parts: string[] = [];
    if (list && value.length !== Object.keys(value).length) throw new ValueError(path, "is a list with holes or with names of its own");
    for (const own of Reflect.ownKeys(value)) {
      if (typeof own === "symbol") throw new ValueError(path, `has a symbol key (${String(own)})`);
      if (list && own === "length") continue;
      const here = list ? `${path}[${own}]` : `${path}.${own}`;
      const property = Object.getOwnPropertyDescriptor(value, own)!;
      if (!("value" in property)) throw new ValueError(here, "is computed by a getter or setter; only plain values can be captured");
      if (!property.enumerable) throw new ValueError(here, "is hidden (not enumerable); only plain values can be captured");
      const text = write(property.value, here, open);
      parts.push(list ? text : emit(`${key(own)}: `) + text);
    }
    if (list) return `$fix([${parts.join(", ")}])`;
    return `$fix({ ${[...(prototype === null ? ["__proto__: null"] : []), ...parts].join(", ")} })`;
  };

  const plainOwn = (value: object, path: string, what: string) => {
    if (Reflect.ownKeys(value).length > 0 || Object.getPrototypeOf(value) !== Date.prototype)
      throw new ValueError(path, `is ${what} with properties of its own`);
  };

  return {
    /** The exported name of a value in the module. */
    add(name: string, value: unknown): string {
      const text = write(value, name, new Set());
      const exported = `x${names.size}`;
      names.set(exported, text);
      return exported;
    },
    /** The module: imports of `fix` and `fixedDate`, one constant a value, the exports. */
    module(driver: string): string {
      const exports = [...names].map(([name, text]) => `export const ${name} = ${text};`);
      return [`import { fix as $fix, fixedDate as $date } from ${JSON.stringify(driver)};`, ...lines, ...exports].join("\n");
    },
  };
}

/** What an object that is no plain object or list is, as the end of a sentence; null when it is plain. */
function kindOf(value: object): string | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === null || (Object.getPrototypeOf(prototype as object) === null && Object.hasOwn(prototype as object, "hasOwnProperty"));
  if (typeof (value as { dataId?: unknown }).dataId === "object" || ((value as { dtype?: unknown }).dtype !== undefined && "dataSync" in value))
    return "is a tensor; features work on plain numbers: take its values in `fit`";
  if (typeof (value as { batches?: unknown }).batches === "function" && "schema" in value)
    return "is a relation; SQL shapes rows, not features: join it in SQL, or summarise it in `fit`";
  if ((value as { train?: unknown }).train !== undefined && "covers" in value) return "is a split; its rows belong into `fit`";
  if (settle in value) return "is a value that is made in the background (a relation or a split); use its results in `fit`";
  if (typeof (value as { predict?: unknown }).predict === "function") return "is a model; features may not run models";
  if (plain || (Array.isArray(value) && prototype === Array.prototype)) return null;
  if (value instanceof Map || value instanceof Set)
    return `is a ${value instanceof Map ? "Map" : "Set"}, which can change between calls; use a plain ${value instanceof Map ? "object (Object.fromEntries)" : "list"}`;
  if (value instanceof Promise) return "is a promise; await it in its cell";
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return "is a typed array, which can change between calls; use a plain list (Array.from)";
  if (typeof (value as { next?: unknown }).next === "function") return "is an iterator or generator, which remembers where it stopped";
  const name: unknown = (prototype as { constructor?: { name?: unknown } }).constructor?.name;
  return `is ${typeof name === "string" && name !== "" ? `an object of class ${name}` : "no plain object"}; only JSON values can be captured`;
}
