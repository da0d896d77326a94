/** Which cells a command runs, and in which order. Pure; on the graph and each cell's last run. */
import { definitions } from "../../kernels/cells/definitions.js";
import type { Cell } from "../../kernels/protocol/document.js";
import type { GraphView } from "./graph.js";
import type { Queued, SessionState } from "./state.js";

const costly = new Set(definitions.filter((definition) => definition.costly).map((definition) => definition.kind as string));

/** Cells that the kernel never sees. */
export const isText = (cell: Cell) => cell.kind === "markdown";
/** Runs only when asked for: marked so, or costly by kind unless its marker says `lazy=false`; promote, which starts a host, always. */
export const isLazy = (cell: Cell) => cell.kind === "promote" || (cell.options.lazy ?? costly.has(cell.kind));

export interface Walk {
  /** cell -> cells that it reads from */
  inputs: ReadonlyMap<string, readonly string[]>;
  /** cell -> cells that read from it */
  outputs: ReadonlyMap<string, readonly string[]>;
}

/** kept with the edges, which are never changed in place */
const walks = new WeakMap<GraphView["graph"]["edges"], Walk>();

export function walkOf({ graph }: Pick<SessionState, "graph">): Walk {
  const known = walks.get(graph.graph.edges);
  if (known !== undefined) return known;
  const inputs = new Map<string, string[]>();
  const outputs = new Map<string, string[]>();
  for (const [id, view] of graph.cells) {
    const from = [...new Set(view.uses.map((use) => use.cell))];
    inputs.set(id, from);
    for (const other of from) {
      const list = outputs.get(other);
      if (list === undefined) outputs.set(other, [id]);
      else list.push(id);
    }
  }
  const walk = { inputs, outputs };
  walks.set(graph.graph.edges, walk);
  return walk;
}

/** All cells reached from `from` along `edges`, without `from` itself unless a cycle leads back. */
export function reach(
  edges: ReadonlyMap<string, readonly string[]>,
  from: Iterable<string>,
  enter: (id: string) => boolean = () => true,
): Set<string> {
  const seen = new Set<string>();
  const todo = [...from];
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    for (const next of edges.get(id) ?? []) {
      if (seen.has(next) || !enter(next)) continue;
      seen.add(next);
      todo.push(next);
    }
  }
  return seen;
}

/** The kernel holds the values of this cell's present code, made from its present inputs. */
export function isFresh(state: SessionState, id: string): boolean {
  const cell = state.doc.cells[id];
  return cell !== undefined && state.live.has(id) && cell.result === "ok" && !cell.stale && !cell.edited;
}

/** Runs `asked`, first what they need and the kernel does not have, and in auto mode then what reads them. */
export function planRun(state: SessionState, asked: readonly string[], withInputs: boolean): string[] {
  const { inputs, outputs } = walkOf(state);
  const cells = new Map(state.doc.source.cells.map((cell) => [cell.id, cell]));
  const waits = blocked(state);
  const set = new Set(asked);
  if (withInputs) for (const id of reach(inputs, asked)) if (!isFresh(state, id)) set.add(id);
  // what is run between two cells of the plan makes the second one stale
  if (withInputs) for (const id of reach(inputs, asked)) if (!set.has(id) && [...reach(inputs, [id])].some((up) => set.has(up))) set.add(id);
  if (state.doc.mode === "auto") {
    const down = reach(outputs, set, (id) => set.has(id) || !isLazy(cells.get(id)!));
    for (const id of state.graph.order) {
      if (!down.has(id) || set.has(id)) continue;
      if ((inputs.get(id) ?? []).every((up) => set.has(up) || isFresh(state, up))) set.add(id);
    }
  }
  return state.graph.order.filter((id) => set.has(id) && runnable(cells.get(id)) && (!waits.has(id) || asked.includes(id)));
}

/** Every cell that can run, in order; promotions only where a person said so. */
export function planAll(state: SessionState, promote = false): string[] {
  const cells = new Map(state.doc.source.cells.map((cell) => [cell.id, cell]));
  const waits = blocked(state);
  return state.graph.order.filter((id) => runnable(cells.get(id)) && !waits.has(id) && (promote || cells.get(id)!.kind !== "promote"));
}

/** This cell, all below it in the document and all that reads from it, directly or not; and what of their inputs the kernel lacks. */
export function planFrom(state: SessionState, id: string): string[] {
  const { inputs, outputs } = walkOf(state);
  const at = state.doc.source.cells.findIndex((cell) => cell.id === id);
  const want = new Set(state.doc.source.cells.slice(at).map((cell) => cell.id));
  for (const other of reach(outputs, [id])) want.add(other);
  for (const other of reach(inputs, want)) if (!isFresh(state, other)) want.add(other);
  const all = planAll(state, state.doc.source.cells[at]?.kind === "promote");
  return all.filter((other) => want.has(other));
}

/** The queue in the order that it came, but no cell before a queued one whose names it reads, directly or through others. */
export function inputsFirst(state: Pick<SessionState, "graph">, queue: readonly Queued[]): Queued[] {
  if (queue.length < 2) return [...queue];
  const { inputs } = walkOf(state);
  const waiting = new Map(queue.map((item) => [item.cell, item]));
  const seen = new Set<string>();
  const sorted: Queued[] = [];
  for (const { cell } of queue) {
    // by hand: a chain of ten thousand cells must not overflow the call stack
    const work = seen.has(cell) ? [] : [{ id: cell, next: 0 }];
    seen.add(cell);
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const input = inputs.get(top.id)?.[top.next++];
      if (input !== undefined) {
        if (!seen.has(input)) work.push({ id: input, next: 0 });
        seen.add(input);
        continue;
      }
      work.pop();
      const item = waiting.get(top.id);
      if (item !== undefined) sorted.push(item);
    }
  }
  return sorted;
}

/** Stale and edited cells, and whatever of their inputs the kernel lacks; in graph order. Cells never run stay so. */
export function planStale(state: SessionState): string[] {
  const { inputs, outputs } = walkOf(state);
  const cells = new Map(state.doc.source.cells.map((cell) => [cell.id, cell]));
  const waits = blocked(state);
  const want = new Set(
    state.graph.order.filter((id) => {
      const cell = state.doc.cells[id];
      return (
        cell !== undefined && cell.result !== "none" && (cell.stale || cell.edited || cell.result === "cancelled" || cell.result === "interrupted")
      );
    }),
  );
  for (const id of reach(outputs, want)) if (state.doc.cells[id]?.result !== "none") want.add(id);
  for (const id of reach(inputs, want)) if (!isFresh(state, id)) want.add(id);
  return state.graph.order.filter((id) => want.has(id) && runnable(cells.get(id)) && !waits.has(id));
}

/** These cells, as far as they can run still, with what they need and the kernel lacks; in graph order. */
export function planSame(state: SessionState, ids: readonly string[]): string[] {
  const { inputs } = walkOf(state);
  const set = new Set(ids);
  for (const id of reach(inputs, ids)) if (!isFresh(state, id)) set.add(id);
  const cells = new Map(state.doc.source.cells.map((cell) => [cell.id, cell]));
  const waits = blocked(state);
  return state.graph.order.filter((id) => set.has(id) && runnable(cells.get(id)) && !waits.has(id));
}

/** Cells up to this one in the document, and what they need. */
export function planTo(state: SessionState, id: string): string[] {
  const at = state.doc.source.cells.findIndex((cell) => cell.id === id);
  const above = state.doc.source.cells.slice(0, at + 1).map((cell) => cell.id);
  const { inputs } = walkOf(state);
  const set = new Set([...above, ...reach(inputs, above)]);
  return planAll(state).filter((cell) => set.has(cell));
}

const blocks = new WeakMap<GraphView, { cells: readonly Cell[]; found: ReadonlyMap<string, string> }>();

/** Disabled cells and all that read from them: cell -> the disabled cell. */
export function blocked(state: Pick<SessionState, "doc" | "graph">): ReadonlyMap<string, string> {
  const { cells } = state.doc.source;
  const known = blocks.get(state.graph);
  if (known?.cells === cells) return known.found;
  const found = new Map<string, string>();
  for (const cell of cells) {
    if (cell.options.disabled !== true) continue;
    found.set(cell.id, cell.id);
    for (const id of reach(walkOf(state).outputs, [cell.id])) if (!found.has(id)) found.set(id, cell.id);
  }
  blocks.set(state.graph, { cells, found });
  return found;
}

const runnable = (cell: Cell | undefined): cell is Cell => cell !== undefined && !isText(cell) && cell.source.trim() !== "";
