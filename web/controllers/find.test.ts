import fc from "fast-check";
import { expect, it } from "vitest";
import { applyOperation } from "../../kernels/notebook/operations.js";
import type { Cell } from "../../kernels/protocol/document.js";
import { findAll, mostMatches, nearest, pattern, replacing, type FindQuery } from "./find.js";

const cellsOf = (...sources: string[]): Cell[] => sources.map((source, i) => ({ id: "abcdefgh"[i]!, kind: "code", source, options: {} }));
const query = (text: string, more: Partial<FindQuery> = {}): FindQuery => ({ text, exact: false, word: false, regex: false, ...more });
const places = (cells: Cell[], asked: FindQuery) => findAll(cells, pattern(asked)!).map(({ cell, from, to }) => `${cell}${from}-${to}`);
const replaced = (cells: Cell[], asked: FindQuery, insert: string) =>
  replacing(findAll(cells, pattern(asked)!), insert, asked.regex)
    .reduce(applyOperation, { front: {}, cells })
    .cells.map((cell) => cell.source);

const cells = cellsOf("const rate = Rate(1)\nrates + $rate", "", "RATE.x");
const finds: [string, FindQuery, string[]][] = [
  ["any case", query("rate"), ["a6-10", "a13-17", "a21-25", "a30-34", "c0-4"]],
  ["capitals", query("rate", { exact: true }), ["a6-10", "a21-25", "a30-34"]],
  ["whole words", query("rate", { word: true }), ["a6-10", "a13-17", "c0-4"]],
  ["signs as they stand", query("Rate(1)"), ["a13-20"]],
  ["a regular expression", query("r.te\\b", { regex: true, exact: true }), ["a6-10", "a30-34"]],
  ["its line starts", query("^r", { regex: true }), ["a21-22", "c0-1"]],
  ["no empty matches", query("z*", { regex: true }), []],
  ["over lines", query("\\)\\nr", { regex: true }), ["a19-22"]],
  ["what stands without Unicode alone", query("\\-|x{", { regex: true }), []],
  ["whole words with a choice", query("const|rates", { regex: true, word: true }), ["a0-5", "a21-26"]],
];
for (const [name, asked, at] of finds) it(`finds ${name}`, () => expect(places(cells, asked)).toEqual(at));

it("says what is wrong with a regular expression, and looks for nothing without text", () => {
  expect(() => pattern(query("(a", { regex: true }))).toThrow(/^Unterminated group$/);
  expect(pattern(query(""))).toBe(null);
});

const swaps: [string, string, FindQuery, string, string][] = [
  ["as it stands", "a.b a.b", query("a.b"), "$1\\n", "$1\\n $1\\n"],
  ["with groups", "f(x, y)", query("(\\w), (?<last>\\w)", { regex: true }), "$<last>, $1$$$&$3\\t", "f(y, x$x, y$3\t)"],
  ["with `$12` as the first and a 2", "ab", query("(a)", { regex: true }), "$12", "a2b"],
  ["with lines", "a;b", query(";", { regex: true }), "\\n", "a\nb"],
  ["with an unmatched group as nothing", "ab", query("(x)?b", { regex: true }), "[$1]", "a[]"],
];
for (const [name, source, asked, insert, gives] of swaps)
  it(`replaces ${name}`, () => expect(replaced(cellsOf(source), asked, insert)).toEqual([gives]));

it("replaces what any search of text finds as String.replaceAll does", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "$", "(", "\n", "é", "😀") });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), text, text, (sources, asked, insert) => {
      fc.pre(asked !== "");
      expect(replaced(cellsOf(...sources), query(asked, { exact: true }), insert)).toEqual(sources.map((source) => source.split(asked).join(insert)));
    }),
  );
});

it("begins at the selected cell, and goes round", () => {
  const found = findAll(cells, pattern(query("rate"))!);
  expect(nearest(found, cells, "b")).toBe(4);
  expect(nearest(found, cells, "a", 14)).toBe(2);
  expect(nearest(found, cells, null)).toBe(0);
  expect(nearest(found.slice(0, 4), cells, "c")).toBe(0);
  expect(nearest([], cells, "a")).toBe(-1);
});

it("looks for so many at most", () => {
  expect(findAll(cellsOf("a".repeat(mostMatches + 5)), pattern(query("a"))!).length).toBe(mostMatches);
});
