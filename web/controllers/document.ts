/**
 * The document as this page shows it: what the server confirmed, plus our edits that are on their way. Pure.
 * One command with operations is in flight at a time; later edits wait. Edits of others move ours (splice against splice).
 */
import { applyOperation } from "../../kernels/notebook/operations.js";
import type { NotebookSource, Operation } from "../../kernels/protocol/document.js";

type Edit = Extract<Operation, { op: "edit" }>;

export interface LocalDocument {
  confirmed: NotebookSource;
  rev: number;
  inflight: Operation[];
  waiting: Operation[];
  /** confirmed + inflight + waiting */
  source: NotebookSource;
}

export const openDocument = (source: NotebookSource, rev: number): LocalDocument => ({ confirmed: source, rev, inflight: [], waiting: [], source });

/** Applies what still can be applied: an operation on a cell that is gone is dropped. */
function applyAll(source: NotebookSource, ops: Operation[]): { source: NotebookSource; kept: Operation[] } {
  const kept: Operation[] = [];
  for (const op of ops) {
    try {
      source = applyOperation(source, op);
      kept.push(op);
    } catch {
      // the cell was deleted by someone else
    }
  }
  return { source, kept };
}

function rebuild(doc: LocalDocument): LocalDocument {
  const first = applyAll(doc.confirmed, doc.inflight);
  const second = applyAll(first.source, doc.waiting);
  return { ...doc, inflight: first.kept, waiting: second.kept, source: second.source };
}

/** A change made on this page. Throws when it cannot be applied to what is shown. */
export function edit(doc: LocalDocument, ops: Operation[]): LocalDocument {
  let source = doc.source;
  for (const op of ops) source = applyOperation(source, op);
  return { ...doc, waiting: compact([...doc.waiting, ...ops]), source };
}

/** Takes the waiting operations as the next command; empty when one is in flight or nothing waits. */
export function take(doc: LocalDocument): { doc: LocalDocument; ops: Operation[] } {
  if (doc.inflight.length > 0 || doc.waiting.length === 0) return { doc, ops: [] };
  return { doc: { ...doc, inflight: doc.waiting, waiting: [] }, ops: doc.waiting };
}

/** Operations that the server put into the log; `own` when they are our command in flight. */
export function confirm(doc: LocalDocument, rev: number, ops: Operation[], own: boolean): LocalDocument {
  const confirmed = applyAll(doc.confirmed, ops).source;
  if (own) return rebuild({ ...doc, confirmed, rev, inflight: [] });
  let theirs = ops;
  const move = (mine: Operation[]): Operation[] =>
    mine.map((op) => {
      if (op.op !== "edit") return op;
      let moved: Edit = op;
      theirs = theirs.map((other) => {
        if (other.op !== "edit" || other.id !== moved.id) return other;
        const next = shift(other, moved, false);
        moved = shift(moved, other, true);
        return next;
      });
      return moved;
    });
  return rebuild({ ...doc, confirmed, rev, inflight: move(doc.inflight), waiting: move(doc.waiting) });
}

/** The command was refused: its operations are tried again in front of the waiting ones. */
export function refuse(doc: LocalDocument, retry: boolean): LocalDocument {
  return rebuild({ ...doc, inflight: [], waiting: retry ? [...doc.inflight, ...doc.waiting] : doc.waiting });
}

/** After a reconnect: the server's document, with our unsent edits on top of it. */
export function rebase(doc: LocalDocument, source: NotebookSource, rev: number): LocalDocument {
  const before = doc.confirmed;
  const pending = [...doc.inflight, ...doc.waiting].filter((op) => {
    if (op.op !== "edit") return true;
    return before.cells.find((cell) => cell.id === op.id)?.source === source.cells.find((cell) => cell.id === op.id)?.source;
  });
  const known = new Set(source.cells.map((cell) => cell.id));
  return rebuild({ ...doc, confirmed: source, rev, inflight: [], waiting: pending.filter((op) => op.op !== "insert" || !known.has(op.cell.id)) });
}

/** `op` as it must be after `done` was applied first. At the same place the one that was done first stays in front when `after`. */
export function shift(op: Edit, done: Edit, after: boolean): Edit {
  const point = (at: number): number => {
    if (at < done.at || (at === done.at && !(after && done.remove === 0))) return at;
    if (at >= done.at + done.remove) return at - done.remove + done.insert.length;
    return done.at + (after ? done.insert.length : 0);
  };
  const start = point(op.at);
  if (op.remove === 0) return { ...op, at: start };
  const stop = Math.max(start, point(op.at + op.remove));
  // text that someone inserted into what we remove goes too: the splice stays one
  return { ...op, at: start, remove: stop - start };
}

/** Joins runs of typing into one splice, so that a burst is one operation. */
export function compact(ops: Operation[]): Operation[] {
  const out: Operation[] = [];
  for (const op of ops) {
    const last = out.at(-1);
    if (op.op === "edit" && last?.op === "edit" && last.id === op.id && op.remove === 0 && op.at === last.at + last.insert.length)
      out[out.length - 1] = { ...last, insert: last.insert + op.insert };
    else out.push(op);
  }
  return out;
}

/** The one splice that turns `before` into `after`; null when they are equal. */
export function splice(before: string, after: string): { at: number; remove: number; insert: string } | null {
  if (before === after) return null;
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before.charCodeAt(head) === after.charCodeAt(head)) head++;
  let tail = 0;
  while (tail < most - head && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  return { at: head, remove: before.length - head - tail, insert: after.slice(head, after.length - tail) };
}
