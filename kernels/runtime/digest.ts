/** Content of values as a hash, for the key of a kept result. What has no content that can be told is an error that names it. */
import { createHash, type Hash } from "node:crypto";
import { types } from "node:util";
import { isTensor } from "./display.js";

/** A value, or a part of it, that has no content: its path and what it is. */
export class Opaque extends Error {}

/** Throws for a trained model, or a baseline: its functions are no content, and its fields say little of what it answers. */
export function refusePredictor(value: object, path: string): void {
  const field = (key: string) => Object.getOwnPropertyDescriptor(value, key)?.value as unknown;
  if (typeof field("predict") === "function" && typeof field("stage") === "function")
    throw new Opaque(`${path} is a model (of train, distill or baseline)`);
}

export interface DigestOptions {
  /** hash of the rows of a relation or a split, undefined for anything else */
  relation(value: object): Promise<string> | undefined;
  /** stands for a function's content: the code that made it and what that reads */
  code(): Promise<string>;
}

export interface TensorData {
  shape: number[];
  dtype: string;
  data(): Promise<Float32Array | Int32Array | Uint8Array | string[]>;
}

/** sha256 in hex, first 16 bytes. Getters are not run; equal content gives equal hashes. */
export async function digest(value: unknown, name: string, options: DigestOptions): Promise<string> {
  const hash = createHash("sha256");
  await feed(hash, value, name, options, new Map());
  return hash.digest("hex").slice(0, 32);
}

type Plain = string | number | bigint | boolean | null | undefined;
const isPlain = (value: unknown): value is Plain => value === null || !["object", "function", "symbol"].includes(typeof value);
const plain = (value: Plain) => `${typeof value} ${Object.is(value, -0) ? "-0" : String(value)}`;

async function feed(hash: Hash, value: unknown, path: string, options: DigestOptions, seen: Map<object, number>): Promise<void> {
  const tag = (text: string) => void hash.update(text).update("\0");
  if (typeof value === "function") return tag(`function ${await options.code()} ${Function.prototype.toString.call(value)}`);
  if (typeof value === "symbol") throw new Opaque(`${path} is a symbol`);
  if (isPlain(value)) return tag(plain(value));
  const known = seen.get(value);
  if (known !== undefined) return tag(`again ${known}`);
  seen.set(value, seen.size);
  if (types.isProxy(value)) throw new Opaque(`${path} is a proxy`);
  const rows = options.relation(value);
  if (rows !== undefined) return tag(`relation ${await rows}`);
  if (isTensor(value)) {
    const { shape, dtype, data } = value as unknown as TensorData;
    const content = await data.call(value);
    tag(`tensor ${dtype} ${shape.join()}`);
    if (Array.isArray(content)) return tag(JSON.stringify(content));
    return void hash.update(content);
  }
  if (types.isDate(value)) return tag(`date ${Number(value)}`);
  if (types.isRegExp(value)) return tag(`regexp ${String(value)}`);
  if (ArrayBuffer.isView(value)) {
    tag(`view ${value.constructor.name} ${value.byteLength}`);
    return void hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  if (types.isAnyArrayBuffer(value)) {
    tag(`buffer ${value.byteLength}`);
    return void hash.update(new Uint8Array(value));
  }
  if (types.isMap(value) || types.isSet(value)) {
    tag(`${types.isMap(value) ? "map" : "set"} ${value.size}`);
    for (const [i, entry] of [...(value as Iterable<unknown>)].entries()) await feed(hash, entry, `${path} entry ${i}`, options, seen);
    return;
  }
  refusePredictor(value, path);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (!Array.isArray(value) && prototype !== null && prototype !== Object.prototype) {
    const made = (prototype as { constructor?: { name?: string } }).constructor?.name;
    throw new Opaque(`${path} is ${made === undefined || made === "" ? "an object of a class" : `of the class ${made}`}`);
  }
  if (Array.isArray(value) && value.every(isPlain)) {
    tag(`list ${value.length}`);
    for (const each of value) tag(plain(each));
    return;
  }
  const properties = Object.getOwnPropertyDescriptors(value as Record<string, unknown>);
  const names = Object.keys(properties).filter((key) => properties[key]!.enumerable === true);
  tag(`${Array.isArray(value) ? "list" : "object"} ${names.length}`);
  for (const key of names) {
    const property = properties[key]!;
    if (property.get !== undefined || property.set !== undefined) throw new Opaque(`${path}.${key} is a getter`);
    if (!Array.isArray(value)) tag(key);
    await feed(hash, property.value, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, options, seen);
  }
}
