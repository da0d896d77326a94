/** Seeds and the generator behind a cell's `Math.random` (contracts 7). */
import { createHash } from "node:crypto";

/** First 4 bytes (big-endian) of sha256(notebookSeed + "\0" + cell + "\0" + purpose), as uint32. */
export function seedOf(notebookSeed: number, cell: string, purpose: string): number {
  return createHash("sha256").update(`${notebookSeed}\0${cell}\0${purpose}`).digest().readUInt32BE(0);
}

/** sfc32 (Chris Doty-Humphrey, PractRand), state filled from one 32-bit seed by splitmix32. Values in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  const split = () => {
    state = (state + 0x9e3779b9) | 0;
    let t = state ^ (state >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return t ^ (t >>> 15);
  };
  let [a, b, c, d] = [split(), split(), split(), 1];
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}
