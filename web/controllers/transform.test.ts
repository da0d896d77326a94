import fc from "fast-check";
import { expect, it } from "vitest";
import type { Operation } from "../../kernels/protocol/document.js";
import { transform } from "./transform.js";

type Edit = Extract<Operation, { op: "edit" }>;
const run = (text: string, ops: readonly Operation[]) =>
  ops.reduce((text, op) => {
    const { at, remove, insert } = op as Edit;
    expect(at + remove).toBeLessThanOrEqual(text.length);
    return text.slice(0, at) + insert + text.slice(at + remove);
  }, text);

/** Splices that fit one after the other; what they insert is told apart by its letters. */
const edits = (letters: RegExp) =>
  fc.array(fc.record({ at: fc.nat(30), remove: fc.nat(6), insert: fc.stringMatching(letters) }), { maxLength: 6 }).map((raw) => {
    let { length } = text;
    return raw.map(({ at, remove, insert }): Edit => {
      const place = Math.min(at, length);
      const cut = Math.min(remove, length - place);
      length += insert.length - cut;
      return { op: "edit", id: "c", at: place, remove: cut, insert };
    });
  });
const text = "0123456789";

it("gives the same text in both orders, for any two lists of splices", () => {
  fc.assert(
    fc.property(edits(/^[a-m]{0,3}$/), edits(/^[n-z]{0,3}$/), (mine, theirs) => {
      const moved = transform(mine, theirs);
      expect(run(run(text, theirs), moved.mine)).toBe(run(run(text, mine), moved.theirs));
    }),
    { numRuns: 3000 },
  );
});

it("loses nothing that either side wrote, and nothing that neither removed", () => {
  fc.assert(
    fc.property(edits(/^[a-m]{0,3}$/), edits(/^[n-z]{0,3}$/), (mine, theirs) => {
      const only = (of: string, letters: RegExp) => of.replace(letters, "");
      const left = run(text, mine);
      const right = run(text, theirs);
      const both = run(right, transform(mine, theirs).mine);
      // each side's letters are there in that side's order
      expect(only(both, /[n-z0-9]/g)).toBe(only(left, /[n-z0-9]/g));
      expect(only(both, /[a-m0-9]/g)).toBe(only(right, /[a-m0-9]/g));
      expect(only(both, /[a-z]/g)).toBe([...text].filter((digit) => left.includes(digit) && right.includes(digit)).join(""));
    }),
    { numRuns: 3000 },
  );
});

it("keeps a cell that was changed while it was deleted, and leaves other cells alone", () => {
  const typed: Edit = { op: "edit", id: "c", at: 0, remove: 0, insert: "x" };
  expect(transform([{ op: "delete", id: "c" }], [typed]).mine).toEqual([]);
  expect(transform([{ op: "delete", id: "d" }], [typed]).mine).toEqual([{ op: "delete", id: "d" }]);
  expect(transform([typed], [{ ...typed, id: "d" }]).mine).toEqual([typed]);
});
