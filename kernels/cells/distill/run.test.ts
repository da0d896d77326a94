import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainBench, type TrainBench } from "../../../test/support/train.js";
import { ensemble } from "../../models/ensemble.js";
import { features } from "../../models/features.js";
import { loadPredictor } from "../../models/load.js";
import { proveParity } from "../../models/parity.js";
import { readSample } from "../../models/version.js";
import type { DistillOptions, DistillResult, TrainResult } from "../../protocol/library.js";
import type { Evaluated, Predictor, Row, Split } from "../../protocol/values.js";
import { wilson } from "../../stats/wilson.js";
import { loadBackend, type Tf } from "../../tensors/backend.js";
import { run as baseline } from "../baseline/run.js";
import { run as train } from "../train/run.js";
import { cell } from "./cell.js";
import { run } from "./run.js";
import { agreement, errorsOf, logitsOf, withTransfer } from "./teach.js";
import { worthOf } from "./worth.js";

let tf: Tf;
let b: TrainBench;
let parts: Split;
let floor: { bar: Evaluated };
let teacher: TrainResult<Row>;
/** three classes on rings around a centre: a small network needs help */
const query = `select i as id, cos(i * 0.7) * (1 + i % 3 + (hash(i) % 100) / 140) as x, sin(i * 0.7) * (1 + i % 3 + (hash(i) % 100) / 140) as y,
  case when hash(i + 7) % 20 = 0 then 'c' when i % 3 = 0 then 'a' when i % 3 = 1 then 'b' else 'c' end as ring from range(2400) r(i)`;
const xy = features({ input: { x: "double", y: "double" }, row: (r: { x: number; y: number }) => [r.x, r.y] });
beforeAll(async () => {
  tf = (await loadBackend("wasm")).tf;
  b = trainBench();
  parts = await b.split(query, { by: "hash", key: "id" });
  floor = (await baseline({ split: parts, task: { kind: "multiclass", target: "ring" }, using: ["prior"] }, b.context)) as never;
  teacher = (await train(
    {
      split: parts,
      against: floor,
      features: xy,
      model: (shape: number[]) =>
        tf.sequential({
          layers: [64, 64]
            .map((units, i) => tf.layers.dense({ units, activation: "relu", ...(i === 0 ? { inputShape: shape } : {}) }))
            .concat(tf.layers.dense({ units: 3 }) as never),
        }),
      epochs: 25,
      patience: 0,
      optimizer: { name: "adam", learningRate: 0.005 },
    } as never,
    b.context,
  )) as never;
}, 60_000);
afterAll(() => b.close());

const go = (options: object = {}): Promise<DistillResult<Row>> =>
  run({ teacher, split: parts, against: floor, students: [8], epochs: 4, ...options } as unknown as DistillOptions<Row>, b.context);

describe("distill", () => {
  it("puts teacher, scratch and student side by side and takes the student that fits the budget", async () => {
    b.shown.length = 0;
    // the folder of features alone weighs some kilobytes: the budget lies between student and teacher
    const probe = await go({ epochs: 1 });
    const bytes = Math.round((probe.student.bytes + probe.teacher.bytes) / 2);
    const d = await go({ students: [6, 16], epochs: 30, batch: 32, budget: { bytes } });
    expect(d.sentence).toMatch(
      /^The student keeps \d+ % of the teacher's gain at 1\/\d+(\.\d)? of the size: \d+\.\d\d % right against \d+\.\d\d %, log loss .* against .*, \d+ kB of \d+ kB\. (It beats|The same network|Distilling did not help).*\. The teacher does not fit \(\d+ kB of \d+ kB\)\.$/,
    );
    const helped = d.sentence.includes("It beats the same network taught by the labels alone");
    expect(d.verdict).toBe(d.sentence.includes("did not help") ? "unsure" : "good");
    if (helped) expect(d.sentence).toContain(`closes ${Math.round(100 * d.gapClosed)} % of the gap`);
    expect(d.student.bytes).toBeLessThan(bytes);
    expect(d.teacher.bytes).toBeGreaterThan(bytes);
    expect(d.student.evaluation.value).toBeGreaterThan(d.teacher.evaluation.value);
    expect(d.frontier.map((point) => point.predictor)).toEqual([
      "own 64-64",
      "mlp 6 from scratch",
      "student mlp 6",
      "mlp 16 from scratch",
      "student mlp 16",
    ]);
    const view = b.shown.at(-1)!;
    expect(view.figures.map((figure) => figure.title)).toEqual(["log loss against latency", "log loss against size"]);
    const [row] = view.tables[0]!.rows;
    const n = d.teacher.evaluation.n;
    const [low, high] = wilson(Math.round((row![4] as number) * n), n);
    expect(row![5]).toBeCloseTo(low, 12);
    expect(row![6]).toBeCloseTo(high, 12);
    expect(d.gapClosed).toBeCloseTo(
      (d.student.evaluation.value - d.scratch.evaluation.value) / (d.teacher.evaluation.value - d.scratch.evaluation.value),
      12,
    );
    expect(d.fidelity).toBeGreaterThan(0.5);
  });

  it("gives the same student for the same seed, and the host repeats it", async () => {
    const [one, two] = [await go({ seed: 2 }), await go({ seed: 2 })];
    expect(two.student.evaluation).toEqual(one.student.evaluation);
    const [a, c] = [b.folder(), b.folder()];
    expect((await one.student.stage(a)).files).toEqual((await two.student.stage(c)).files);
    const loaded = await loadPredictor(a);
    await expect(proveParity(loaded, readSample(a))).resolves.toBeDefined();
    loaded.dispose();
  });

  it("learns from an ensemble and from rows without labels", async () => {
    const rows = await b.rows(`select x, y from (${query}) where id % 2 = 0`);
    const d = await go({ teacher: [teacher, teacher], transfer: rows });
    expect(d.teacher.label).toBe("ensemble of 2");
    expect(d.teacher.evaluation.value).toBeCloseTo(teacher.evaluation.value, 6);
    expect(b.shown.at(-1)!.footer).toContain("trained on 2,8");
  });

  it("says so when no student fits", async () => {
    const d = await go({ epochs: 2, budget: { bytes: 100 } });
    expect(d.verdict).toBe("bad");
    expect(d.sentence).toMatch(/^No student fits the budget \(\d+ kB of 100 bytes\): /);
  });

  it("leaves no tensors behind a refusal", async () => {
    const before = tf.memory().numTensors;
    const stranger = { ...floor.bar, label: "stranger" } as unknown as Predictor;
    for (const [options, message] of [
      [{ teacher: undefined }, "Expected `teacher` of distill to be a predictor or a list of them, got nothing"],
      [{ teacher: stranger }, "the teacher stranger was not trained here, so the student has no features"],
      [{ against: undefined }, "Expected `against` of distill"],
      [{ students: [] }, "Expected `students` to name at least one size"],
      [{ students: [0] }, "distill: Expected"],
      [{ alpha: 2 }, "distill: Expected `alpha` to be from 0 to 1, got 2"],
      [{ temperature: 0 }, "distill: Expected `temperature` to be above 0, got 0"],
      [{ budget: { p99: 3 } }, "distill: unknown option in `budget` `p99`"],
      [{ transfer: 3 }, "Expected `transfer` of distill to be a relation, got `3`"],
    ] as const)
      await expect(go(options)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("has a form that runs with names alone", () => {
    expect(cell.toSource([{ name: "big", cell: "a", type: "train" }])).toContain("teacher: big,\n  split: parts,\n  against: floor,");
    expect(cell.schema.safeParse({ teacher: 1, split: 1, against: 1 }).success).toBe(true);
  });
});

describe("worth", () => {
  const by = (diff: number, low: number, high: number) => ({ diff, ci: [low, high] as [number, number], p: 0, method: "m", n: 9 });
  it("says whether the teacher was worth asking", () => {
    expect(worthOf(by(-0.02, -0.03, -0.01), "lower", 0.414, "0.12")).toEqual({
      word: "better",
      sentence: "It beats the same network taught by the labels alone (0.12), which closes 41 % of the gap to the teacher.",
    });
    expect(worthOf(by(0.02, 0.01, 0.03), "lower", -0.4, "0.12")).toEqual({
      word: "worse",
      sentence: "Distilling did not help: the same network taught by the labels alone has 0.12, which is better.",
    });
    expect(worthOf(by(0.02, 0.01, 0.03), "higher", -3, "97.10 %").sentence).toBe("It beats the same network taught by the labels alone (97.10 %).");
    expect(worthOf(by(0, -0.01, 0.01), "lower", 0, "0.12").word).toBe("alike");
  });
});

describe("teach", () => {
  it("makes logits whose softmax is the answer", () => {
    const [z] = [logitsOf({ values: Float32Array.of(0.7, 0.2, 0.1), width: 3 }, "multiclass", undefined)];
    const e = [...z].map(Math.exp);
    const sum = e.reduce((a, c) => a + c);
    expect(e[0]! / sum).toBeCloseTo(0.7, 6);
    const [zero, half, one] = logitsOf({ values: Float32Array.of(0, 0.5, 1), width: 1 }, "binary", undefined);
    expect(half).toBe(0);
    expect(Number.isFinite(zero) && Number.isFinite(one)).toBe(true);
    expect([...logitsOf({ values: Float32Array.of(5), width: 1 }, "regression", { mean: 3, sd: 2 })]).toEqual([1]);
  });
  it("measures agreement and divergence", () => {
    const t = { values: Float32Array.of(0.5, 0.3, 0.2, 0.1, 0.1, 0.8), width: 3 };
    const s = { values: Float32Array.of(0.4, 0.4, 0.2, 0.8, 0.1, 0.1), width: 3 };
    const task = { kind: "multiclass" as const, target: "y" };
    const { fidelity, kl } = agreement(t, s, task);
    expect(fidelity).toBe(0.5);
    expect(kl).toBeCloseTo((0.5 * Math.log(0.5 / 0.4) + 0.3 * Math.log(0.3 / 0.4) + 0.1 * Math.log(1 / 8) + 0.8 * Math.log(8)) / 2, 6);
    expect(errorsOf(s, Float64Array.of(0, 2), task)).toBe(1);
    expect(
      agreement({ values: Float32Array.of(1, 2, 3), width: 1 }, { values: Float32Array.of(2, 4, 6), width: 1 }, { kind: "regression", target: "y" })
        .fidelity,
    ).toBeCloseTo(1, 12);
  });
  it("turns the hard loss off for rows without labels", () => {
    const lesson = withTransfer({ x: Float32Array.of(1, 2), y: Float64Array.of(1, 0), rows: 2, width: 1 }, Float32Array.of(5, 6), 0.7, {
      x: Float32Array.of(3),
      rows: 1,
      logits: Float32Array.of(7),
    });
    expect([...(lesson.alpha as Float32Array)].map((a) => Number(a.toFixed(6)))).toEqual([0.7, 0.7, 1]);
    expect([...(lesson.table.x as Float32Array), ...lesson.logits]).toEqual([1, 2, 3, 5, 6, 7]);
  });
});

describe("ensemble", () => {
  const fixed = (label: string, p: number, target = "y"): Predictor => ({
    ...{ label, task: { kind: "binary", target }, params: 1, bytes: 10, provenance: {} as never },
    input: { inputs: [{ name: "a", type: "double", nullable: false }], output: { name: target, kind: "probability" } },
    predict: async (rows) => rows.map(() => p),
    stage: async () => ({}) as never,
  });
  it("answers with the weighted mean", async () => {
    const both = ensemble([fixed("one", 0.2), 1], [fixed("two", 0.8), 3]);
    expect(await both.predict([{ a: 1 }, { a: 2 }])).toEqual([0.65, 0.65].map((p) => expect.closeTo(p, 12)));
    expect(both).toMatchObject({ label: "ensemble of 2", params: 2, bytes: 20 });
  });
  it("refuses members that answer other questions", () => {
    expect(() => ensemble()).toThrow("at least one [predictor, weight]");
    expect(() => ensemble([fixed("one", 0.2), 0])).toThrow("Expected the weight of member 1 of `ensemble` to be above 0, got `0`");
    expect(() => ensemble([fixed("one", 0.2), 1], [fixed("two", 0.2, "z"), 1])).toThrow(
      "members of an ensemble answer one question: one answers binary of `y`, two binary of `z`",
    );
  });
});
