import type { Prediction } from "./types.js";

/** Average ranks of tied values, from 1 (as scipy.stats.rankdata, "average"). */
export function midranks(values: Float64Array): Float64Array {
  const n = values.length;
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  order.sort((i, j) => values[i]! - values[j]!);
  const ranks = new Float64Array(n);
  for (let i = 0; i < n;) {
    let j = i;
    while (j + 1 < n && values[order[j + 1]!] === values[order[i]!]) j++;
    for (let k = i; k <= j; k++) ranks[order[k]!] = (i + j) / 2 + 1;
    i = j + 1;
  }
  return ranks;
}

/**
 * Area under the ROC curve with the placement values of DeLong, DeLong, Clarke-Pearson (1988), computed by midranks (Sun, Xu 2014).
 * `influence[i]` is row i's share in the error of the estimate: the variance of the AUC is the sum of their squares (times the usual n/(n-1) per class).
 * NaN when one class is absent.
 */
export function aucInfluence(ys: ArrayLike<number>, scores: ArrayLike<number>): { auc: number; influence: Float64Array; positives: number } {
  const n = ys.length;
  let m = 0;
  for (let i = 0; i < n; i++) if (ys[i]! > 0.5) m++;
  const influence = new Float64Array(n);
  const k = n - m;
  if (m === 0 || k === 0) return { auc: NaN, influence, positives: m };
  const positive = new Float64Array(m);
  const negative = new Float64Array(k);
  let a = 0;
  let b = 0;
  for (let i = 0; i < n; i++) {
    if (ys[i]! > 0.5) positive[a++] = scores[i]!;
    else negative[b++] = scores[i]!;
  }
  const both = new Float64Array(n);
  both.set(positive);
  both.set(negative, m);
  const all = midranks(both);
  const own = midranks(positive);
  const other = midranks(negative);
  let sum = 0;
  for (let i = 0; i < m; i++) sum += all[i]!;
  const auc = (sum - (m * (m + 1)) / 2) / (m * k);
  a = 0;
  b = 0;
  for (let i = 0; i < n; i++) {
    if (ys[i]! > 0.5) {
      influence[i] = ((all[a]! - own[a]!) / k - auc) / m;
      a++;
    } else {
      influence[i] = (1 - (all[m + b]! - other[b]!) / m - auc) / k;
      b++;
    }
  }
  return { auc, influence, positives: m };
}

/** Scores of one class: binary predictions are its probability, vectors are indexed. */
export function scoresOf(ps: ArrayLike<Prediction>, index = 1): Float64Array {
  const out = new Float64Array(ps.length);
  for (let i = 0; i < ps.length; i++) {
    const p = ps[i]!;
    out[i] = typeof p === "number" ? p : p[index]!;
  }
  return out;
}

/** AUC; more than two classes: mean over the classes present, each against the rest (scikit-learn's multi_class="ovr", average="macro"). */
export function auc(ys: ArrayLike<number>, ps: ArrayLike<Prediction>): number {
  const first = ps[0];
  if (first === undefined) return NaN;
  if (typeof first === "number" || first.length === 2) return aucInfluence(ys, scoresOf(ps)).auc;
  let sum = 0;
  let classes = 0;
  for (let c = 0; c < first.length; c++) {
    const own = Float64Array.from({ length: ys.length }, (_, i) => (ys[i] === c ? 1 : 0));
    const value = aucInfluence(own, scoresOf(ps, c)).auc;
    if (value === value) {
      sum += value;
      classes++;
    }
  }
  return classes === 0 ? NaN : sum / classes;
}
