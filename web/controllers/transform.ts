/**
 * Moves our unsent operations past operations that were put into the log before them. Pure.
 * A splice is a removal and an insertion; each pair of those has one answer on which both sides agree (checked as a property: mine then theirs' = theirs then mine'),
 * and neither side's text is ever removed by the other's: a removal goes around what was inserted into it.
 */
import type { NotebookSource, Operation } from "../../kernels/protocol/document.js";
import { compact, splice } from "./splice.js";

type Edit = Extract<Operation, { op: "edit" }>;

/** Our operations as they must be after `theirs`, and the other way round; at the same place theirs stay in front. */
export function transform(mine: readonly Operation[], theirs: readonly Operation[]): { mine: Operation[]; theirs: Operation[] } {
  const [left, right] = both(mine.flatMap(parts), theirs.flatMap(parts));
  return { mine: compact(left), theirs: compact(right) };
}

/** Operations of a log as edits and deletions of single cells: `replace` is told by what it changes. */
export function plain(source: NotebookSource, ops: readonly Operation[]): Operation[] {
  return ops.flatMap((op) => (op.op === "replace" ? difference(source, op.source) : [op]));
}

/** What `after` changed in the text of the cells of `before`, and which it no longer has. */
export function difference(before: NotebookSource, after: NotebookSource): Operation[] {
  const now = new Map(after.cells.map((cell) => [cell.id, cell.source]));
  return before.cells.flatMap(({ id, source }): Operation[] => {
    const text = now.get(id);
    if (text === undefined) return [{ op: "delete", id }];
    const edit = splice(source, text);
    return edit === null ? [] : [{ op: "edit", id, ...edit }];
  });
}

/** A splice as a removal and an insertion. */
function parts(op: Operation): Operation[] {
  if (op.op !== "edit" || op.remove === 0 || op.insert === "") return [op];
  return [
    { ...op, insert: "" },
    { ...op, remove: 0 },
  ];
}

/** [mine after theirs, theirs after mine]; each list is told in order. */
function both(mine: Operation[], theirs: Operation[]): [Operation[], Operation[]] {
  const moved: Operation[] = [];
  let others = theirs;
  for (const op of mine) {
    let one = [op];
    const next: Operation[] = [];
    for (const other of others) {
      if (one.length === 1) {
        next.push(...past(other, one[0]!, true));
        one = past(one[0]!, other, false);
      } else {
        const [left, right] = both(one, [other]);
        one = left;
        next.push(...right);
      }
    }
    moved.push(...one);
    others = next;
  }
  return [moved, others];
}

/** One operation as it must be after `done`. `first`: at the same place it stays in front of what `done` inserted. */
function past(op: Operation, done: Operation, first: boolean): Operation[] {
  // theirs is another cell of this id: ours gets an id of its own when it is applied
  if (first && done.op === "insert" && "id" in op && op.id === done.cell.id) return [];
  // a cell that somebody else changed meanwhile is not deleted
  if (op.op === "delete" && done.op === "edit" && done.id === op.id && !first) return [];
  if (op.op !== "edit" || done.op !== "edit" || op.id !== done.id) return [op];
  return done.remove === 0 ? pastInsertion(op, done, first) : pastRemoval(op, done);
}

function pastInsertion(op: Edit, done: Edit, first: boolean): Edit[] {
  const { length } = done.insert;
  if (op.remove === 0) return [op.at < done.at || (op.at === done.at && first) ? op : { ...op, at: op.at + length }];
  if (done.at <= op.at) return [{ ...op, at: op.at + length }];
  if (done.at >= op.at + op.remove) return [op];
  const left = done.at - op.at;
  return [
    { ...op, remove: left },
    { ...op, at: op.at + length, remove: op.remove - left },
  ];
}

function pastRemoval(op: Edit, done: Edit): Edit[] {
  const point = (at: number) => (at <= done.at ? at : Math.max(done.at, at - done.remove));
  const at = point(op.at);
  if (op.remove === 0) return [{ ...op, at }];
  const remove = point(op.at + op.remove) - at;
  return remove === 0 ? [] : [{ ...op, at, remove }];
}
