/** One column against its reference: the test is chosen by size and kind, its score is compared with its own limit. */
import { chiSquare } from "./chisquare.js";
import { jsDistance } from "./js.js";
import { ksCounts, ksLimit } from "./ks.js";
import { nullOf } from "./null.js";
import { twoProportions } from "./proportions.js";
import { psi, psiLimit, psiP, psiRule } from "./psi.js";
import { merge, type Compared } from "./sketch.js";
import { wasserstein, wassersteinNormed } from "./wasserstein.js";
import chiQuantile from "@stdlib/stats-base-dists-chisquare-quantile";
import quantile from "@stdlib/stats-base-dists-normal-quantile";

export type DriftTest = "auto" | "psi" | "ks" | "chi-square" | "js" | "wasserstein";

export interface ColumnResult {
  test: string;
  /** size of the change on the test's own scale */
  score: number;
  /** a score above it counts as drift */
  limit: number;
  /** what chance alone stays under with probability 1 - alpha */
  chance: number;
  /** the rule of thumb, for distances */
  rule: number | null;
  p: number;
  drifted: boolean;
}

/** Reference rows up to which p-value tests are used; above, distances (Evidently's default). */
const smallReference = 1000;
const psiBins = 10;

/**
 * Evidently's choice by the reference's rows: up to 1,000 two-proportion z for two values, chi-square for categories and up to five values, else
 * Kolmogorov-Smirnov; above, Jensen-Shannon for categories and up to five values, else Wasserstein in standard deviations.
 */
export function chooseTest(compared: Compared, rows: number): Exclude<DriftTest, "auto"> | "z" {
  const distinct = compared.labels.length;
  const few = compared.kind === "category" || distinct <= 5;
  if (rows <= smallReference) return distinct <= 2 ? "z" : few ? "chi-square" : "ks";
  return few ? "js" : "wasserstein";
}

/**
 * Compares the two sides. With `calibrate` the limit is what chance stays under at `alpha` for these row counts, else the rule of thumb (p-value tests have none
 * and keep alpha). `test` that does not fit the kind (Wasserstein of categories) falls to the nearest that does, and the result names what was used.
 */
export function compareColumn(compared: Compared, test: DriftTest, alpha: number, calibrate: boolean, seed: number): ColumnResult {
  const { reference, current } = compared;
  const n = reference.reduce((a, b) => a + b, 0);
  const m = current.reduce((a, b) => a + b, 0);
  if (n === 0 || m === 0) return { test: "none: no values", score: 0, limit: 0, chance: 0, rule: null, p: 1, drifted: false };
  let chosen = test === "auto" ? chooseTest(compared, n) : test;
  if (compared.kind === "category" && chosen === "wasserstein") chosen = "js";
  if (compared.kind === "category" && chosen === "ks") chosen = "chi-square";
  const judge = (name: string, score: number, chance: number, rule: number | null, p: number): ColumnResult => {
    const limit = calibrate || rule === null ? chance : rule;
    return { test: name, score, limit, chance, rule, p, drifted: score > limit };
  };
  switch (chosen) {
    case "z": {
      // one value only: nothing can differ
      if (compared.labels.length < 2) return judge("two-proportion z", 0, 0, null, 1);
      const { diff, p } = twoProportions(reference[1]!, n, current[1]!, m, alpha);
      const pool = (reference[1]! + current[1]!) / (n + m);
      return judge("two-proportion z", Math.abs(diff), quantile(1 - alpha / 2, 0, 1) * Math.sqrt(pool * (1 - pool) * (1 / n + 1 / m)), null, p);
    }
    case "chi-square": {
      const bins = compared.kind === "number" ? merge(compared, psiBins) : compared;
      const { p, v, df } = chiSquare(bins.reference, bins.current);
      return judge("chi-square, Cramér's V", v, df < 1 ? 0 : Math.sqrt(chiQuantile(1 - alpha, df) / (n + m)), null, p);
    }
    case "ks": {
      const { d, p, method } = ksCounts(reference, current);
      return judge(method, d, ksLimit(n, m, alpha), null, p);
    }
    case "psi": {
      const bins = merge(compared, psiBins);
      const used = bins.reference.length;
      const score = psi(bins.reference, bins.current);
      return judge(`PSI, ${used} bins`, score, psiLimit(n, m, used, alpha), psiRule.watch, psiP(score, n, m, used));
    }
    case "js": {
      const bins = compared.kind === "number" && compared.labels.length > 5 ? merge(compared, 30) : compared;
      const score = jsDistance(bins.reference, bins.current);
      const chance = nullOf(bins.reference, bins.current, (a, b) => jsDistance(a, b), seed);
      return judge("Jensen-Shannon distance, base e", score, chance.limit(alpha), 0.1, chance.p(score));
    }
    case "wasserstein": {
      const values = compared.referenceValues!;
      const other = compared.currentValues!;
      const score = wassersteinNormed({ values, counts: reference }, sorted(other, current));
      // chance is drawn over the reference's values, the current ones differ from them by a bin's width at most
      const scale = spreadOf(values, reference);
      const chance = nullOf(
        reference,
        current,
        (a, b) => wasserstein({ values, counts: a }, { values, counts: b }) / scale,
        seed,
        values.length > 500 ? 100 : 200,
      );
      return judge("Wasserstein, in standard deviations", score, chance.limit(alpha), 0.1, chance.p(score));
    }
  }
}

/** Shares of missing values, for a column that has values on one side only: nothing else of it can be compared. */
export function compareMissing(a: { missing: number; rows: number }, b: { missing: number; rows: number }, alpha: number): ColumnResult {
  const { diff, p } = twoProportions(a.missing, a.rows, b.missing, b.rows, alpha);
  const pool = (a.missing + b.missing) / (a.rows + b.rows);
  const limit = quantile(1 - alpha / 2, 0, 1) * Math.sqrt(pool * (1 - pool) * (1 / a.rows + 1 / b.rows));
  const score = Math.abs(diff);
  return { test: "share of missing values", score, limit, chance: limit, rule: 0.1, p, drifted: score > limit };
}

/** Bins without rows keep the reference's edge as their value; sorting keeps the walk over both sides rising. */
function sorted(values: Float64Array, counts: Float64Array): { values: Float64Array; counts: Float64Array } {
  const order = Array.from(values.keys())
    .filter((i) => counts[i]! > 0)
    .sort((a, b) => values[a]! - values[b]!);
  return { values: Float64Array.from(order, (i) => values[i]!), counts: Float64Array.from(order, (i) => counts[i]!) };
}

function spreadOf(values: Float64Array, counts: Float64Array): number {
  const n = counts.reduce((a, b) => a + b, 0);
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += (values[i]! * counts[i]!) / n;
  let variance = 0;
  for (let i = 0; i < values.length; i++) variance += (counts[i]! * (values[i]! - mean) ** 2) / n;
  return Math.max(Math.sqrt(variance), 0.001);
}
