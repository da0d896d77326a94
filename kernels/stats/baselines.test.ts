import { describe, expect, it } from "vitest";
import {
  answerBaseline,
  fitForecast,
  fitMean,
  fitMedian,
  fitPrior,
  fitRate,
  fitStratified,
  predictBaseline,
  type BaselineState,
} from "./baselines.js";
import { score, metrics } from "./metrics.js";

const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const y = [0, 1, 1, 1, 0, 1, 1];
const binary = { target: "binary" as const, classes: 2, y };

// reference values: scikit-learn's DummyClassifier and DummyRegressor (statistics.md)
it("the prior is the share of each class", () => {
  const state = json(fitPrior("prior", binary));
  const p = predictBaseline(
    state,
    y.map(() => ({})),
  );
  expect(p[0]).toBeCloseTo(5 / 7, 14);
  expect(score(metrics["log loss"], y, p)).toBeCloseTo(0.5982695886, 10);
  expect(predictBaseline(fitPrior("prior", { target: "multiclass", classes: 3, y: [0, 1, 2, 2] }), [{}])).toEqual([Float32Array.of(0.25, 0.25, 0.5)]);
});

it("the majority is certain", () => {
  expect(predictBaseline(json(fitPrior("majority", binary)), [{}, {}])).toEqual([1, 1]);
});

it("mean and median", () => {
  const data = { target: "regression" as const, classes: 0, y: [1, 2, 3, 5, 10] };
  expect(predictBaseline(fitMean(data), [{}])).toEqual([4.2]);
  expect(predictBaseline(fitMedian(data), [{}])).toEqual([3]);
  expect(predictBaseline(fitMedian({ ...data, y: [4, 1, 2, 3] }), [{}])).toEqual([2.5]);
});

it("stratified draws by the prior, the same for the same record", () => {
  const state = json(fitStratified(binary, "id", 3));
  const records = Array.from({ length: 20_000 }, (_, id) => ({ id }));
  const p = predictBaseline(state, records) as number[];
  expect(predictBaseline(state, records)).toEqual(p);
  expect(p.reduce((a, b) => a + b) / p.length).toBeCloseTo(5 / 7, 1.7);
  expect(predictBaseline(state, [{ id: "7" }])).toEqual([p[7]]);
});

describe("rates", () => {
  const columns = { hour: [8, 8, 9, 9], day: ["a", "a", "a", "b"] };
  const state = json(
    fitRate(
      { target: "binary", classes: 2, y: [1, 1, 0, 1], columns },
      [
        { column: "hour", part: null },
        { column: "day", part: null },
      ],
      2,
    ),
  );
  it("are smoothed towards the level above", () => {
    // overall 3/4; hour 8: (2 + 2*.75)/4 = .875, with day a: (2 + 2*.875)/4 = .9375; hour 9: (1 + 1.5)/4 = .625, day b: (1 + 1.25)/3 = .75
    expect(
      predictBaseline(state, [
        { hour: 8, day: "a" },
        { hour: 9, day: "b" },
      ]),
    ).toEqual([0.9375, 0.75]);
  });
  it("fall back to the longest seen beginning", () => {
    expect(predictBaseline(state, [{ hour: 9, day: "z" }, { hour: 3, day: "a" }, {}])).toEqual([0.625, 0.75, 0.75]);
  });
  it("take parts of a date in UTC, from Date, ISO text and milliseconds alike", () => {
    const date = ["2001-01-01T05:00:00Z", "2001-01-02T05:00:00Z"].map((t) => new Date(t));
    const rate = fitRate({ target: "regression", classes: 0, y: [10, 20], columns: { date } }, [{ column: "date", part: "dow" }], 0);
    expect(predictBaseline(json(rate), [{ date: date[1] }, { date: "2001-01-09 23:00:00" }, { date: date[0]!.getTime() }])).toEqual([20, 20, 10]);
  });
  it("keep keys apart that look alike when joined, and survive hostile ones", () => {
    const keys = [
      { column: "a", part: null },
      { column: "b", part: null },
    ];
    const rate = json(
      fitRate({ target: "regression", classes: 0, y: [1, 2, 3], columns: { a: ["x|y", "x", "__proto__"], b: ["z", "y|z", "constructor"] } }, keys, 0),
    );
    expect(
      predictBaseline(rate, [
        { a: "x|y", b: "z" },
        { a: "x", b: "y|z" },
        { a: "__proto__", b: "constructor" },
        { a: "toString", b: "q" },
      ]),
    ).toEqual([1, 2, 3, 2]);
  });
  it("give shares of several classes", () => {
    const rate = fitRate({ target: "multiclass", classes: 3, y: [0, 1, 2, 2], columns: { k: [1, 1, 2, 2] } }, [{ column: "k", part: null }], 0);
    expect(predictBaseline(rate, [{ k: 1 }, { k: 2 }])).toEqual([Float32Array.of(0.5, 0.5, 0), Float32Array.of(0, 0, 1)]);
  });
  it("name a column that is missing", () => {
    expect(() => fitRate(binary, [{ column: "hour", part: null }])).toThrow("column `hour`");
  });
});

describe("a forecast at serving", () => {
  const times = Array.from({ length: 14 }, (_, i) => new Date(Date.UTC(2001, 0, 1 + i)));
  const values = times.map((_, i) => 10 + i);
  const make = (name: "naive" | "seasonal naive" | "drift" | "mean"): BaselineState =>
    json(fitForecast(name, { y: values, times }, { time: "day", season: 7 }));
  it("continues from the training state and says from when", () => {
    expect(answerBaseline(make("seasonal naive"), { day: "2001-01-15" })).toEqual({
      prediction: 17,
      from: { date: "2001-01-14T00:00:00.000Z", steps: 1 },
    });
    expect(answerBaseline(make("drift"), { date: "2001-01-17T00:00:00Z" })).toMatchObject({ prediction: 26, from: { steps: 3 } });
  });
  it("uses the history that the caller sends", () => {
    expect(answerBaseline(make("seasonal naive"), { day: "2030-01-01", history: [1, 2, 3, 4, 5, 6, 7] })).toEqual({ prediction: 1 });
    expect(answerBaseline(make("naive"), { history: [1, 2] })).toEqual({ prediction: 2 });
    expect(answerBaseline(make("drift"), { history: [1, 2, 3], ahead: 2 })).toEqual({ prediction: 5 });
  });
  it("counts months in calendar months", () => {
    const months = Array.from({ length: 24 }, (_, i) => new Date(Date.UTC(2001, i, 1)));
    const state = fitForecast("seasonal naive", { y: months.map((_, i) => i), times: months }, { time: "day", season: 12 });
    expect(answerBaseline(state, { day: "2003-03-01" })).toMatchObject({ prediction: 14, from: { steps: 3 } });
  });
  it("keeps series apart", () => {
    const state = json(
      fitForecast(
        "naive",
        { y: [1, 2, 3, 4], times: [0, 0, 864e5, 864e5], series: ["a", "b", "a", "b"] },
        { time: "day", series: "stop", season: 1 },
      ),
    );
    expect(
      predictBaseline(state, [
        { stop: "a", day: 2 * 864e5 },
        { series: "b", day: 2 * 864e5 },
      ]),
    ).toEqual([3, 4]);
    expect(() => predictBaseline(state, [{ stop: "c", day: 0 }])).toThrow("`stop` to be a series seen in training");
  });
  it.each([
    [{ day: "soon" }, "Expected `day` to be a date, got `soon`"],
    [{}, "Expected `day` to be a date"],
    [{ history: [] }, "`history` to be a list of numbers"],
    [{ history: ["x"] }, "`history` to be a list of numbers"],
    [{ history: [1], ahead: 0 }, "`ahead`"],
  ])("refuses %j", (record, message) => {
    expect(() => answerBaseline(make("naive"), record)).toThrow(message);
  });
});

describe("a column", () => {
  it("is taken as it is, as a probability, or as a class", () => {
    expect(predictBaseline({ kind: "column", target: "regression", column: "p", classes: null }, [{ p: 3.5 }, { p: "4" }, { p: 5n }])).toEqual([
      3.5, 4, 5,
    ]);
    expect(predictBaseline({ kind: "column", target: "binary", column: "p", classes: null }, [{ p: true }, { p: 0.25 }])).toEqual([1, 0.25]);
    expect(predictBaseline({ kind: "column", target: "multiclass", column: "p", classes: ["a", "b"] }, [{ p: "b" }])).toEqual([
      Float32Array.of(0, 1),
    ]);
  });
  it.each([
    ["regression", { p: null }, "Expected `p` to be a number"],
    ["binary", { p: 3 }, "probability from 0 to 1"],
    ["multiclass", { p: "z" }, "one of a, b"],
  ] as const)("of a %s refuses %j", (target, record, message) => {
    expect(() => predictBaseline({ kind: "column", target, column: "p", classes: ["a", "b"] }, [record])).toThrow(message);
  });
});
