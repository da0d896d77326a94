import fc from "fast-check";
import { expect, it } from "vitest";
import { diffLines, folded } from "./lines.js";

const text = fc.array(fc.constantFrom("a", "b", "c", "", "  d"), { maxLength: 30 }).map((lines) => lines.join("\n"));

it("holds both texts, each line once, and marks no more than it must", () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after);
      const side = (other: string) => lines.filter((line) => line.sign !== other).map((line) => line.text);
      expect(side("+").join("\n")).toBe(before);
      expect(side("-").join("\n")).toBe(after);
      if (before === after) expect(lines.every((line) => line.sign === " ")).toBe(true);
    }),
  );
});

it("finds a line put between, and folds what is far from it", () => {
  const before = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const lines = diffLines(before.join("\n"), before.toSpliced(10, 0, "new").join("\n"));
  expect(lines.filter((line) => line.sign !== " ")).toEqual([{ sign: "+", text: "new" }]);
  expect(folded(lines).map((line) => ("skipped" in line ? line.skipped : line.text))).toEqual([
    7,
    "line 7",
    "line 8",
    "line 9",
    "new",
    "line 10",
    "line 11",
    "line 12",
    7,
  ]);
});

it("does not compare very long texts line by line", () => {
  const long = (word: string) => Array.from({ length: 3000 }, (_, i) => `${word} ${i}`).join("\n");
  expect(diffLines(long("a"), long("b"))).toHaveLength(6000);
});
