import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as TF from "@tensorflow/tfjs";
import { trainBench, type TrainBench } from "../../../test/support/train.js";
import { features } from "../../models/features.js";
import { loadPredictor } from "../../models/load.js";
import { readEvaluation, readSample, readVersion } from "../../models/version.js";
import { proveParity } from "../../models/parity.js";
import type { TrainOptions, TrainResult } from "../../protocol/library.js";
import type { Evaluated, Row, Split, Task } from "../../protocol/values.js";
import { loadBackend, type Tf } from "../../tensors/backend.js";
import { run as baseline } from "../baseline/run.js";
import { cell } from "./cell.js";
import { run } from "./run.js";

let tf: Tf;
let b: TrainBench;
let parts: Split;
let floor: { bar: Evaluated };
/** late depends on hour and distance */
const query = `select i as id, (i * 7919 % 1000)::double as distance, (i * 31 % 24)::double as hour, case when i % 3 = 0 then 'ORD' else 'SEA' end as origin,
   hash(i) % 1000 < 100 + (case when i * 31 % 24 > 12 then 500 else 0 end) + (i * 7919 % 1000) / 4 as late, (i % 5)::double + 1 as w,
   case when i % 4 = 0 then 'a' when i % 4 = 1 then 'b' else 'c' end as kind, 3.0 * (i % 4) + (i * 31 % 24) as amount, (i % 4)::double as quarter
 from range(6000) r(i)`;
const binary: Task = { kind: "binary", target: "late" };
beforeAll(async () => {
  tf = (await loadBackend("wasm")).tf;
  b = trainBench();
  parts = await b.split(query, { by: "hash", key: "id", ratio: [0.7, 0.15, 0.15] });
  floor = (await baseline({ split: parts, task: binary, using: ["prior"] }, b.context)) as never;
});
afterAll(() => b.close());

const feats = features({
  input: { distance: "double", hour: "double", origin: "string" },
  row: (r: { distance: number; hour: number; origin: string }) => [r.distance / 1000, r.hour / 24, r.hour > 12 ? 1 : 0, r.origin === "ORD" ? 1 : 0],
});
const go = (options: object): Promise<TrainResult<Row>> =>
  run({ split: parts, against: floor, features: feats, epochs: 4, ...options } as unknown as TrainOptions<Row>, b.context);

describe("train", () => {
  it("beats the prior, says by how much, and shows the curve beside the dashed bar from the first moment", async () => {
    b.shown.length = 0;
    b.progress.length = 0;
    const result = await go({});
    expect(result.sentence).toMatch(/^Beats prior by \d+(\.\d)? % \[\d+(\.\d)?, \d+(\.\d)?\]: log loss 0\.\d+ against 0\.\d+\.$/);
    expect(result.verdict).toBe("good");
    expect(result.against.ci[1]).toBeLessThan(0);
    expect(result.evaluation.split).toBe(parts.id);
    expect(result.evaluation.keys).toBe(floor.bar.evaluation.keys);
    expect(result.history.valLoss).toHaveLength(4);
    expect(result.task).toMatchObject(binary);
    const [first] = b.shown;
    expect(first).toMatchObject({ word: "training", sentence: expect.stringContaining("against prior") });
    expect(first!.figures[0]!.data.map((trace) => trace["name"])).toEqual(["validation", "training", "prior (to beat, validation rows)"]);
    // the prior's log loss on the validation rows, from the training share alone
    const share = async (rows: typeof parts.train): Promise<number> => {
      const ys = (await rows.rows()).map((row) => Number((row as Record<string, unknown>)[binary.target]));
      return ys.reduce((sum, y) => sum + y, 0) / ys.length;
    };
    const [p, q] = [await share(parts.train), await share(parts.valid)];
    expect((first!.figures[0]!.data[2]!["y"] as number[])[0]).toBeCloseTo(-(q * Math.log(p) + (1 - q) * Math.log(1 - p)), 6);
    expect(first!.figures[0]!.data[0]!["y"]).toEqual([]);
    // one view an epoch, and the last
    expect(b.shown).toHaveLength(6);
    const last = b.shown.at(-1)!;
    expect(last.figures.map((figure) => figure.title)).toEqual(["log loss by epoch", "Calibration"]);
    expect(last.tables[0]!.rows[2]![1]).toBeCloseTo(result.evaluation.value - floor.bar.evaluation.value, 12);
    expect(last.tables[1]!.title).toBe("Worst segments");
    expect(last.next.map((step) => step.label)).toEqual(["Promote", "Distil"]);
    expect(last.footer).toMatch(/^seed \d+ · mlp 64-32, 2,433 weights · trained on [\d,]+ rows, judged on [\d,]+ · wasm/);
    expect(b.progress.at(-1)).toBeNull();
  });

  it("reads vectors that are too many for memory from a file, and leaves none behind", async () => {
    const inMemory = await go({ seed: 3 });
    b.shown.length = 0;
    const options = { split: parts, against: floor, features: feats, epochs: 4, seed: 3 } as unknown as TrainOptions<Row>;
    const stored = await run(options, { ...b.context, vectorBytes: 1000 });
    expect(b.shown.at(-1)!.footer).toMatch(/ · 0\.000096 GB of vectors read from disk · /);
    expect(stored.evaluation.n).toBe(inMemory.evaluation.n);
    // one window of one block: the same order
    expect(stored.evaluation).toEqual(inMemory.evaluation);
    expect(readdirSync(join(b.context.workspace, ".touchstone/spill")).filter((name) => name.endsWith(".f32"))).toEqual([]);
  });

  it("gives the same bits for the same seed", async () => {
    const [one, two, other] = [await go({ seed: 3 }), await go({ seed: 3 }), await go({ seed: 4 })];
    expect(two.evaluation).toEqual(one.evaluation);
    expect(two.history).toEqual(one.history);
    expect(other.history).not.toEqual(one.history);
    const [a, c] = [b.folder(), b.folder()];
    expect((await one.stage(a)).files).toEqual((await two.stage(c)).files);
  });

  it("stages a version whose predictions a host repeats", async () => {
    const own = (shape: number[]) =>
      tf.sequential({
        layers: [
          tf.layers.dense({ inputShape: shape, units: 8, activation: "relu" }),
          tf.layers.batchNormalization(),
          tf.layers.dense({ units: 1, activation: "sigmoid" }),
        ],
      }) as TF.LayersModel;
    const result = await go({ model: own });
    const dir = b.folder();
    const manifest = await result.stage(dir);
    expect(manifest).toMatchObject({ kind: "model", label: "own 8", params: 4 * 8 + 8 + 16 + 8 + 1 });
    expect(readVersion(dir).card).toMatchObject({ metric: "log loss", value: result.evaluation.value, baseline: { label: "prior" } });
    const evaluation = readEvaluation(dir);
    expect(evaluation.losses).toEqual(result.evaluation.losses);
    expect(evaluation.baselineLosses).toEqual(floor.bar.evaluation.losses);
    const sample = readSample(dir);
    expect(sample).toHaveLength(256);
    const loaded = await loadPredictor(dir);
    await expect(proveParity(loaded, sample)).resolves.toBeDefined();
    const records = (await parts.test.rows(50)) as object[];
    const [served, own2] = [await loaded.predict(records), await result.predict(records)];
    for (const [i, p] of served.entries()) expect(p).toBeCloseTo(own2[i] as number, 6);
    loaded.dispose();
  });

  it("is staged against the bar that is named then, not only the one that it was trained against", async () => {
    const result = await go({ epochs: 1 });
    const half = floor.bar.evaluation.losses.map((loss) => loss / 2);
    const strong = {
      ...floor.bar,
      label: "a stronger one",
      evaluation: { ...floor.bar.evaluation, losses: half, value: floor.bar.evaluation.value / 2 },
    };
    const dir = b.folder();
    await result.stage(dir, strong as never);
    expect(readEvaluation(dir).baselineLosses).toEqual(half);
    const { baseline } = readVersion(dir).card;
    expect(baseline).toMatchObject({ label: "a stronger one", value: strong.evaluation.value });
    expect(baseline.against.diff).toBeCloseTo(result.evaluation.value - strong.evaluation.value, 9);
    const [same, plain] = [b.folder(), b.folder()];
    expect((await result.stage(same, floor.bar as never)).files).toEqual((await result.stage(plain)).files);
    const other = { ...floor.bar, evaluation: { ...floor.bar.evaluation, metric: { name: "accuracy", better: "higher" }, losses: half } };
    await expect(result.stage(b.folder(), other as never)).rejects.toThrow(/judged by accuracy, the model by log loss/);
  });

  it("answers on after its cell's tensors were released", async () => {
    const result = (await go({ epochs: 1 })) as TrainResult<Row> & { release(): void };
    const records = (await parts.test.rows(5)) as object[];
    const before = await result.predict(records);
    result.release();
    expect(await result.predict(records)).toEqual(before);
    expect(await result.predict([])).toEqual([]);
  });

  it("leaves no tensors but the model's own", async () => {
    const before = tf.memory().numTensors;
    const result = (await go({ epochs: 2 })) as TrainResult<Row> & { release(): void };
    result.release();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says when a model does not beat its bar, and when it is too close to call", async () => {
    const good = await go({ epochs: 6 });
    const worse = await go({
      against: good,
      features: features({ input: { origin: "string" }, row: (r: { origin: string }) => [r.origin === "ORD" ? 1 : 0] }),
    });
    expect(worse.verdict).toBe("bad");
    expect(worse.sentence).toMatch(/^Does not beat mlp 64-32: log loss .* against .*; do not ship\.$/);
    const same = await go({ against: good, epochs: 6, seed: 5 });
    expect(same.sentence).toMatch(/^(Too close to call|Beats|Does not beat)/);
    expect(Math.abs(same.numbers["diff"]!)).toBeLessThan(0.02);
  });

  it("judges several classes, a number and a forecast by their bar's metric", async () => {
    const classes = (await baseline(
      { split: parts, task: { kind: "multiclass", target: "kind" }, metric: "accuracy", using: ["majority"] } as never,
      b.context,
    )) as unknown as { bar: Evaluated };
    const quarter = features({ input: { quarter: "double" }, row: (r: { quarter: number }) => [0, 1, 2, 3].map((q) => (r.quarter === q ? 1 : 0)) });
    const kinds = await go({ against: classes, features: quarter, epochs: 30 });
    expect(kinds.sentence).toMatch(/^Beats majority by \d+ points .*: accuracy 100\.00 % against/);
    expect(kinds.evaluation.method).toBe("Wilson");
    expect(b.shown.at(-1)!.figures[1]!.title).toBe("Confusion");
    const mean = (await baseline({ split: parts, task: { kind: "regression", target: "amount" } } as never, b.context)) as unknown as {
      bar: Evaluated;
    };
    const number = await go({
      against: mean,
      features: features({
        input: { quarter: "double", hour: "double" },
        row: (r: { quarter: number; hour: number }) => [r.quarter / 4, r.hour / 24],
      }),
      model: "linear",
      epochs: 40,
      batch: 64,
    });
    expect(number.evaluation.metric.name).toBe("RMSE");
    expect(number.evaluation.value).toBeLessThan(0.5);
    expect((await number.predict([{ quarter: 2, hour: 10 }]))[0]).toBeCloseTo(16, 0);
    const days = await b.split(
      "select date '2001-01-01' + i::int as day, 20 + 5 * (i % 7) + (hash(i) % 100) / 100 as riders, dayofweek(date '2001-01-01' + i::int)::double as dow from range(500) r(i)",
      {
        by: "time",
        key: "day",
        cut: ["2002-01-01", "2002-03-01"],
      },
    );
    const naive = (await baseline(
      { split: days, task: { kind: "forecast", target: "riders", time: "day", season: 7, horizon: 1 }, using: ["naive"] } as never,
      b.context,
    )) as unknown as { bar: Evaluated };
    const week = features({ input: { dow: "double" }, row: (r: { dow: number }) => [0, 1, 2, 3, 4, 5, 6].map((d) => (r.dow === d ? 1 : 0)) });
    const riders = await run({ split: days, against: naive, features: week, epochs: 60, batch: 32, patience: 0 } as never, b.context);
    expect(riders.evaluation.metric.name).toBe("MAE");
    expect(riders.verdict).toBe("good");
    expect(riders.against.method).toContain("moving block");
  }, 60_000);

  it("stops and keeps the best when asked", async () => {
    let epochs = 0;
    const show = b.context.show;
    b.context.show = (view, id) => {
      show(view, id);
      if (view.word === "training" && ++epochs === 4) b.stop();
    };
    try {
      const result = await go({ epochs: 500, patience: 0 });
      expect(result.history.loss.length).toBeLessThan(10);
      expect(result.verdict).toBe("good");
      expect(b.shown.at(-1)!.warnings.at(-1)).toMatch(/^stopped at epoch \d of 500; the weights of epoch \d were kept$/);
    } finally {
      b.context.show = show;
      b.renew();
    }
  });

  it("weighs rows and classes", async () => {
    expect((await go({ weight: "w", classWeights: "balanced" })).history.loss).not.toEqual((await go({})).history.loss);
  });

  it.each([
    [{ against: undefined }, "Expected `against` of train to be what `baseline` returned, or a predictor with an evaluation, got nothing"],
    [{ split: undefined }, "Expected `split` of train to be a split"],
    [{ features: undefined }, 'Expected `features` to be made by `features({...})`, or "identity"'],
    [{ model: "forest" }, 'train: Expected `model` to be "linear", "mlp", "cnn" or a function that returns a tf.LayersModel, got "forest"'],
    [{ epochs: 0 }, "train: Expected `epochs` to be 1 or more, got 0"],
    [{ epocs: 3 }, "train: unknown option `epocs`"],
    [{ loss: "squared" }, 'Expected `loss` of a binary to be "log", got "squared"'],
    [{ weight: "nothing" }, "Expected `weight` to be a column of the rows, got `nothing`"],
    [{ classWeights: { maybe: 2 } }, "Expected each of `classWeights` to be one of 0, 1, got `maybe`"],
    [{ optimizer: "lion" }, "train: Expected `optimizer` to be one of adam"],
    [{ model: "cnn" }, "a cnn needs square images"],
    [{ features: features({ input: { hour: "double" }, row: (r: { hour: number }) => [1 / r.hour] }) }, /number 1 of 1|finite/],
  ])("refuses %j", async (options, message) => {
    const before = tf.memory().numTensors;
    await expect(go(options)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("names a constant feature and infinite inputs with their rows, before the first step", async () => {
    const flat = features({ input: { hour: "double" }, row: (r: { hour: number }) => [r.hour / 24, 0.5] });
    await go({ features: flat, epochs: 1 });
    expect(b.shown.at(-1)!.warnings).toContainEqual(
      expect.stringMatching(/^number 2 of 2 of the features is 0\.5 in all 4,\d{3} training rows: it tells nothing$/),
    );
    const spoilt = await b.split(`select id, case when id % 10 = 0 then 'inf'::double else hour end as hour, late from (${query})`, {
      ...{ by: "time", key: "id", cut: [3000, 4000] },
    });
    const bar = (await baseline({ split: spoilt, task: binary, using: ["prior"] }, b.context)) as unknown as { bar: Evaluated };
    const given = features({ input: { hour: "double" }, row: (r: { hour: number }) => [r.hour] });
    await expect(go({ split: spoilt, against: bar, features: given })).rejects.toThrow(
      "column `hour` is no finite number in 300 of 3,000 training rows (infinite in row 1), and so is number 1 of the features: leave such rows out",
    );
    const made = features({
      input: { hour: "double", distance: "double" },
      row: (r: { hour: number; distance: number }) => [r.distance, Math.log(r.hour)],
    });
    await expect(go({ features: made })).rejects.toThrow(
      /^number 2 of the features is no finite number in row \d+ of 4,\d{3} training rows, where `distance` is \d+, `hour` is 0: let `row` give one/,
    );
  });
  it("names a label out of range, and no training rows, with column and count", async () => {
    const task: Task = { kind: "multiclass", target: "kind", classes: ["a", "b"] };
    await expect(go({ task })).rejects.toThrow(/Expected `kind` to be one of the classes a, b, got `c` in 2,\d{3} of 4,\d{3} training rows/);
    const two: Task = { kind: "binary", target: "quarter" };
    await expect(go({ task: two })).rejects.toThrow(
      /Expected `quarter` of a binary task to be 0 or 1, got `[23]` in 1,\d{3} of 4,\d{3} training rows/,
    );
    await expect(b.split(query, { by: "time", key: "id", cut: [-1, 3000] })).rejects.toThrow(
      "the split leaves no rows to train: `id` goes from 0 to 5999",
    );
  });
  it("refuses rows that cannot be learned from, naming column and count", async () => {
    const same = await b.split(`select id, distance, hour, origin, id > 4000 and late as late from (${query})`, {
      by: "time",
      key: "id",
      cut: [3000, 4000],
    });
    const floor2 = (await baseline({ split: same, task: binary, using: ["prior"] }, b.context)) as unknown as { bar: Evaluated };
    await expect(go({ split: same, against: floor2 })).rejects.toThrow(
      "all 3,000 training rows have the same `late` (0): there is nothing to tell apart",
    );
    const nulls = await b.split(`select id, distance, hour, origin, case when id % 100 = 0 then null else late end as late from (${query})`, {
      by: "time",
      key: "id",
      cut: [3000, 4000],
    });
    await expect(go({ split: nulls })).rejects.toThrow("30 of 3,000 training rows have no `late`");
    const other = await b.split(query, { by: "time", key: "id", cut: [3000, 4000] });
    await expect(go({ split: other })).rejects.toThrow("the baseline prior was judged on other test rows (");
  });

  it("has a form that runs with names alone", () => {
    const source = cell.toSource([
      { name: "parts", cell: "a", type: "split" },
      { name: "floor", cell: "b", type: "baseline" },
      { name: "feats", cell: "c", type: "features" },
    ]);
    expect(source).toBe('const model = await train({\n  split: parts,\n  against: floor,\n  features: feats,\n  model: "mlp",\n  epochs: 20,\n})');
    expect(cell.schema.safeParse({ split: 1, against: 1, features: 1 }).success).toBe(true);
  });
});

it("has a form for the learning rate over time whose every choice is a call that trains", async () => {
  const schedule = cell.fields.find((field) => field.path === "optimizer.schedule.name")!;
  expect(schedule.whole).toBe("optimizer.schedule");
  expect(schedule.choices!.map(({ value }) => value)).toEqual(["step", "cosine", "plateau"]);
  for (const { value, source } of schedule.choices!) {
    // as the form writes it: JSON but for its keys
    const written = JSON.parse(source!.replaceAll(/(\w+):/g, '"$1":')) as { name: string };
    expect(written.name).toBe(value);
    const result = await go({ epochs: 2, optimizer: { schedule: written } });
    expect(result.history.loss).toHaveLength(2);
  }
});

describe("data that break a training are told by column and count before the first step", () => {
  const flawed = async (more: string, options: object, input: Record<string, string> = { distance: "double" }) => {
    const split = await b.split(`select *, ${more} from (${query})`, { by: "hash", key: "id", ratio: [0.7, 0.15, 0.15] });
    const task = { kind: "multiclass", target: "kind" } as const;
    const bar = await baseline({ split, task, using: ["prior"] } as never, b.context);
    b.shown.length = 0;
    const [name] = Object.keys(input) as [string];
    const feats = features({ input, row: (r: Record<string, number>) => Object.values(r).map((v) => Number(v) / 1000) } as never);
    const result = run({ split, against: bar, features: feats, epochs: 1, ...options } as never, b.context);
    return { name, result };
  };
  it.each<[string, string, object, RegExp]>([
    ["weights of nothing", "1 as one", { classWeights: { a: 0, b: 0, c: 0 } }, /^`classWeights` leave all [\d,]+ training rows a weight of 0/],
    [
      "a weight beyond float32",
      "case when id % 3 = 0 then 1e300 else 1 end as heavy",
      { weight: "heavy" },
      /`1e\+300` in row \d+; [\d,]+ of [\d,]+ training rows have none$/,
    ],
  ])("%s", async (_, more, options, message) => {
    await expect((await flawed(more, options)).result).rejects.toThrow(message);
    expect(b.shown).toEqual([]);
  });
  it.each<[string, string, Record<string, string> | "identity", RegExp]>([
    [
      "NaN in a field that is not declared to lack values",
      "case when id % 10 = 0 then 'nan'::double else 1.5 end as x",
      { x: "double" },
      /^column `x` is NaN in \d+ of 4,\d{3} training rows: leave such rows out, or declare it as "double\?", so that `row` gets null for it$/,
    ],
    [
      "an infinite time",
      "case when id % 10 = 0 then timestamp 'infinity' else timestamp '2001-01-01' end as x",
      { x: "timestamp" },
      /^column `x` is infinite in \d+ of 4,\d{3} training rows: .*"timestamp\?"/,
    ],
    [
      "what float32 cannot square",
      "case when id % 10 = 0 then 3e38 else 1.5 end as x",
      { x: "double" },
      /^number 1 of the features is 1e18 or larger in \d+ of 4,\d{3} training rows \(first in row \d+, from column `x`\), which is too large/,
    ],
  ])("%s", async (_, more, input, message) => {
    await expect((await flawed(more, {}, input as Record<string, string>)).result).rejects.toThrow(message);
    expect(b.shown).toEqual([]);
  });
  it("NaN where identity would train on 0; NULL is told", async () => {
    const only = (x: string) => `select id, ${x} as x, kind from (${query})`;
    const task = { kind: "multiclass", target: "kind" } as const;
    const trained = async (x: string) => {
      const split = await b.split(only(x), { by: "hash", key: "id" });
      const bar = await baseline({ split, task, using: ["prior"] } as never, b.context);
      return run({ split, against: bar, features: "identity", epochs: 1 } as never, b.context);
    };
    await expect(trained("case when id % 10 = 0 then 'nan'::double else 1.5 end")).rejects.toThrow(
      /^column `x` is NaN in \d+ of [\d,]+ training rows/,
    );
    await trained("case when id % 10 = 0 then null else hour end");
    expect(b.shown.at(-1)!.warnings.join("\n")).toMatch(/x: NULL in \d+ of [\d,]+ training rows, where the model gets 0/);
  });
  it("NULL in the test rows alone, and a target that a double rounds, are warned of", async () => {
    const wide = `select id, case when id = 5900 then null else hour end as hour, 9007199254740993::hugeint + id as y, 1234567890123456.78::decimal(20, 2) + id as z from (${query})`;
    const split = await b.split(wide, { by: "time", key: "id", cut: [3000, 4000] });
    const input = features({ input: { hour: "double" }, row: (r: { hour: number | null }) => [(r.hour ?? 0) / 24] });
    for (const [target, count] of [
      ["y", "1,500"],
      ["z", "3,000"],
    ] as const) {
      const task: Task = { kind: "regression", target };
      const bar = await baseline({ split, task, using: ["mean"] } as never, b.context);
      await run({ split, against: bar, features: input, epochs: 1 } as never, b.context);
      const warnings = b.shown.at(-1)!.warnings.join("\n");
      expect(warnings).toContain("column `hour` is NULL or NaN in 1 test rows and in no training row");
      expect(warnings).toContain(`is rounded to the nearest double in ${count} of 3,000 training rows`);
    }
  });
  it("a text where a number is due", async () => {
    const { result } = await flawed("'x' || id as word", {}, { word: "double" });
    await expect(result).rejects.toThrow(
      /^column `word` does not fit the features: Expected a number, got "x\d+"\. Of [\d,]+ training rows it is a text in [\d,]+$/,
    );
  });
  it("a constant column, NULLs and a class without rows are warned of", async () => {
    const task = { kind: "multiclass", target: "kind", classes: ["a", "b", "c", "d"] };
    const { result } = await flawed(
      "7.0 as seven, case when id % 10 = 0 then null else 1.5 end as gaps",
      { task },
      { seven: "double", gaps: "double" },
    );
    await result;
    const warnings = b.shown.at(-1)!.warnings.join("\n");
    expect(warnings).toMatch(/column `seven` is 7 in all [\d,]+ training rows: it tells nothing/);
    expect(warnings).toMatch(/gaps: NULL in \d+ of [\d,]+ training rows, where `row` gets null/);
    expect(warnings).toMatch(/none of [\d,]+ training rows has `kind` = d/);
  });
});
