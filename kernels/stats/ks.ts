export interface Ks {
  /** largest gap of the two empirical distributions */
  d: number;
  p: number;
  method: string;
}

/** Kolmogorov's limiting distribution: P(K > x), by the series that converges faster on each side. */
export function kolmogorovTail(x: number): number {
  if (x <= 0) return 1;
  if (x < 1) {
    let sum = 0;
    for (let k = 1; k <= 50; k += 2) sum += Math.exp((-(k * k) * Math.PI * Math.PI) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * x * x);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-18) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

/** The gap that p = alpha needs: the root of the limiting distribution times sqrt(1/n + 1/m). */
export function ksLimit(n: number, m: number, alpha: number): number {
  let low = 0.1;
  let high = 10;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (kolmogorovTail(middle) > alpha) low = middle;
    else high = middle;
  }
  return ((low + high) / 2) * Math.sqrt(1 / n + 1 / m);
}

/** Share of the paths from (0, 0) to (n, m) that leave the band |i/n - j/m| < d: Hodges 1957, exact without ties. */
function exactTail(d: number, n: number, m: number): number {
  const limit = d - 1e-12;
  // inside[j]: share of paths to (i, j) that stayed inside the band
  const inside = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (i === 0 && j === 0) inside[0] = 1;
      else if (Math.abs(i / n - j / m) >= limit) inside[j] = 0;
      else inside[j] = (i > 0 ? (inside[j]! * i) / (i + j) : 0) + (j > 0 ? (inside[j - 1]! * j) / (i + j) : 0);
    }
  }
  return Math.min(1, Math.max(0, 1 - inside[m]!));
}

/**
 * Two-sample Kolmogorov-Smirnov over counts of the same ordered values or bins (scipy.stats.ks_2samp, two-sided). Exact up to n m = 10,000 where no value
 * repeats, else asymptotic; with ties or bins the p-value is on the safe side.
 */
export function ksCounts(a: ArrayLike<number>, b: ArrayLike<number>): Ks {
  let n = 0;
  let m = 0;
  let tied = false;
  for (let i = 0; i < a.length; i++) {
    n += a[i]!;
    m += b[i]!;
    tied ||= a[i]! + b[i]! > 1;
  }
  let ca = 0;
  let cb = 0;
  let d = 0;
  for (let i = 0; i < a.length; i++) {
    ca += a[i]!;
    cb += b[i]!;
    d = Math.max(d, Math.abs(ca / n - cb / m));
  }
  if (!tied && n * m <= 10_000) return { d, p: exactTail(d, n, m), method: "Kolmogorov-Smirnov, exact" };
  return { d, p: kolmogorovTail(d * Math.sqrt((n * m) / (n + m))), method: "Kolmogorov-Smirnov, asymptotic" };
}

/** The same over two samples. */
export function ks(a: ArrayLike<number>, b: ArrayLike<number>): Ks {
  const values = [...new Set([...Array.from(a), ...Array.from(b)])].sort((x, y) => x - y);
  const at = new Map(values.map((value, i) => [value, i]));
  const count = (xs: ArrayLike<number>): Float64Array => {
    const out = new Float64Array(values.length);
    for (let i = 0; i < xs.length; i++) out[at.get(xs[i]!)!]!++;
    return out;
  };
  return ksCounts(count(a), count(b));
}
