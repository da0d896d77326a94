import fc from "fast-check";
import { expect, it } from "vitest";
import { applyOperation } from "../../../kernels/notebook/operations.js";
import type { NotebookSource, Operation } from "../../../kernels/protocol/document.js";
import { restoring, restoringCell } from "./restoring.js";

const notebook: fc.Arbitrary<NotebookSource> = fc.record({
  cells: fc.uniqueArray(
    fc.record({
      id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g"),
      kind: fc.constantFrom("code", "sql", "markdown"),
      source: fc.string({ maxLength: 12 }),
      options: fc.oneof(fc.constant({}), fc.record({ disabled: fc.boolean() })),
    }),
    { selector: (cell) => cell.id, maxLength: 7 },
  ),
  front: fc.record({ title: fc.constantFrom("x", "y") }),
});
const apply = (source: NotebookSource, ops: readonly Operation[]) => ops.reduce(applyOperation, source);

it("gives exactly the point's cells and head, and its undo exactly what was there", () => {
  fc.assert(
    fc.property(notebook, notebook, (now, point) => {
      const { ops, undo } = restoring(now, point);
      const back = apply(now, ops);
      expect(back).toEqual(point);
      expect(apply(back, undo)).toEqual(now);
    }),
    { numRuns: 500 },
  );
});

it("restores one cell and touches no other", () => {
  fc.assert(
    fc.property(notebook, notebook, fc.constantFrom("a", "b", "c"), (now, point, id) => {
      const { ops, undo } = restoringCell(now, point, id);
      const back = apply(now, ops);
      const find = (source: NotebookSource) => source.cells.find((cell) => cell.id === id);
      const others = (source: NotebookSource) => source.cells.filter((cell) => cell.id !== id);
      expect(find(back)).toEqual(find(point));
      expect(others(back)).toEqual(others(now));
      expect(apply(back, undo)).toEqual(now);
    }),
  );
});
