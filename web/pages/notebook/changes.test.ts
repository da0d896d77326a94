import fc from "fast-check";
import { expect, test } from "vitest";
import { applyOperation } from "../../../kernels/notebook/operations.js";
import type { Cell, NotebookSource } from "../../../kernels/protocol/document.js";
import {
  caching,
  conversion,
  current,
  deletion,
  disabling,
  headed,
  insertion,
  lazing,
  merging,
  moving,
  pasting,
  splitting,
  type Change,
} from "./changes.js";

const cellArb = fc.record({
  kind: fc.constantFrom("code", "sql", "markdown", "baseline") as fc.Arbitrary<Cell["kind"]>,
  source: fc.constantFrom("", "const a = 1\n\nconst b = a", "# title\ntext", "select 1", "display(2)\n"),
  disabled: fc.boolean(),
});
const cellsArb = fc
  .array(cellArb, { minLength: 1, maxLength: 6 })
  .map((cells) => cells.map(({ kind, source, disabled }, i): Cell => ({ id: `k${i}`, kind, source, options: disabled ? { disabled } : {} })));

const run = (source: NotebookSource, ops: Change["ops"]) => ops.reduce(applyOperation, source);

test("every editing command is taken back by its own undo, and selects a cell that exists", () => {
  fc.assert(
    fc.property(cellsArb, fc.nat(), fc.nat(), fc.nat(8), (cells, a, b, which) => {
      const cell = cells[a % cells.length]!;
      const from = Math.min(a % cells.length, b % cells.length);
      const ids = cells.slice(from, from + 1 + (b % 3)).map((other) => other.id);
      const made: (Change | null)[] = [
        insertion(cells, b % 2 === 0 ? "code" : "sql", cell.id, "const q = 1"),
        deletion(cells, ids),
        pasting(cells, [cell, cells[0]!], cell.id),
        conversion(cells, cell, "sql", []),
        splitting(cells, cell, b % (cell.source.length + 1)),
        merging(cells.slice(from, from + 3)),
        headed(cells, cell, 2),
        disabling(cell),
        moving(cells, a % cells.length, b % 2 === 0 ? 1 : -1),
      ];
      const change = made[which]!;
      if (change === null) return;
      const source: NotebookSource = { front: {}, cells };
      const after = run(source, change.ops);
      if (change.select !== undefined) expect(after.cells.map((other) => other.id)).toContain(change.select);
      expect(run(after, change.undo).cells).toEqual(cells);
    }),
    { numRuns: 500 },
  );
});

test("an empty code cell is used up by a kind chosen for it", () => {
  const cells: Cell[] = [{ id: "a", kind: "code", source: " ", options: {} }];
  const change = insertion(cells, "sql", "a", "const q = sql`select 1`");
  expect(run({ front: {}, cells }, change.ops).cells.map((cell) => cell.kind)).toEqual(["sql"]);
});

test("lazy is written only where it differs from the kind's own way", () => {
  const cell: Cell = { id: "a", kind: "code", source: "1", options: { disabled: true } };
  const options = (change: Change) => run({ front: {}, cells: [cell] }, change.ops).cells[0]!.options;
  expect(options(lazing(cell, false))).toEqual({ disabled: true, lazy: true });
  expect(options(lazing({ ...cell, options: { lazy: true } }, false))).toEqual({});
  expect(options(lazing(cell, true))).toEqual({ disabled: true, lazy: false });
});

test("the cache goes on and off, and other options stay", () => {
  const cell: Cell = { id: "a", kind: "code", source: "1", options: { lazy: true } };
  const options = (change: Change) => run({ front: {}, cells: [cell] }, change.ops).cells[0]!.options;
  expect(options(caching(cell))).toEqual({ lazy: true, cache: true });
  expect(options(caching({ ...cell, options: { lazy: true, cache: true } }))).toEqual({ lazy: true });
});

test("cells of different kinds are not merged", () => {
  const cells: Cell[] = [
    { id: "a", kind: "code", source: "1", options: {} },
    { id: "b", kind: "markdown", source: "2", options: {} },
  ];
  expect(merging(cells)).toBeNull();
});

test("an undo after more was typed takes back its own change alone", () => {
  const cells = (of: Record<string, string>): NotebookSource => ({
    front: {},
    cells: Object.entries(of).map(([id, source]) => ({ id, kind: "code", source, options: {} })),
  });
  const before = cells({ a: "one", b: "two" });
  const merge = merging(before.cells)!;
  const after = run(before, merge.ops);
  const typed = run(after, [{ op: "edit", id: "a", at: 0, remove: 0, insert: "zero " }]);
  expect(run(typed, current(merge.undo, after, typed)!).cells.map((cell) => cell.source)).toEqual(["zero one", "two"]);
  const split = splitting(before.cells, before.cells[0]!, 1);
  const apart = run(before, split.ops);
  const tail = apart.cells[1]!.id;
  const changed = run(apart, [{ op: "edit", id: tail, at: 0, remove: 0, insert: "x" }]);
  expect(current(split.undo, apart, changed)).toBe(null);
  expect(run(apart, current(split.undo, apart, apart)!)).toEqual(before);
});
