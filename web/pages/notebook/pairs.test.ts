import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeExternal } from "../../../kernels/notebook/merge.js";
import { applyOperation } from "../../../kernels/notebook/operations.js";
import type { Cell, NotebookSource, Operation } from "../../../kernels/protocol/document.js";
import { deciding, pairsOf, takingBack } from "./pairs.js";

const notebook = (cells: Record<string, string>): NotebookSource => ({
  front: {},
  cells: Object.entries(cells).map(([id, source]) => ({ id, kind: "code", source, options: {} })),
});
const run = (source: NotebookSource, ops: Operation[]) => ops.reduce(applyOperation, source);
const shown = ({ cells }: NotebookSource) => cells.map((cell) => `${cell.id}=${cell.source}${cell.options.disabled === true ? " off" : ""}`);

const base = notebook({ a: "1", b: "2" });
const { source: merged } = mergeExternal(base, notebook({ a: "mine", b: "2" }), notebook({ a: "theirs", b: "2" }));

test("both cells of a pair know each other", () => {
  expect([...pairsOf(merged.cells)]).toEqual([
    ["a-file", { role: "theirs", other: "a" }],
    ["a", { role: "mine", other: "a-file" }],
  ]);
  const alone = run(merged, [{ op: "delete", id: "a" }]);
  expect([...pairsOf(alone.cells)]).toEqual([["a-file", { role: "theirs", other: null }]]);
});

test.each([
  ["mine", ["a=mine", "b=2"]],
  ["theirs", ["a=theirs", "b=2"]],
  ["both", ["a=mine", "a-file=theirs", "b=2"]],
] as const)("keeps %s, from either cell, and back", (decision, want) => {
  for (const id of ["a", "a-file"]) {
    const change = deciding(merged.cells, [id], decision);
    const after = run(merged, change.ops);
    expect(shown(after)).toEqual(want);
    expect(pairsOf(after.cells).size).toBe(0);
    expect(run(after, change.undo)).toEqual(merged);
    expect(after.cells.some((cell) => cell.id === change.select)).toBe(true);
  }
});

test("the file's version of a deleted cell is switched on or dropped", () => {
  const alone = run(merged, [{ op: "delete", id: "a" }]);
  expect(shown(run(alone, deciding(alone.cells, ["a-file"], "theirs").ops))).toEqual(["a-file=theirs", "b=2"]);
  expect(shown(run(alone, deciding(alone.cells, ["a-file"], "mine").ops))).toEqual(["b=2"]);
});

test("what came from outside is taken back, and what was typed since stays", () => {
  const before = notebook({ a: "1", b: "2", c: "3" });
  const after = notebook({ a: "1 out", x: "new", b: "2" });
  expect(shown(run(after, takingBack(before, after, after).ops)).sort()).toEqual(["a=1", "b=2", "c=3"]);
  const now = notebook({ a: "typed 1 out", x: "new", b: "2 typed" });
  const { ops, undo } = takingBack(before, after, now);
  expect(shown(run(now, ops)).sort()).toEqual(["a=typed 1", "b=2 typed", "c=3"]);
  expect(shown(run(run(now, ops), undo)).sort()).toEqual(shown(now).sort());
});

test("taking back always fits, and with nothing in between gives what was there", () => {
  const some = fc
    .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("", "1", "22", "1 2 3"), fc.boolean()), { selector: ([id]) => id })
    .map((cells): NotebookSource => ({
      front: {},
      cells: cells.map(([id, source, off]): Cell => ({ id, kind: "code", source, options: off ? { disabled: true } : {} })),
    }));
  fc.assert(
    fc.property(some, some, some, (before, after, now) => {
      expect(() => run(now, takingBack(before, after, now).ops)).not.toThrow();
      expect(shown(run(after, takingBack(before, after, after).ops)).sort()).toEqual(shown(before).sort());
    }),
  );
});
