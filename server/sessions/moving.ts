/** Moving controls, and setting them back: the cell runs with what its control holds then. Pure. */
import { accepts, isMoved, sameValue, type ControlValue } from "../../kernels/protocol/controls.js";
import { planRun } from "./plan.js";
import { enqueue } from "./queue.js";
import type { Refusal } from "./state.js";
import type { Step } from "./step.js";

/** Null when it is done. */
export function moveControl(step: Step, { cell, key, value }: { cell: string; key: string; value: ControlValue }, at: number): Refusal | null {
  const control = step.doc.controls[cell]?.find((one) => one.key === key);
  if (control === undefined) return { code: "not-found", message: `The control ${JSON.stringify(key.slice(0, 200))} is not on show any more.` };
  if (step.doc.cells[cell]?.status === "disabled")
    return { code: "bad-request", message: "The cell is disabled, or needs one that is: enable it to use its controls." };
  if (!accepts(control.spec, value))
    return {
      code: "bad-request",
      message: `The control ${JSON.stringify(control.spec.label)} does not take ${JSON.stringify(value).slice(0, 200)}.`,
    };
  if (sameValue(control.value, value)) return null;
  set(step, cell, key, value);
  run(step, [cell], at);
  return null;
}

/** Defaults again, of one cell or of all. */
export function resetControls(step: Step, only: string | null, at: number): null {
  const cells: string[] = [];
  for (const [cell, controls] of Object.entries(step.doc.controls)) {
    if (only !== null && cell !== only) continue;
    const moved = controls.filter(isMoved);
    for (const { key, spec } of moved) set(step, cell, key, spec.value);
    if (moved.length > 0 && step.doc.cells[cell]?.status !== "disabled") cells.push(cell);
  }
  run(step, cells, at);
  return null;
}

/** A promotion is proposed when a person runs it: its controls make it stale. */
function run(step: Step, cells: readonly string[], at: number): void {
  const { readings } = step.state.graph;
  const asked = cells.filter((id) => readings.get(id)?.cell.kind !== "promote");
  if (asked.length > 0) enqueue(step, planRun(step.state, asked, true), at);
  else step.settle();
}

function set(step: Step, cell: string, key: string, value: ControlValue): void {
  step.emit({ type: "control", cell, key, value });
  step.act({ do: "journal", record: { type: "control", cell, key, value } });
  step.dirty.add(cell);
}
