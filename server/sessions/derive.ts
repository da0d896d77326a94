/** What follows from document, graph and runs for each cell. Pure. */
import { blankCell } from "../../kernels/notebook/blank.js";
import type { Cell, CellState, NotebookSource } from "../../kernels/protocol/document.js";
import { Heap } from "../../kernels/reactive/heap.js";
import { movedSince } from "./controls.js";
import type { GraphView } from "./graph.js";
import { blocked, isText, walkOf } from "./plan.js";
import { same } from "./same.js";
import type { Queued, Ran, SessionState } from "./state.js";

/**
 * States of cells that differ from `state.doc.cells` with `pending`, which are not told yet; null: the cell is gone. `last` is the session
 * as it was when this was asked last, and `dirty` the cells whose run, queue place or files changed since: only these are looked at, those
 * whose text or graph changed, and what reads from them. Without `last` every cell is.
 */
export function deriveCells(
  state: SessionState,
  last: SessionState | null,
  dirty: Iterable<string> = [],
  pending: Readonly<Record<string, CellState>> = {},
): Record<string, CellState | null> {
  const { graph } = state;
  const before = (id: string) => pending[id] ?? state.doc.cells[id];
  const changed: Record<string, CellState | null> = {};
  const todo = new Worklist(graph);
  for (const id of dirty) todo.add(id);
  if (last === null || last.doc.source !== state.doc.source || last.graph !== graph) {
    for (const id of textChanged(state, last)) todo.add(id);
    if (graph.graph.ids !== last?.graph.graph.ids) for (const id of Object.keys(state.doc.cells)) if (!graph.cells.has(id)) changed[id] = null;
  }
  const isQueued = membership(state.queue);
  const waits = blocked(state);
  const { outputs } = walkOf(state);
  const now = (id: string) => changed[id] ?? before(id);
  for (let id = todo.next(); id !== undefined; id = todo.next()) {
    const known = before(id);
    const old = known ?? blankCell;
    const view = graph.cells.get(id)!;
    const cell = graph.readings.get(id)!.cell;
    const running = state.running?.cell === id;
    const ran = state.ran.get(id);
    const causes = running || ran === undefined ? [] : causesOf(state, cell, ran, now);
    const disabledBy = waits.get(id);
    const next: CellState = {
      ...old,
      status: running ? "running" : isQueued(id) ? "queued" : disabledBy !== undefined ? "disabled" : "idle",
      stale: causes.length > 0,
      causes,
      edited: ran !== undefined && isEdited(cell, ran),
      defines: view.defines,
      uses: view.names,
      problems: view.problems,
      form: view.form,
      blockedBy: disabledBy !== undefined && disabledBy !== id ? disabledBy : old.result === "cancelled" ? old.blockedBy : null,
    };
    if (known === undefined || !same(old, next)) changed[id] = next;
    // its run may have changed before this; what reads from a cell that is as it was need not be looked at
    else if (last !== null && known === last.doc.cells[id] && (ran === undefined) === !last.ran.has(id)) continue;
    for (const user of outputs.get(id) ?? []) todo.add(user);
  }
  return changed;
}

/** Is a cell in the queue? The first few are looked up in it; a set is made only for many. */
function membership(queue: readonly Queued[]): (id: string) => boolean {
  let left = 8;
  let set: Set<string> | null = null;
  return (id) => {
    if (left-- > 0) return queue.some((item) => item.cell === id);
    set ??= new Set(queue.map((item) => item.cell));
    return set.has(id);
  };
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
  // a name that came or went is a cause also for cells that read it once and do not any more
  const others = othersDefined(graph.definers, last.graph.definers);
  const read = (id: string) => others.size > 0 && Object.keys(state.ran.get(id)?.inputs ?? {}).some((name) => others.has(name));
  return graph.order.filter(
    (id) => graph.cells.get(id) !== last.graph.cells.get(id) || graph.readings.get(id)!.cell !== last.graph.readings.get(id)?.cell || read(id),
  );
}

/** Names that one of them has alone. */
function othersDefined(a: GraphView["definers"], b: GraphView["definers"]): ReadonlySet<string> {
  const others = new Set<string>();
  if (a === b) return others;
  for (const name of a.keys()) if (!b.has(name)) others.add(name);
  for (const name of b.keys()) if (!a.has(name)) others.add(name);
  return others;
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
      if (!edited || !state.graph.definers.has(name)) causes.push(name);
      continue;
    }
    if (circle.has(definer)) continue;
    const other = of(definer);
    if (!state.ran.has(definer) || other?.run !== run || other?.stale === true) causes.push(name);
  }
  // a name that has come to be defined since
  if (!edited) for (const [name, definer] of now) if (!(name in ran.inputs) && state.ran.has(definer)) causes.push(name);
  causes.push(...movedSince(state.doc, id, ran));
  const file = state.touched.get(id);
  if (file !== undefined) causes.push(file);
  return causes;
}
