// Reference values: statistics.md of the plan ([P] published, [D] derived), and scipy 1.17, statsmodels 0.15 and scikit-learn 1.9 run for this file.
import { describe, expect, it } from "vitest";
import { acf, season } from "./acf.js";
import { aucInfluence } from "./auc.js";
import { benjamini } from "./benjamini.js";
import { binomialTest, clopperPearson } from "./binomial.js";
import { calibration } from "./calibration.js";
import { chiSquare, chiSquareFit } from "./chisquare.js";
import { binomialDraw } from "./draw.js";
import { evaluate } from "./evaluate.js";
import { holm } from "./holm.js";
import { jsDistance } from "./js.js";
import { kolmogorovTail, ks, ksLimit } from "./ks.js";
import { mcnemar } from "./mcnemar.js";
import { metrics } from "./metrics.js";
import { datePart, millis, stepOf, stepsBetween } from "./moments.js";
import { nullOf } from "./null.js";
import { paired } from "./paired.js";
import { keysPerArm, powerOf, smallestEffect } from "./power.js";
import { twoProportions } from "./proportions.js";
import { psi, psiLimit, psiP } from "./psi.js";
import { quantile } from "./quantile.js";
import { rng } from "./rng.js";
import { sequentialHalf, sequentialP, sequentialRho } from "./sequential.js";
import { srm } from "./srm.js";
import { trials, medianOf, meanOf } from "./trial.js";
import { spread, wasserstein, wassersteinNormed, weighted } from "./wasserstein.js";
import { welch, welchRelative, type Sums } from "./welch.js";
import { wilson } from "./wilson.js";

const near = (actual: ArrayLike<number>, expected: number[], digits = 10): void =>
  expected.forEach((e, i) => expect(actual[i]!).toBeCloseTo(e, digits));
const sums = (xs: number[]): Sums => ({ n: xs.length, sum: xs.reduce((a, b) => a + b, 0), squares: xs.reduce((a, b) => a + b * b, 0) });

describe("shares", () => {
  it("Wilson's interval is statsmodels'", () => {
    near(wilson(3, 4), [0.3006418425824018, 0.9544127391902995]);
    near(wilson(10, 100), [0.05522913706067509, 0.17436566150491348]);
    expect(wilson(0, 0)).toEqual([0, 1]);
    expect(wilson(0, 10)[0]).toBe(0);
    expect(wilson(10, 10)[1]).toBe(1);
  });
  it("Clopper and Pearson's interval is statsmodels'", () => {
    near(clopperPearson(3, 10), [0.06673951117773447, 0.6524528500599973], 8);
    expect(clopperPearson(0, 5)[0]).toBe(0);
    expect(clopperPearson(5, 5)[1]).toBe(1);
  });
  it.each([
    [3, 10, 0.5, 0.34375],
    [2, 20, 0.3, 0.05262794872972706],
    [45, 100, 0.4, 0.3092381616341078],
    [480, 1000, 0.5, 0.2174482932041415],
    [7, 12, 0.25, 0.014252781867980957],
    [5, 10, 0.5, 1],
  ])("exact binomial of %i of %i at %f is scipy's", (k, n, p, expected) => {
    expect(binomialTest(k, n, p).p).toBeCloseTo(expected, 9);
  });
  it("two proportions, pooled z", () => {
    const { z, p } = twoProportions(100, 1000, 120, 1000);
    near([z, p], [1.4293008498, 0.1529177819]);
  });
  it("McNemar, exact and with Edwards' correction, is statsmodels'", () => {
    near([mcnemar(6, 2).p, mcnemar(700, 601).p], [0.2890625, 0.006587936092408352]);
    expect(mcnemar(0, 0).p).toBe(1);
  });
  it("sample ratio mismatch", () => {
    expect(srm([480, 520], [0.5, 0.5]).p).toBeCloseTo(0.2059032107, 10);
    const bad = srm([4800, 5200], [0.5, 0.5]);
    expect(bad.p).toBeCloseTo(6.3342484e-5, 11);
    expect(bad.flagged).toBe(true);
    expect(srm([480, 520, 7], [1, 1, 0]).p).toBeCloseTo(0.2059032107, 10);
  });
});

describe("counts", () => {
  it("chi-square of a contingency table is scipy's", () => {
    expect(chiSquare([30, 50, 20], [40, 30, 30])).toMatchObject({ df: 2, method: "chi-square, contingency" });
    near([chiSquare([30, 50, 20], [40, 30, 30]).statistic, chiSquare([30, 50, 20], [40, 30, 30]).p], [8.428571428571429, 0.01478287719483942]);
  });
  it("chi-square goodness of fit is scipy's", () => {
    const fit = chiSquareFit([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]);
    near([fit.statistic, fit.p], [3.5, 0.6233876277495822]);
  });
  it("no category left means no difference", () => {
    expect(chiSquare([5], [7])).toMatchObject({ statistic: 0, p: 1 });
  });
});

describe("distances", () => {
  const p = [0.2, 0.3, 0.5];
  const q = [0.3, 0.3, 0.4];
  it("PSI", () => {
    near([psi(p, q)], [0.0628608659]);
    near([psi(new Array<number>(10).fill(0.1), [0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.15])], [0.1098612289]);
    // an empty cell becomes 0.0001
    near([psi([50, 50], [100, 0])], [4.6043184667]);
  });
  it("PSI's limit by chance", () => {
    near([psiLimit(1000, 1000, 10), psiLimit(200, 200, 10)], [0.0338379552, 0.169189776]);
    expect(psiP(0.1, 100, 100, 10)).toBeCloseTo(0.8343, 4);
    expect(psiLimit(10, 10, 1)).toBe(0);
  });
  it("Jensen-Shannon in both bases", () => {
    near([jsDistance(p, q), jsDistance(p, q, "2")], [0.0884160629, 0.1061985144]);
    near([jsDistance([1, 0], [0, 1]), jsDistance([1, 0], [0, 1], "2")], [0.8325546112, 1]);
    // NannyML: four equal categories, one replaced by a new one
    near([jsDistance([1, 1, 1, 1, 0], [1, 1, 1, 0, 1], "2")], [0.5]);
    expect(jsDistance([3, 4], [3, 4])).toBe(0);
  });
  it("Wasserstein, raw and in standard deviations", () => {
    expect(wasserstein(weighted([0, 1, 3]), weighted([5, 6, 8]))).toBe(5);
    expect(wasserstein(weighted([1, 2, 3, 4]), weighted([2, 3, 4, 9]))).toBe(2);
    near([wassersteinNormed(weighted([1, 2, 3, 4, 5]), weighted([2, 3, 4, 5, 11]))], [1.4142135624]);
    expect(spread({ values: [1, 5], counts: [3, 0] })).toBe(0);
  });
  it("the limit by chance of Jensen-Shannon is that of 100,000 multinomial draws", () => {
    const counts = (n: number): number[] => p.map((share) => share * n);
    const chance = nullOf(counts(500), counts(800), (a, b) => jsDistance(a, b), 3, 2000);
    // numpy: 95 % 0.04925, 99 % 0.06108
    expect(chance.limit(0.05)).toBeGreaterThan(0.0468);
    expect(chance.limit(0.05)).toBeLessThan(0.0517);
    expect(chance.limit(0.01)).toBeGreaterThan(0.058);
    expect(chance.limit(0.01)).toBeLessThan(0.0641);
    expect(chance.p(chance.limit(0.05))).toBeCloseTo(0.05, 6);
  });
  it("the limit by chance of Wasserstein is that of 20,000 multinomial draws", () => {
    const values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    const chance = nullOf(
      new Array<number>(10).fill(50),
      new Array<number>(10).fill(80),
      (a, b) => wasserstein({ values, counts: a }, { values, counts: b }),
      3,
      2000,
    );
    // numpy and scipy: 95 % 0.32276
    expect(chance.limit(0.05)).toBeGreaterThan(0.3);
    expect(chance.limit(0.05)).toBeLessThan(0.345);
  });
});

describe("Kolmogorov-Smirnov", () => {
  const a = [0.1, 0.4, 0.7, 0.2, 0.9, 1.1, 1.3];
  const b = [0.15, 0.5, 0.95, 1.2, 1.9, 2.1, 2.4, 0.05];
  it("is exact on small samples as scipy's", () => {
    const { d, p, method } = ks(a, b);
    near([d, p], [0.375, 0.5076923076923078]);
    expect(method).toContain("exact");
  });
  it("has Kolmogorov's limit", () => {
    near([0.5, 0.8, 1, 1.36, 2].map(kolmogorovTail), [0.963945244, 0.544142412, 0.269999672, 0.0494858768, 0.000670925256], 9);
    expect(kolmogorovTail(ksLimit(100, 100, 0.05) / Math.sqrt(0.02))).toBeCloseTo(0.05, 9);
  });
  it("says asymptotic with ties", () => {
    expect(ks([1, 1, 2], [1, 3, 3]).method).toContain("asymptotic");
  });
});

describe("means", () => {
  it("Welch's t is scipy's", () => {
    const result = welch(sums([5, 6, 7, 9, 4]), sums([3, 4, 4, 6, 2, 8]));
    near([result.t, result.p, result.df, ...result.ci], [-1.3773726297, 0.2019041545, 8.938158007361121, -4.494978551475599, 1.0949785514755987], 8);
  });
  it("GrowthBook's relative effect of proportions", () => {
    const arm = (k: number, n: number): Sums & { variance: number } => ({ n, sum: k, squares: k, variance: (k / n) * (1 - k / n) });
    const { diff, se, p, ci } = welchRelative(arm(14, 28), arm(16, 30));
    near([diff, se, p, ...ci], [0.0666667, 0.2717, 0.80707, -0.47767, 0.61101], 4);
  });
  it("power, smallest effect and keys per arm agree", () => {
    const n = keysPerArm(0.01, 0.09, 0.0979, 0.05, 0.8);
    expect(n).toBe(14_749);
    expect(powerOf(0.01, Math.sqrt((0.09 + 0.0979) / n), 0.05)).toBeCloseTo(0.8, 4);
    expect(smallestEffect(Math.sqrt((0.09 + 0.0979) / n), 0.05, 0.8)).toBeCloseTo(0.01, 6);
  });
});

describe("the confidence sequence", () => {
  it("has the shared values", () => {
    near([sequentialRho(0.05), sequentialHalf(0.01, 10_000, 0.05)], [0.0398400668, 0.0306147722]);
    expect(sequentialP(0.05, 0.01, 10_000, 0.05)).toBeCloseTo(3.2111246e-5, 11);
  });
  it("its p is alpha where its interval ends", () => {
    expect(sequentialP(sequentialHalf(0.01, 7000, 0.05), 0.01, 7000, 0.05)).toBeCloseTo(0.05, 9);
  });
});

describe("several tests at once", () => {
  it("Holm and Benjamini-Hochberg are statsmodels'", () => {
    near(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]);
    near(benjamini([0.01, 0.04, 0.03, 0.005]), [0.02, 0.04, 0.04, 0.02]);
  });
});

describe("series and probabilities", () => {
  it("autocorrelation is statsmodels'", () => {
    near(acf([1, 3, 2, 5, 4, 6, 5, 8], 3), [1, 0.24471831, 0.41197183, -0.18133803], 8);
  });
  it("finds a week, a year of months, and no season in noise or a trend", () => {
    const random = rng(1);
    expect(season(Float64Array.from({ length: 400 }, (_, i) => (i % 7 < 5 ? 10 : 3) + 0.01 * i + random.normal()))).toBe(7);
    expect(season(Float64Array.from({ length: 120 }, (_, i) => 10 * Math.sin((2 * Math.PI * i) / 12) + random.normal()))).toBe(12);
    expect(season(Float64Array.from({ length: 50 }, (_, i) => 2 * i))).toBe(1);
  });
  it("calibration error with bins closed on the right", () => {
    const { bins, error } = calibration([1, 1, 0, 1, 0, 1, 1, 1], [0.95, 0.85, 0.75, 0.65, 0.55, 0.9, 0.8, 0.7]);
    expect(error).toBeCloseTo(0.25625, 12);
    expect(bins.map((bin) => bin.n)).toEqual([1, 2, 2, 2, 1]);
  });
  it("DeLong's variance is that of the sum over all pairs", () => {
    const ys = [0, 0, 1, 1, 0, 1, 0, 1];
    const p = [0.1, 0.4, 0.35, 0.8, 0.2, 0.9, 0.6, 0.5];
    const q = [0.3, 0.2, 0.5, 0.6, 0.45, 0.7, 0.1, 0.2];
    // numpy over pairs, divided by n - 1 within each class: 0.0286458; the influences' squares lack that factor 4/3
    const variance = aucInfluence(ys, p).influence.reduce((sum, u) => sum + u * u, 0);
    expect((variance * 4) / 3).toBeCloseTo(0.028645833333333332, 12);
    const options = { split: "s", keys: "k", seed: 1 };
    const result = paired(evaluate(metrics.AUC, ys, p, options), evaluate(metrics.AUC, ys, q, options), { seed: 1, ys, ps: [p, q] });
    expect(result.diff).toBeCloseTo(0.8125 - 0.84375, 12);
    // se from the pairs: sqrt(0.064453125 * 3/4 * 8/7), t of 7 degrees of freedom 2.36462
    expect(result.ci[1] - result.diff).toBeCloseTo(2.364624251 * Math.sqrt((0.064453125 * 3 * 8) / (4 * 7)), 6);
  });
  it("quantiles are numpy's", () => {
    near([quantile([5, 1, 3, 2], 0.75), quantile([1, 2, 3, 5, 10], 0.75)], [3.5, 5]);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("random numbers", () => {
  it("are the same for the same seed, uniform and normal", () => {
    const [a, b] = [rng(5), rng(5)];
    expect([a.bits(), a.bits(), a.bits()]).toEqual([b.bits(), b.bits(), b.bits()]);
    const random = rng(1);
    const n = 100_000;
    let mean = 0;
    let square = 0;
    const cells = new Array<number>(10).fill(0);
    for (let i = 0; i < n; i++) {
      const z = random.normal();
      mean += z / n;
      square += (z * z) / n;
      cells[random.int(10)]!++;
    }
    expect(Math.abs(mean)).toBeLessThan(0.015);
    expect(Math.abs(square - 1)).toBeLessThan(0.025);
    expect(chiSquareFit(cells, new Array<number>(10).fill(1)).p).toBeGreaterThan(0.001);
  });
  it.each([
    [20, 0.2],
    [500, 0.4],
    [50, 0.9],
    [100_000, 0.001],
  ])("binomial draws of %i at %f follow the distribution", (n, p) => {
    const random = rng(2);
    const draws = Float64Array.from({ length: 20_000 }, () => binomialDraw(n, p, random));
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean - n * p) / Math.sqrt((n * p * (1 - p)) / draws.length)).toBeLessThan(4);
    expect(variance / (n * p * (1 - p))).toBeCloseTo(1, 1);
  });
});

describe("simulated tests", () => {
  it("of a mean alarm in about 5 % when read once", () => {
    const design = {
      outcome: { kind: "mean" as const, mean: 10, sd: 4 },
      arms: [0.5, 0.5] as [number, number],
      looks: [400, 800, 1200],
      alpha: 0.05,
    };
    const all = trials(design, 0, 2000, 3);
    const once = all.filter((t) => t.once.reject).length / 2000;
    expect(once).toBeGreaterThan(0.035);
    expect(once).toBeLessThan(0.068);
    expect(all.filter((t) => t.peeking.look >= 0).length / 2000).toBeGreaterThan(once);
  });
  it("medians and means have their errors", () => {
    expect(medianOf([3, 1, 2, 10]).value).toBe(2.5);
    expect(meanOf([1, 2, 3])).toEqual({ value: 2, se: Math.sqrt(1 / 3) });
  });
});

describe("times", () => {
  it("are read as UTC in each form", () => {
    const t = Date.UTC(2001, 4, 31, 8, 5);
    for (const value of [new Date(t), t, BigInt(t), "2001-05-31T08:05:00Z", "2001-05-31 08:05:00", "2001-05-31T10:05:00+02:00"])
      expect(millis(value)).toBe(t);
    expect(millis("2001-05-31")).toBe(Date.UTC(2001, 4, 31));
    for (const value of ["soon", null, undefined, {}]) expect(millis(value)).toBeNaN();
    expect([
      datePart("2001-05-31T08:05:00Z", "hour"),
      datePart("2001-05-31T08:05:00Z", "dow"),
      datePart("2001-05-31", "month"),
      datePart("x", "hour"),
    ]).toEqual([8, 4, 5, null]);
  });
  it("steps are the median gap, in months where they are months", () => {
    const day = 864e5;
    expect(stepOf([0, day, 2 * day, 5 * day])).toEqual({ unit: "ms", size: day });
    const months = Array.from({ length: 12 }, (_, i) => Date.UTC(2001, i, 1));
    expect(stepOf(months)).toEqual({ unit: "month", size: 1 });
    expect(stepsBetween(Date.UTC(2001, 0, 1), Date.UTC(2002, 2, 1), { unit: "month", size: 1 })).toBe(14);
    expect(stepOf([5])).toEqual({ unit: "ms", size: day });
  });
});
