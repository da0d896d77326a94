/** Models in the cache: what train, distill and baseline made, and networks of tf, come back from disk in another kernel as they were. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { CellKind } from "../protocol/document.js";
import { mime } from "../protocol/output.js";
import { startKernel, type TestKernel } from "../../test/support/kernel.js";

let workspace: string;
let kernel: TestKernel;
beforeEach(async () => {
  workspace = mkdtempSync(join(tmpdir(), "cache-models-"));
  kernel = await startKernel({ workspace });
});
afterEach(async () => {
  await kernel.close();
  rmSync(workspace, { recursive: true, force: true });
});
const again = async (options: Parameters<typeof startKernel>[0] = {}) => {
  await kernel.close();
  kernel = await startKernel({ workspace, ...options });
};
const text = async (code: string, uses: string[] = []) => {
  const done = await kernel.run(code, { id: "look", uses });
  expect(done.error).toBeUndefined();
  return done.displays.at(-1)?.["text/plain"];
};

/** The whole chain. A line of `runs.txt` for each time that a cell's code really ran. */
const cells: Record<string, { source: string; kind?: CellKind; uses: string[]; cache?: boolean }> = {
  rows: {
    source: "const rows = sql`select i as id, (i * 37 % 101) / 50.0 as x, (i * 53 % 97) / 40.0 as z, x * 2 - z as y from range(600) t(i)`",
    uses: [],
  },
  parts: { source: 'const parts = rows.split({ by: "hash", key: "id", seed: 7 })', uses: ["rows"] },
  feats: {
    source: `const feats = features({
      input: { x: "double", z: "double" },
      fit: async (rows) => ({ x: await f.stats(rows, "x") }),
      row: (r, s) => [f.z(r.x, s.x), r.z],
    })`,
    uses: [],
  },
  ran: { source: 'import { appendFileSync } from "node:fs"\nconst note = (name) => appendFileSync("runs.txt", name + "\\n")', uses: [] },
  floor: {
    source:
      'note("floor")\nconst floor = await baseline({ split: parts, task: { kind: "regression", target: "y" }, metric: "RMSE", using: ["mean", "median"] })',
    kind: "baseline",
    uses: ["parts", "note"],
    cache: true,
  },
  big: {
    source: 'note("big")\nconst big = await train({ split: parts, against: floor, features: feats, model: "mlp", epochs: 5, seed: 3 })',
    kind: "train",
    uses: ["parts", "floor", "feats", "note"],
    cache: true,
  },
  small: {
    source: 'note("small")\nconst small = await distill({ teacher: big, split: parts, against: floor, students: [3], epochs: 3 })',
    kind: "distill",
    uses: ["parts", "floor", "big", "note"],
    cache: true,
  },
};
const run = async (id: string, change: (source: string) => string = (source) => source) => {
  const { source, cache, ...options } = cells[id]!;
  const done = await kernel.run(change(source), { ...options, id, ...(cache && { cache }) });
  expect(done.error).toBeUndefined();
  return done;
};
const all = async () => {
  const done: Record<string, Awaited<ReturnType<typeof run>>> = {};
  for (const id of Object.keys(cells)) done[id] = await run(id);
  return done;
};
const runs = () => readFileSync(join(workspace, "runs.txt"), "utf8").trim().split("\n");
/** What is shown in the end: each display in its place. */
const shown = ({ displays }: { displays: object[] }) => displays;

it("gives baseline, train and distill back: answers bit for bit, evaluations, what was shown, and no second training", async () => {
  const first = await all();
  expect(runs()).toEqual(["floor", "big", "small"]);
  for (const id of ["floor", "big", "small"]) expect([id, first[id]!.warnings, first[id]!.cached]).toEqual([id, [], undefined]);
  const look = `const hex = (ps) => Buffer.from(Float64Array.from(ps).buffer).toString("hex")
    const records = await parts.test.rows()
    JSON.stringify([hex(await floor.bar.predict(records)), hex(await big.predict(records)), hex(await small.student.predict(records)),
      big.evaluation.value, big.evaluation.ci, hex(big.evaluation.losses), big.history, big.sentence, big.params, big.bytes, big.provenance, big.input,
      big.against, small.gapClosed, small.sentence, small.teacher === big, floor.all.indexOf(floor.bar), big.evaluation.metric.row(1, 3), Object.keys(big)])`;
  const before = await text(look);
  await again();
  const second = await all();
  expect(runs()).toEqual(["floor", "big", "small"]);
  for (const id of ["floor", "big", "small"]) {
    expect([id, second[id]!.warnings]).toEqual([id, []]);
    expect(second[id]!.cached).toMatchObject({ savedMs: expect.any(Number) as number });
    expect(shown(second[id]!)).toEqual(shown(first[id]!));
  }
  expect(second["big"]!.displays[0]![mime.finding]).toMatchObject({ kind: "train" });
  expect(await text(look)).toBe(before);
});

it("stages the same version from a result of disk, byte by byte", async () => {
  await all();
  const stage = async (name: string) => {
    await text(
      `for (const [name, model] of Object.entries({ floor: floor.bar, big, small: small.student })) await model.stage("${name}-" + name, floor.bar)`,
    );
    return ["floor", "big", "small"].map((model) => readFileSync(join(workspace, `${name}-${model}`, "manifest.json"), "utf8"));
  };
  const first = await stage("first");
  await again();
  await all();
  expect(runs()).toEqual(["floor", "big", "small"]);
  expect(await stage("second")).toEqual(first);
});

it("trains again when code, an option, the seed, the rows, the split, the lock or the back end is another", async () => {
  writeFileSync(
    join(workspace, "data.csv"),
    "id,x,z,y\n" + Array.from({ length: 300 }, (_, i) => `${i},${i % 7},${i % 11},${(i % 7) - (i % 11)}`).join("\n"),
  );
  const rows = () => "const rows = csv(file('data.csv'))";
  const trained = async (change: Record<string, (source: string) => string> = {}) => {
    const before = runs().filter((name) => name === "big").length;
    for (const id of ["rows", "parts", "feats", "ran", "floor"]) await run(id, id === "rows" ? rows : change[id]);
    await run("big", change["big"]);
    return runs().filter((name) => name === "big").length - before;
  };
  writeFileSync(join(workspace, "runs.txt"), "");
  expect([await trained(), await trained()]).toEqual([1, 0]);
  expect(await trained({ big: (source) => source.replace("epochs: 5", "epochs: 6") })).toBe(1);
  expect(await trained({ big: (source) => source.replace("seed: 3", "seed: 4") })).toBe(1);
  expect(await trained({ parts: (source) => source.replace("seed: 7", "seed: 8") })).toBe(1);
  expect(await trained()).toBe(0);
  expect(await trained({ feats: (source) => source.replace("r.z]", "r.z * 2]") })).toBe(1);
  expect(await trained({ floor: (source) => source.replace('"mean", ', "") })).toBe(1);
  writeFileSync(join(workspace, "package-lock.json"), "{}");
  expect([await trained(), await trained()]).toEqual([1, 0]);
  writeFileSync(join(workspace, "data.csv"), readFileSync(join(workspace, "data.csv"), "utf8").replace("5,5,5,0", "5,5,5,1"));
  expect([await trained(), await trained()]).toEqual([1, 0]);
  await again({ backend: "cpu" });
  expect([await trained(), await trained()]).toEqual([1, 0]);
  await again({ seed: 43 });
  expect(await trained()).toBe(1);
  await again();
  expect(await trained()).toBe(0);
});

it("keeps models inside lists, records, copies, ensembles and other judgements, and a split that the cell itself makes", async () => {
  const source = `note("pair")
    const own = rows.split({ by: "hash", key: "id", seed: 9 }).with(sql\`select 1000 + i as id, 0.5 as x, 0.25 as z, 1.0 as y from range(3) t(i)\`)
    const both = ensemble([big, 2], [small.student, 1])
    const pair = { models: [big, floor.bar], by: new Map([["s", small.student]]), mine: { ...big, label: "mine" }, both,
      judged: (await baseline({ split: own, metric: "MAE", using: [both, "mean"], task: { kind: "regression", target: "y" } })).all }`;
  const uses = ["rows", "parts", "floor", "big", "small", "note"];
  const look = `const hex = (ps) => Buffer.from(Float64Array.from(ps).buffer).toString("hex")
    const records = await own.test.rows()
    const answers = []
    for (const model of [...pair.models, pair.by.get("s"), pair.mine, pair.both, ...pair.judged]) answers.push(model.label, hex(await model.predict(records)))
    JSON.stringify([answers, pair.models[0] === big, pair.by.get("s") === small.student, own.id, own.spec, await own.train.count(), pair.judged.map((one) => one.evaluation.ci)])`;
  const once = async () => {
    await all();
    const done = await kernel.run(source, { id: "pair", uses, cache: true });
    expect([done.error, done.warnings]).toEqual([undefined, []]);
    return [done.cached !== undefined, await text(look, ["pair", "own", ...uses])];
  };
  const [, before] = await once();
  await again();
  expect(await once()).toEqual([true, before]);
});

it.each(["wasm", "cpu"])("keeps networks of tf with how they were compiled, variables, and complex numbers (%s)", async (backend) => {
  await again({ backend });
  const wave = "tf.complex([1, 2], [3, -4])";
  const source = `const net = tf.sequential({ layers: [tf.layers.dense({ units: 4, activation: "tanh", inputShape: [3] }), tf.layers.dense({ units: 1 })] })
    net.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError", metrics: ["mae"] })
    await net.fit(tf.ones([8, 3]), tf.zeros([8, 1]), { epochs: 2 })
    const kept = { net, weight: tf.variable(tf.tensor1d([1, 2.5]), false), wave: ${wave}, bare: Object.assign(Object.create(null), { a: 1 }) }`;
  const look = `const of = tf.tidy(() => Buffer.from(kept.net.predict(tf.tensor2d([[0.1, -2, 3]])).dataSync().buffer).toString("hex"))
    JSON.stringify([of, kept.net === net, net.loss, net.metrics, net.optimizer.getConfig().learningRate, net.constructor.name, kept.weight instanceof tf.Variable,
      kept.weight.trainable, kept.weight.arraySync(), [...kept.wave.dataSync()], kept.wave.dtype, Object.getPrototypeOf(kept.bare)])`;
  const first = await kernel.run(source, { id: "net", cache: true });
  expect([first.error, first.warnings.filter((warning) => warning.startsWith("not cached"))]).toEqual([undefined, []]);
  const before = await text(look);
  // as an input, it is known by what it holds
  const asked = () => kernel.run("const out = net.countParams()", { id: "out", uses: ["net"], cache: true });
  expect((await asked()).cached).toBeUndefined();
  await again({ backend });
  expect((await kernel.run(source, { id: "net", cache: true })).cached).toBeDefined();
  expect(await text(look)).toBe(before);
  expect((await asked()).cached).toBeDefined();
  expect(
    (await kernel.run("net.compile({ optimizer: 'sgd', loss: (y, p) => y.sub(p).square().mean() })\nconst own = net", { id: "own", cache: true }))
      .warnings,
  ).toEqual(["not cached: it changes its input net, which a result from disk would not do"]);
});

it("frees what came from disk when the cell runs again", async () => {
  await all();
  await again();
  await all();
  const count = "tf.memory().numTensors";
  const before = await text(count);
  expect(
    await text(`await big.predict([{ x: 1, z: 2 }])\nawait small.student.predict([{ x: 1, z: 2 }])\n${count} > ${before}`, ["big", "small"]),
  ).toBe("true");
  for (let i = 0; i < 3; i++) {
    await run("big");
    await run("small");
    await text("await big.predict([{ x: 1, z: 2 }])", ["big"]);
  }
  await run("big");
  await run("small");
  await kernel.run("0", { id: "look" });
  expect(runs()).toEqual(["floor", "big", "small"]);
  expect(await text(count)).toBe(before);
});

it("says which part cannot be kept, and why, and loses nothing", async () => {
  await all();
  const warned = async (source: string, uses: string[]) => (await kernel.run(source, { id: "own", uses, cache: true })).warnings;
  expect(await warned("const own = { ...big, predict: async (rows) => rows.map(() => 1) }", ["big"])).toEqual([
    "not cached: own.predict is a function, which cannot be stored",
  ]);
  expect(await text("(await own.predict([{}])).length", ["own"])).toBe("1");
  expect(await warned("const own = [feats, features({ input: { x: 'double' }, row: (r) => [r.x] })]", ["feats"])).toEqual([
    "not cached: own[1].row is a function, which cannot be stored",
  ]);
  expect(await warned("const own = [1]; class Mine extends Map {}; const mine = new Mine()", [])).toEqual([
    "not cached: Mine is a function, which cannot be stored",
  ]);
  expect(await warned("const own = new (class Mine extends Map {})()", [])).toEqual(["not cached: own is of the class Mine, which cannot be stored"]);
  expect(await warned("const own = new Error('no', { cause: 1 })", [])).toEqual(["not cached: own is an error with `cause`, which cannot be stored"]);
  expect(await warned("const own = { [Symbol('s')]: 1 }", [])).toEqual(["not cached: own has a property under a symbol, which cannot be stored"]);
});
