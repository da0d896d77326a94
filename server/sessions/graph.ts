/** The notebook's graph as a session uses it: who defines, who reads, in which order. A cell is analysed again only when its text changed. */
import { conflictOf } from "../../kernels/notebook/conflict.js";
import type { CallView, Cell, Problem } from "../../kernels/protocol/document.js";
import { buildGraph } from "../../kernels/reactive/graph.js";
import { analyse, type Analysis } from "../../kernels/reactive/references.js";
import { formOf } from "./edits.js";
import { same } from "./same.js";

export interface CellView {
  id: string;
  defines: string[];
  /** names of other cells that it reads, with the cell that defines each */
  uses: { name: string; cell: string }[];
  /** these names */
  names: string[];
  problems: Problem[];
  form: CallView | null;
}

export interface GraphView {
  cells: ReadonlyMap<string, CellView>;
  /** ids so that each comes after those it reads; the cells of a cycle come last */
  order: readonly string[];
  /** name -> the cell that defines it */
  definedBy: Readonly<Record<string, string>>;
  /** places in `order` */
  index: ReadonlyMap<string, number>;
  /** kept for the next time */
  readings: ReadonlyMap<string, Reading>;
}

interface Reading {
  cell: Cell;
  analysis: Analysis;
  form: CallView | null;
}

export function viewGraph(cells: readonly Cell[], last?: GraphView): GraphView {
  const readings = new Map<string, Reading>();
  for (const cell of cells) {
    const old = last?.readings.get(cell.id);
    // the other version of a cell, kept until somebody decides: its names are not defined twice
    const isCopy = conflictOf(cell) !== null;
    const known = old !== undefined && old.cell.source === cell.source && old.cell.kind === cell.kind && isCopy === (conflictOf(old.cell) !== null);
    if (old?.cell === cell) readings.set(cell.id, old);
    else if (known) readings.set(cell.id, { ...old, cell });
    else readings.set(cell.id, { cell, analysis: analyse(isCopy ? { ...cell, source: "" } : cell, old?.analysis), form: formOf(cell) });
  }
  const graph = buildGraph([...readings.values()].map((reading) => reading.analysis));
  const views = new Map<string, CellView>();
  for (const { id } of cells) {
    const { defines, uses: names, problems } = graph.cells[id]!;
    const uses: CellView["uses"] = [];
    for (const name of names) {
      const cell = graph.definedBy[name];
      if (cell !== undefined && cell !== id) uses.push({ name, cell });
    }
    const view: CellView = { id, defines, uses, names: uses.map((use) => use.name), problems, form: readings.get(id)!.form };
    const old = last?.cells.get(id);
    views.set(id, old !== undefined && old.form === view.form && same(old, view) ? old : view);
  }
  return { cells: views, order: graph.order, index: new Map(graph.order.map((id, i) => [id, i])), definedBy: graph.definedBy, readings };
}
