/** Controls of cells, `view(...)`: what they hold outlives runs and kernels, is the same for every client, and is never in the notebook's file. Pure. */
import { accepts, isMoved, sameValue, valueText, type Control } from "../../kernels/protocol/controls.js";
import type { Cell, NotebookState } from "../../kernels/protocol/document.js";
import type { RunRequest } from "../../kernels/protocol/kernel.js";
import { isText } from "./plan.js";
import { same } from "./same.js";
import type { Ran } from "./state.js";
import type { Step } from "./step.js";

/** deleted cells whose controls are remembered */
const mostBuried = 100;

/** What a run of the cell is given. */
export function heldBy({ controls }: NotebookState, cell: string): Pick<RunRequest, "controls"> {
  const moved = (controls[cell] ?? []).filter(isMoved).map(({ key, value }) => [key, value] as const);
  return moved.length === 0 ? {} : { controls: Object.fromEntries(moved) };
}

/** The running cell shows a control. What was moved while it runs stays moved; the run itself has used what it says. */
export function showControl(step: Step, { cell, control }: { cell: string; control: Control }): void {
  const { running, ran, graph } = step.state;
  const { key, spec } = control;
  // deleted, or made a text, while it runs
  const of = graph.readings.get(cell)?.cell;
  if (of === undefined || isText(of)) return;
  const list = step.doc.controls[cell] ?? [];
  const known = list.find((one) => one.key === key);
  const value = known === undefined ? control.value : isMoved(known) && accepts(spec, known.value) ? known.value : spec.value;
  const next = { key, spec, value };
  if (known === undefined) put(step, cell, [...list, next]);
  else if (!same(known, next)) put(step, cell, list.with(list.indexOf(known), next));
  step.set({
    running: { ...running!, controls: [...running!.controls, key] },
    ran: ran.with(cell, { ...ran.get(cell)!, controls: { ...ran.get(cell)?.controls, [key]: control.value } }),
  });
}

/** The running cell is over and well: those that it has not shown are gone, the others stand in its order. */
export function dropControls(step: Step): void {
  const { cell, controls: keys } = step.state.running!;
  const list = step.doc.controls[cell] ?? [];
  const shown = keys.flatMap((key) => list.find((one) => one.key === key) ?? []);
  if (shown.length !== list.length || shown.some((one, i) => one !== list[i])) put(step, cell, shown);
}

/** Controls that hold another value than the cell's last run has used. */
export function movedSince({ controls }: NotebookState, cell: string, { controls: used = {} }: Ran): string[] {
  return (controls[cell] ?? []).flatMap(({ key, value }) => (Object.hasOwn(used, key) && !sameValue(used[key]!, value) ? [key] : []));
}

/** The controls that are moved from their defaults, their cells, and all in words. */
export function movedControls({ controls }: NotebookState): { cells: string[]; keys: string[]; words: string } {
  const all = Object.entries(controls).flatMap(([cell, list]) => list.filter(isMoved).map((control) => ({ cell, control })));
  const said = ({ key, spec, value }: Control) => `\`${key}\` is ${short(valueText(spec, value))}, not ${short(valueText(spec, spec.value))}`;
  const named = all.slice(0, 3).map(({ control }) => said(control));
  const more = all.length - named.length;
  return {
    cells: [...new Set(all.map(({ cell }) => cell))],
    keys: all.map(({ control }) => control.key),
    words: `${named.join(", ")}${more > 0 ? ` and ${more} more ${more === 1 ? "is" : "are"} moved` : ""}`,
  };
}

/** After the document changed: controls go with their cells, and come back with a cell that comes back as it was. */
export function followCells(step: Step, before: readonly Cell[]): void {
  const { readings } = step.state.graph;
  let { buried } = step.state;
  for (const id of Object.keys(step.doc.controls)) {
    const cell = readings.get(id)?.cell;
    if (cell !== undefined && !isText(cell)) continue;
    const was = before.find((one) => one.id === id);
    const rest = Object.entries(buried).slice(1 - mostBuried);
    if (was !== undefined) buried = Object.fromEntries([...rest, [id, { cell: was, controls: step.doc.controls[id]! }]]);
    put(step, id, []);
  }
  for (const [id, { cell: was, controls }] of Object.entries(buried)) {
    const cell = readings.get(id)?.cell;
    if (cell === undefined || isText(cell)) continue;
    const { [id]: _, ...rest } = buried;
    buried = rest;
    if (cell.kind === was.kind && cell.source === was.source) put(step, id, controls);
  }
  step.set({ buried });
}

function put(step: Step, cell: string, controls: Control[]): void {
  step.emit({ type: "controls", cell, controls });
  step.act({ do: "journal", record: { type: "controls", cell, controls } });
}

const short = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
