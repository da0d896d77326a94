import { expect, test } from "vitest";
import { derive, generator, permutation, seeded, shuffle } from "./seeds.js";

test("the generator gives mulberry32's published sequence", () => {
  // seed 1: first outputs as given by the reference implementation in C
  const random = generator(1);
  expect([random(), random(), random()]).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522]);
});

test("purposes give different seeds, the same purpose the same", () => {
  expect(derive(1, "shuffle")).toBe(derive(1, "shuffle"));
  const seen = new Set(["shuffle", "init", "dropout", ""].flatMap((p) => [1, 2, 3].map((s) => derive(s, p))));
  expect(seen.size).toBe(12);
});

test("Math.random comes back, also after an error and nested", () => {
  const before = Math.random;
  expect(
    seeded(generator(5), () =>
      seeded(
        () => 0.25,
        () => Math.random(),
      ),
    ),
  ).toBe(0.25);
  expect(() =>
    seeded(generator(5), () => {
      throw new Error("x");
    }),
  ).toThrow("x");
  expect(Math.random).toBe(before);
});

test("a permutation holds every index once and is uniform over the first place", () => {
  expect([...permutation(1000, generator(2))].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
  const counts = [0, 0, 0, 0];
  const random = generator(9);
  for (let i = 0; i < 40_000; i++) counts[permutation(4, random)[0] as number]!++;
  // chi-square, 3 degrees of freedom: 16.27 is the 0.1 % point
  expect(counts.reduce((sum, c) => sum + (c - 10_000) ** 2 / 10_000, 0)).toBeLessThan(16.27);
  expect(shuffle([1], random)).toEqual([1]);
});
