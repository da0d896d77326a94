/** One step of the reducer under way: collects events, each folded at once, and actions. */
import { blankCell } from "../../kernels/notebook/blank.js";
import { replay } from "../../kernels/notebook/replay.js";
import type { CellState, KernelState, NotebookState } from "../../kernels/protocol/document.js";
import { deriveBadge, deriveCells, same } from "./derive.js";
import type { Action, SessionState, Unnumbered } from "./state.js";

export class Step {
  state: SessionState;
  readonly events: (Unnumbered & { seq: number })[] = [];
  readonly actions: Action[] = [];
  value: unknown = undefined;
  constructor(state: SessionState) {
    this.state = state;
  }
  get doc(): NotebookState {
    return this.state.doc;
  }
  emit(event: Unnumbered): void {
    const numbered = { ...event, seq: this.doc.seq + 1 };
    this.events.push(numbered);
    this.set({ doc: replay(this.doc, numbered) });
  }
  set(part: Partial<SessionState>): void {
    this.state = { ...this.state, ...part };
  }
  act(action: Action): void {
    this.actions.push(action);
  }
  cell(id: string, part: Partial<CellState>): void {
    this.patch({ ...this.pending, [id]: { ...(this.pending[id] ?? this.doc.cells[id] ?? blankCell), ...part } });
  }
  /** cell states changed in this step and not yet told; the derived parts are added when the step ends */
  pending: Record<string, CellState> = {};
  patch(cells: Record<string, CellState>): void {
    this.pending = cells;
  }
  kernel(part: Partial<KernelState>): void {
    const kernel = { ...this.doc.kernel, ...part };
    if (!same(kernel, this.doc.kernel)) this.emit({ type: "kernel", kernel });
  }
  /** Recomputes what follows from document, graph and runs, and tells what changed. */
  settle(): void {
    const before = this.doc.cells;
    const pending = Object.fromEntries(Object.entries(this.pending).filter(([id]) => this.state.graph.cells.has(id)));
    const derived = deriveCells({ ...this.state, doc: { ...this.doc, cells: { ...before, ...pending } } });
    this.pending = {};
    const changed: Record<string, CellState | null> = {};
    for (const [id, cell] of Object.entries(derived)) if (before[id] === undefined || !same(before[id], cell)) changed[id] = cell;
    for (const id of Object.keys(before)) if (!(id in derived)) changed[id] = null;
    if (Object.keys(changed).length > 0) this.emit({ type: "cells", cells: changed });
    const badge = deriveBadge(this.state, derived);
    if (!same(badge, this.doc.badge)) this.emit({ type: "badge", badge });
  }
}

/** This client writes from now on. */
export function become(step: Step, client: string): void {
  const name = step.doc.clients.find((other) => other.client === client)?.name ?? client;
  if (step.doc.writer?.client !== client) step.emit({ type: "writer", writer: { client, name } });
}

/** The record without this key; the same one when it has none. */
export function omit<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}
