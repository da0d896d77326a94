import { expect, it } from "vitest";
import type { Field } from "../protocol/values.js";
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
