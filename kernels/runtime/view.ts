/** `view(input)` of a run: its control is shown, and its value is the cell's. */
import { viewNames } from "../reactive/views.js";
import { control } from "./controls.js";
import type { Run } from "./run.js";

export function view(run: Run, given: unknown): unknown {
  if (run.over) throw new Error("view() shows a control while its cell runs, not from a timer or a listener after it");
  const made = control(given, run.request.controls ?? {}, run.controls, () => viewNames(run.cell.source)[run.controls.length]);
  run.control(made.control);
  return made.value;
}
