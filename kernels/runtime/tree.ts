/** A value as a tree that is unfolded level by level. Looks at own properties only: no getter, trap or method of the value runs. */
import { types } from "node:util";
import type { ValueChild, ValueNode } from "../protocol/output.js";
import { lineText } from "./inspection.js";

interface Entry {
  key: string;
  value: unknown;
  /** shown instead of a value that is not looked at */
  text?: string;
}

/** How many children `value` has; 0 = it cannot be unfolded. */
export function sizeOf(value: unknown): number {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return 0;
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? 0 : (value as Uint8Array).length;
  if (types.isMap(value)) return mapSize.call(value) as number;
  if (types.isSet(value)) return setSize.call(value) as number;
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) || types.isDate(value) || types.isRegExp(value)) return 0;
  if (Array.isArray(value)) return value.length;
  return keysOf(value).length;
}
const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, "size")!.get!;
const setSize = Object.getOwnPropertyDescriptor(Set.prototype, "size")!.get!;

export function nodeOf(value: unknown): ValueNode {
  return { text: lineText(value), size: sizeOf(value) };
}

/** Children `offset` to `offset + limit` of what `path` (indexes of children) leads to; null when there is no such place. */
export function childrenAt(root: unknown, path: readonly number[], offset: number, limit: number): { children: ValueChild[]; total: number } | null {
  let value = root;
  for (const index of path) {
    const [entry] = entries(value, index, 1);
    if (entry === undefined || entry.text !== undefined) return null;
    value = entry.value;
  }
  const children = entries(value, offset, limit).map(({ key, value: child, text }) => ({
    key,
    node: text === undefined ? nodeOf(child) : { text, size: 0 },
  }));
  return { children, total: sizeOf(value) };
}

function keysOf(value: object): (string | symbol)[] {
  const all = Reflect.ownKeys(value);
  // what an error says is not enumerable
  if (types.isNativeError(value)) return all;
  return all.filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}

function entries(value: unknown, offset: number, limit: number): Entry[] {
  const size = sizeOf(value);
  const end = Math.min(size, offset + limit);
  if (offset >= end) return [];
  const object = value as object;
  const list: Entry[] = [];
  if (types.isMap(object) || types.isSet(object)) {
    const iterator = types.isMap(object) ? Map.prototype.entries.call(object) : Set.prototype.entries.call(object);
    for (let i = 0; i < end; i++) {
      const step = iterator.next();
      if (step.done === true) break;
      const [key, inner] = step.value as [unknown, unknown];
      if (i >= offset) list.push({ key: types.isMap(object) ? `${lineText(key, 60)} =>` : String(i), value: inner });
    }
    return list;
  }
  if (Array.isArray(object) || ArrayBuffer.isView(object)) {
    for (let i = offset; i < end; i++) list.push({ key: String(i), ...read(object, String(i)) });
    return list;
  }
  return keysOf(object)
    .slice(offset, end)
    .map((key) => ({ key: typeof key === "symbol" ? `[${String(key)}]` : key, ...read(object, key) }));
}

function read(object: object, key: string | symbol): Omit<Entry, "key"> {
  const own = Object.getOwnPropertyDescriptor(object, key);
  if (own === undefined) return { value: undefined, text: "(empty)" };
  if ("value" in own) return { value: own.value as unknown };
  return { value: undefined, text: own.get === undefined ? "[Setter]" : own.set === undefined ? "[Getter]" : "[Getter/Setter]" };
}
