/**
 * What plain values hold, remembered with bounds, to tell afterwards whether and where they changed. No code of the values runs: getters,
 * proxies and `toJSON` are left alone, and so is the inside of a library's objects, which may fill caches of their own whenever they like.
 */
import { types } from "node:util";

export interface SnapshotOptions {
  /** is this class one of the notebook's own? Its instances are looked into. */
  own(constructor: object): boolean;
}

export interface Snapshot {
  /** looks at these values too, level by level, so that a large one does not hide the others; gives the names with a function inside */
  add(roots: readonly { name: string; value: unknown }[]): Set<string>;
  /** of each name whose value now differs, the first place where it does: `rows[3].price` */
  changed(now: (name: string) => unknown): Map<string, string>;
}

/** entries looked at in all, of one list or map, and bytes of typed arrays; what is longer is sampled evenly */
const most = { entries: 3_000, each: 500, bytes: 1 << 20, depth: 12 };
/** pieces in which a long typed array is sampled */
const pieces = 64;
/** objects with more keys are looked at once: listing their keys takes longer than the rest together */
const manyKeys = 5_000;

interface Node {
  object: object;
  parent: Node | null;
  /** how the parent leads here: `.price`, `[3]` */
  step: string;
  /** null when nothing differs, else where, seen from the object */
  compare(): string | null;
}

const intrinsic = <T>(prototype: object, key: string | symbol) => {
  const property = Object.getOwnPropertyDescriptor(prototype, key)!;
  return (property.get ?? property.value) as (this: unknown) => T;
};
const typed = Object.getPrototypeOf(Uint8Array.prototype) as object;
const viewOf = {
  buffer: intrinsic<ArrayBufferLike>(typed, "buffer"),
  byteLength: intrinsic<number>(typed, "byteLength"),
  byteOffset: intrinsic<number>(typed, "byteOffset"),
  length: intrinsic<number>(typed, "length"),
};
const mapSize = intrinsic<number>(Map.prototype, "size");
const mapEntries = intrinsic<IterableIterator<[unknown, unknown]>>(Map.prototype, "entries");
const setSize = intrinsic<number>(Set.prototype, "size");
const setValues = intrinsic<IterableIterator<unknown>>(Set.prototype, "values");
const timeOf = intrinsic<number>(Date.prototype, "getTime");

const huge = new WeakSet<object>();

/** stands for what a getter would give */
const computed = Symbol("computed");
const property = (object: object, key: string | number): unknown => {
  const found = Object.getOwnPropertyDescriptor(object, key);
  return found === undefined ? undefined : "value" in found ? found.value : computed;
};
const member = (key: string) => (/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 40))}]`);
const keyText = (key: unknown) =>
  typeof key === "string" ? JSON.stringify(key.slice(0, 40)) : typeof key === "object" || typeof key === "function" ? "..." : String(key);

export function createSnapshot({ own }: SnapshotOptions): Snapshot {
  const roots = new Map<string, unknown>();
  const nodes: Node[] = [];
  const names: string[] = [];
  const seen = new Set<object>();
  let left = most.entries;
  let bytes = most.bytes;

  /** Remembers one object, and gives `next` what it holds. Null: nothing is known of it. */
  const look = (object: object, next: (step: string, value: unknown) => void): (() => string | null) | null => {
    if (types.isProxy(object)) return null;
    if (Array.isArray(object)) return list(object, next);
    const prototype = Object.getPrototypeOf(object) as object | null;
    // rows, most often: asked first
    if (prototype === Object.prototype || (prototype === null && !types.isModuleNamespaceObject(object))) return record(object, next, false);
    if (prototype === null) return null;
    if (types.isTypedArray(object)) return numbers(object);
    if (types.isDate(object)) {
      const before = timeOf.call(object);
      return () => (Object.is(before, timeOf.call(object)) ? null : "");
    }
    if (types.isMap(object)) return map(object, next);
    if (types.isSet(object)) return set(object, next);
    if (isTensor(object)) {
      // a variable that is assigned holds other data; one of the library's own fields says so
      const before = [property(object, "dataId"), property(object, "isDisposedInternal")];
      return () => (before[0] === property(object, "dataId") && before[1] === property(object, "isDisposedInternal") ? null : "");
    }
    const constructor = property(prototype, "constructor");
    return typeof constructor === "function" && own(constructor) ? record(object, next, true) : null;
  };

  const list = (object: unknown[], next: (step: string, value: unknown) => void) => {
    const { length } = object;
    const count = Math.min(length, most.each, left);
    left -= count;
    const place = (i: number) => (count === length ? i : Math.floor((i * (length - 1)) / Math.max(1, count - 1)));
    const before = new Array<unknown>(count);
    for (let i = 0; i < count; i++) {
      const value = (before[i] = property(object, place(i)));
      if (typeof value === "object" || typeof value === "function") next(`[${place(i)}]`, value);
    }
    return () => {
      for (let i = 0; i < count; i++) if (!Object.is(before[i], property(object, place(i)))) return `[${place(i)}]`;
      return object.length === length ? null : ".length";
    };
  };

  const numbers = (object: NodeJS.TypedArray) => {
    const length = viewOf.length.call(object);
    const size = viewOf.byteLength.call(object);
    const taken = Math.min(size, bytes);
    bytes -= taken;
    const whole = taken === size;
    const piece = whole ? size : Math.floor(taken / pieces);
    const starts = whole ? [0] : Array.from({ length: pieces }, (_, i) => Math.floor((i * (size - piece)) / (pieces - 1)));
    const part = (start: number) => Buffer.from(viewOf.buffer.call(object), viewOf.byteOffset.call(object) + start, piece);
    const before = starts.map((start) => Buffer.from(part(start)));
    return () => {
      if (viewOf.byteLength.call(object) !== size) return ".length";
      for (const [i, start] of starts.entries()) {
        const now = part(start);
        if (now.equals(before[i]!)) continue;
        const at = now.findIndex((byte, j) => byte !== before[i]![j]);
        return `[${Math.floor((start + at) / (size / length))}]`;
      }
      return null;
    };
  };

  const map = (object: Map<unknown, unknown>, next: (step: string, value: unknown) => void) => {
    const size = mapSize.call(object);
    const before: unknown[] = [];
    for (const [key, value] of { [Symbol.iterator]: () => mapEntries.call(object) }) {
      if (before.length >= 2 * most.each || left <= 0) break;
      left--;
      before.push(key, value);
      next(".keys()", key);
      next(`.get(${keyText(key)})`, value);
    }
    return () => {
      let i = 0;
      for (const [key, value] of { [Symbol.iterator]: () => mapEntries.call(object) }) {
        if (i === before.length) break;
        if (!Object.is(before[i], key)) return mapSize.call(object) === size ? "" : ".size";
        if (!Object.is(before[i + 1], value)) return `.get(${keyText(key)})`;
        i += 2;
      }
      return mapSize.call(object) === size ? null : ".size";
    };
  };

  const set = (object: Set<unknown>, next: (step: string, value: unknown) => void) => {
    const size = setSize.call(object);
    const before: unknown[] = [];
    for (const value of { [Symbol.iterator]: () => setValues.call(object) }) {
      if (before.length >= most.each || left <= 0) break;
      left--;
      before.push(value);
      next(".values()", value);
    }
    return () => {
      if (setSize.call(object) !== size) return ".size";
      let i = 0;
      for (const value of { [Symbol.iterator]: () => setValues.call(object) }) {
        if (i === before.length) break;
        if (!Object.is(before[i++], value)) return "";
      }
      return null;
    };
  };

  /** `lenient`: an instance of a class, which may fill in what it works out when it is asked first. */
  const record = (object: object, next: (step: string, value: unknown) => void, lenient: boolean) => {
    if (huge.has(object)) return null;
    const keys = Object.keys(object);
    if (keys.length > manyKeys) huge.add(object);
    const count = Math.min(keys.length, most.each, left);
    left -= count;
    const before = new Array<unknown>(count);
    let deep = false;
    for (let i = 0; i < count; i++) {
      const value = (before[i] = property(object, keys[i]!));
      deep ||= (typeof value === "object" && value !== null) || typeof value === "function";
    }
    if (deep) {
      // results of our own cells carry symbols: they change by themselves only
      if (!lenient && Object.getOwnPropertySymbols(object).length > 0) return null;
      for (let i = 0; i < count; i++) next(member(keys[i]!), before[i]);
    }
    const filled = (i: number) => lenient && (keys[i]!.startsWith("_") || before[i] === undefined || before[i] === null);
    return () => {
      for (let i = 0; i < count; i++) if (!Object.is(before[i], property(object, keys[i]!)) && !filled(i)) return member(keys[i]!);
      if (lenient || huge.has(object)) return null;
      const now = Object.keys(object);
      for (let i = 0; i < Math.max(now.length, keys.length); i++)
        if (now[i] !== keys[i]) return member(now.length < keys.length ? keys[i]! : now[i]!);
      return null;
    };
  };

  return {
    add(given) {
      const withFunctions = new Set<string>();
      let level: { node: Node | null; root: string; step: string; value: unknown }[] = [];
      for (const { name, value } of given) {
        roots.set(name, value);
        level.push({ node: null, root: name, step: "", value });
      }
      for (let depth = 0; level.length > 0 && depth < most.depth; depth++) {
        const below: typeof level = [];
        for (const { node: parent, root, step, value } of level) {
          if (typeof value === "function") withFunctions.add(root);
          if (typeof value !== "object" || value === null || seen.has(value) || left <= 0) continue;
          seen.add(value);
          const node: Node = { object: value, parent, step, compare: () => null };
          const compare = look(value, (to, each) => below.push({ node, root, step: to, value: each }));
          if (compare === null) continue;
          node.compare = compare;
          nodes.push(node);
          names.push(root);
        }
        level = below;
      }
      return withFunctions;
    },
    changed(now) {
      const found = new Map<string, string>();
      for (const [name, value] of roots) if (!Object.is(value, now(name))) found.set(name, name);
      for (const [i, node] of nodes.entries()) {
        const name = names[i]!;
        const at = found.has(name) ? null : node.compare();
        if (at === null) continue;
        let path = at;
        for (let each: Node | null = node; each !== null; each = each.parent) path = each.step + path;
        found.set(name, name + path);
      }
      return found;
    },
  };
}

const isTensor = (object: object) => property(object, "dataId") !== undefined && property(object, "rankType") !== undefined;
