/** The notebook's graph as a session uses it: who defines, who reads, in which order. A cell is analysed again only when its text changed. */
import type { CallView, Cell, Problem } from "../../kernels/protocol/document.js";
import { buildGraph } from "../../kernels/reactive/graph.js";
import { analyse, type Analysis } from "../../kernels/reactive/references.js";
import { formOf } from "./edits.js";

export interface CellView {
  id: string;
  defines: string[];
  /** names of other cells that it reads, with the cell that defines each */
  uses: { name: string; cell: string }[];
  problems: Problem[];
  form: CallView | null;
}

export interface GraphView {
  cells: ReadonlyMap<string, CellView>;
  /** ids so that each comes after those it reads; the cells of a cycle come last */
  order: readonly string[];
  /** kept for the next time */
  readings: ReadonlyMap<string, { cell: Cell; analysis: Analysis; form: CallView | null }>;
}

export function viewGraph(cells: readonly Cell[], last?: GraphView): GraphView {
  const readings = new Map<string, { cell: Cell; analysis: Analysis; form: CallView | null }>();
  for (const cell of cells) {
    const old = last?.readings.get(cell.id);
    const known = old !== undefined && old.cell.source === cell.source && old.cell.kind === cell.kind;
    readings.set(cell.id, known ? old : { cell, analysis: analyse(cell, old?.analysis), form: formOf(cell) });
  }
  const graph = buildGraph([...readings.values()].map((reading) => reading.analysis));
  const views = new Map<string, CellView>();
  for (const { id } of cells) {
    const { defines, uses, problems } = graph.cells[id]!;
    const known = uses.flatMap((name) => {
      const definer = graph.definedBy[name];
      return definer === undefined || definer === id ? [] : [{ name, cell: definer }];
    });
    views.set(id, { id, defines, uses: known, problems, form: readings.get(id)!.form });
  }
  return { cells: views, order: graph.order, readings };
}
