import { expect, it } from "vitest";
import { tinyParts } from "../../test/support/version.js";
import { decodeEvaluation, encodeEvaluation } from "../../kernels/protocol/evaluation.js";
import type { Gate, VersionCard } from "../../kernels/protocol/serving.js";
import { baselineGate, budgetGate, incumbentGate, leakageGate, passes, summary } from "./gates.js";
import { summarise } from "./latency.js";

const parts = tinyParts();
const card = { ...parts.card, name: "m", machine: {}, createdBy: "t" } as VersionCard;

it("keeps an evaluation through its bytes, and refuses bytes that are cut, longer or of another kind", () => {
  const evaluation = {
    ...parts.evaluation,
    baselinePrediction: new Float32Array(200).fill(28),
    dependence: { clusters: { ids: Int32Array.from({ length: 200 }, (_, i) => i >> 1), count: 100, unit: "key" }, block: null },
  };
  const bytes = encodeEvaluation(evaluation);
  expect(decodeEvaluation(bytes)).toEqual(evaluation);
  for (const length of [0, 11, 40, bytes.length - 1]) expect(() => decodeEvaluation(bytes.subarray(0, length))).toThrow(/evaluation\.bin/);
  expect(() => decodeEvaluation(Buffer.concat([bytes, Buffer.alloc(4)]))).toThrow(/4 bytes too many/);
  expect(() => encodeEvaluation({ ...evaluation, losses: new Float64Array(3) })).toThrow(/`evaluation.losses` to hold 200 or 0 values, got 3/);
});

it("passes a model whose interval is above the margin, and says by how much", () => {
  const { gate, candidate, baseline } = baselineGate(parts.evaluation, card, "model", 0);
  expect(gate).toMatchObject({ verdict: "pass", limit: 0, unit: "MAE" });
  expect(gate.sentence).toMatch(/^beats mean by \d+ % \[\d+, \d+\]: MAE 3.\d+ against 12.\d/);
  expect(gate.measured).toBeGreaterThan(0);
  expect(candidate).toBeLessThan(baseline);
  expect(baselineGate(parts.evaluation, card, "model", 100).gate).toMatchObject({
    verdict: "fail",
    sentence: expect.stringContaining("does not beat mean"),
  });
});

it("does not believe a score that does not follow from the predictions", () => {
  const evaluation = { ...parts.evaluation, value: 0.1, losses: new Float64Array(200).fill(0.1) };
  expect(baselineGate(evaluation, card, "model", 0).gate).toMatchObject({ verdict: "fail", sentence: expect.stringContaining("does not follow") });
});

it("has nothing to beat when the baseline itself is promoted", () => {
  const evaluation = { ...parts.evaluation, baselineLosses: parts.evaluation.losses };
  expect(baselineGate(evaluation, card, "baseline", 0).gate.verdict).toBe("skip");
  expect(baselineGate(evaluation, card, "model", 0).gate.verdict).toBe("fail");
});

const incumbent = (ci: [number, number], diff: number) =>
  incumbentGate(
    { version: 3, label: "old", n: 500, why: "the same split", value: 10, candidate: 10 + diff, paired: { diff, ci, p: 0.5, method: "m", n: 500 } },
    "MAE",
    "lower",
    3,
  );

it("compares with the incumbent within one percent of its value", () => {
  expect(incumbent([-1, -0.2], -0.6)).toMatchObject({ verdict: "pass", sentence: expect.stringMatching(/^better than the incumbent/) });
  expect(incumbent([-0.1, 0.09], 0)).toMatchObject({ verdict: "pass", sentence: expect.stringMatching(/^not worse than the incumbent/) });
  expect(incumbent([-0.5, 0.5], 0)).toMatchObject({ verdict: "unsure" });
  expect(incumbent([0.2, 1], 0.6)).toMatchObject({
    verdict: "fail",
    sentence: expect.stringMatching(/^worse than the incumbent: MAE 10.6 against 10 of version 3/),
  });
  expect(incumbentGate(null, "MAE", "lower", null).verdict).toBe("skip");
  expect(incumbentGate(null, "MAE", "lower", 3).verdict).toBe("unsure");
});

const latency = (p50: number, p99: number, jitter: number) => ({ n: 2000, p50, p99, p99ci: [p99 * 0.9, p99 * 1.1] as [number, number], jitter });

it("judges the budget, and says when the machine is too busy to judge", () => {
  expect(budgetGate({ p99Ms: 20 }, 1e6, latency(2, 31, 1), null)).toMatchObject({
    verdict: "fail",
    sentence: "slower than allowed, p99 31 ms of 20",
    measured: 31,
    limit: 20,
  });
  expect(budgetGate({ p99Ms: 20 }, 1e6, latency(2, 31, 7), null).verdict).toBe("unsure");
  expect(budgetGate({ p99Ms: 20 }, 1e6, latency(25, 31, 7), null).verdict).toBe("fail");
  expect(budgetGate({ p99Ms: 20, bytes: 1e6 }, 2e6, latency(2, 3, 1), null)).toMatchObject({
    verdict: "fail",
    sentence: "larger than allowed, 2 MB of 1 MB",
  });
  expect(budgetGate({ p99Ms: 20, bytes: 1e6 }, 5e5, latency(2, 3, 1), null).verdict).toBe("pass");
  expect(budgetGate({}, 5e5, null, "it died").sentence).toContain("it died");
});

it("takes quantiles by rank, with the binomial interval of the p99", () => {
  const times = Array.from({ length: 2000 }, (_, i) => i + 1);
  // ranks 1980 -+ 1.96 sqrt(2000 * 0.99 * 0.01) = 1980 -+ 8.72
  expect(summarise(times, [1, 1, 1, 5])).toEqual({ n: 2000, p50: 1000, p99: 1980, p99ci: [1972, 1989], jitter: 4 });
});

it("finds leakage by target, keys, time and a single input", () => {
  const report = (leakage: object) =>
    leakageGate(
      {
        rows: 1,
        signature: { problems: [], upcasts: [] },
        rescored: null,
        incumbent: null,
        leakage: { overlap: 0, late: 0, target: null, single: null, ...leakage },
      },
      null,
    );
  expect(report({}).verdict).toBe("pass");
  expect(report({ target: "late" }).sentence).toBe("the target `late` is one of the inputs");
  expect(report({ overlap: 12 }).sentence).toBe("12 keys are in the training rows and in the test rows");
  expect(report({ late: 3 }).verdict).toBe("fail");
  expect(report({ single: { field: "delay", score: 0.9999, measure: "AUC" } }).sentence).toContain("`delay` alone tells the target");
  expect(report({ single: { field: "hour", score: 0.61, measure: "AUC" } }).verdict).toBe("pass");
});

it("lets only a busy machine be a doubt", () => {
  const gates = (verdicts: Partial<Record<Gate["name"], Gate["verdict"]>>): Gate[] =>
    (["baseline", "incumbent", "budget", "signature", "parity", "leakage"] as const).map((name) => ({
      ...{ name, verdict: verdicts[name] ?? "pass", sentence: `${name} said`, measured: null, limit: null, unit: "" },
    }));
  expect(passes(gates({}))).toBe(true);
  expect(passes(gates({ budget: "unsure", incumbent: "skip" }))).toBe(true);
  expect(passes(gates({ incumbent: "unsure" }))).toBe(false);
  expect(summary(gates({}))).toBe("Ready: passes six gates; baseline said.");
  expect(summary(gates({ budget: "fail" }))).toBe("Not promoted: budget gate, budget said. Nothing was changed.");
});

it.each(["alone", "in clusters", "in blocks"])("lets a model that equals the baseline pass in at most about 2.5 % of test parts, rows %s", (how) => {
  // mulberry32 and Box-Muller
  let state = 20261124;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const [n, size, runs] = [400, 8, 500];
  let passed = 0;
  for (let run = 0; run < runs; run++) {
    // truth 0: the loss is the size of the prediction; both have the same distribution, and rows of one cluster are alike
    const shared = (): number[] => Array.from({ length: n / size }, () => (how === "alone" ? 0 : 2 * normal()));
    const [ours, theirs] = [shared(), shared()];
    const guess = (centres: number[]) => Float32Array.from({ length: n }, (_, i) => 10 + centres[Math.floor(i / size)]! + normal());
    const prediction = guess(ours);
    const losses = Float64Array.from(prediction);
    const value = losses.reduce((sum, loss) => sum + loss, 0) / n;
    const clusters =
      how === "in clusters" ? { ids: Int32Array.from({ length: n }, (_, i) => Math.floor(i / size)), count: n / size, unit: "key" } : null;
    const evaluation = {
      ...parts.evaluation,
      ...{ n, value, y: new Float64Array(n), prediction, losses, baselineLosses: Float64Array.from(guess(theirs)), seed: run + 1 },
      dependence: { clusters, block: how === "in blocks" ? 2 * size : null },
    };
    if (baselineGate(evaluation, card, "model", 0).gate.verdict === "pass") passed++;
  }
  // 2.5 % of 500, and what chance adds to it in one of a thousand such tests; overlapping blocks are known to be a little short
  expect(passed).toBeLessThanOrEqual(how === "in blocks" ? 28 : 24);
  expect(passed).toBeGreaterThan(0);
});
