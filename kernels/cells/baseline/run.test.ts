import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bench, type Bench } from "../../../test/support/duck.js";
import { loadPredictor } from "../../models/load.js";
import { proveParity } from "../../models/parity.js";
import { readEvaluation, readSample } from "../../models/version.js";
import type { BaselineOptions, BaselineResult } from "../../protocol/library.js";
import type { Row, Split } from "../../protocol/values.js";
import { cell } from "./cell.js";
import { run } from "./run.js";

let b: Bench;
let flights: Split;
let days: Split;
beforeAll(async () => {
  b = await bench();
  flights = await b.split(
    `select i as id, timestamp '2001-01-01' + to_seconds(i * 1800) as date, (i * 7919 % 1000)::double as distance,
       case when i % 3 = 0 then 'ORD' else 'SEA' end as origin, (hash(i) % 100 < case when hour(timestamp '2001-01-01' + to_seconds(i * 1800)) > 12 then 40 else 10 end) as late,
       0.2::double as guess, case when i % 4 = 0 then 'a' when i % 4 = 1 then 'b' else 'c' end as kind
     from range(4000) r(i)`,
    "date",
    ["id < 2500", "id >= 2500 and id < 3000", "id >= 3000"],
  );
  days = await b.split(
    "select date '2001-01-01' + i::int as day, (20 + 5 * (i % 7) + i * 0.01 + (hash(i) % 100) / 100)::double as riders from range(400) r(i)",
    "day",
    ["day < '2001-11-01'", "day >= '2001-11-01' and day < '2001-12-01'", "day >= '2001-12-01'"],
  );
});
afterAll(() => b.close());

const go = (options: object): Promise<BaselineResult<Row>> => run(options as unknown as BaselineOptions<Row>, b.context);

describe("baseline", () => {
  it("finds the number to beat of a binary task and shows it", async () => {
    const result = await go({
      split: flights,
      task: { kind: "binary", target: "late" },
      using: ["prior", "majority", { rate: ["hour"] }, { column: "guess" }],
    });
    expect(result.bar.label).toBe("rate by hour");
    expect(result.metric).toBe("log loss");
    expect(result.sentence).toMatch(/^The number to beat is 0\.\d+ log loss \(rate by hour\); next is /);
    expect(result.all.map((one) => one.label)).toEqual([
      "rate by hour",
      ...["prior", "column guess"].sort((x, y) => result.numbers[x]! - result.numbers[y]!),
      "majority",
    ]);
    expect(result.bar.evaluation.n).toBe(1000);
    expect(result.bar.evaluation.method).toContain("day");
    expect(result.bar.evaluation.split).toBe(flights.id);
    const view = b.shown.at(-1)!;
    expect(view.tables[0]!.rows).toHaveLength(4);
    expect(view.tables[0]!.columns).toEqual(["baseline", "log loss", "low", "high", "accuracy", "AUC", "rows"]);
    expect(view.figures[0]!.data[0]!["y"]).toHaveLength(4);
  });
  it("runs with names in scope alone and says what it took", async () => {
    const result = await go({ split: flights });
    expect(result.bar.task).toEqual({ kind: "binary", target: "late" });
    expect(b.shown.at(-1)!.warnings).toEqual(["the task was left out: taken as binary of `late`"]);
  });
  it("takes dates and a number for a forecast, and finds its season", async () => {
    const result = await go({ split: days });
    expect(result.bar.task).toEqual({ kind: "forecast", target: "riders", time: "day", season: 7, horizon: 1 });
    expect(b.shown.at(-1)!.warnings).toEqual(["the task was left out: taken as forecast of `riders`, season of 7 found"]);
  });
  it("takes classes from the rows", async () => {
    const result = await go({ split: flights, task: { kind: "multiclass", target: "kind" }, metric: "accuracy", expect: 0.6 });
    expect(result.bar.task).toMatchObject({ classes: ["a", "b", "c"] });
    expect(result.bar.evaluation.value).toBeCloseTo(0.5, 2);
    expect(result.sentence).toContain("You expected 0.6.");
    expect(await result.all.find((one) => one.label === "prior")!.predict([{}])).toEqual([Float32Array.of(0.25, 0.25, 0.5)]);
  });
  it("judges a regression by RMSE, the root of the mean of its rows", async () => {
    const result = await go({ split: flights, task: { kind: "regression", target: "distance" } });
    const { value, losses } = result.bar.evaluation;
    expect(result.metric).toBe("RMSE");
    expect(value).toBeCloseTo(Math.sqrt(losses.reduce((x, y) => x + y) / losses.length), 10);
    expect(result.all.map((one) => one.label).sort()).toEqual(["mean", "median"]);
  });
  it("judges forecasts by a rolling origin", async () => {
    const result = await go({ split: days, task: { kind: "forecast", target: "riders", time: "day", season: 7, horizon: 1 } });
    expect(result.bar.label).toBe("seasonal naive (m = 7)");
    // y rises by 0.07 a week and carries noise of (hash % 100) / 100: one week back is at most 1.07 off
    expect(Math.max(...result.bar.evaluation.losses)).toBeLessThan(1.07);
    expect(result.bar.evaluation.method).toContain("moving block");
    expect(b.shown.at(-1)!.tables[0]!.columns).toEqual(["baseline", "MAE", "low", "high", "RMSE", "sMAPE", "MASE", "rows"]);
    const rows = (await days.test.rows()) as { day: Date; riders: number }[];
    const before = (await days.valid.rows()) as { day: Date; riders: number }[];
    const history = before.slice(-7).map((row) => row.riders);
    expect(await result.bar.predict([{ day: rows[0]!.day, history }])).toEqual([history[0]]);
    expect(Math.abs(history[0]! - rows[0]!.riders)).toBeCloseTo(result.bar.evaluation.losses[0]!, 10);
  });
  it("judges a predictor that is passed in beside its own", async () => {
    const first = await go({ split: flights, task: { kind: "binary", target: "late" }, using: [{ rate: ["hour"] }] });
    const again = await go({ split: flights, task: { kind: "binary", target: "late" }, using: ["prior", first.bar] });
    expect(again.bar.evaluation.value).toBe(first.bar.evaluation.value);
    expect(again.bar.evaluation.keys).toBe(first.bar.evaluation.keys);
  });
  it("is no bar where every test row has the same target", async () => {
    const same = await b.split("select i as id, i < 100 and i % 2 = 0 as y from range(200) r(i)", "id", [
      "id < 80",
      "id >= 80 and id < 100",
      "id >= 100",
    ]);
    const result = await go({ split: same, task: { kind: "binary", target: "y" }, metric: "log loss" });
    expect(result.verdict).toBe("unsure");
    expect(result.sentence).toMatch(/^Every test row has the same `y`: nothing can be told apart there/);
    expect(b.shown.at(-1)).toMatchObject({ word: "one value" });
  });
  it("is the same when run twice", async () => {
    const options = { split: flights, task: { kind: "binary", target: "late" } };
    const [one, two] = [await go(options), await go(options)];
    expect(two.numbers).toEqual(one.numbers);
    expect(two.bar.evaluation.ci).toEqual(one.bar.evaluation.ci);
  });
});

describe("a staged baseline", () => {
  it.each([
    ["rate by hour, origin", () => ({ split: flights, task: { kind: "binary", target: "late" }, using: [{ rate: ["hour", "origin"] }] })],
    ["prior", () => ({ split: flights, task: { kind: "binary", target: "late" }, using: ["prior"] })],
    ["stratified", () => ({ split: flights, task: { kind: "multiclass", target: "kind" }, using: ["stratified"] })],
    ["column guess", () => ({ split: flights, task: { kind: "binary", target: "late" }, using: [{ column: "guess" }] })],
    [
      "seasonal naive (m = 7)",
      () => ({ split: days, task: { kind: "forecast", target: "riders", time: "day", season: 7, horizon: 3 }, using: ["seasonal naive"] }),
    ],
    ["drift", () => ({ split: days, task: { kind: "forecast", target: "riders", time: "day", season: 7, horizon: 1 }, using: ["drift"] })],
  ])("%s answers in the host as in the notebook", async (label, options) => {
    const { bar } = await go(options());
    expect(bar.label).toBe(label);
    const dir = mkdtempSync(join(tmpdir(), "touchstone-stage-"));
    const manifest = await bar.stage(dir);
    expect(manifest.kind).toBe("baseline");
    const loaded = await loadPredictor(dir);
    const sample = readSample(dir);
    expect(sample.length).toBeGreaterThan(50);
    expect(await proveParity(loaded, sample)).toMatchObject({ ok: true, vectorsDiffer: 0 });
    const stored = readEvaluation(dir);
    expect(stored.value).toBe(bar.evaluation.value);
    expect([...stored.losses]).toEqual([...bar.evaluation.losses]);
    expect(JSON.parse(readFileSync(join(dir, "reference.json"), "utf8"))).toMatchObject({ format: 1 });
  });
});

it("a staged baseline is measured against another one that is named", async () => {
  const found = await go({ split: flights, task: { kind: "binary", target: "late" }, using: ["prior", { rate: ["hour", "origin"] }] });
  const weak = found.all.find((one) => one.label !== found.bar.label)!;
  const dir = mkdtempSync(join(tmpdir(), "touchstone-stage-"));
  await weak.stage(dir, found.bar);
  expect([...readEvaluation(dir).baselineLosses]).toEqual([...found.bar.evaluation.losses]);
  expect(JSON.parse(readFileSync(join(dir, "card.json"), "utf8"))).toMatchObject({ label: weak.label, baseline: { label: found.bar.label } });
});

describe("wrong options", () => {
  const binary = { kind: "binary", target: "late" };
  const cases: [string, object | undefined, string][] = [
    ["no options", undefined, "baseline: Expected an object of options, got nothing"],
    ["no split", { task: binary }, "Expected `split` of baseline to be a split"],
    ["a number for the split", { split: 3, task: binary }, "got `3`"],
    ["an unknown option", { split: "flights", taks: binary }, "baseline: unknown option `taks`"],
    [
      "an unknown kind",
      { split: "flights", task: { kind: "ranking", target: "late" } },
      'Expected `task.kind` to be "regression", "binary", "multiclass" or "forecast"',
    ],
    [
      "a target that is no column",
      { split: "flights", task: { kind: "binary", target: "lat" } },
      "Expected `task.target` to be a column of the rows, got `lat`",
    ],
    ["a target of the wrong type", { split: "flights", task: { kind: "regression", target: "origin" } }, "got `origin` of type VARCHAR"],
    ["a binary target with numbers", { split: "flights", task: { kind: "binary", target: "distance" } }, "to be 0 or 1"],
    ["three classes in a binary task", { split: "flights", task: { kind: "binary", target: "kind" } }, "two classes, got `kind` with 3: a, b, c"],
    [
      "an unknown metric",
      { split: "flights", task: binary, metric: "logloss" },
      'Expected `metric` to be one of log loss, accuracy, AUC, RMSE, MAE, sMAPE, MASE, got "logloss"',
    ],
    [
      "a metric of another task",
      { split: "flights", task: binary, metric: "RMSE" },
      "Expected `metric` of a binary task to be one of log loss, accuracy, AUC, got `RMSE`",
    ],
    ["an unknown baseline", { split: "flights", task: binary, using: ["magic"] }, "Expected each of `using` to be one of prior"],
    [
      "a baseline of another task",
      { split: "flights", task: binary, using: ["naive"] },
      "baselines of a binary task (prior, majority, stratified), got `naive`",
    ],
    ["an empty list", { split: "flights", task: binary, using: [] }, "Expected `using` to name at least one baseline"],
    [
      "a rate by nothing known",
      { split: "flights", task: binary, using: [{ rate: ["week"] }] },
      "Expected each of `rate` to be a column or one of hour, dow, month, got `week`",
    ],
    ["a column that is not there", { split: "flights", task: binary, using: [{ column: "p" }] }, "got `p`"],
    [
      "a forecast over a hash split",
      { split: "hashed", task: { kind: "forecast", target: "distance", time: "date", season: 7, horizon: 1 } },
      'Expected a split by "time", got "hash"',
    ],
    [
      "a season of nothing",
      { split: "days", task: { kind: "forecast", target: "riders", time: "day", season: 0, horizon: 1 } },
      "Expected `task.season` to be 1 or more, got 0",
    ],
    [
      "a class that was not named",
      { split: "flights", task: { kind: "multiclass", target: "kind", classes: ["a", "b"] } },
      "one of the classes a, b, got `c`",
    ],
    ["an expectation in words", { split: "flights", task: binary, expect: "good" }, 'Expected `expect` to be a number, got "good"'],
  ];
  it.each(cases)("%s", async (_, options, message) => {
    const splits: Record<string, Split> = { flights, days, hashed: { ...flights, spec: { ...flights.spec, by: "hash" } } };
    const filled = options && "split" in options && typeof options.split === "string" ? { ...options, split: splits[options.split] } : options;
    const before = b.shown.length;
    await expect(go(filled as object)).rejects.toThrow(message);
    expect(b.shown.length).toBe(before);
  });
  it("a target with nulls says how to leave them out", async () => {
    const holes = await b.split("select i as id, case when i % 10 = 0 then null else i::double end as y from range(100) r(i)", "id", [
      "id < 50",
      "id >= 50 and id < 60",
      "id >= 60",
    ]);
    await expect(go({ split: holes, task: { kind: "regression", target: "y" } })).rejects.toThrow(
      "4 of 40 test rows have no `y`: leave them out, for example by .where('\"y\" is not null')",
    );
  });
});

describe("the new cell", () => {
  it("is filled from the names in scope", () => {
    const scope = [
      { name: "old", cell: "a", type: "split" as const },
      {
        name: "parts",
        cell: "b",
        type: "split" as const,
        columns: [
          { name: "id", type: "BIGINT" },
          { name: "late", type: "BOOLEAN" },
        ],
      },
    ];
    expect(cell.toSource(scope)).toBe('const floor = await baseline({\n  split: parts,\n  task: { kind: "binary", target: "late" },\n})');
    expect(cell.toSource([])).toBe("const floor = await baseline({\n  split: parts,\n})");
  });
});

it.each(["'inf'::double", "1e300"])("refuses a target of %s with its count, as every later number would be infinite", async (value) => {
  const rows = `select i as id, case when i % 50 = 7 then ${value} else i::double end as y from range(400) r(i)`;
  const split = await b.split(rows, "id", ["id < 200", "id >= 200 and id < 300", "id >= 300"], "hash");
  const result = run({ split, task: { kind: "regression", target: "y" }, using: ["mean"] } as unknown as BaselineOptions<Row>, b.context);
  await expect(result).rejects.toThrow(/^Expected `y` to be a number of float32's range, got `(Infinity|1e\+300)` in \d+ of \d+ \w+ rows/);
});
