/** Values as bytes and back: what `v8.serialize` takes, tensors, networks and what has a recipe; relations lie as Parquet files beside them. */
import { deserialize, serialize } from "node:v8";
import { types } from "node:util";
import { recipeOf, type KeptKind } from "../protocol/kept.js";
import { isTensor } from "./display.js";
import { classOf, Opaque, type TensorData } from "./digest.js";
import type { KeptNetwork } from "./networks.js";

const mark = "\0touchstone";
/** Stands in the bytes for what v8 cannot take. */
type Token = { [mark]: "input"; path: string } | { [mark]: "tensor" | "relation" | "network"; at: number } | Bare | Made;
/** an object without a prototype */
interface Bare {
  [mark]: "bare";
  fields: Record<string, unknown>;
}
interface Made {
  [mark]: "made";
  kind: KeptKind;
  parts: Record<string, unknown>;
  fields: Record<string, unknown>;
}

export interface KeptTensor {
  shape: number[];
  dtype: string;
  /** a number's real and imaginary part follow each other */
  values: Float32Array | Int32Array | Uint8Array | string[];
  /** of a variable */
  trainable?: boolean;
}

export interface Shelved {
  bytes: Buffer;
  /** in the order of their tokens */
  relations: object[];
}

export interface ShelveOptions {
  isRelation(value: object): boolean;
  /** where an input of the cell holds this very object: it is there again when the result comes back */
  input(value: object): string | undefined;
  /** undefined of what is no tf.LayersModel */
  network(value: object): Promise<KeptNetwork> | undefined;
}

/** Throws an Opaque that names the part which cannot be kept. */
export async function shelve(values: ReadonlyMap<string, unknown>, options: ShelveOptions): Promise<Shelved> {
  const tensors: KeptTensor[] = [];
  const networks: KeptNetwork[] = [];
  const relations: object[] = [];
  const copies = new Map<object, unknown>();

  const replaced = async (value: unknown, path: string): Promise<unknown> => {
    if (typeof value === "function") throw new Opaque(`${path} is a function`);
    if (typeof value === "symbol") throw new Opaque(`${path} is a symbol`);
    if (typeof value !== "object" || value === null) return value;
    if (copies.has(value)) return copies.get(value);
    if (types.isProxy(value)) throw new Opaque(`${path} is a proxy`);
    const token = <T extends Token>(made: T): T => {
      copies.set(value, made);
      return made;
    };
    const input = options.input(value);
    if (input !== undefined) return token({ [mark]: "input", path: input });
    if (options.isRelation(value)) return token({ [mark]: "relation", at: relations.push(value) - 1 });
    if (isTensor(value)) {
      const { shape, dtype, data, trainable } = value as unknown as TensorData & { trainable?: boolean };
      const kept: KeptTensor = { shape, dtype, values: await data.call(value), ...("assign" in value && { trainable: trainable === true }) };
      return token({ [mark]: "tensor", at: tensors.push(kept) - 1 });
    }
    const network = options.network(value);
    if (network !== undefined) return token({ [mark]: "network", at: networks.push(await network.catch(unable(path))) - 1 });
    const recipe = recipeOf(value);
    if (recipe !== null) {
      const made = token<Made>({ [mark]: "made", kind: recipe.kind, parts: {}, fields: {} });
      await fields(recipe.parts, made.parts, path);
      await fields(value, made.fields, path, recipe.functions);
      return made;
    }
    const made = classOf(value);
    if (made !== null) throw new Opaque(`${path} is ${made}`);
    if (types.isNativeError(value)) {
      const more = Object.getOwnPropertyNames(value).filter((name) => name !== "message" && name !== "stack");
      if (more.length > 0) throw new Opaque(`${path} is an error with \`${more[0]}\``);
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
    // a million numbers are not looked at one by one twice
    if (Array.isArray(value) && value.every((each) => each === null || !["object", "function", "symbol"].includes(typeof each))) return value;
    if (mark in value) throw new Opaque(`${path} has a name that the cache uses`);
    if (Object.getPrototypeOf(value) === null) {
      const bare = token<Bare>({ [mark]: "bare", fields: {} });
      await fields(value, bare.fields, path);
      return bare;
    }
    const copy: object = Array.isArray(value) ? new Array(value.length) : {};
    copies.set(value, copy);
    await fields(value, copy, path);
    return copy;
  };

  /** Copies the enumerable properties, but for the functions that come by themselves. */
  const fields = async (from: object, to: object, path: string, functions: ReadonlySet<unknown> | null = null): Promise<void> => {
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
      if (property.enumerable !== true || functions?.has(property.value)) continue;
      if (property.get !== undefined || property.set !== undefined) throw new Opaque(`${path}.${key} is a getter`);
      (to as Record<string, unknown>)[key] = await replaced(property.value, Array.isArray(from) ? `${path}[${key}]` : `${path}.${key}`);
    }
    if (functions === null && Object.getOwnPropertySymbols(from).some((symbol) => Object.prototype.propertyIsEnumerable.call(from, symbol)))
      throw new Opaque(`${path} has a property under a symbol`);
  };

  const copy: Record<string, unknown> = {};
  for (const [name, value] of values) copy[name] = await replaced(value, name);
  return { bytes: serialize({ values: copy, tensors, networks }), relations };
}

/** A network of parts that TensorFlow.js cannot write says so by an error of its own. */
const unable = (path: string) => (error: unknown) => {
  throw new Opaque(`${path} is a network that cannot be written (${error instanceof Error ? error.message : String(error)})`);
};

export interface Unshelving {
  tensor(kept: KeptTensor): Promise<unknown>;
  network(kept: KeptNetwork): Promise<unknown>;
  relation(at: number): Promise<unknown>;
  input(path: string): unknown;
  made(kind: KeptKind, parts: Record<string, unknown>): Promise<object>;
}

/** Makes the values again. */
export async function unshelve(bytes: Buffer, make: Unshelving): Promise<Map<string, unknown>> {
  const { values, tensors, networks } = deserialize(bytes) as { values: Record<string, unknown>; tensors: KeptTensor[]; networks: KeptNetwork[] };
  const done = new Map<object, unknown>();
  const ofToken = async (token: Token): Promise<unknown> => {
    switch (token[mark]) {
      case "input":
        return make.input(token.path);
      case "tensor":
        return make.tensor(tensors[token.at]!);
      case "network":
        return make.network(networks[token.at]!);
      case "relation":
        return make.relation(token.at);
      case "bare":
        return Object.assign(Object.create(null) as object, await restored(token.fields));
      case "made": {
        const made = await make.made(token.kind, (await restored(token.parts)) as Record<string, unknown>);
        return Object.assign(made, await restored(token.fields));
      }
    }
  };
  const restored = async (value: unknown): Promise<unknown> => {
    if (typeof value !== "object" || value === null) return value;
    if (done.has(value)) return done.get(value);
    if (mark in value) {
      const made = await ofToken(value as Token);
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
