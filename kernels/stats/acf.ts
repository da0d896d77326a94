/** Autocorrelation at each lag 0 ... `lags` (statsmodels acf, adjusted=False). NaN for a constant series. */
export function acf(y: ArrayLike<number>, lags: number): Float64Array {
  const n = y.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += y[i]! / n;
  const out = new Float64Array(Math.min(lags, n - 1) + 1);
  for (let k = 0; k < out.length; k++) {
    let sum = 0;
    for (let i = k; i < n; i++) sum += (y[i]! - mean) * (y[i - k]! - mean);
    out[k] = sum;
  }
  const zero = out[0]!;
  return out.map((sum) => sum / zero);
}

/**
 * The period of a series, or 1: among lags 2 ... `longest` (at most a third of the series) the peak of the autocorrelation of first differences that passes M4's
 * seasonality test at 90 % (|r_m| > 1.645 sqrt((1 + 2 sum of r_k^2, k < m) / n)).
 */
export function season(y: ArrayLike<number>, longest = 400): number {
  const n = y.length;
  const diff = Float64Array.from({ length: Math.max(0, n - 1) }, (_, i) => y[i + 1]! - y[i]!);
  const r = acf(diff, Math.min(longest + 1, Math.floor(n / 3)));
  let best = 1;
  let squares = 0;
  for (let m = 1; m < r.length - 1; m++) {
    const limit = 1.645 * Math.sqrt((1 + 2 * squares) / n);
    if (m > 1 && r[m]! > limit && r[m]! > r[m - 1]! && r[m]! >= r[m + 1]! && (best === 1 || r[m]! > r[best]! + 0.1)) best = m;
    squares += r[m]! ** 2;
  }
  return best;
}
