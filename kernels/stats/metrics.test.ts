import { describe, expect, it } from "vitest";
import { combine, mase, maseScale, metricNamed, metricOfStored, metrics, rowLosses, score } from "./metrics.js";
import { forecast, rollingOrigin } from "./forecast.js";

// reference values: /work/shared/statistics.md, from scikit-learn's documentation and recomputed with scikit-learn 1.2.1
it("AUC is 0.75 on scikit-learn's example", () => {
  expect(score(metrics.AUC, [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])).toBe(0.75);
});

it("AUC counts a tie as one half and is NaN with one class", () => {
  expect(score(metrics.AUC, [0, 1], [0.5, 0.5])).toBe(0.5);
  expect(score(metrics.AUC, [1, 1], [0.5, 0.2])).toBeNaN();
});

it("log loss is scikit-learn's, binary and by class", () => {
  expect(score(metrics["log loss"], [1, 0, 0, 1], [0.9, 0.1, 0.2, 0.65])).toBeCloseTo(0.21616187, 8);
  const p = [
    [0.1, 0.9],
    [0.9, 0.1],
    [0.8, 0.2],
    [0.35, 0.65],
  ].map((row) => Float32Array.from(row));
  expect(score(metrics["log loss"], [1, 0, 0, 1], p)).toBeCloseTo(0.21616187, 7);
});

it("log loss is clipped at the machine epsilon of the number's type", () => {
  expect(metrics["log loss"].row!(1, 0)).toBeCloseTo(36.04365338911715, 10); // sklearn log_loss([1], [[1, 0]], labels=[0, 1])
  expect(metrics["log loss"].row!(0, Float32Array.of(0, 1))).toBeCloseTo(15.942385152878742, 10); // the same in float32
  expect(metrics["log loss"].row!(1, 1)).toBeLessThan(1e-15);
});

it("the errors of scikit-learn's regression example", () => {
  const y = [3, -0.5, 2, 7];
  const p = [2.5, 0, 2, 8];
  expect(score(metrics.MAE, y, p)).toBe(0.5);
  expect(score(metrics.RMSE, y, p)).toBeCloseTo(Math.sqrt(0.375), 14);
  expect(combine(metrics.RMSE, rowLosses(metrics.RMSE, y, p))).toBeCloseTo(0.6123724356957945, 14);
});

it("accuracy takes the likeliest class, the first of equals, positive above one half", () => {
  expect(score(metrics.accuracy, [1, 0, 1], [0.7, 0.5, 0.5])).toBeCloseTo(2 / 3, 14);
  expect(metrics.accuracy.row!(0, Float32Array.of(0.4, 0.4, 0.2))).toBe(1);
});

it("sMAPE of two zeros is zero", () => {
  expect(metrics.sMAPE.row!(0, 0)).toBe(0);
});

describe("forecasts of the shared vectors", () => {
  const train = [10, 12, 14, 11, 13, 15, 12, 14];
  const test = [16, 13, 15];
  const at = (name: Parameters<typeof forecast>[0], season: number): number[] => test.map((_, i) => forecast(name, train, i + 1, season));
  const all = (p: number[]): number[] => [
    score(metrics.MAE, test, p),
    score(metrics.sMAPE, test, p),
    score(mase(maseScale(train, 1)), test, p),
    score(mase(maseScale(train, 3)), test, p),
  ];
  it.each([
    ["naive", 1, [4 / 3, 9.2124308, 0.5833333, 1.3333333]],
    ["seasonal naive", 3, [1, 7.1160549, 0.4375, 1]],
    ["drift", 1, [1.4285714, 9.7417945, 0.625, 1.4285714]],
    ["mean", 1, [2.0416667, 14.5673951, 0.8932292, 2.0416667]],
  ] as const)("%s", (name, season, expected) => {
    all(at(name, season)).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
  });
  it("a rolling origin with the whole test as horizon is one forecast", () => {
    const y = Float64Array.from([...train, ...test]);
    expect([...rollingOrigin("seasonal naive", y, 8, 3, 3)]).toEqual(at("seasonal naive", 3));
  });
  it("a rolling origin of one step sees each value before the next", () => {
    const y = Float64Array.from([...train, ...test]);
    expect([...rollingOrigin("naive", y, 8, 1, 3)]).toEqual([14, 16, 13]);
    expect([...rollingOrigin("seasonal naive", y, 8, 1, 3)]).toEqual([15, 12, 14]);
  });
  it("too short a history falls back to the last value", () => {
    expect(forecast("seasonal naive", [4, 5], 1, 7)).toBe(5);
    expect(forecast("drift", [4], 3, 1)).toBe(4);
    expect(forecast("naive", [], 1, 1)).toBeNaN();
  });
});

it("MASE's scale pools series without crossing from one to the next, and is NaN on a constant", () => {
  expect(maseScale([1, 2, 100, 101], 1, [2, 2])).toBe(1);
  expect(maseScale([3, 3, 3], 1)).toBeNaN();
});

it("finds MASE's scale again from stored losses", () => {
  const metric = metricOfStored("MASE", [3, 5], [1, 5], [0.5, 0]);
  expect(metric.row!(8, 0)).toBe(2);
  // no row has an error: every loss is 0, and none is NaN
  const perfect = metricOfStored("MASE", [3, 5], [3, 5], [0, 0]);
  expect(perfect.row!(3, 3)).toBe(0);
});

it("refuses an unknown metric by name", () => {
  expect(() => metricNamed("logloss")).toThrow("Expected `metric` to be one of log loss, accuracy, AUC, RMSE, MAE, sMAPE, MASE, got `logloss`");
  expect(() => metricNamed("toString")).toThrow("Expected `metric`");
});
