import fc from "fast-check";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadBackend, type Tf } from "../tensors/backend.js";
import { generator } from "../tensors/seeds.js";
import { buildNetwork } from "./build.js";
import { fit, outputs, type FitOptions, type Table } from "./fit.js";
import { shuffled } from "./shuffle.js";
import { blocksOf, joinVectors, storeVectors, type StoredVectors } from "./vectors.js";

const folder = mkdtempSync(join(tmpdir(), "touchstone-vectors-"));
const held: StoredVectors[] = [];
let tf: Tf;
beforeAll(async () => {
  tf = (await loadBackend("wasm")).tf;
});
afterAll(() => {
  for (const one of held) one.close();
  rmSync(folder, { recursive: true, force: true });
});

function stored(x: Float32Array, width: number): StoredVectors {
  const store = storeVectors(folder, x.length / width, width);
  for (let at = 0; at < x.length; at += 7 * width) store.write(x.subarray(at, at + 7 * width));
  const made = store.done();
  held.push(made);
  return made;
}
/** row i is i * 10, i * 10 + 1, ... */
const numbered = (rows: number, width: number) => Float32Array.from({ length: rows * width }, (_, i) => Math.floor(i / width) * 10 + (i % width));

async function epoch(x: StoredVectors | Float32Array, rows: number, width: number, batch: number, seed: number, bytes?: number) {
  const order: number[] = [];
  const sizes: number[] = [];
  for await (const window of shuffled(x, rows, width, batch, generator(seed), bytes)) {
    sizes.push(window.local.length);
    expect(window.global.length).toBe(window.local.length);
    window.local.forEach((place, i) => {
      const row = window.global[i]!;
      order.push(row);
      expect(Array.from(window.x.subarray(place * width, (place + 1) * width))).toEqual(Array.from({ length: width }, (_, j) => row * 10 + j));
    });
  }
  return { order, sizes };
}

describe("vectors in a file", () => {
  it("are what was written, in any part, and leave no file behind", async () => {
    const x = numbered(100, 3);
    const file = stored(x, 3);
    expect(readdirSync(folder)).toEqual([]);
    expect([file.rows, file.width, file.bytes]).toEqual([100, 3, 1200]);
    expect(file.read(0, 100)).toEqual(x);
    expect(file.read(40, 42)).toEqual(x.subarray(120, 126));
    const into = new Float32Array(6);
    await file.part(10, 20).load(3, 5, into);
    expect(into).toEqual(x.subarray(39, 45));
    expect(() => file.read(99, 101)).toThrow(RangeError);
    const both = joinVectors(file, numbered(5, 3), 3) as StoredVectors;
    expect(both.rows).toBe(105);
    expect(both.read(98, 103)).toEqual(Float32Array.of(980, 981, 982, 990, 991, 992, 0, 1, 2, 10, 11, 12, 20, 21, 22));
    expect(both.part(99, 102).read(1, 3)).toEqual(Float32Array.of(0, 1, 2, 10, 11, 12));
    expect([...blocksOf(both, 105, 3)].map(({ from, to }) => [from, to])).toEqual([[0, 105]]);
    file.close();
    expect(() => file.read(0, 1)).toThrow("closed");
  });

  it("are refused in words where the disk is too small", () => {
    expect(() => storeVectors(folder, 2 ** 45, 100)).toThrow(
      /vectors of .* rows \(100 numbers each\) take .* GB of disk, and .* are free: use fewer rows/,
    );
  });
});

describe("an epoch", () => {
  it("has each row once with its vector, in whole batches until the last, the same for a seed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          rows: fc.integer({ min: 1, max: 700 }),
          width: fc.integer({ min: 1, max: 5 }),
          batch: fc.integer({ min: 1, max: 64 }),
          seed: fc.nat(1e6),
        }),
        fc.integer({ min: 1, max: 4000 }),
        async ({ rows, width, batch, seed }, bytes) => {
          const file = stored(numbered(rows, width), width);
          const size = Math.min(batch, rows);
          const { order, sizes } = await epoch(file, rows, width, size, seed, bytes);
          expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
          for (const one of sizes.slice(0, -1)) expect(one % size).toBe(0);
          expect((await epoch(file, rows, width, size, seed, bytes)).order).toEqual(order);
          file.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it("mixes rows from all over the file", async () => {
    const { order, sizes } = await epoch(stored(numbered(20_000, 2), 2), 20_000, 2, 32, 3, 16_384);
    expect(sizes.length).toBeGreaterThan(8);
    // a batch of consecutive rows would have a deviation of 9; of rows drawn at random, 5,774
    const spread = [0, 5000, 15_000].map((at) => {
      const batch = order.slice(at, at + 32);
      const mean = batch.reduce((sum, row) => sum + row, 0) / 32;
      return Math.sqrt(batch.reduce((sum, row) => sum + (row - mean) ** 2, 0) / 32);
    });
    for (const one of spread) expect(one).toBeGreaterThan(3000);
  });
});

describe("fit", () => {
  function clouds(rows: number, seed: number): Table & { x: Float32Array } {
    const random = generator(seed);
    const x = new Float32Array(rows * 3);
    const y = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      y[i] = i % 3;
      for (let j = 0; j < 3; j++) x[i * 3 + j] = (i % 3 === j ? 1.5 : 0) + random() * 2 - 1;
    }
    return { x, y, rows, width: 3 };
  }
  const train = clouds(3000, 1);
  const valid = clouds(500, 2);
  const options = (x: Table["x"]): FitOptions => ({
    ...{
      train: { ...train, x },
      valid: { ...valid, x: stored(valid.x, 3) },
      outcome: "multiclass",
      loss: "log",
      epochs: 3,
      batch: 32,
      patience: 0,
      seed: 5,
    },
    weights: Float32Array.from(train.y, (c) => 1 + c),
  });
  const network = () => buildNetwork(tf, { model: "mlp", width: 3, outcome: "multiclass", classes: 3, seed: 7 });

  it("learns from a file as well as from memory, the same each time", async () => {
    const losses: number[][] = [];
    for (const x of [train.x, stored(train.x, 3), stored(train.x, 3)]) {
      const own = network();
      const { history } = await fit(tf, own, options(x));
      losses.push(history.valLoss);
      expect(await outputs(tf, own, stored(valid.x, 3), valid.rows)).toEqual(await outputs(tf, own, valid.x, valid.rows));
      own.answer.dispose();
    }
    expect(losses[1]).toEqual(losses[2]);
    expect(Math.abs(losses[0]![2]! - losses[1]![2]!)).toBeLessThan(0.05);
  });
});
