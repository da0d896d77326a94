/** Identity of the rows that an evaluation judged, and which of them belong together. */
import type { Clusters } from "./types.js";

/** One text for one key, whether it comes as a Date, ISO text with zone, number or bigint. */
function text(key: unknown): string {
  if (key instanceof Date) return `t${key.getTime()}`;
  if (typeof key === "number" || typeof key === "bigint") return `n${key}`;
  return typeof key === "string" ? `s${key}` : (JSON.stringify(key) ?? "null");
}

/**
 * Hash of keys in their order, 128 bits in hex: four lanes of murmur3's mixing over the UTF-16 units of each key. Equal lists give equal hashes on
 * every machine; it guards against mixing up rows, not against an attacker.
 */
export function keysHash(keys: ArrayLike<unknown>): string {
  const lanes = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667];
  const multiply = [0xcc9e2d51, 0x1b873593, 0x85ebca6b, 0xc2b2ae35];
  let [a, b, c, d] = lanes as [number, number, number, number];
  const [ma, mb, mc, md] = multiply as [number, number, number, number];
  const add = (unit: number): void => {
    a = Math.imul(a ^ unit, ma);
    a ^= a >>> 15;
    b = Math.imul(b ^ (unit + a), mb);
    b ^= b >>> 13;
    c = Math.imul(c ^ (unit + b), mc);
    c ^= c >>> 16;
    d = Math.imul(d ^ (unit + c), md);
    d ^= d >>> 14;
  };
  for (let i = 0; i < keys.length; i++) {
    const key = text(keys[i]);
    for (let j = 0; j < key.length; j++) add(key.charCodeAt(j));
    add(0x10000);
  }
  add(keys.length | 0);
  for (let round = 0; round < 4; round++) add(round);
  return [a, b, c, d].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

/**
 * Rows that must not be taken as independent: those of one calendar day (UTC) when the key is a time, else those of one key. `time` says that numbers are
 * milliseconds since 1970. Null when every row is its own cluster, or when all rows share one (nothing to resample).
 */
export function clustersOf(keys: ArrayLike<unknown>, time = keys[0] instanceof Date): Clusters | null {
  const seen = new Map<unknown, number>();
  const ids = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const unit = time
      ? Math.floor(Number(key instanceof Date ? key.getTime() : typeof key === "string" ? Date.parse(key) : key) / 86_400_000)
      : key instanceof Date
        ? key.getTime()
        : key;
    let id = seen.get(unit);
    if (id === undefined) seen.set(unit, (id = seen.size));
    ids[i] = id;
  }
  return seen.size === keys.length || seen.size < 2 ? null : { ids, count: seen.size, unit: time ? "day" : "key" };
}
