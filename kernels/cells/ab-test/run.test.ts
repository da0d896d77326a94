import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bench, type Bench } from "../../../test/support/duck.js";
import type { AbTestOptions, AbTestResult } from "../../protocol/library.js";
import { cell } from "./cell.js";
import { run } from "./run.js";

let b: Bench;
beforeAll(async () => {
  b = await bench();
});
afterAll(() => b.close());
const go = (options: object): Promise<AbTestResult> => run(options as AbTestOptions, b.context);

describe("abTest", () => {
  it("plans the example of the interface: 10 % rate, 10 % lift", async () => {
    const result = await go({ outcome: { kind: "proportion", rate: 0.1 }, method: "fixed" });
    // (1.959964 + 0.841621)^2 (0.09 + 0.0979) / 0.01^2 = 14,748.05, rounded up
    expect(result.plan).toMatchObject({ keysPerArm: 14_749, days: 6, method: "fixed", alpha: 0.05, power: 0.8, lift: 0.1 });
    expect(result.power.value).toBeGreaterThan(0.77);
    expect(result.power.value).toBeLessThan(0.83);
    expect(result.falseAlarm.value).toBeGreaterThan(0.03);
    expect(result.falseAlarm.value).toBeLessThan(0.07);
    expect(result.sentence).toMatch(/^You need 14,749 keys an arm to find a lift of 10 % \(of a 10 % rate\), about 6 days at 5,000 a day;/);
  });
  it("with defaults: one look alarms in 3 to 7 %, a look each day in more than 10 %, the sequential test in at most 6 %", async () => {
    const result = await go({});
    expect(result.plan.method).toBe("sequential");
    expect(result.numbers["falseAlarmOnce"]).toBeGreaterThan(0.03);
    expect(result.numbers["falseAlarmOnce"]).toBeLessThan(0.07);
    expect(result.falseAlarmIfPeeking.value).toBeGreaterThan(0.1);
    expect(result.falseAlarm.value).toBeLessThan(0.06);
    expect(result.power.value).toBeGreaterThan(0.8);
    expect(result.medianDays.value).toBeLessThan(result.plan.days);
    expect(result.exaggeration.value).toBeGreaterThan(1);
    expect(b.shown.at(-1)!.warnings).toContain("the outcome was left out: taken as a share of 10 %");
    expect(b.shown.at(-1)!.figures).toHaveLength(2);
  });
  it.each(["fixed", "sequential"])("half the effect takes 3.9 times the keys (%s)", async (method) => {
    const [ten, five] = [await go({ method, sims: 100 }), await go({ method, lift: 0.05, sims: 100 })];
    expect(five.plan.keysPerArm / ten.plan.keysPerArm).toBeCloseTo(3.916, 2);
  });
  it("is the same for the same seed and differs for another", async () => {
    const [one, two, other] = [await go({ sims: 500 }), await go({ sims: 500 }), await go({ sims: 500, seed: 5 })];
    expect(two.numbers).toEqual(one.numbers);
    expect(other.numbers).not.toEqual(one.numbers);
  });
  it("plans a mean, unequal arms and a lift downwards", async () => {
    const mean = await go({ outcome: { kind: "mean", mean: 20, sd: 10 }, lift: -0.05, method: "fixed", keysPerDay: 400 });
    // 2 (1.959964 + 0.841621)^2 100 / 1^2 = 1569.8
    expect(mean.plan.keysPerArm).toBe(1570);
    expect(mean.power.value).toBeGreaterThan(0.76);
    expect(mean.power.value).toBeLessThan(0.84);
    expect(mean.falseAlarm.value).toBeLessThan(0.075);
    const skewed = await go({ arms: [0.9, 0.1], method: "fixed", sims: 500 });
    expect(skewed.plan.keysPerArm).toBeLessThan(14_749);
    expect(skewed.plan.keysPerArm / 0.1).toBeGreaterThan(2 * 14_749);
  });
  it("measures the outcome on data", async () => {
    const data = await b.table("select (i % 5 = 0) as bought, (i % 11)::double as spent from range(1000) r(i)");
    const share = await go({ outcome: { column: "bought", data }, sims: 100 });
    expect(share.sentence).toContain("of a 20 % rate");
    const mean = await go({ outcome: { column: "spent", data }, sims: 100 });
    expect(mean.sentence).toContain("of a mean of 4.99");
    await expect(go({ outcome: { column: "price", data } })).rejects.toThrow("got `price`; it has bought, spent");
    await expect(go({ outcome: { column: "bought", data: 3 } })).rejects.toThrow("Expected `outcome.data` to be a relation, got `3`");
  });
  it("says when a test would take too long", async () => {
    const result = await go({ keysPerDay: 100, sims: 100 });
    expect(result.verdict).toBe("bad");
    expect(result.sentence).toContain("more than 90 days");
  });
  it("shares the false alarms among guardrails", async () => {
    await go({ guardrails: ["latency", "errors"], sims: 100 });
    expect(b.shown.at(-1)!.warnings.join()).toContain("each guardrail is read at 0.025");
  });
});

it.each([
  ["an outcome of no kind", { outcome: { kind: "ratio" } }, 'Expected `outcome` to be { kind: "proportion", rate }'],
  ["a rate over 1", { outcome: { kind: "proportion", rate: 10 } }, "Expected `outcome.rate` to be a share between 0 and 1, got 10"],
  ["a lift of nothing", { lift: 0 }, "Expected `lift` to be other than 0"],
  ["a lift in words", { lift: "10 %" }, 'Expected `lift` to be a relative change such as 0.1, got "10 %"'],
  ["more than everything", { outcome: { kind: "proportion", rate: 0.95 }, lift: 0.1 }, "more than everything: Expected `lift` below 0.05263"],
  ["no traffic", { keysPerDay: 0 }, "Expected `keysPerDay` to be 1 or more, got 0"],
  ["arms over 1", { arms: [0.5, 0.6] }, "Expected `arms` to be two shares above 0 that add up to 1, got [0.5,0.6]"],
  ["power as percent", { power: 80 }, "Expected `power` to be a chance between 0.5 and 1, such as 0.8, got 80"],
  ["alpha of 0", { alpha: 0 }, "Expected `alpha`"],
  ["an unknown method", { method: "bayes" }, 'Expected `method` to be "fixed" or "sequential", got "bayes"'],
  ["half a simulation", { sims: 100.5 }, "Expected `sims` to be a whole number from 100 to 100,000"],
  ["no looks", { looks: 0 }, "Expected `looks` to be a whole number from 1 to 1,000, got 0"],
  ["a negative maturity", { maturityDays: -1 }, "Expected `maturityDays` to be 0 or more"],
  ["guardrails that are no names", { guardrails: "p99" }, "Expected `guardrails` to be a list of names"],
  ["an unknown option", { effect: 0.1 }, "abTest: unknown option `effect`"],
])("refuses %s", async (_, options, message) => {
  const before = b.shown.length;
  await expect(go(options)).rejects.toThrow(message);
  expect(b.shown.length).toBe(before);
});

it("a new cell carries every value that its form shows", () => {
  expect(cell.toSource([])).toContain('abTest({\n  outcome: { kind: "proportion", rate: 0.1 },');
});
