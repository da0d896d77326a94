/** Values in rising order with how often each was seen. */
export interface Weighted {
  values: ArrayLike<number>;
  counts: ArrayLike<number>;
}

/** A sample as weighted values. */
export function weighted(sample: ArrayLike<number>): Weighted {
  const values = Float64Array.from(sample).sort();
  return { values, counts: new Float64Array(values.length).fill(1) };
}

/** Wasserstein distance of order 1: the area between the two distribution functions (scipy.stats.wasserstein_distance), in the unit of the values. */
export function wasserstein(a: Weighted, b: Weighted): number {
  let n = 0;
  let m = 0;
  for (let i = 0; i < a.counts.length; i++) n += a.counts[i]!;
  for (let j = 0; j < b.counts.length; j++) m += b.counts[j]!;
  let i = 0;
  let j = 0;
  let ca = 0;
  let cb = 0;
  let last = NaN;
  let area = 0;
  while (i < a.values.length || j < b.values.length) {
    const x = j >= b.values.length || (i < a.values.length && a.values[i]! <= b.values[j]!) ? a.values[i]! : b.values[j]!;
    if (last === last) area += Math.abs(ca / n - cb / m) * (x - last);
    while (i < a.values.length && a.values[i] === x) ca += a.counts[i++]!;
    while (j < b.values.length && b.values[j] === x) cb += b.counts[j++]!;
    last = x;
  }
  return area;
}

/** Population standard deviation of weighted values. */
export function spread(a: Weighted): number {
  let n = 0;
  let mean = 0;
  let m2 = 0;
  for (let i = 0; i < a.counts.length; i++) {
    if (a.counts[i] === 0) continue;
    n += a.counts[i]!;
    const delta = a.values[i]! - mean;
    mean += (delta * a.counts[i]!) / n;
    m2 += a.counts[i]! * delta * (a.values[i]! - mean);
  }
  return n === 0 ? NaN : Math.sqrt(m2 / n);
}

/** In standard deviations of the reference: W1 / max(population sd, 0.001) (Evidently's "normed"). */
export function wassersteinNormed(reference: Weighted, current: Weighted): number {
  return wasserstein(reference, current) / Math.max(spread(reference), 0.001);
}
