import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate } from "./evaluate.js";
import { clustersOf, keysHash } from "./keys.js";
import { metrics } from "./metrics.js";
import { paired, verdictOf } from "./paired.js";
import { rng } from "./rng.js";
import { wilson } from "./wilson.js";

const options = { split: "s", keys: "k", seed: 7 };

/** `cover` of `times` intervals hold the truth */
function coverage(times: number, make: (seed: number) => { ci: [number, number] }, truth: number): number {
  let hit = 0;
  for (let seed = 1; seed <= times; seed++) {
    const { ci } = make(seed);
    if (ci[0] <= truth && truth <= ci[1]) hit++;
  }
  return hit / times;
}

describe("evaluate", () => {
  it("names Wilson for accuracy of independent rows", () => {
    const e = evaluate(metrics.accuracy, [1, 1, 0, 0], [1, 1, 0, 1], options);
    expect(e.value).toBe(0.75);
    expect(e.method).toBe("Wilson");
    expect(e.ci).toEqual(wilson(3, 4));
  });
  it("covers the true mean absolute error about 95 times of 100, bootstrap and closed form", () => {
    for (const n of [200, 6000]) {
      const share = coverage(
        200,
        (seed) => {
          const random = rng(seed);
          const ys = Float64Array.from({ length: n }, () => random.normal());
          return evaluate(metrics.MAE, ys, new Float64Array(n), { ...options, seed });
        },
        Math.sqrt(2 / Math.PI),
      );
      expect(share).toBeGreaterThan(0.89);
      expect(share).toBeLessThan(0.99);
    }
  });
  it("covers the true RMSE with rows that hang together by cluster, where rows taken as independent do not", () => {
    const make = (clustered: boolean) => (seed: number) => {
      const random = rng(seed);
      const keys: number[] = [];
      const ys: number[] = [];
      for (let g = 0; g < 100; g++) {
        const shared = random.normal();
        for (let i = 0; i < 10; i++) {
          keys.push(g);
          ys.push(shared + 0.3 * random.normal());
        }
      }
      return evaluate(metrics.RMSE, ys, new Float64Array(ys.length), { ...options, seed, clusters: clustered ? clustersOf(keys) : null });
    };
    expect(coverage(200, make(true), Math.sqrt(1.09))).toBeGreaterThan(0.88);
    expect(coverage(200, make(false), Math.sqrt(1.09))).toBeLessThan(0.75);
  });
  it("widens the interval of a correlated series by blocks", () => {
    const random = rng(3);
    let level = 0;
    const ys = Float64Array.from({ length: 700 }, () => (level = 0.9 * level + random.normal()));
    const zero = new Float64Array(700);
    const alone = evaluate(metrics.MAE, ys, zero, options);
    const blocks = evaluate(metrics.MAE, ys, zero, { ...options, block: 28 });
    expect(blocks.method).toContain("moving block bootstrap, blocks of 28");
    expect(blocks.ci[1] - blocks.ci[0]).toBeGreaterThan(1.5 * (alone.ci[1] - alone.ci[0]));
  });
  it("gives DeLong's interval for AUC", () => {
    const ys = [0, 0, 1, 1, 0, 1, 0, 1];
    const ps = [0.1, 0.4, 0.35, 0.8, 0.2, 0.9, 0.6, 0.5];
    const e = evaluate(metrics.AUC, ys, ps, options);
    expect(e.value).toBe(0.8125);
    expect(e.losses.length).toBe(0);
    expect(e.method).toContain("DeLong");
  });
  it("refuses no rows and lists of different length", () => {
    expect(() => evaluate(metrics.MAE, [], [], options)).toThrow("got none");
    expect(() => evaluate(metrics.MAE, [1], [], options)).toThrow("one prediction for each of 1 rows, got 0");
  });
  it("is the same for the same seed", () => {
    const ys = Float64Array.from({ length: 100 }, (_, i) => i % 7);
    const one = evaluate(metrics.MAE, ys, new Float64Array(100), options);
    expect(evaluate(metrics.MAE, ys, new Float64Array(100), options).ci).toEqual(one.ci);
    expect(evaluate(metrics.MAE, ys, new Float64Array(100), { ...options, seed: 8 }).ci).not.toEqual(one.ci);
  });
});

describe("paired", () => {
  const make = (seed: number, gap: number, n = 300): ReturnType<typeof paired> => {
    const random = rng(seed);
    const hard = Float64Array.from({ length: n }, () => 3 * Math.abs(random.normal()));
    const a = evaluate(
      metrics.MAE,
      hard.map((h) => h - gap),
      new Float64Array(n),
      options,
    );
    const b = evaluate(
      metrics.MAE,
      hard.map((h) => h + 0.2 * random.normal() + 5),
      new Float64Array(n).fill(5),
      options,
    );
    return paired(a, b, { seed });
  };
  it("sees a small difference that the two intervals hide", () => {
    const result = make(1, 0.1);
    expect(result.ci[1]).toBeLessThan(0);
    expect(result.method).toContain("paired bootstrap by row");
    expect(verdictOf(result, "lower")).toBe("beats");
  });
  it("has false alarms near 5 % when nothing differs", () => {
    let alarms = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = rng(seed);
      const n = 200;
      const zero = new Float64Array(n);
      const a = evaluate(
        metrics.RMSE,
        zero.map(() => random.normal()),
        zero,
        options,
      );
      const b = evaluate(
        metrics.RMSE,
        zero.map(() => random.normal()),
        zero,
        options,
      );
      if (paired(a, b, { seed }).p < 0.05) alarms++;
    }
    expect(alarms / 200).toBeGreaterThan(0.015);
    expect(alarms / 200).toBeLessThan(0.1);
  });
  it("compares AUC from y and both predictions", () => {
    const random = rng(5);
    const ys = Float64Array.from({ length: 2000 }, () => random.int(2));
    const good = ys.map((y) => y + random.normal());
    const weak = ys.map((y) => 0.3 * y + random.normal());
    const a = evaluate(metrics.AUC, ys, good, options);
    const b = evaluate(metrics.AUC, ys, weak, options);
    const result = paired(a, b, { seed: 1, ys, ps: [good, weak] });
    expect(result.diff).toBeCloseTo(a.value - b.value, 12);
    expect(result.p).toBeLessThan(1e-6);
    expect(() => paired(a, b, { seed: 1 })).toThrow("AUC has no row losses");
  });
  it("knows identical predictions", () => {
    const e = evaluate(metrics.MAE, [1, 2], [1, 3], options);
    expect(paired(e, e, { seed: 1 })).toEqual({ diff: 0, ci: [0, 0], p: 1, method: "identical row losses", n: 2 });
  });
  it.each([
    ["split", { split: "other" }, "different splits"],
    ["rows", { keys: "other" }, "different rows"],
  ])("refuses another %s", (_, change, message) => {
    const a = evaluate(metrics.MAE, [1, 2], [1, 3], options);
    expect(() => paired(a, { ...a, ...change }, { seed: 1 })).toThrow(message);
  });
  it("refuses another metric", () => {
    const a = evaluate(metrics.MAE, [1, 2], [1, 3], options);
    expect(() => paired(a, { ...a, metric: metrics.RMSE }, { seed: 1 })).toThrow("different metrics");
  });
  it("takes half a million rows", () => {
    const random = rng(9);
    const n = 500_000;
    const ys = Float64Array.from({ length: n }, () => random.normal());
    const keys = Float64Array.from({ length: n }, (_, i) => Math.floor(i / 100));
    const clusters = clustersOf(keys);
    const a = evaluate(metrics.MAE, ys, new Float64Array(n), { ...options, clusters });
    const b = evaluate(metrics.MAE, ys, new Float64Array(n).fill(0.1), { ...options, clusters });
    const result = paired(a, b, { seed: 1, clusters });
    expect(result.method).toContain("5,000 keys");
    expect(result.ci[1]).toBeLessThan(0);
  });
});

describe("keys", () => {
  it("hashes order and content, dates as their time", () => {
    expect(keysHash([1, 2])).not.toBe(keysHash([2, 1]));
    expect(keysHash([12])).not.toBe(keysHash([1, 2]));
    expect(keysHash(["1"])).not.toBe(keysHash([1]));
    expect(keysHash([new Date(5)])).toBe(keysHash([new Date(5)]));
    expect(keysHash([1n])).toBe(keysHash([1]));
  });
  it("differs for different lists", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (a, b) => {
        expect(keysHash(a) === keysHash(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
  it("groups times by day and other keys by equality; unique keys need no clusters", () => {
    const day = clustersOf([new Date("2001-01-01T01:00Z"), new Date("2001-01-01T23:00Z"), new Date("2001-01-02T00:00Z")]);
    expect(day).toEqual({ ids: Int32Array.of(0, 0, 1), count: 2, unit: "day" });
    expect(clustersOf(["a", "b", "a"])).toMatchObject({ count: 2, unit: "key" });
    expect(clustersOf([1, 2, 3])).toBeNull();
    expect(clustersOf([4, 4])).toBeNull();
  });
});
