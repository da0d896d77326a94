/** One step of the reducer under way: collects events, each folded at once, and actions. */
import { blankCell } from "../../kernels/notebook/blank.js";
import { replay } from "../../kernels/notebook/replay.js";
import type { CellState, KernelState, NotebookState } from "../../kernels/protocol/document.js";
import { deriveBadge, deriveCells } from "./derive.js";
import { same } from "./same.js";
import type { Action, Queued, SessionState, Unnumbered } from "./state.js";

export class Step {
  state: SessionState;
  readonly events: (Unnumbered & { seq: number })[] = [];
  readonly actions: Action[] = [];
  value: unknown = undefined;
  /** as it was when the derived parts were computed last: steps begin settled */
  #settled: SessionState;
  constructor(state: SessionState) {
    this.state = this.#settled = state;
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
  /** cells whose files or queue place changed: what follows for them is computed anew when the step ends */
  readonly dirty = new Set<string>();
  /** Recomputes what follows from document, graph and runs, and tells what changed. */
  settle(): void {
    const before = this.doc.cells;
    const pending = Object.entries(this.pending).filter(([id]) => this.state.graph.cells.has(id));
    const cells = pending.length === 0 ? before : { ...before, ...Object.fromEntries(pending) };
    const { running, queue: waiting } = this.state;
    for (const id of [...pending.map(([id]) => id), this.#settled.running?.cell, running?.cell]) if (id !== undefined) this.dirty.add(id);
    if (waiting !== this.#settled.queue) for (const id of differing(this.#settled.queue, waiting)) this.dirty.add(id);
    const derived = deriveCells({ ...this.state, doc: { ...this.doc, cells } }, this.#settled, this.dirty);
    const changed: Record<string, CellState | null> = { ...derived };
    for (const [id, cell] of pending) if (!(id in changed) && !(before[id] !== undefined && same(before[id], cell))) changed[id] = cell;
    for (const [id, cell] of Object.entries(derived)) if (cell !== null && before[id] !== undefined && same(before[id], cell)) delete changed[id];
    this.pending = {};
    this.dirty.clear();
    if (Object.keys(changed).length > 0) this.emit({ type: "cells", cells: changed });
    const queue = spliceOf(
      this.doc.queue,
      this.state.queue.map((item) => item.cell),
    );
    if (queue !== null) this.emit({ type: "queue", ...queue });
    const badge = deriveBadge(this.state, this.doc.cells);
    if (!same(badge, this.doc.badge)) this.emit({ type: "badge", badge });
    this.#settled = this.state;
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

/** The one splice that makes `before` into `after`; null when they are equal. */
export function spliceOf(before: readonly string[], after: readonly string[]): { at: number; remove: number; insert: string[] } | null {
  const most = Math.min(before.length, after.length);
  let at = 0;
  while (at < most && before[at] === after[at]) at++;
  if (at === before.length && at === after.length) return null;
  let end = 0;
  while (end < most - at && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { at, remove: before.length - at - end, insert: after.slice(at, after.length - end) };
}

/** Cells of one queue alone. */
function differing(before: readonly Queued[], after: readonly Queued[]): string[] {
  const [had, has] = [new Set(before.map((item) => item.cell)), new Set(after.map((item) => item.cell))];
  return [...[...had].filter((id) => !has.has(id)), ...[...has].filter((id) => !had.has(id))];
}
