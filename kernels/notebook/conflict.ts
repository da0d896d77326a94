/**
 * A cell changed here and outside is kept twice: ours where it was, and directly below it the file's, switched off, with `conflict="ID"` in its marker.
 * The mark is in the file, so that it is seen in any editor, in git, and after a restart. The copy takes no part in the graph until somebody decides.
 */
import type { Cell, CellOptions } from "../protocol/document.js";

const mark = /^conflict=("(?:[^"\\]|\\.)*")$/su;

/** Id of the cell that this one is another version of; null for any other cell, and once somebody has switched it on. */
export function conflictOf(cell: Pick<Cell, "options">): string | null {
  if (cell.options.disabled !== true) return null;
  for (const word of cell.options.rest ?? []) {
    const [, json] = mark.exec(word) ?? [];
    if (json === undefined) continue;
    try {
      return JSON.parse(json) as string;
    } catch {
      // a word of somebody else's
    }
  }
  return null;
}

/** The file's version of cell `id`, as the cell below it. */
export function conflictCopy(theirs: Cell, id: string, copy: string): Cell {
  const { rest, ...options } = unmarked(theirs.options);
  return { ...theirs, id: copy, options: { ...options, disabled: true, rest: [...(rest ?? []), `conflict=${JSON.stringify(id)}`] } };
}

/** The options of such a cell once somebody has decided to have it: without the mark, and switched on. */
export function settledOptions(options: CellOptions): CellOptions {
  const { disabled: _, ...others } = unmarked(options);
  return others;
}

function unmarked(options: CellOptions): CellOptions {
  const { rest = [], ...others } = options;
  const left = rest.filter((word) => !mark.test(word));
  return left.length === 0 ? others : { ...others, rest: left };
}
