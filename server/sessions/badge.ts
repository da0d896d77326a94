/** Does what is on screen equal a clean run from top to bottom? One byte a cell says what stands against it, so that a run changes a byte and not a list. Pure. */
import type { Badge, Cell } from "../../kernels/protocol/document.js";
import { movedControls } from "./controls.js";
import type { SessionState } from "./state.js";
import { tracesOf } from "./traces.js";

/** What stands against a cell. */
const against = {
  error: 1,
  stale: 2,
  /** has no result */ open: 4,
  /** has one that came before */ tried: 8,
  /** the kernel does not hold its values */ gone: 16,
};
/** it has code */
const code = 32;
/** it changes a value of another cell: what that value is now depends on how often it ran */
const changes = 64;

/** By place in the document. */
export interface Marks {
  cells: readonly Cell[];
  bytes: Uint8Array;
}

export const noMarks: Marks = { cells: [], bytes: new Uint8Array() };

/** cells named in a badge; a longer list helps nobody and is sent with every run */
const named = 20;

const places = new WeakMap<readonly Cell[], ReadonlyMap<string, number>>();
function placesOf(cells: readonly Cell[]): ReadonlyMap<string, number> {
  let found = places.get(cells);
  if (found === undefined) places.set(cells, (found = new Map(cells.map((cell, i) => [cell.id, i]))));
  return found;
}

export function markAll(state: SessionState): Marks {
  const { cells } = state.doc.source;
  return { cells, bytes: Uint8Array.from(cells, (cell) => markOf(state, cell)) };
}

/** The marks after the state of these cells, or whether the kernel holds their values, changed. */
export function mark(state: SessionState, ids: Iterable<string>): Marks {
  const { cells } = state.doc.source;
  const before = state.marks.cells;
  const bytes = state.marks.bytes.slice();
  if (before !== cells) {
    if (before.length !== cells.length || cells.some((cell, i) => cell.id !== before[i]!.id)) return markAll(state);
    // other texts in the same places
    places.set(cells, placesOf(before));
    for (const [i, cell] of cells.entries()) if (cell !== before[i]) bytes[i] = markOf(state, cell);
  }
  for (const id of ids) {
    const at = placesOf(cells).get(id);
    if (at !== undefined) bytes[at] = markOf(state, cells[at]!);
  }
  return { cells, bytes };
}

function markOf({ doc, live }: SessionState, { id, kind, source }: Cell): number {
  if (kind === "markdown" || source.trim() === "") return 0;
  const cell = doc.cells[id]!;
  // a clean run leaves it out; what it did is among the traces
  if (cell.status === "disabled") return code;
  let bits = code;
  if (cell.result === "error" || cell.problems.some((problem) => problem.severity === "error")) bits |= against.error;
  if (cell.stale || cell.edited) bits |= against.stale;
  if ((cell.changed ?? []).length > 0 || cell.problems.some((problem) => problem.type === "mutation")) bits |= changes;
  // a promotion is proposed only when asked for, so a page without it is complete
  if (kind === "promote" && cell.result === "none") return bits;
  if (cell.result !== "ok") bits |= cell.result === "none" ? against.open : against.open | against.tried;
  else if (!live.has(id)) bits |= against.gone;
  return bits;
}

export function badgeOf(state: SessionState): Badge {
  const {
    doc,
    marks: { cells, bytes },
    runs,
  } = state;
  let all = 0;
  for (const bits of bytes) all |= bits;
  const list = (bit: number) => {
    const found: string[] = [];
    let more = 0;
    for (let i = 0; i < bytes.length; i++) {
      if ((bytes[i]! & bit) === 0) continue;
      if (found.length < named) found.push(cells[i]!.id);
      else more++;
    }
    return { cells: found, ...(more > 0 && { more }) };
  };
  const some = (ids: readonly string[]) => ({ cells: ids.slice(0, named), ...(ids.length > named && { more: ids.length - named }) });
  if (all & against.error) return { state: "error", ...list(against.error) };
  if (all & against.stale) return { state: "stale", ...list(against.stale) };
  if (all & against.open) {
    const fresh = bytes.every((bits) => bits === 0 || (bits & against.open) !== 0);
    const why = all & against.tried ? "some cells did not finish" : fresh ? "not run yet" : "some cells have not been run";
    return { state: "unchecked", why, ...list(against.open) };
  }
  if (all & against.gone)
    return {
      state: "unchecked",
      why: "the kernel does not hold what these cells made: it was restarted, or they were deleted and came back",
      ...list(against.gone),
    };
  const { clean, rev } = doc;
  const moved = movedControls(doc);
  // a comparison counts until the next edit or run
  if (clean?.status !== "done" || clean.rev !== rev || clean.runs !== runs) {
    if (moved.cells.length > 0) {
      const why = `${moved.words}: a clean run of the file would differ; Reset controls brings the defaults back`;
      return { state: "unchecked", why, cells: moved.cells, moved: moved.keys };
    }
    if (all & changes)
      return { state: "unchecked", why: "cells change values of other cells; Run clean and compare shows whether that matters", ...list(changes) };
    const traces = tracesOf(state);
    if (traces.cells.size > 0) {
      const why = "earlier runs may have changed what these cells gave; run them again, or Run clean and compare";
      return { state: "unchecked", why, ...some(cells.filter(({ id }) => traces.cells.has(id)).map(({ id }) => id)) };
    }
    const [kept] = traces.files;
    if (kept !== undefined) {
      const { path, state: name } = kept.file;
      const what = name === null ? path : `\`${name}\` in ${path}`;
      const why = `earlier runs may have changed ${what}, which stays from run to run; Restart and run all, or Run clean and compare`;
      return { state: "unchecked", why, ...some(kept.cells) };
    }
    if (traces.shared) {
      const why = "earlier runs changed tables or globals that all cells share; Restart and run all, or Run clean and compare";
      return { state: "unchecked", why, cells: [] };
    }
    return { state: "same" };
  }
  if (clean.differences.length === 0) return { state: "same", verified: clean.at };
  const why = `a clean run${moved.cells.length === 0 ? "" : ", with all controls at their defaults,"} gave other outputs`;
  return { state: "unchecked", why, cells: clean.differences.map((one) => one.cell) };
}
