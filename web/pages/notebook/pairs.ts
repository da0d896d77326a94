/** Cells that were changed here and in the file, kept side by side: who belongs to whom, and what a person's decision does. Pure. */
import { conflictOf, settledOptions } from "../../../kernels/notebook/conflict.js";
import { differingCells } from "../../../kernels/notebook/difference.js";
import type { Cell, NotebookSource, Operation } from "../../../kernels/protocol/document.js";
import { difference, transform } from "../../controllers/transform.js";
import { inverse, type Change } from "./changes.js";

/** `mine` (the page's version) has one below it from the file; `theirs` is that one; `other` is null when the page's version was deleted meanwhile. */
export interface Pair {
  role: "mine" | "theirs";
  other: string | null;
}
export type Decision = "mine" | "theirs" | "both";

/** By cell: the pairs that wait for a decision. */
export function pairsOf(cells: readonly Cell[]): Map<string, Pair> {
  const ids = new Set(cells.map((cell) => cell.id));
  const pairs = new Map<string, Pair>();
  for (const cell of cells) {
    const of = conflictOf(cell);
    if (of === null) continue;
    pairs.set(cell.id, { role: "theirs", other: ids.has(of) ? of : null });
    if (ids.has(of) && !pairs.has(of)) pairs.set(of, { role: "mine", other: cell.id });
  }
  return pairs;
}

/** Decides these pairs, each named by either of its cells. */
export function deciding(cells: readonly Cell[], ids: readonly string[], decision: Decision): Change {
  const pairs = pairsOf(cells);
  const copies = new Set(ids.flatMap((id) => (pairs.get(id)?.role === "mine" ? [pairs.get(id)!.other!] : pairs.has(id) ? [id] : [])));
  const chosen = cells.filter((cell) => copies.has(cell.id));
  const ops = chosen.flatMap((copy): Operation[] => {
    const mine = cells.find((cell) => cell.id === conflictOf(copy));
    const options = settledOptions(copy.options);
    if (decision === "mine") return [{ op: "delete", id: copy.id }];
    if (decision === "both" || mine === undefined) return [{ op: "options", id: copy.id, options }];
    return [
      ...(mine.source === copy.source ? [] : [{ op: "edit" as const, id: mine.id, at: 0, remove: mine.source.length, insert: copy.source }]),
      ...(mine.kind === copy.kind ? [] : [{ op: "kind" as const, id: mine.id, kind: copy.kind }]),
      { op: "options", id: mine.id, options },
      { op: "delete", id: copy.id },
    ];
  });
  const select = chosen
    .map((copy) => (decision === "both" ? copy.id : (conflictOf(copy) ?? copy.id)))
    .find((id) => cells.some((cell) => cell.id === id));
  return { ops, undo: inverse(cells, ops), ...(select !== undefined && { select }) };
}

/** What takes back, in the document as it is now, that `before` became `after`; what was changed since stays. */
export function takingBack(before: NotebookSource, after: NotebookSource, now: NotebookSource): Change {
  const ids = new Set(now.cells.map((cell) => cell.id));
  const texts = transform(difference(after, before), difference(after, now)).mine.filter((op) => "id" in op && ids.has(op.id));
  const rest = differingCells(after, before).flatMap(({ id, before: theirs, after: mine }): Operation[] => {
    if (mine === null || (theirs !== null && !ids.has(id))) return [];
    if (theirs === null) {
      if (ids.has(id)) return [];
      const at = before.cells.findIndex((cell) => cell.id === id);
      const anchor = before.cells.slice(0, at).findLast((cell) => ids.has(cell.id))?.id ?? null;
      ids.add(id);
      return [{ op: "insert", cell: mine, after: anchor }];
    }
    const same = JSON.stringify(theirs.options) === JSON.stringify(mine.options);
    return [
      ...(theirs.kind === mine.kind ? [] : [{ op: "kind" as const, id, kind: mine.kind }]),
      ...(same ? [] : [{ op: "options" as const, id, options: mine.options }]),
    ];
  });
  const ops = [...texts, ...rest];
  return { ops, undo: inverse(now.cells, ops) };
}
