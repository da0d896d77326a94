import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testEngine, type TestEngine } from "../../test/support/data.js";
import { settle } from "../protocol/values.js";
import type { TrainedOn } from "./engine.js";
import type { TableRelation } from "./relation.js";
import { sqlText } from "./sql.js";
import type { TableSplit } from "./split.js";

interface R {
  id: number;
  day: Date;
  who: string;
  late: boolean;
  x: number;
}
let t: TestEngine;
let base: TableRelation<R>;
let trained: TrainedOn | null = null;
const n = 20_000;
beforeAll(async () => {
  t = testEngine({ trainedOn: () => Promise.resolve(trained) });
  base = sqlText<R>(
    t.engine,
    `select i::integer as id, timestamp '2001-01-01' + interval (i % 365) day as day, 'u' || (i % 997) as who, (i % 997) % 5 = 0 as late, sin(i) as x from range(${n}) t(i)`,
  );
  await base[settle]("base");
});
afterAll(() => t.close());

const ids = async (split: TableSplit<R>): Promise<number[][]> =>
  Promise.all([split.train, split.valid, split.test].map(async (part) => Array.from((await part.columns(["id"]))["id"] as Int32Array)));

async function covers(split: TableSplit<R>): Promise<number[][]> {
  const parts = await ids(split);
  expect(new Set(parts.flat()).size).toBe(n);
  expect(parts.flat().length).toBe(n);
  return parts;
}

it("says the rows and the range of each part", async () => {
  const split = base.split({ by: "time", key: "day", cut: ["2001-10-01", "2001-11-01"] }) as TableSplit<R>;
  const parts = await split.summary();
  expect(parts.map(({ part, first, last }) => [part, first, last])).toEqual([
    ["train", "2001-01-01 00:00:00", "2001-09-30 00:00:00"],
    ["valid", "2001-10-01 00:00:00", "2001-10-31 00:00:00"],
    ["test", "2001-11-01 00:00:00", "2001-12-31 00:00:00"],
  ]);
  expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(n);
});

describe("a split", () => {
  it("has each row in exactly one part, whatever the rule", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.record({
            by: fc.constant("hash" as const),
            key: fc.constantFrom("id" as const, "who" as const),
            seed: fc.integer({ min: 0, max: 99 }),
            ratio: fc.constantFrom([0.5, 0.25, 0.25], [0.8, 0, 0.2], [0.6, 0.2, 0.2]),
          }),
          fc.record({
            by: fc.constant("fold" as const),
            key: fc.constant("who" as const),
            folds: fc.integer({ min: 3, max: 7 }),
            fold: fc.integer({ min: 0, max: 2 }),
            seed: fc.integer(),
          }),
          fc.record({
            by: fc.constant("time" as const),
            key: fc.constant("day" as const),
            cut: fc.constantFrom(["2001-04-01", "2001-05-01"], [new Date("2001-02-01"), new Date("2001-12-01")]),
          }),
        ),
        async (options) => {
          const split = base.split(options as never);
          const parts = await covers(split);
          if (options.key === "who") {
            // groups stay together
            const groups = parts.map((part) => new Set(part.map((id) => id % 997)));
            expect(groups.reduce((sum, group) => sum + group.size, 0)).toBe(997);
          }
          const again = base.split(options as never);
          expect(await ids(again)).toEqual(parts);
          expect(again.id).toBe(split.id);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("by hash is the documented md5 rule", async () => {
    const [train, valid, test] = await covers(base.split({ by: "hash", key: "id", seed: 3 }));
    const part = (id: number): number => {
      const u = Number(createHash("md5").update(`3:${id}`).digest().readBigUInt64LE(8)) / 2 ** 64;
      return u < 0.7 ? 0 : u < 0.85 ? 1 : 2;
    };
    const expected: number[][] = [[], [], []];
    for (let id = 0; id < n; id++) expected[part(id)]!.push(id);
    expect([train, valid, test]).toEqual(expected);
  });

  it("keeps a row's part when rows are added", async () => {
    const half = base.where("id < 10000");
    const [, , before] = await ids(half.split({ by: "hash", key: "id" }));
    const [, , after] = await ids(base.split({ by: "hash", key: "id" }));
    expect(after!.filter((id) => id < 10_000)).toEqual(before);
  });

  it("by time cuts at the times and is in their order", async () => {
    const split = base.split({ by: "time", key: "day", cut: ["2001-04-01", "2001-05-01"] });
    const { day } = await split.valid.columns(["day"]);
    const times = (day as Date[]).map(Number);
    expect(Math.min(...times)).toBe(Date.UTC(2001, 3, 1));
    expect(Math.max(...times)).toBe(Date.UTC(2001, 3, 30));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(split.spec).toEqual({ by: "time", key: "day", cut: ["2001-04-01", "2001-05-01"] });
    const [, , test] = await ids(split);
    const [, , again] = await ids(base.split({ by: "time", key: "day", cut: ["2001-04-01", "2001-05-01"] }));
    expect(again).toEqual(test);
  });

  it("stratified gives each stratum the same shares, keys together", async () => {
    const split = base.split({ by: "hash", key: "who", stratify: "late", ratio: [0.6, 0.2, 0.2] });
    const parts = await covers(split);
    for (const late of [0, 1]) {
      const keys = parts.map((part) => new Set(part.map((id) => id % 997).filter((who) => (who % 5 === 0) === (late === 1))).size);
      const all = keys[0]! + keys[1]! + keys[2]!;
      expect(Math.abs(keys[0]! - 0.6 * all)).toBeLessThanOrEqual(1);
      expect(Math.abs(keys[2]! - 0.2 * all)).toBeLessThanOrEqual(1);
    }
    await expect(base.split({ by: "hash", key: "who", stratify: "id" })[settle]()).rejects.toThrow("more than one stratum");
  });

  it("takes more rows into train alone, and no key that judges", async () => {
    const split = base.split({ by: "hash", key: "id" });
    const [train, , test] = await ids(split);
    const more = sqlText<R>(
      t.engine,
      `select ${test![0]}::integer as id, 2.5 as weight, 'new' as who union all select ${train![0]}::integer, 3.5, 'again'`,
    );
    const wider = split.with(more);
    const rows = (await wider.train.rows()) as (R & { weight: number | null })[];
    expect(rows.length).toBe(train!.length + 1);
    expect(rows.filter(({ weight }) => weight !== null)).toMatchObject([{ id: train![0], weight: 3.5, who: "again", x: null }]);
    expect(await ids(wider).then(([, , part]) => part)).toEqual(test);
    expect(wider.id).not.toBe(split.id);
    expect((wider.spec.cut as { with: string[] }).with).toEqual([await more.hash()]);
  });

  it("knows which versions have seen its test rows", async () => {
    const split = base.split({ by: "time", key: "day", cut: ["2001-04-01", "2001-05-01"] });
    const ref = { name: "m", version: 1 };
    const say = async (card: TrainedOn | null): Promise<string> => {
      trained = card;
      return split.covers(ref);
    };
    expect(await say(null)).toBe("unknown");
    expect(await say({ id: "x", by: "time", key: "day", cut: ["2001-03-01", "2001-05-01"] })).toBe("disjoint");
    expect(await say({ id: "x", by: "time", key: "day", cut: ["2001-03-01", "2001-06-01"] })).toBe("overlap");
    expect(await say({ id: split.id, by: "time", key: "day", cut: [] })).toBe("disjoint");
    expect(await say({ id: "x", by: "hash", key: "day", cut: {} })).toBe("unknown");
    const hashed = base.split({ by: "hash", key: "id" });
    trained = { id: "x", by: "hash", key: "id", cut: { ratio: [0.7, 0.15, 0.15], seed: 0 } };
    expect(await hashed.covers(ref)).toBe("disjoint");
    trained = { id: "x", by: "hash", key: "id", cut: { ratio: [0.7, 0.15, 0.15], seed: 1 } };
    expect(await hashed.covers(ref)).toBe("overlap");
  });

  it.each([
    [{ by: "random", key: "id" }, "Expected `by`"],
    [{ by: "hash" }, "Expected `key`"],
    [{ by: "hash", key: "idd" }, "did you mean `id`?"],
    [{ by: "hash", key: "id", ratio: [0.5, 0.5, 0.5] }, "Expected `ratio`"],
    [{ by: "time", key: "day", cut: ["2001-05-01"] }, "Expected `cut`"],
    [{ by: "time", key: "day", cut: ["2001-05-01", "2001-04-01"] }, "in this order"],
    [{ by: "time", key: "day", cut: ["soon", "later"] }, "Expected `cut`"],
    [{ by: "time", key: "day", cut: ["2003-05-01", "2004-04-01"] }, "no rows to test: `day` goes from 2001-01-01 to 2001-12-31"],
    [{ by: "fold", key: "id", folds: 2 }, "Expected `folds`"],
    [{ by: "fold", key: "id", fold: 9 }, "Expected `fold`"],
    [{ by: "hash", key: "id", shuffle: true }, "split has no option `shuffle`"],
    [{ by: "hash", key: "id", stratify: "nope" }, 'no column "nope"'],
  ])("refuses %j", async (options, message) => {
    await expect((async () => base.split(options as never)[settle]())()).rejects.toThrow(message);
  });

  it("refuses a key with NULLs and a relation without rows", async () => {
    const holes = sqlText(t.engine, "select case when id < 3 then null else id end as id from base");
    await expect(holes.split({ by: "hash", key: "id" })[settle]()).rejects.toThrow("NULL in 3 of 20000 rows");
    await expect(base.where("false").split({ by: "hash", key: "id" })[settle]()).rejects.toThrow("no rows to split");
    expect(() => base.split({ by: "hash", key: "id" }).id).toThrow("not made yet");
  });
});

it("samples a fixed set, in the relation's order", async () => {
  const sample = base.sample(500, { key: "id", seed: 1 });
  const { id } = await sample.columns(["id"]);
  expect((id as Int32Array).length).toBe(500);
  expect(Array.from(id as Int32Array)).toEqual(Array.from(id as Int32Array).sort((a, b) => a - b));
  const hashes = Array.from({ length: n }, (_, k) => ({ k, h: createHash("md5").update(`1:${k}`).digest().readBigUInt64LE(8) }));
  const smallest = hashes
    .sort((a, b) => (a.h < b.h ? -1 : 1))
    .slice(0, 500)
    .map(({ k }) => k);
  expect(new Set(id as Int32Array)).toEqual(new Set(smallest));
  expect(await base.sample(99_999, { key: "id" }).count()).toBe(n);
  expect(await base.sample(300).count()).toBe(300);
  expect(await base.sample(300, { key: "late" }).count()).toBe(300);
  expect(() => base.sample(0)).toThrow("Expected `n`");
  await expect(base.sample(5, { key: "nope" as never }).rows()).rejects.toThrow("no column");
});
