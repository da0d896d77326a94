import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { isInterrupted } from "./fault.js";
import { sqlText } from "./sql.js";

let t: TestEngine;
beforeAll(() => void (t = testEngine({})));
afterAll(() => t.close());

const relation = (sql: string) => sqlText<{ i: number }>(t.engine, sql);

async function drain(sql: string): Promise<number[]> {
  const seen: number[] = [];
  for await (const batch of relation(sql).batches()) seen.push(...(batch["i"] as Float64Array));
  return seen;
}

describe("rows in blocks", () => {
  it.each([0, 1, 2047, 2048, 2049, 65_535, 65_536, 65_537, 200_000])("%i of them come whole and in order", async (n) => {
    expect(await drain(`select i from range(${n}) t(i)`)).toEqual(Array.from({ length: n }, (_, i) => i));
  });

  it("are the same after a filter, with NULLs and texts beside them", async () => {
    const sql = "select i, case when i % 3 = 0 then null else i::varchar end as text, [i] as list from range(100000) t(i) where i % 2 = 1";
    const [texts, lists, ids]: [unknown[], unknown[], number[]] = [[], [], []];
    for await (const batch of relation(sql).batches({ size: 1000 })) {
      ids.push(...(batch["i"] as Float64Array));
      texts.push(...(batch["text"] as unknown[]));
      lists.push(...(batch["list"] as unknown[]));
    }
    expect(ids).toEqual(Array.from({ length: 50_000 }, (_, i) => 2 * i + 1));
    expect(texts).toEqual(ids.map((i) => (i % 3 === 0 ? null : String(i))));
    expect(lists).toEqual(ids.map((i) => [i]));
  });

  it("of a query that fails late end with its error", async () => {
    const late = "select case when i = 300000 then error('no ' || i) else i end as i from range(400000) t(i)";
    await expect(drain(late)).rejects.toThrow("no 300000");
    expect(await drain("select 7 as i")).toEqual([7]);
  });

  it("that are stopped half-way say so, and the engine goes on", async () => {
    const batches = relation("select i from range(3000000) t(i)").batches();
    expect((await batches.next()).done).toBe(false);
    t.engine.interrupt();
    const rest = (async () => {
      for await (const batch of batches) void batch;
    })();
    expect(await rest.then(() => null, isInterrupted)).toBe(true);
    expect(await drain("select 7 as i")).toEqual([7]);
  });

  it("need no memory for the rest", async () => {
    let peak = 0;
    let rows = 0;
    const start = process.memoryUsage().rss;
    // 384 MB of values
    for await (const { length } of relation("select i, i * 2.5::double as a, sin(i) as b, i % 7 as c from range(12000000) t(i)").batches()) {
      rows += length;
      peak = Math.max(peak, process.memoryUsage().rss - start);
    }
    expect(rows).toBe(12_000_000);
    expect(peak / 1e6).toBeLessThan(200);
  });
});
