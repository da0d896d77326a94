/** What follows from document, graph and runs: cell states and badge. Pure. */
import { blankCell } from "../../kernels/notebook/blank.js";
import type { Badge, Cell, CellState, NotebookSource } from "../../kernels/protocol/document.js";
import { Heap } from "../../kernels/reactive/heap.js";
import type { GraphView } from "./graph.js";
import { blocked, isText, walkOf } from "./plan.js";
import { same } from "./same.js";
import type { Ran, SessionState } from "./state.js";

/**
 * States of cells that differ from `state.doc.cells`; null: the cell is gone. `last` is the session as it was when this was asked last, and
 * `dirty` the cells whose run, queue place or files changed since: only these are looked at, those whose text or graph changed, and what
 * reads from them. Without `last` every cell is.
 */
export function deriveCells(state: SessionState, last: SessionState | null, dirty: Iterable<string> = []): Record<string, CellState | null> {
  const { graph } = state;
  const before = state.doc.cells;
  const changed: Record<string, CellState | null> = {};
  const todo = new Worklist(graph);
  for (const id of dirty) todo.add(id);
  if (last === null || last.doc.source !== state.doc.source || last.graph !== graph) {
    for (const id of textChanged(state, last)) todo.add(id);
    for (const id of Object.keys(before)) if (!graph.cells.has(id)) changed[id] = null;
  }
  const queued = new Set(state.queue.map((item) => item.cell));
  const waits = blocked(state);
  const { outputs } = walkOf(state);
  const now = (id: string) => changed[id] ?? before[id];
  for (let id = todo.next(); id !== undefined; id = todo.next()) {
    const old = before[id] ?? blankCell;
    const view = graph.cells.get(id)!;
    const cell = graph.readings.get(id)!.cell;
    const running = state.running?.cell === id;
    const ran = state.ran[id];
    const causes = running || ran === undefined ? [] : causesOf(state, cell, ran, now);
    const disabledBy = waits.get(id);
    const next: CellState = {
      ...old,
      status: running ? "running" : queued.has(id) ? "queued" : disabledBy !== undefined ? "disabled" : "idle",
      stale: causes.length > 0,
      causes,
      edited: ran !== undefined && isEdited(cell, ran),
      defines: view.defines,
      uses: view.names,
      problems: view.problems,
      form: view.form,
      blockedBy: disabledBy !== undefined && disabledBy !== id ? disabledBy : old.result === "cancelled" ? old.blockedBy : null,
    };
    if (before[id] === undefined || !same(old, next)) changed[id] = next;
    // its run may have changed before this; what reads from a cell that is as it was need not be looked at
    else if (last !== null && before[id] === last.doc.cells[id] && (ran === undefined) === (last.ran[id] === undefined)) continue;
    for (const user of outputs.get(id) ?? []) todo.add(user);
  }
  return changed;
}

/** Cells to look at, in the order of the graph, each once. */
class Worklist {
  #heap = new Heap();
  #seen = new Set<number>();
  #graph: GraphView;
  constructor(graph: GraphView) {
    this.#graph = graph;
  }
  add(id: string): void {
    const at = this.#graph.index.get(id);
    if (at === undefined || this.#seen.has(at)) return;
    this.#seen.add(at);
    this.#heap.push(at);
  }
  next(): string | undefined {
    const at = this.#heap.pop();
    return at === undefined ? undefined : this.#graph.order[at];
  }
}

/** Cells whose text, options or place in the graph changed. */
function textChanged(state: SessionState, last: SessionState | null): readonly string[] {
  const { graph, doc } = state;
  const off = (source: NotebookSource) => source.cells.some((cell) => cell.options.disabled === true);
  if (last === null || off(doc.source) || off(last.doc.source)) return graph.order;
  const names = (one: GraphView) => Object.keys(one.definedBy);
  const others = names(graph).length !== names(last.graph).length || names(graph).some((name) => last.graph.definedBy[name] === undefined);
  // a name that came or went is a cause also for cells that do not read it any more
  if (others) return graph.order;
  return graph.order.filter(
    (id) => graph.cells.get(id) !== last.graph.cells.get(id) || graph.readings.get(id)!.cell !== last.graph.readings.get(id)?.cell,
  );
}

export const isEdited = (cell: Cell, ran: { kind: string; source: string }) =>
  !isText(cell) && (ran.source !== cell.source || ran.kind !== cell.kind);

/** Names whose values differ from those that the last run read. `of` knows the new states of cells earlier in the order. */
function causesOf(state: SessionState, { id, source }: Cell, ran: Ran, of: (id: string) => CellState | null | undefined): string[] {
  const causes: string[] = [];
  const now = new Map(state.graph.cells.get(id)!.uses.map((use) => [use.name, use.cell]));
  const edited = ran.source !== source;
  // cells of a cycle never run: none of them waits for another
  const circle = new Set(state.graph.cells.get(id)!.problems.flatMap((problem) => (problem.type === "cycle" ? [...(problem.cells ?? []), id] : [])));
  for (const [name, run] of Object.entries(ran.inputs)) {
    const definer = now.get(name);
    // a name that the code no longer reads is an edit, unless its cell is gone
    if (definer === undefined) {
      if (!edited || state.graph.definedBy[name] === undefined) causes.push(name);
      continue;
    }
    if (circle.has(definer)) continue;
    const other = of(definer);
    if (state.ran[definer] === undefined || other?.run !== run || other?.stale === true) causes.push(name);
  }
  // a name that has come to be defined since
  if (!edited) for (const [name, definer] of now) if (!(name in ran.inputs) && state.ran[definer] !== undefined) causes.push(name);
  const file = state.touched[id];
  if (file !== undefined) causes.push(file);
  return causes;
}

/** Does what is on screen equal a clean run from top to bottom? */
export function deriveBadge(state: SessionState, cells: Record<string, CellState>): Badge {
  const errors: string[] = [];
  const stale: string[] = [];
  const open: string[] = [];
  const gone: string[] = [];
  let code = 0;
  let never = true;
  for (const { id, kind, source } of state.doc.source.cells) {
    if (kind === "markdown" || source.trim() === "") continue;
    const cell = cells[id]!;
    code++;
    if (cell.result === "error" || cell.problems.some((problem) => problem.severity === "error")) errors.push(id);
    if (cell.stale || cell.edited) stale.push(id);
    // a promotion is proposed only when asked for, so a page without it is complete
    if (cell.status === "disabled" || (kind === "promote" && cell.result === "none")) continue;
    if (cell.result !== "ok") {
      open.push(id);
      never &&= cell.result === "none";
    } else if (state.live[id] === undefined) gone.push(id);
  }
  if (errors.length > 0) return { state: "error", cells: errors };
  if (stale.length > 0) return { state: "stale", cells: stale };
  if (open.length > 0)
    return {
      state: "unchecked",
      why: never ? (open.length === code ? "not run yet" : "some cells have not been run") : "some cells did not finish",
      cells: open,
    };
  if (gone.length > 0) return { state: "unchecked", why: "outputs are from before the kernel was restarted", cells: gone };
  const { clean, rev } = state.doc;
  // a comparison counts until the next edit or run
  if (clean?.status !== "done" || clean.rev !== rev || clean.runs !== state.runs) return { state: "same" };
  if (clean.differences.length === 0) return { state: "same", verified: clean.at };
  return { state: "unchecked", why: "a clean run gave other outputs", cells: clean.differences.map((one) => one.cell) };
}
