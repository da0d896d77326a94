import { expect, it } from "vitest";
import type { Field } from "../protocol/values.js";
import { generator } from "../tensors/seeds.js";
import { strongestInput } from "./single.js";

const field = (name: string, type: Field["type"] = "double"): Field => ({ name, type, nullable: true });
const rows = Array.from({ length: 400 }, (_, i) => i);
const y = rows.map((i) => Number((i * 7919) % 5 === 0));
const noise = rows.map((i) => (i * 104_729) % 97);

it.each<[string, Field["type"], (i: number) => unknown]>([
  ["a number that only one class has", "double", (i) => (y[i] ? noise[i] : null)],
  ["a number that only the other class has", "integer", (i) => (y[i] ? null : noise[i])],
  ["a time that only one class has", "timestamp", (i) => (y[i] ? new Date(1e12 + i) : null)],
  ["a number that is missing for half of one class and low for the rest of it", "double", (i) => (y[i] ? (i % 2 ? null : -1) : noise[i])],
  ["a word", "string", (i) => (y[i] ? "closed" : "open")],
  ["a word or none", "string", (i) => (y[i] ? "closed" : null)],
  ["the target itself", "boolean", (i) => Boolean(y[i])],
])("sees a leak by %s", (_, type, value) => {
  const found = strongestInput([field("noise"), field("leak", type)], [noise, rows.map(value)], y, "binary");
  expect(found).toEqual({ field: "leak", score: 1, measure: "AUC" });
});

it("sees what a missing value tells about a number", () => {
  const amount = rows.map((i) => (i % 3 === 0 ? 100 : 0));
  expect(strongestInput([field("refund")], [amount.map((a) => (a === 0 ? null : noise[a]!))], amount, "regression")).toMatchObject({
    field: "refund",
    measure: "correlation",
    score: expect.closeTo(1, 9) as number,
  });
});

it("finds little in noise, in a key and in values missing by chance, and nothing in too few rows", () => {
  const gaps = rows.map((i) => ((i * 31) % 7 === 0 ? null : noise[i]));
  const fields = [field("noise"), field("gaps"), field("key", "string")];
  const found = strongestInput(fields, [noise, gaps, rows.map((i) => `k${i}`)], y, "binary");
  expect(found!.score).toBeLessThan(0.65);
  expect(strongestInput([field("noise")], [noise.slice(0, 20)], y.slice(0, 20), "binary")).toBeNull();
});

it.each<[string, Field["type"], (c: number, i: number) => unknown]>([
  ["the class's own number", "integer", (c) => c],
  ["its name", "string", (c) => ["a", "b", "c"][c]],
  ["its absence for one, its value for the others", "string", (c) => (c === 1 ? null : `x${c}`)],
])("sees which of three classes it is by %s", (_, type, value) => {
  const three = rows.map((i) => (i * 7919) % 3);
  const found = strongestInput([field("noise"), field("leak", type)], [noise, rows.map((i) => value(three[i]!, i))], three, "multiclass");
  expect(found).toEqual({ field: "leak", score: 1, measure: "lambda" });
});

it("sees the middle of three classes by ranges of a number with thousands of values, and nothing in noise or keys", () => {
  const many = Array.from({ length: 4000 }, (_, i) => i);
  const random = generator(5);
  const draw = many.map(() => random());
  const three = draw.map((v) => (v < 0.34 ? 0 : v < 0.6 ? 1 : 2));
  const leak = draw.map((v) => 100 * v);
  const nothing = many.map(() => random());
  const fields = [field("nothing"), field("key", "string"), field("leak")];
  const found = strongestInput(fields, [nothing, many.map((i) => `k${i}`), leak], three, "multiclass");
  expect(found).toMatchObject({ field: "leak", measure: "lambda" });
  expect(found!.score).toBeGreaterThan(0.995);
  const none = strongestInput(fields.slice(0, 2), [nothing, many.map((i) => `k${i}`)], three, "multiclass");
  expect(none!.score).toBeLessThan(0.1);
});
