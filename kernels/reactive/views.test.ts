import { expect, it } from "vitest";
import { viewNames } from "./views.js";

it("finds the names that the calls' values are given", () => {
  expect(viewNames("const alpha = view(input.range({ min: 0, max: 1 }))\nexport const beta = (await view(x)) as number\nview(y)")).toEqual([
    "alpha",
    "beta",
    undefined,
  ]);
  expect(viewNames("const settings = { rate: view(a), depth: view(b) }")).toEqual(["rate", "depth"]);
  expect(viewNames("const { a } = view(x), n = view(y).length")).toEqual([undefined, undefined]);
});

it("names none where the order is not the text's", () => {
  for (const source of [
    "for (const x of xs) { const a = view(x) }",
    "const a = ok && view(x)",
    "const make = () => view(x)",
    "if (ok) view(x)",
    "const a = xs.map((x) => view(x))",
    "const a = view(",
  ])
    expect(viewNames(source), source).toEqual([]);
});
