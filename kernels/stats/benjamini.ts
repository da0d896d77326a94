/** Benjamini-Hochberg adjusted p-values (1995; statsmodels multipletests "fdr_bh"): the share of false alarms among alarms stays at alpha. Order is kept. */
export function benjamini(ps: ArrayLike<number>): number[] {
  const n = ps.length;
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => ps[j]! - ps[i]!);
  const out = new Array<number>(n);
  let smallest = 1;
  order.forEach((at, rank) => {
    smallest = Math.min(smallest, (ps[at]! * n) / (n - rank));
    out[at] = smallest;
  });
  return out;
}
