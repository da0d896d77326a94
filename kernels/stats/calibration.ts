/** One bin of a reliability diagram. */
export interface CalibrationBin {
  low: number;
  high: number;
  n: number;
  /** mean probability given */
  predicted: number;
  /** share that came true */
  observed: number;
}

/** Reliability bins of equal width, closed on the right (0.7 is in 0.6-0.7; 0 is in the first), and the expected calibration error over them. */
export function calibration(ys: ArrayLike<number>, ps: ArrayLike<number>, bins = 10): { bins: CalibrationBin[]; error: number } {
  const n = new Float64Array(bins);
  const p = new Float64Array(bins);
  const y = new Float64Array(bins);
  for (let i = 0; i < ys.length; i++) {
    // the edge is compared as k / bins, so that 0.7 of ten bins falls exactly on it
    let at = Math.min(bins - 1, Math.max(0, Math.ceil(ps[i]! * bins) - 1));
    while (at > 0 && ps[i]! <= at / bins) at--;
    while (at < bins - 1 && ps[i]! > (at + 1) / bins) at++;
    n[at]!++;
    p[at]! += ps[i]!;
    y[at]! += ys[i]!;
  }
  let error = 0;
  const out: CalibrationBin[] = [];
  for (let k = 0; k < bins; k++) {
    if (n[k] === 0) continue;
    out.push({ low: k / bins, high: (k + 1) / bins, n: n[k]!, predicted: p[k]! / n[k]!, observed: y[k]! / n[k]! });
    error += Math.abs(p[k]! - y[k]!) / ys.length;
  }
  return { bins: out, error };
}
