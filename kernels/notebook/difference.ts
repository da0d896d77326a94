/** What tells two notebooks apart, by cell. Pure. */
import type { Cell, NotebookSource } from "../protocol/document.js";

interface CellDifference {
  id: string;
  /** null: not in that notebook */
  before: Cell | null;
  after: Cell | null;
}

/** Cells whose text, kind or options differ, or that only one has; in the order of `after`, those that are gone last. */
export function differingCells(before: NotebookSource, after: NotebookSource): CellDifference[] {
  const old = new Map(before.cells.map((cell) => [cell.id, cell]));
  const now = new Set(after.cells.map((cell) => cell.id));
  return [
    ...after.cells.flatMap((cell): CellDifference[] => {
      const was = old.get(cell.id);
      return was !== undefined && sameCell(was, cell) ? [] : [{ id: cell.id, before: was ?? null, after: cell }];
    }),
    ...before.cells.filter((cell) => !now.has(cell.id)).map((cell) => ({ id: cell.id, before: cell, after: null })),
  ];
}

const sameCell = (a: Cell, b: Cell): boolean =>
  a.kind === b.kind && a.source === b.source && JSON.stringify(sorted(a.options)) === JSON.stringify(sorted(b.options));
const sorted = ({ lazy, cache, disabled, rest = [] }: Cell["options"]) => [lazy ?? null, cache ?? null, disabled ?? null, rest];
