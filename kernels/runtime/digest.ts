/** Content of values as a hash, for the key of a kept result. What has no content that can be told is an error that names it. */
import { createHash, type Hash } from "node:crypto";
import { types } from "node:util";
import { recipeOf } from "../protocol/kept.js";
import { isTensor } from "./display.js";

/** A value, or a part of it, that has no content: its path and what it is. */
export class Opaque extends Error {}

/** Classes whose instances are known whole; an instance of a class that extends one is not. */
const known = new Set<unknown>([
  ...[Object, Array, Map, Set, Date, RegExp, ArrayBuffer, SharedArrayBuffer, DataView, Buffer],
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array],
  ...[BigInt64Array, BigUint64Array, Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError],
]);
const prototypes = new Set<unknown>([null, ...[...known].map((each) => (each as { prototype: unknown }).prototype)]);

/** In words, the class of a value of which nobody knows what it holds; null of a value that is looked into. */
export function classOf(value: object): string | null {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null;
  if (prototypes.has(prototype)) return null;
  const name = prototype?.constructor?.name;
  return name === undefined || name === "" ? "an object of a class" : `of the class ${name}`;
}

export interface DigestOptions {
  /** hash of the rows of a relation or a split, undefined for anything else */
  relation(value: object): Promise<string> | undefined;
  /** what a tf.LayersModel holds, undefined for anything else */
  network(value: object): Promise<unknown> | undefined;
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
  await feed(hash, value, name, options, { objects: new Map(), above: [] });
  return hash.digest("hex").slice(0, 32);
}

type Plain = string | number | bigint | boolean | null | undefined;
const isPlain = (value: unknown): value is Plain => value === null || !["object", "function", "symbol"].includes(typeof value);
const plain = (value: Plain) => `${typeof value} ${Object.is(value, -0) ? "-0" : String(value)}`;

/** Objects met so far, by their number: the same object twice is another content than two alike. */
interface Seen {
  objects: Map<object, number>;
  /** values with a recipe that hold what is looked at */
  above: readonly object[];
}

async function feed(hash: Hash, value: unknown, path: string, options: DigestOptions, seen: Seen): Promise<void> {
  const tag = (text: string) => void hash.update(text).update("\0");
  /** The enumerable properties, but for the functions that say nothing of their own. */
  const fields = async (from: object, without: ReadonlySet<unknown> | null, met: Seen) => {
    const properties = Object.entries(Object.getOwnPropertyDescriptors(from));
    const own = properties.filter(([, property]) => property.enumerable === true && without?.has(property.value) !== true);
    const list = Array.isArray(from);
    tag(`${list ? "list" : "object"} ${own.length}`);
    for (const [key, property] of own) {
      if (property.get !== undefined || property.set !== undefined) throw new Opaque(`${path}.${key} is a getter`);
      if (!list) tag(key);
      await feed(hash, property.value, list ? `${path}[${key}]` : `${path}.${key}`, options, met);
    }
  };
  if (typeof value === "function") return tag(`function ${await options.code()} ${Function.prototype.toString.call(value)}`);
  if (typeof value === "symbol") throw new Opaque(`${path} is a symbol`);
  if (isPlain(value)) return tag(plain(value));
  const before = seen.objects.get(value);
  if (before !== undefined) return tag(`again ${before}`);
  if (seen.above.includes(value)) return tag(`above ${seen.above.indexOf(value)}`);
  seen.objects.set(value, seen.objects.size);
  if (types.isProxy(value)) throw new Opaque(`${path} is a proxy`);
  const rows = options.relation(value);
  if (rows !== undefined) return tag(`relation ${await rows}`);
  const network = options.network(value);
  if (network !== undefined) {
    const content = await network.catch((error: unknown) => {
      throw new Opaque(`${path} is a network that cannot be read (${error instanceof Error ? error.message : String(error)})`);
    });
    return feed(hash, content, path, options, seen);
  }
  const recipe = recipeOf(value);
  if (recipe !== null) {
    tag(`made ${recipe.kind}`);
    // what two models share is of no matter: one that comes from disk shares less
    const own: Seen = { objects: new Map(), above: [...seen.above, value] };
    await feed(hash, recipe.parts, path, options, own);
    return fields(value, recipe.functions, own);
  }
  if (isTensor(value)) {
    const { shape, dtype, data } = value as unknown as TensorData;
    const content = await data.call(value);
    tag(`tensor ${dtype} ${shape.join()}`);
    if (Array.isArray(content)) return tag(JSON.stringify(content));
    return void hash.update(content);
  }
  const of = classOf(value);
  if (of !== null) throw new Opaque(`${path} is ${of}`);
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
  if (types.isNativeError(value)) tag(`error ${value.name} ${value.message}`);
  if (types.isMap(value) || types.isSet(value)) {
    tag(`${types.isMap(value) ? "map" : "set"} ${value.size}`);
    for (const [i, entry] of [...(value as Iterable<unknown>)].entries()) await feed(hash, entry, `${path} entry ${i}`, options, seen);
    return;
  }
  if (Array.isArray(value) && value.every(isPlain)) {
    tag(`list ${value.length}`);
    for (const each of value) tag(plain(each));
    return;
  }
  return fields(value, null, seen);
}
