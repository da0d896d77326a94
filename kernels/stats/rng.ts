/**
 * Seeded random numbers: xoshiro128** 1.1 (Blackman, Vigna 2018) with its state filled by splitmix32 of the seed. The same seed gives the same
 * numbers on every machine. Not for secrets.
 */
export interface Rng {
  /** 32 random bits */
  bits(): number;
  /** uniform in [0, 1), 32 bits */
  uniform(): number;
  /** uniform integer in [0, n), n <= 2^32, unbiased (Lemire 2019 rejection) */
  int(n: number): number;
  /** standard normal (Marsaglia polar method) */
  normal(): number;
}

export function rng(seed: number): Rng {
  let z = seed >>> 0;
  const fill = (): number => {
    z = (z + 0x9e3779b9) >>> 0;
    let t = z ^ (z >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  };
  let a = fill();
  let b = fill();
  let c = fill();
  let d = fill() | 1;
  const bits = (): number => {
    let r = Math.imul(b, 5);
    r = Math.imul((r << 7) | (r >>> 25), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return r >>> 0;
  };
  let spare = NaN;
  return {
    bits,
    uniform: () => bits() / 4294967296,
    int(n) {
      const limit = 4294967296 - (4294967296 % n);
      let r = bits();
      while (r >= limit) r = bits();
      return r % n;
    },
    normal() {
      if (spare === spare) {
        const out = spare;
        spare = NaN;
        return out;
      }
      let u: number;
      let v: number;
      let s: number;
      do {
        u = bits() / 2147483648 - 1;
        v = bits() / 2147483648 - 1;
        s = u * u + v * v;
      } while (s >= 1 || s === 0);
      const k = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * k;
      return u * k;
    },
  };
}
