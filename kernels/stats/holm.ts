/** Holm's step-down adjusted p-values (Holm 1979; statsmodels multipletests "holm"): the chance of any false alarm stays at alpha. Order is kept. */
export function holm(ps: ArrayLike<number>): number[] {
  const order = Array.from({ length: ps.length }, (_, i) => i).sort((i, j) => ps[i]! - ps[j]!);
  const out = new Array<number>(ps.length);
  let largest = 0;
  order.forEach((at, rank) => {
    largest = Math.max(largest, Math.min(1, (ps.length - rank) * ps[at]!));
    out[at] = largest;
  });
  return out;
}
