/** Values as bytes and back: what `v8.serialize` takes, tensors, and relations as Parquet files beside them. */
import { deserialize, serialize } from "node:v8";
import { types } from "node:util";
import { isTensor } from "./display.js";
import { Opaque, refusePredictor, type TensorData } from "./digest.js";

/** Stands in the bytes for what is kept apart. */
interface Token {
  "\0touchstone": "tensor" | "relation";
  at: number;
}
export interface KeptTensor {
  shape: number[];
  dtype: string;
  values: Float32Array | Int32Array | Uint8Array | string[];
}

export interface Shelved {
  bytes: Buffer;
  /** in the order of their tokens */
  relations: object[];
}

/** Throws an Opaque that names the part which cannot be kept. */
export async function shelve(values: ReadonlyMap<string, unknown>, isRelation: (value: object) => boolean): Promise<Shelved> {
  const tensors: KeptTensor[] = [];
  const relations: object[] = [];
  const copies = new Map<object, unknown>();
  const replaced = async (value: unknown, path: string): Promise<unknown> => {
    if (typeof value === "function") throw new Opaque(`${path} is a function`);
    if (typeof value === "symbol") throw new Opaque(`${path} is a symbol`);
    if (typeof value !== "object" || value === null) return value;
    if (copies.has(value)) return copies.get(value);
    if (types.isProxy(value)) throw new Opaque(`${path} is a proxy`);
    const token = (what: Token["\0touchstone"], at: number): Token => ({ "\0touchstone": what, at });
    if (isRelation(value)) {
      const made = token("relation", relations.push(value) - 1);
      copies.set(value, made);
      return made;
    }
    if (isTensor(value)) {
      const { shape, dtype, data } = value as unknown as TensorData;
      if (dtype === "complex64") throw new Opaque(`${path} is a tensor of complex numbers`);
      const made = token("tensor", tensors.push({ shape, dtype, values: await data.call(value) }) - 1);
      copies.set(value, made);
      return made;
    }
    if (types.isDate(value) || types.isRegExp(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return value;
    if (types.isNativeError(value)) return value;
    if (types.isMap(value)) {
      const copy = new Map<unknown, unknown>();
      copies.set(value, copy);
      for (const [key, each] of value) copy.set(await replaced(key, `a key of ${path}`), await replaced(each, `a value of ${path}`));
      return copy;
    }
    if (types.isSet(value)) {
      const copy = new Set<unknown>();
      copies.set(value, copy);
      for (const each of value) copy.add(await replaced(each, `an entry of ${path}`));
      return copy;
    }
    const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null;
    if (!Array.isArray(value) && prototype !== null && prototype !== Object.prototype) {
      const made = prototype.constructor?.name;
      throw new Opaque(`${path} is ${made === undefined || made === "" ? "an object of a class" : `of the class ${made}`}`);
    }
    refusePredictor(value, path);
    // a million numbers are not looked at one by one twice
    if (Array.isArray(value) && value.every((each) => each === null || !["object", "function", "symbol"].includes(typeof each))) return value;
    const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? new Array(value.length) : {};
    copies.set(value, copy);
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      if (property.enumerable !== true) continue;
      if (property.get !== undefined || property.set !== undefined) throw new Opaque(`${path}.${key} is a getter`);
      (copy as Record<string, unknown>)[key] = await replaced(property.value, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
    }
    return copy;
  };
  const copy: Record<string, unknown> = {};
  for (const [name, value] of values) copy[name] = await replaced(value, name);
  return { bytes: serialize({ values: copy, tensors }), relations };
}

/** Makes the values again. */
export async function unshelve(
  bytes: Buffer,
  make: { tensor(kept: KeptTensor): Promise<unknown>; relation(at: number): Promise<unknown> },
): Promise<Map<string, unknown>> {
  const { values, tensors } = deserialize(bytes) as { values: Record<string, unknown>; tensors: KeptTensor[] };
  const done = new Map<object, unknown>();
  const restored = async (value: unknown): Promise<unknown> => {
    if (typeof value !== "object" || value === null) return value;
    if (done.has(value)) return done.get(value);
    const token = value as Partial<Token>;
    if (token["\0touchstone"] !== undefined) {
      const made = token["\0touchstone"] === "tensor" ? await make.tensor(tensors[token.at!]!) : await make.relation(token.at!);
      done.set(value, made);
      return made;
    }
    done.set(value, value);
    if (types.isMap(value)) {
      const entries = [...value];
      value.clear();
      for (const [key, each] of entries) value.set(await restored(key), await restored(each));
    } else if (types.isSet(value)) {
      const entries = [...value];
      value.clear();
      for (const each of entries) value.add(await restored(each));
    } else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
      const own = value as Record<string, unknown>;
      for (const key of Object.keys(own)) if (typeof own[key] === "object") own[key] = await restored(own[key]);
    }
    return value;
  };
  const found = new Map<string, unknown>();
  for (const name of Object.keys(values)) found.set(name, await restored(values[name]));
  return found;
}
