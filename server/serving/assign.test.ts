import fc from "fast-check";
import { expect, it } from "vitest";
import { assign, bucketOf } from "./assign.js";

const arms = (share: number) => [
  { version: 2, share },
  { version: 1, share: 1 - share },
];

it("keeps each key on its side when the share grows", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (key, a, b) => {
      const [low, high] = [Math.min(a, b) / 100, Math.max(a, b) / 100];
      if (assign(arms(low), "salt", key).version === 2) expect(assign(arms(high), "salt", key).version).toBe(2);
    }),
  );
});

it("gives each arm its share, anew for each salt", () => {
  const count = (salt: string): number =>
    Array.from({ length: 20_000 }, (_, i) => assign(arms(0.1), salt, `user-${i}`).version).filter((version) => version === 2).length;
  // binomial(20,000, 0.1): mean 2,000, sd 42
  expect(Math.abs(count("a") - 2000)).toBeLessThan(5 * 42);
  const both = Array.from({ length: 20_000 }, (_, i) => `user-${i}`).filter((key) => bucketOf("a", key) < 1000 && bucketOf("b", key) < 1000).length;
  expect(Math.abs(both - 200)).toBeLessThan(5 * 14);
});

it("is the first eight bytes of sha256, so that any program can find it again", () => {
  // sha256("salt\0ada") = 0c4a36efeca379f1...; computed with coreutils' sha256sum
  expect(bucketOf("salt", "ada")).toBe(Number(BigInt("0x0c4a36efeca379f1") % 10_000n));
});

it("draws by lot without a key, with the probability of the arm", () => {
  expect(assign(arms(0.25), "s", null, () => 2499)).toEqual({ version: 2, probability: 0.25, bucket: 2499 });
  expect(assign(arms(0.25), "s", null, () => 2500)).toEqual({ version: 1, probability: 0.75, bucket: 2500 });
  expect(() => assign([], "s", "k")).toThrow(/at least one arm/);
});
