/**
 * One seed, the same numbers. TFJS seeds its initialisers, dropout masks and random tensors from `Math.random` when no seed is given, so replacing that
 * for the time of a synchronous call makes models that a person wrote without any seed repeatable. (A fixed `seed` of a dropout layer would give
 * the same mask at each step.)
 */

/** Draws the next number; `state` is where it stands, and may be set to go on from there. */
export type Generator = (() => number) & { state: number };

/** Uniform in [0, 1), 32 bits: mulberry32 (Tommy Ettinger). */
export function generator(seed: number): Generator {
  let state = seed >>> 0;
  const draw = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Object.defineProperty(draw, "state", { get: () => state, set: (next: number) => void (state = next >>> 0) }) as Generator;
}

/** A seed for a purpose below another seed: FNV-1a over the text, mixed. */
export function derive(seed: number, purpose: string): number {
  let hash = 0x811c9dc5 ^ (seed >>> 0);
  for (let i = 0; i < purpose.length; i++) hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

let original: (() => number) | null = null;

/** Runs `f` with `Math.random` drawn from `random`. `f` must be synchronous: anything that runs meanwhile would draw from it too. */
export function seeded<T>(random: () => number, f: () => T): T {
  const before = Math.random;
  original ??= before;
  Math.random = random;
  try {
    return f();
  } finally {
    Math.random = before;
    if (original === before) original = null;
  }
}

/** Gives `Math.random` back after a stop that skipped the `finally` above. */
export function restoreRandom(): void {
  if (original) Math.random = original;
  original = null;
}

/** Fisher-Yates, in place. */
export function shuffle<T extends Uint32Array | Int32Array | number[]>(values: T, random: () => number): T {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const swap = values[i] as number;
    values[i] = values[j] as number;
    values[j] = swap;
  }
  return values;
}

/** 0 .. n-1 in a random order. */
export function permutation(n: number, random: () => number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  return shuffle(order, random);
}
