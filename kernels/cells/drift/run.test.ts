import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bench, type Bench } from "../../../test/support/duck.js";
import type { DriftOptions, DriftResult } from "../../protocol/library.js";
import type { Relation, Row } from "../../protocol/values.js";
import { run as baseline } from "../baseline/run.js";
import { cell } from "./cell.js";
import { run } from "./run.js";
import { sketchRelation } from "./sketch.js";

let b: Bench;
let then: Relation;
let same: Relation;
let moved: Relation;
const versions: Record<string, string> = {};
// hash(i) is uniform and fixed: rows differ by their numbers only
const rows = (from: number, to: number, shift: string): string =>
  `select i as id, timestamp '2001-01-01' + to_hours(i) as date, ((hash(i) % 10000) / 100.0 + ${shift})::double as distance,
   case when hash(i + 1) % 10 < 3 then 'ORD' when hash(i + 1) % 10 < 8 then 'SEA' else 'JFK' end as origin,
   (hash(i + 2) % 5)::int as stars, hash(i + 3) % 4 = 0 as late from range(${from}, ${to}) r(i)`;
beforeAll(async () => {
  b = await bench({
    "registry.resolve": (ref) =>
      versions[(ref as { name: string }).name] ? { name: "m", version: 1, dir: versions[(ref as { name: string }).name] } : null,
  });
  then = await b.table(rows(0, 20_000, "0"));
  same = await b.table(rows(20_000, 28_000, "0"));
  moved = await b.table(rows(20_000, 28_000, "case when date_part('month', timestamp '2001-01-01' + to_hours(i)) > 6 then 20 else 0 end"));
});
afterAll(() => b.close());
const go = (options: object): Promise<DriftResult> => run(options as DriftOptions<Row>, b.context);

describe("drift", () => {
  it("says which columns are gone from the current rows, and which are new", async () => {
    const other = await b.table(`select * exclude (stars, late), 1 as fresh from (${rows(20_000, 28_000, "0")})`);
    const result = await go({ reference: then, current: other });
    expect(b.shown.at(-1)!.warnings).toEqual(
      expect.arrayContaining([
        "`stars` is not in the current rows",
        "`late` is not in the current rows",
        "`fresh` is new in the current rows",
      ]) as string[],
    );
    expect(result.sentence).toContain("`stars`, `late` are gone or of another type, so not compared.");
  });
  it("finds nothing between two draws of the same, by each test", async () => {
    for (const test of ["auto", "psi", "ks", "chi-square", "js", "wasserstein"]) {
      const result = await go({ reference: then, current: same, columns: ["distance", "origin", "stars", "late"], test });
      expect({ test, drifted: result.columns.filter((c) => c.drifted) }).toEqual({ test, drifted: [] });
      expect(result).toMatchObject({ verdict: "good", share: 0, breached: false, trigger: false });
      for (const one of result.columns) expect(one.p).toBeGreaterThan(0.01);
    }
  });
  it("finds what moved and ranks it first, with the method named by column", async () => {
    const result = await go({ reference: then, current: moved, columns: ["origin", "distance"], every: "month" });
    expect(result.columns.map((c) => [c.column, c.test, c.drifted])).toEqual([
      ["distance", "Wasserstein, in standard deviations", true],
      ["origin", "Jensen-Shannon distance, base e", false],
    ]);
    expect(result).toMatchObject({ verdict: "bad", share: 0.5, breached: true, trigger: true });
    expect(result.sentence).toMatch(/^1 of 2 columns drifted; `distance` most \(Wasserstein 0\.\d+, limit 0\.0\d+\)\.$/);
    const months = result.series.map((one) => [one.period, one.columns.find((c) => c.column === "distance")!.drifted]);
    expect(months.filter(([, drifted]) => drifted)).toEqual(months.filter(([period]) => Number(String(period).slice(5)) > 6));
    const view = b.shown.at(-1)!;
    expect(view.figures.map((f) => f.title)).toEqual(["Drift by column", "Drift over time"]);
    const { data, parts } = view.figures[0]!;
    expect(data[0]!["y"]).toEqual(["distance", "origin"]);
    expect(parts!.map((part) => [part.name, part.figures.map((f) => [f.title, f.data.length])])).toEqual(
      ["distance", "origin"].map((name) => [
        name,
        [
          [`${name}: the reference and current`, 2],
          [`${name} over time`, 2],
        ],
      ]),
    );
    expect(parts!.map((part) => part.label)).toEqual([
      expect.stringMatching(/^distance: 0\.\d+, limit 0\.0\d+, drifted$/),
      expect.stringMatching(/^origin: 0\.\d+, limit 0\.\d+, no drift$/),
    ]);
    expect(view.tables.map((t) => t.title)).toEqual(["Columns", "By month"]);
  });
  it("knows a shift in standard deviations", async () => {
    const shifted = await b.table(rows(0, 20_000, "28.8675"));
    const result = await go({ reference: then, current: shifted, columns: ["distance"] });
    // stddev_pop of the reference by DuckDB: 29.12787049; no bin is wide enough to matter in the fourth digit
    expect(result.columns[0]!.score).toBeCloseTo(28.8675 / 29.12787049, 4);
  });
  it("by the rule of thumb, a change beyond chance may be small", async () => {
    const nudged = await b.table(rows(20_000, 60_000, "1.5"));
    const strict = await go({ reference: then, current: nudged, columns: ["distance"] });
    expect(strict).toMatchObject({ verdict: "unsure", trigger: true, breached: true });
    expect(strict.sentence).toMatch(
      /^1 of 1 column drifted, none by more than the rule of thumb of 0\.1; `distance` most \(Wasserstein 0\.0\d+, limit 0\.0\d+\)\. The change is real and small: 40,000 rows show/,
    );
    const rule = await go({ reference: then, current: nudged, columns: ["distance"], calibrate: false });
    expect(rule.columns[0]).toMatchObject({ limit: 0.1, drifted: false });
  });
  it("uses p-values on a small reference", async () => {
    const few = await b.table(rows(0, 400, "0"));
    const result = await go({ reference: few, current: same, columns: ["distance", "origin", "stars", "late"] });
    expect(Object.fromEntries(result.columns.map((c) => [c.column, c.test]))).toEqual({
      distance: "Kolmogorov-Smirnov, asymptotic",
      origin: "chi-square, Cramér's V",
      stars: "chi-square, Cramér's V",
      late: "two-proportion z",
    });
  });
  it("compares the hour and the weekday of a date, and every column when none is named", async () => {
    const result = await go({ reference: then, current: same });
    expect(result.columns.map((c) => c.column).sort()).toEqual(["date: day of week", "date: hour", "distance", "id", "late", "origin", "stars"]);
    expect(result.columns[0]!.column).toBe("id");
  });
  it("tells missing values", async () => {
    const holes = await b.table(`select case when i % 5 = 0 then null else (hash(i) % 10000 / 100.0)::double end as distance from range(5000) r(i)`);
    await go({ reference: then, current: holes });
    expect(b.shown.at(-1)!.warnings).toContain("missing values of `distance` went from 0 % to 20 %");
  });
  it("shows each column as soon as it is found", async () => {
    const before = b.shown.length;
    await go({ reference: then, current: same, columns: ["origin", "stars", "late"] });
    expect(b.shown.slice(before).map((view) => view.tables[0]!.rows.length)).toEqual([1, 2, 3, 3]);
    expect(b.progress.at(-2)).toMatchObject({ label: "column 3 of 3: late", done: 2, total: 3 });
  });
  it("is unsure on too few rows", async () => {
    const few = await b.table(rows(20_000, 20_010, "0"));
    const result = await go({ reference: then, current: few, columns: ["origin"] });
    expect(result.verdict).toBe("unsure");
    expect(result.sentence).toContain("Not enough data: 10 current rows.");
  });
  it("is not calm when a column has another type now", async () => {
    const current = await b.table(`select * exclude (distance), 'far' || distance as distance from (${rows(0, 20_000, "0")})`);
    const result = await go({ reference: then, current, columns: ["distance", "origin"] });
    expect(result.verdict).toBe("unsure");
    expect(result.sentence).toContain("`distance` is gone or of another type, so not compared.");
    expect(b.shown.at(-1)).toMatchObject({ word: "not all compared" });
  });
  it("is unsure on a reference without rows, and not calm", async () => {
    const none = await b.table(`${rows(0, 10, "0")} limit 0`);
    const result = await go({ reference: none, current: same, columns: ["distance", "origin"] });
    expect(result).toMatchObject({ verdict: "unsure" });
    expect(result.sentence).toMatch(/^Not enough data: 0 reference rows\./);
  });
  it("sees a column that lost all of its values", async () => {
    const lost = await b.table(rows(20_000, 28_000, "0").replace(/\(\(hash\(i\).*?as distance/s, "null::double as distance"));
    const result = await go({ reference: then, current: lost, columns: ["distance", "stars"] });
    expect(result).toMatchObject({ verdict: "bad", breached: true });
    expect(result.columns[0]).toMatchObject({ column: "distance", test: "share of missing values", score: 1, drifted: true });
    expect(result.columns[1]).toMatchObject({ column: "stars", drifted: false });
  });
  it("is the same when run twice", async () => {
    const options = { reference: then, current: moved, every: "month" };
    const [one, two] = [await go(options), await go(options)];
    expect(two).toEqual(one);
  });
});

describe("against a version", () => {
  const log = (shift: number): string =>
    `select 'r' || i as id, timestamp '2001-06-01' + to_minutes(i) as at, struct_pack(distance := (hash(i) % 10000) / 100.0 + ${shift}, origin := case when hash(i + 1) % 10 < 3 then 'ORD' when hash(i + 1) % 10 < 8 then 'SEA' else 'JFK' end) as record, (0.2 + ${shift} / 100)::double as prediction from range(3000) r(i)`;
  beforeAll(async () => {
    const split = await b.split(rows(0, 6000, "0"), "id", ["id < 4000", "id >= 4000 and id < 4500", "id >= 4500"], "hash");
    const floor = await baseline({ split, task: { kind: "binary", target: "late" }, using: [{ rate: ["origin"] }] } as never, b.context);
    versions["flights"] = mkdtempSync(join(tmpdir(), "touchstone-drift-"));
    await floor.bar.stage(versions["flights"]);
    versions["rich"] = mkdtempSync(join(tmpdir(), "touchstone-drift-"));
    await floor.bar.stage(versions["rich"]);
    writeFileSync(
      join(versions["rich"], "reference.json"),
      JSON.stringify(await sketchRelation(b.context, then, { columns: ["distance", "origin", "date"] })),
    );
    versions["bare"] = mkdtempSync(join(tmpdir(), "touchstone-drift-"));
    writeFileSync(join(versions["bare"], "reference.json"), "{}");
  });
  it("reads the record and the answers of its log", async () => {
    const current = await b.table(log(0));
    const result = await go({ reference: { name: "rich", version: "champion" }, current });
    expect(result.columns.map((c) => [c.column, c.drifted]).sort()).toEqual([
      ["distance", false],
      ["origin", false],
    ]);
    expect(result.prediction).toMatchObject({ column: "prediction" });
    expect(b.shown.at(-1)!.warnings).toEqual(["`date` is not in the current rows"]);
    const later = await go({ reference: { name: "rich", version: 1 }, current: await b.table(log(40)) });
    expect(later).toMatchObject({ verdict: "bad", trigger: true });
    expect(later.columns[0]).toMatchObject({ column: "distance", drifted: true });
  });
  it("reads a record that is JSON", async () => {
    const current = await b.table(`select id, "at", to_json(record)::varchar as record, prediction from (${log(0)})`);
    const result = await go({ reference: { name: "flights", version: "champion" }, current });
    expect(result.columns).toMatchObject([{ column: "origin", drifted: false }]);
  });
  it("takes plain rows as well", async () => {
    const result = await go({ reference: { name: "rich", version: 1 }, current: moved, columns: ["distance"] });
    expect(result.columns).toMatchObject([{ column: "distance", drifted: true }]);
    expect(result.prediction).toBeNull();
  });
  it.each([
    ["an unknown model", { name: "nobody", version: 3 }, undefined, "there is no version 3 of `nobody`"],
    ["a version without sketches", { name: "bare", version: 1 }, undefined, "holds no sketches"],
    [
      "a column that it does not know",
      { name: "rich", version: 1 },
      ["tail"],
      "columns of the version, got `tail`; it holds date: hour, date: day of week, distance, origin",
    ],
  ])("refuses %s", async (_, reference, columns, message) => {
    await expect(go({ reference, current: same, ...(columns ? { columns } : {}) })).rejects.toThrow(message);
  });
});

describe("wrong options", () => {
  it.each([
    ["no current", () => ({ reference: then }), 'drift: Expected `current` to be a relation, such as rows or log("name"), got nothing'],
    ["no reference", () => ({ current: same }), "drift: Expected `reference` to be a relation or a version"],
    ["a name for the reference", () => ({ reference: "flights", current: same }), "got `flights`"],
    [
      "a column of one side",
      () => ({ reference: then, current: same, columns: ["tail"] }),
      "columns of both sides, got `tail`; the reference has id, date",
    ],
    ["no columns", () => ({ reference: then, current: same, columns: [] }), "Expected `columns` to name at least one column"],
    [
      "an unknown test",
      () => ({ reference: then, current: same, test: "magic" }),
      'Expected `test` to be one of auto, psi, ks, chi-square, js, wasserstein, got "magic"',
    ],
    [
      "alpha as percent",
      () => ({ reference: then, current: same, alpha: 5 }),
      "Expected `alpha` to be a chance between 0 and 0.5, such as 0.05, got 5",
    ],
    [
      "an unknown period",
      () => ({ reference: then, current: same, every: "fortnight" }),
      "Expected `every` to be one of day, week, month, quarter, year",
    ],
    [
      "a time that is no time",
      () => ({ reference: then, current: same, every: "day", time: "origin" }),
      "Expected `time` to be a date or time column of `current`, got `origin`; it has date",
    ],
    ["an unknown option", () => ({ reference: then, current: same, treshold: 3 }), "drift: unknown option `treshold`"],
  ])("%s", async (_, options, message) => {
    const before = b.shown.length;
    await expect(go(options())).rejects.toThrow(message);
    expect(b.shown.length).toBe(before);
  });
  it("sides that share nothing", async () => {
    const other = await b.table("select 1 as other");
    await expect(go({ reference: then, current: other })).rejects.toThrow("share no column that can be compared");
  });
});

it("a new cell takes the split's training rows and the newest relation", () => {
  const scope = [
    { name: "parts", cell: "a", type: "split" as const },
    { name: "later", cell: "b", type: "relation" as const },
  ];
  expect(cell.toSource(scope)).toBe("const moved = await drift({\n  reference: parts.train,\n  current: later,\n})");
});
