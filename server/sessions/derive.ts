/** What follows from document, graph and runs: cell states and badge. Pure. */
import { blankCell } from "../../kernels/notebook/blank.js";
import type { Badge, Cell, CellState } from "../../kernels/protocol/document.js";
import { blocked, isText } from "./plan.js";
import type { SessionState } from "./state.js";

/** The state of every cell; those that did not change are the same objects. */
export function deriveCells(state: SessionState): Record<string, CellState> {
  const before = state.doc.cells;
  const cells: Record<string, CellState> = {};
  const sources = new Map(state.doc.source.cells.map((cell) => [cell.id, cell]));
  const places = new Map(state.queue.map((item, index) => [item.cell, index + 1]));
  const waits = blocked(state);
  for (const id of state.graph.order) {
    const cell = sources.get(id)!;
    const old = before[id] ?? blankCell;
    const view = state.graph.cells.get(id)!;
    const running = state.running?.cell === id;
    const place = places.get(id) ?? null;
    const ran = state.ran[id];
    const causes = running || ran === undefined ? [] : causesOf(state, id, cells);
    const disabledBy = waits.get(id);
    const status = running ? "running" : place !== null ? "queued" : disabledBy !== undefined ? "disabled" : "idle";
    const next: CellState = {
      ...old,
      status,
      place,
      stale: causes.length > 0,
      causes,
      edited: ran !== undefined && isEdited(cell, ran),
      defines: view.defines,
      uses: [...new Set(view.uses.map((use) => use.name))],
      problems: view.problems,
      form: view.form,
      blockedBy: disabledBy !== undefined && disabledBy !== id ? disabledBy : old.result === "cancelled" ? old.blockedBy : null,
    };
    cells[id] = same(old, next) && before[id] !== undefined ? old : next;
  }
  return cells;
}

export const isEdited = (cell: Cell, ran: { kind: string; source: string }) =>
  !isText(cell) && (ran.source !== cell.source || ran.kind !== cell.kind);

/** Names whose values differ from those that the last run read. `cells` holds the states of cells earlier in the order. */
function causesOf(state: SessionState, id: string, cells: Record<string, CellState>): string[] {
  const ran = state.ran[id]!;
  const causes: string[] = [];
  const now = new Map(state.graph.cells.get(id)!.uses.map((use) => [use.name, use.cell]));
  for (const [name, run] of Object.entries(ran.inputs)) {
    const definer = now.get(name);
    // a name that the code no longer reads is an edit, unless its cell is gone
    if (definer === undefined) {
      if (!stillReads(state, id) || !defined(state, name)) causes.push(name);
      continue;
    }
    const other = cells[definer] ?? state.doc.cells[definer];
    if (state.ran[definer] === undefined || other?.run !== run || other.stale) causes.push(name);
  }
  // a name that has come to be defined since
  for (const [name, definer] of now)
    if (!(name in ran.inputs) && ran.source === sourceOf(state, id) && state.ran[definer] !== undefined) causes.push(name);
  const file = state.touched[id];
  if (file !== undefined) causes.push(file);
  return causes;
}

const sourceOf = (state: SessionState, id: string) => state.doc.source.cells.find((cell) => cell.id === id)?.source;
const stillReads = (state: SessionState, id: string) => sourceOf(state, id) !== state.ran[id]!.source;
const defined = (state: SessionState, name: string) => [...state.graph.cells.values()].some((view) => view.defines.includes(name));

/** Does what is on screen equal a clean run from top to bottom? */
export function deriveBadge(state: SessionState, cells: Record<string, CellState>): Badge {
  const code = state.doc.source.cells.filter((cell) => !isText(cell) && cell.source.trim() !== "");
  const ids = (pick: (cell: CellState, id: string) => boolean) => code.filter((cell) => pick(cells[cell.id]!, cell.id)).map((cell) => cell.id);
  const errors = ids((cell) => cell.result === "error" || cell.problems.some((problem) => problem.severity === "error"));
  if (errors.length > 0) return { state: "error", cells: errors };
  const stale = ids((cell) => cell.stale || cell.edited);
  if (stale.length > 0) return { state: "stale", cells: stale };
  // a promotion is proposed only when asked for, so a page without it is complete
  const open = code.filter(
    (cell) =>
      cells[cell.id]!.result !== "ok" && cells[cell.id]!.status !== "disabled" && !(cell.kind === "promote" && cells[cell.id]!.result === "none"),
  );
  if (open.length > 0) {
    const never = open.every((cell) => cells[cell.id]!.result === "none");
    return {
      state: "unchecked",
      why: never ? (open.length === code.length ? "not run yet" : "some cells have not been run") : "some cells did not finish",
      cells: open.map((cell) => cell.id),
    };
  }
  const gone = ids((cell, id) => cell.result === "ok" && cell.status !== "disabled" && state.live[id] === undefined);
  if (gone.length > 0) return { state: "unchecked", why: "outputs are from before the kernel was restarted", cells: gone };
  return { state: "same" };
}

/** Equal by value; cell states are small JSON. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => key in b && same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
