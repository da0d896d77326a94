/**
 * Jensen-Shannon distance: the root of the divergence (scipy.spatial.distance.jensenshannon). Base e gives 0 to 0.8326, base 2 gives 0 to 1; tools differ, so
 * the base belongs in the result. Takes counts or shares over the same bins.
 */
export function jsDistance(a: ArrayLike<number>, b: ArrayLike<number>, base: "e" | "2" = "e"): number {
  let n = 0;
  let m = 0;
  for (let i = 0; i < a.length; i++) {
    n += a[i]!;
    m += b[i]!;
  }
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const p = a[i]! / n;
    const q = b[i]! / m;
    const middle = (p + q) / 2;
    if (p > 0) sum += p * Math.log(p / middle);
    if (q > 0) sum += q * Math.log(q / middle);
  }
  return Math.sqrt(Math.max(0, sum) / 2 / (base === "2" ? Math.LN2 : 1));
}
