/** Cells that were deleted, with what their last runs showed: an undo brings it back with the text. Pure but for the step that it is given. */
import type { Cell, CellState } from "../../kernels/protocol/document.js";
import type { Output } from "../../kernels/protocol/output.js";
import { record } from "./queue.js";
import type { Ran, SessionState } from "./state.js";
import type { Step } from "./step.js";

export interface Deleted {
  cell: Cell;
  state: Pick<CellState, "result" | "run" | "startedAt" | "elapsedMs" | "warnings" | "changed" | "cached" | "blockedBy">;
  ran: Ran;
  outputs: readonly Output[];
  more: number | undefined;
}

/** cells that are remembered; those deleted first go first */
const most = 20;

/** These cells are deleted from a document that had them. Their files stay on the disk while they are remembered. */
export function bury(step: Step, before: readonly Cell[], gone: readonly string[]): void {
  if (gone.length === 0) return;
  const { doc, running, deleted } = step.state;
  const next = new Map(deleted);
  const forgotten: string[] = [];
  for (const id of gone) {
    const cell = before.find((one) => one.id === id);
    const [state, ran] = [doc.cells[id], step.state.ran.get(id)];
    next.delete(id);
    // one that runs is stopped: what it shows is half a result
    if (cell === undefined || state === undefined || ran === undefined || running?.cell === id) forgotten.push(id);
    else next.set(id, { cell, state, ran, outputs: doc.outputs[id] ?? [], more: doc.more[id] });
  }
  for (const id of [...next.keys()].slice(0, -most)) {
    next.delete(id);
    forgotten.push(id);
  }
  step.set({ deleted: next });
  for (const cell of forgotten) step.act({ do: "keep", cell });
}

/** Of the cells that have come to be those that were deleted before, with a text that has been theirs, get their last results back. */
export function unearth(step: Step, had: SessionState["graph"]): void {
  const back = [...step.state.deleted].filter(([id]) => step.state.graph.cells.has(id) && !had.cells.has(id));
  for (const [id, { cell, state, ran, outputs, more }] of back) {
    const deleted = new Map(step.state.deleted);
    deleted.delete(id);
    step.set({ deleted });
    const { kind, source } = step.state.graph.readings.get(id)!.cell;
    if (kind !== cell.kind || (source !== cell.source && source !== ran.source)) {
      step.act({ do: "keep", cell: id });
      continue;
    }
    step.set({ ran: step.state.ran.with(id, ran) });
    const { result, run, startedAt, elapsedMs, warnings, changed, cached, blockedBy } = state;
    step.cell(id, { result, run, startedAt, elapsedMs, warnings, ...(changed && { changed }), cached, blockedBy });
    if (run !== null) step.emit({ type: "outputs", cell: id, run, clear: true, outputs: [...outputs], ...(more !== undefined && { more }) });
    record(step, id);
  }
}
