/** Form fields and renames as the smallest edits of the source. A string that comes back says why not. */
import { definitions } from "../../kernels/cells/definitions.js";
import type { CallView, Cell, CellState, Command, NotebookSource, Operation } from "../../kernels/protocol/document.js";
import { readCall, writeField } from "../../kernels/reactive/call.js";
import { renameName } from "../../kernels/reactive/rename.js";

const calls = new Map(definitions.map((definition) => [definition.kind as string, definition.call]));

/** How the form of a built-in cell reads its call; null for other cells. */
export function formOf(cell: Cell): CallView | null {
  const call = calls.get(cell.kind);
  return call === undefined ? null : readCall(cell.source, call);
}

export function fieldEdit(source: NotebookSource, command: Extract<Command, { do: "field" }>): Operation[] | string {
  const cell = source.cells.find((other) => other.id === command.cell)!;
  const call = calls.get(cell.kind);
  if (call === undefined) return `Cell ${cell.id} is a ${cell.kind} cell and has no form.`;
  return attempt(() => [{ op: "edit", id: cell.id, ...writeField(cell.source, call, command.path, command.value) }]);
}

/** `cells`: what each defines; a name that another one has would be a clash. */
export function renameEdits(
  source: NotebookSource,
  command: Extract<Command, { do: "rename" }>,
  cells: Readonly<Record<string, Pick<CellState, "defines">>>,
): Operation[] | string {
  const taken = Object.entries(cells).find(([id, other]) => id !== command.cell && other.defines.includes(command.to));
  if (taken !== undefined) return `Cell ${taken[0]} defines \`${command.to}\` already.`;
  const cell = source.cells.find((other) => other.id === command.cell)!;
  return attempt(() => renameName(cell.source, command.from, command.to).splices.map((splice) => ({ op: "edit", id: cell.id, ...splice })));
}

function attempt(make: () => Operation[]): Operation[] | string {
  try {
    const ops = make();
    return ops.length === 0 ? "Nothing to change." : ops;
  } catch (error) {
    if (error instanceof RangeError) return `${error.message}.`;
    throw error;
  }
}
