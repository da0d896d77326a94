/** Half a surrogate pair cannot be written as UTF-8: the file would say something else than the page. Pure. */
import { applyOperation } from "../../kernels/notebook/operations.js";
import type { NotebookSource, Operation } from "../../kernels/protocol/document.js";

const half = /\p{Surrogate}/gu;

/** `text` with halves of surrogate pairs replaced, as an encoder would; of the same length. */
export const wellFormed = (text: string): string => text.replace(half, "\uFFFD");

/**
 * The operations, and what makes the texts that they leave well-formed. An edit may bring one half that meets its other half, so it is the text after all of them that counts.
 * Throws a RangeError when they do not fit.
 */
export function repaired(source: NotebookSource, ops: readonly Operation[]): Operation[] {
  const all = ops.map((op): Operation =>
    op.op === "front" && op.front.title !== undefined ? { ...op, front: { ...op.front, title: wellFormed(op.front.title) } } : op,
  );
  const after = all.reduce(applyOperation, source);
  const touched = new Set(all.map((op) => (op.op === "edit" ? op.id : op.op === "insert" ? op.cell.id : "")));
  for (const { id, source: text } of after.cells) {
    if (!touched.has(id)) continue;
    for (const { index } of text.matchAll(half)) all.push({ op: "edit", id, at: index, remove: 1, insert: "\uFFFD" });
  }
  return all;
}
