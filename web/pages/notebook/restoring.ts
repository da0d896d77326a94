/** Back to a saved point as ordinary operations, so that every page sees them and they can be undone. Pure. */
import { differingCells } from "../../../kernels/notebook/difference.js";
import type { Cell, NotebookSource, Operation } from "../../../kernels/protocol/document.js";
import { splice } from "../../controllers/splice.js";
import { inverse, type Change } from "./changes.js";

/** What makes the notebook's cells and head those of the point. */
export function restoring(now: NotebookSource, point: NotebookSource): Change {
  const wanted = new Set(point.cells.map((cell) => cell.id));
  const ops: Operation[] = now.cells.filter((cell) => !wanted.has(cell.id)).map((cell) => ({ op: "delete", id: cell.id }));
  const there = new Map(now.cells.map((cell) => [cell.id, cell]));
  let order = now.cells.filter((cell) => wanted.has(cell.id)).map((cell) => cell.id);
  for (const [i, cell] of point.cells.entries()) {
    const after = point.cells[i - 1]?.id ?? null;
    const old = there.get(cell.id);
    if (old === undefined) {
      ops.push({ op: "insert", cell, after });
      order = order.toSpliced(i, 0, cell.id);
      continue;
    }
    ops.push(...rewriting(old, cell));
    if (order[i] === cell.id) continue;
    ops.push({ op: "move", id: cell.id, after });
    order = order.filter((id) => id !== cell.id).toSpliced(i, 0, cell.id);
  }
  const head: Operation[] = JSON.stringify(now.front) === JSON.stringify(point.front) ? [] : [{ op: "front", front: point.front }];
  const back: Operation[] = head.length === 0 ? [] : [{ op: "front", front: now.front }];
  const [first] = differingCells(now, point).filter((one) => one.after !== null);
  return { ops: [...ops, ...head], undo: [...inverse(now.cells, ops), ...back], ...(first !== undefined && { select: first.id }) };
}

/** One cell alone, as the point has it: its text, or that it is there, or that it is not. */
export function restoringCell(now: NotebookSource, point: NotebookSource, id: string): Change {
  const old = now.cells.find((cell) => cell.id === id);
  const cell = point.cells.find((other) => other.id === id);
  const known = new Set(now.cells.map((other) => other.id));
  const at = point.cells.findIndex((other) => other.id === id);
  const after = point.cells.slice(0, Math.max(0, at)).findLast((other) => known.has(other.id))?.id ?? null;
  const ops: Operation[] =
    cell === undefined
      ? old === undefined
        ? []
        : [{ op: "delete", id }]
      : old === undefined
        ? [{ op: "insert", cell, after }]
        : rewriting(old, cell);
  return { ops, undo: inverse(now.cells, ops), ...(cell !== undefined && { select: id }) };
}

function rewriting(old: Cell, cell: Cell): Operation[] {
  const { id } = cell;
  const edit = splice(old.source, cell.source);
  return [
    ...(edit === null ? [] : [{ op: "edit" as const, id, ...edit }]),
    ...(old.kind === cell.kind ? [] : [{ op: "kind" as const, id, kind: cell.kind }]),
    ...(JSON.stringify(old.options) === JSON.stringify(cell.options) ? [] : [{ op: "options" as const, id, options: cell.options }]),
  ];
}
