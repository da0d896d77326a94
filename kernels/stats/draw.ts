import type { Rng } from "./rng.js";

/** ln k! minus its leading Stirling terms (Hoermann 1993). */
function tail(k: number): number {
  const small = [
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.020790672103765, 0.0166446911898211, 0.0138761288230707, 0.0118967099458917,
    0.010411265261972, 0.00925546218271273, 0.00833056343336287,
  ];
  if (k <= 9) return small[k]!;
  const s = (k + 1) * (k + 1);
  return (1 / 12 - (1 / 360 - 1 / 1260 / s) / s) / (k + 1);
}

/** One binomial draw: inversion below a mean of 10, else transformed rejection (BTRS, Hoermann 1993). Exact in distribution, O(1). */
export function binomialDraw(n: number, p: number, random: Rng): number {
  if (p > 0.5) return n - binomialDraw(n, 1 - p, random);
  if (n <= 0 || p <= 0) return 0;
  const q = 1 - p;
  if (n * p < 10) {
    const s = p / q;
    let mass = q ** n;
    let u = random.uniform();
    let k = 0;
    while (u > mass && k < n) {
      u -= mass;
      k++;
      mass *= (s * (n - k + 1)) / k;
    }
    return k;
  }
  const sd = Math.sqrt(n * p * q);
  const b = 1.15 + 2.53 * sd;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const c = n * p + 0.5;
  const vr = 0.92 - 4.2 / b;
  const r = p / q;
  const alpha = (2.83 + 5.1 / b) * sd;
  const m = Math.floor((n + 1) * p);
  for (;;) {
    const u = random.uniform() - 0.5;
    let v = random.uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || k > n) continue;
    v = Math.log((v * alpha) / (a / (us * us) + b));
    const bound =
      (m + 0.5) * Math.log((m + 1) / (r * (n - m + 1))) +
      (n + 1) * Math.log((n - m + 1) / (n - k + 1)) +
      (k + 0.5) * Math.log((r * (n - k + 1)) / (k + 1)) +
      tail(m) +
      tail(n - m) -
      tail(k) -
      tail(n - k);
    if (v <= bound) return k;
  }
}
