/** `view(input)` of a run: its control is shown, and its value is the cell's. */
import { isMoved } from "../protocol/controls.js";
import { viewNames } from "../reactive/views.js";
import { control } from "./controls.js";
import type { Run } from "./run.js";

/** `set`: values from the command line, by key. */
export function view(run: Run, given: unknown, set: Readonly<Record<string, string>> = {}): unknown {
  if (run.over) throw new Error("view() shows a control while its cell runs, not from a timer or a listener after it");
  const made = control(given, { held: run.request.controls, set }, run.controls, () => viewNames(run.cell.source)[run.controls.length]);
  run.control(made.control);
  return made.value;
}

/** The source of a run's cell, with the controls that were not at their defaults: what came of it follows from both. */
export function sourceWith({ cell, controls }: Run): string {
  const moved = controls.filter(isMoved).map(({ key, value }) => [key, value]);
  return moved.length === 0 ? cell.source : `${cell.source}\n${JSON.stringify(moved)}`;
}
