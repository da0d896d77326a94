import fc from "fast-check";
import { expect, it } from "vitest";
import { compact, splice } from "./splice.js";

it("finds the smallest splice and joins typing", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const found = splice(a, b);
      if (found === null) expect(a).toBe(b);
      else expect(a.slice(0, found.at) + found.insert + a.slice(found.at + found.remove)).toBe(b);
    }),
  );
  // these two share their first half
  expect(splice("a😀b", "a😁b")).toEqual({ at: 1, remove: 2, insert: "😁" });
  expect(splice("😀", "😀😀")?.insert).toBe("😀");
  expect(
    compact([
      { op: "edit", id: "c", at: 0, remove: 1, insert: "a" },
      { op: "edit", id: "c", at: 1, remove: 0, insert: "b" },
      { op: "edit", id: "d", at: 1, remove: 0, insert: "b" },
    ]),
  ).toHaveLength(2);
});
