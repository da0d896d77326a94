/** One step of the reducer under way: collects events, each folded at once, and actions. */
import { blankCell } from "../../kernels/notebook/blank.js";
import { replay } from "../../kernels/notebook/replay.js";
import type { CellState, KernelState, NotebookState } from "../../kernels/protocol/document.js";
import { badgeOf, mark, markAll } from "./badge.js";
import { deriveCells } from "./derive.js";
import { same } from "./same.js";
import type { Action, Queued, RunAction, SessionState, Unnumbered } from "./state.js";

export class Step {
  state: SessionState;
  readonly events: (Unnumbered & { seq: number })[] = [];
  readonly actions: Action[] = [];
  value: unknown = undefined;
  /** as it was when the derived parts were computed last: steps begin settled */
  #settled: SessionState;
  readonly #early: ((action: RunAction) => void) | undefined;
  constructor(state: SessionState, early?: (action: RunAction) => void) {
    this.state = this.#settled = state;
    this.#early = early;
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
    // what the kernel is told stays in order
    if (action.do === "run" && this.#early !== undefined && this.actions.every(({ do: what }) => what === "journal" || what === "keep"))
      this.#early(action);
    else this.actions.push(action);
  }
  cell(id: string, part: Partial<CellState>): void {
    this.pending[id] = { ...(this.pending[id] ?? this.doc.cells[id] ?? blankCell), ...part };
  }
  /** cell states changed in this step and not yet told; the derived parts are added when the step ends */
  pending: Record<string, CellState> = {};
  kernel(part: Partial<KernelState>): void {
    const kernel = { ...this.doc.kernel, ...part };
    if (!same(kernel, this.doc.kernel)) this.emit({ type: "kernel", kernel });
  }
  /** cells whose files or queue place changed: what follows for them is computed anew when the step ends */
  readonly dirty = new Set<string>();
  /** Recomputes what follows from document, graph and runs, and tells what changed. What did not change costs nothing. */
  settle(): void {
    const { pending } = this;
    this.pending = {};
    for (const id of Object.keys(pending)) if (!this.state.graph.cells.has(id)) delete pending[id];
    const { running, queue: waiting } = this.state;
    for (const id of [...Object.keys(pending), this.#settled.running?.cell, running?.cell]) if (id !== undefined) this.dirty.add(id);
    const moved = spliceOf(this.#settled.queue, waiting, sameItem);
    if (moved !== null) for (const id of differing(this.#settled.queue, moved)) this.dirty.add(id);
    const changed = { ...pending, ...deriveCells(this.state, this.#settled, this.dirty, pending) };
    for (const [id, cell] of Object.entries(changed)) {
      const before = this.doc.cells[id];
      if (cell !== null && before !== undefined && same(before, cell)) delete changed[id];
    }
    if (Object.keys(changed).length > 0) this.emit({ type: "cells", cells: changed });
    const queue = spliceOf(this.doc.queue, waiting, (id, item) => id === item.cell);
    if (queue !== null) this.emit({ type: "queue", at: queue.at, remove: queue.remove, insert: queue.insert.map((item) => item.cell) });
    const dropped = this.state.live.size === 0 && this.#settled.live.size > 0;
    this.set({ marks: dropped ? markAll(this.state) : mark(this.state, [...this.dirty, ...Object.keys(changed)]) });
    this.dirty.clear();
    const badge = badgeOf(this.state);
    if (!same(badge, this.doc.badge)) this.emit({ type: "badge", badge });
    this.#settled = this.state;
  }
}

/** This client writes from now on. */
export function become(step: Step, client: string): void {
  const name = step.doc.clients.find((other) => other.client === client)?.name ?? client;
  if (step.doc.writer?.client !== client) step.emit({ type: "writer", writer: { client, name } });
}

/** The one splice that makes `before` into `after`; null when they are equal. */
export function spliceOf<A, B>(
  before: readonly A[],
  after: readonly B[],
  equal: (a: A, b: B) => boolean,
): { at: number; remove: number; insert: B[] } | null {
  const most = Math.min(before.length, after.length);
  // the front of a queue goes while all the rest stays: the end is compared first
  let end = 0;
  while (end < most && equal(before[before.length - 1 - end]!, after[after.length - 1 - end]!)) end++;
  if (end === before.length && end === after.length) return null;
  let at = 0;
  while (at < most - end && equal(before[at]!, after[at]!)) at++;
  return { at, remove: before.length - at - end, insert: after.slice(at, after.length - end) };
}

const sameItem = (a: Queued, b: Queued) => a.cell === b.cell;

/** Cells that a splice takes out of a queue or puts into it; one that it moves is neither. */
function differing(before: readonly Queued[], { at, remove, insert }: { at: number; remove: number; insert: Queued[] }): string[] {
  const [had, has] = [new Set(before.slice(at, at + remove).map((item) => item.cell)), new Set(insert.map((item) => item.cell))];
  return [...[...had].filter((id) => !has.has(id)), ...[...has].filter((id) => !had.has(id))];
}
