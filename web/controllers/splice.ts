/** Splices of a text: the smallest one between two texts, and runs of typing as one. Pure. */
import type { Operation } from "../../kernels/protocol/document.js";

/** The one splice that turns `before` into `after`; null when they are equal. */
export function splice(before: string, after: string): { at: number; remove: number; insert: string } | null {
  if (before === after) return null;
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before.charCodeAt(head) === after.charCodeAt(head)) head++;
  let tail = 0;
  while (tail < most - head && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  // no half of a character may travel alone
  const low = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00;
  if (head > 0 && (low(before, head) || low(after, head))) head--;
  if (tail > 0 && (low(before, before.length - tail) || low(after, after.length - tail))) tail--;
  return { at: head, remove: before.length - head - tail, insert: after.slice(head, after.length - tail) };
}

/** Joins runs of typing into one splice, so that a burst is one operation. */
export function compact(ops: readonly Operation[]): Operation[] {
  const out: Operation[] = [];
  for (const op of ops) {
    const last = out.at(-1);
    if (op.op === "edit" && last?.op === "edit" && last.id === op.id && op.remove === 0 && op.at === last.at + last.insert.length)
      out[out.length - 1] = { ...last, insert: last.insert + op.insert };
    else out.push(op);
  }
  return out;
}
