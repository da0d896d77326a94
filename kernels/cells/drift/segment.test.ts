import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineUp, merge } from "../../stats/sketch.js";
import { bins, queueName, segmentOf, sendStep } from "./segment.js";
import { countLike, probesOf, sketchColumns } from "./sketch.js";
import { bench, type Bench } from "../../../test/support/duck.js";

let b: Bench;
beforeAll(async () => {
  b = await bench();
});
afterAll(() => {
  b.close();
});

/** The segment of a column by the same reading as a drift cell. */
async function of(type: string, then: string, now: string) {
  const [reference, current] = [await b.table(then), await b.table(now)];
  const [probe] = probesOf("x", type);
  const [sketch] = await sketchColumns(b.context, reference.name, [probe!]);
  const [counted] = await countLike(b.context, current.name, [probe!], [sketch!], null);
  const compared = lineUp(sketch!, counted!.get("")!);
  const segment = segmentOf(compared, sketch!, probe!);
  const count = segment === null ? 0 : await (await b.context.sql(`select 1 from ${current.name} where ${segment.sql}`)).count();
  return { segment, compared, count };
}

describe("where a column has moved to", () => {
  it("of many numbers the run of bins that has grown, counted exactly", async () => {
    const { segment, count } = await of(
      "INTEGER",
      "select i as x from range(10000) t(i)",
      "select case when i % 2 = 0 then 4000 + i % 1000 else i end as x from range(10000) t(i)",
    );
    // two drawn bins, whose edges are quantiles: 488 of the 500 even values there ten times each, and the 500 odd ones that stayed
    expect(segment!.words).toBe("4024 to below 5024");
    expect(count).toBe(5380);
    expect(segment!.gain).toBeCloseTo(0.438, 3);
  });
  it("of few numbers the values themselves", async () => {
    const { segment, count } = await of(
      "INTEGER",
      "select i % 5 as x from range(100) t(i)",
      "select case when i < 50 then 4 else i % 5 end as x from range(100) t(i)",
    );
    expect(segment!.words).toBe("4 and above");
    expect(count).toBe(60);
  });
  it("of categories those that have grown most, missing ones too", async () => {
    const named = await of("VARCHAR", "select ['a','b','c'][i % 3 + 1] as x from range(99) t(i)", "select 'it''s' as x from range(10)");
    expect([named.segment!.words, named.count]).toEqual(["it's", 10]);
    const missing = await of("VARCHAR", "select 'a' as x from range(9)", "select case when i > 3 then 'a' end as x from range(9) t(i)");
    expect([missing.segment!.words, missing.count]).toEqual(["(missing)", 4]);
  });
  it("is nothing where nothing has grown", async () => {
    expect((await of("INTEGER", "select 1 as x from range(9)", "select 1 as x from range(50)")).segment).toBe(null);
    expect((await of("INTEGER", "select i as x from range(9) t(i)", "select null::int as x")).segment).toBe(null);
  });
  it("finds by SQL as many rows as the drawn bins hold, whatever the values", async () => {
    const value = fc.oneof(fc.double({ noNaN: false }), fc.integer({ min: -3, max: 3 }), fc.constant(null));
    const sql = (all: (number | null)[]) =>
      `select unnest([${all.map((x) => (x === null ? "null" : `'${Object.is(x, -0) ? "-0.0" : x}'::double`)).join(", ")}]::double[]) as x`;
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 60 }), fc.array(value, { minLength: 1, maxLength: 60 }), async (then, now) => {
        const { segment, compared, count } = await of("DOUBLE", sql(then), sql(now));
        if (segment === null) return;
        const merged = merge(compared, bins);
        const total = merged.current.reduce((a, c) => a + c, 0);
        expect(count).toBeGreaterThan(0);
        expect(count).toBeLessThanOrEqual(total);
        expect(segment.gain).toBeGreaterThan(0);
        expect(segment.gain).toBeLessThanOrEqual(count / total + 1e-9);
      }),
      { numRuns: 60 },
    );
  });
  it("quotes hostile categories", async () => {
    const word = fc.string({ maxLength: 12, unit: "binary" }).filter((text) => !text.includes("\0") && !/[\ud800-\udfff]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 5 }), async (words) => {
        const list = words.map((w) => `'${w.replaceAll("'", "''")}'`).join(", ");
        const { segment, count } = await of("VARCHAR", "select 'none of them, surely' as x", `select unnest([${list}]) as x`);
        expect(segment).not.toBe(null);
        expect(count).toBeGreaterThanOrEqual(words.length / 2);
      }),
      { numRuns: 40 },
    );
  });
});

it("says how many rows go, of how many, and why", () => {
  const segment = { sql: "", words: "30 to below 52", gain: 0.0712 };
  const step = sendStep("delay", segment, { relation: `nb."@1"`, rows: 100, total: 6200, hash: "h" }, "late");
  expect(step.label).toBe("Send drifted segment to review: 100 of 6,200 rows with `delay` 30 to below 52");
  expect(step.probability).toBeCloseTo(100 / 6200, 12);
  expect(step.reason.text).toBe("`delay` 30 to below 52: 7.1 points more of the current rows than of the reference");
  expect(sendStep("d", segment, { relation: "", rows: 7, total: 7, hash: "" }, "q").label).toContain("review: all 7 rows with");
});

it("names one queue a notebook", () => {
  expect(queueName("/w/flights/late.nb.ts", "/w/flights")).toBe("late");
  expect(queueName("/w/flights/a b/späť.nb.ts", "/w/flights")).toBe("a-b-sp");
  expect(queueName("/w/flights/é.nb.ts", "/w/flights")).toBe("queue");
});
