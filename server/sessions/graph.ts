/** The notebook's graph as a session uses it: who defines, who reads, in which order. A cell is analysed again only when its text changed. */
import { conflictOf } from "../../kernels/notebook/conflict.js";
import type { CallView, Cell, Problem } from "../../kernels/protocol/document.js";
import { buildGraph, reread, sameEdges, type Graph, type GraphCell } from "../../kernels/reactive/graph.js";
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
  /** name -> the cells that define it; the first one counts */
  definers: Graph["definers"];
  /** places in `order` */
  index: ReadonlyMap<string, number>;
  /** kept for the next time */
  readings: ReadonlyMap<string, Reading>;
  /** the edges; problems in it may be of an older text */
  graph: Graph;
}

interface Reading {
  cell: Cell;
  analysis: Analysis;
  form: CallView | null;
}

/** The graph of these cells. What a cell's new text leaves as it was is taken from `last`: only other names make other edges. */
export function viewGraph(cells: readonly Cell[], last?: GraphView): GraphView {
  const changed: Reading[] = [];
  let edges = last === undefined || cells.length !== last.graph.ids.length;
  const read = (cell: Cell, i: number): Reading => {
    const old = last?.readings.get(cell.id);
    if (last?.graph.ids[i] !== cell.id) edges = true;
    if (old?.cell === cell) return old;
    // the other version of a cell, kept until somebody decides: its names are not defined twice
    const isCopy = conflictOf(cell) !== null;
    const known = old !== undefined && old.cell.source === cell.source && old.cell.kind === cell.kind && isCopy === (conflictOf(old.cell) !== null);
    const reading = known
      ? { ...old, cell }
      : { cell, analysis: analyse(isCopy ? { ...cell, source: "" } : cell, old?.analysis), form: formOf(cell) };
    if (old === undefined || !sameEdges(old.analysis, reading.analysis)) edges = true;
    changed.push(reading);
    return reading;
  };
  const all = cells.map(read);
  if (!edges && last !== undefined) return reviewed(last, changed);
  const graph = buildGraph(all.map((reading) => reading.analysis));
  return {
    cells: new Map(all.map((reading) => [reading.cell.id, viewOf(reading, graph.cells[reading.cell.id]!, graph, last?.cells.get(reading.cell.id))])),
    order: graph.order,
    index: new Map(graph.order.map((id, i) => [id, i])),
    definers: graph.definers,
    readings: new Map(all.map((reading) => [reading.cell.id, reading])),
    graph,
  };
}

/** The same edges, other texts. */
function reviewed(last: GraphView, changed: readonly Reading[]): GraphView {
  if (changed.length === 0) return last;
  const readings = new Map(last.readings);
  const views = new Map(last.cells);
  for (const reading of changed) {
    const { id } = reading.cell;
    readings.set(id, reading);
    if (reading.analysis !== last.readings.get(id)!.analysis)
      views.set(id, viewOf(reading, reread(last.graph, reading.analysis), last.graph, views.get(id)));
  }
  return { ...last, cells: views, readings };
}

function viewOf({ cell, form }: Reading, { defines, uses: names, problems }: GraphCell, graph: Graph, old: CellView | undefined): CellView {
  const uses = names.map((name) => ({ name, cell: graph.definers.get(name)![0]! }));
  const view: CellView = { id: cell.id, defines, uses, names, problems, form };
  return old !== undefined && old.form === view.form && same(old, view) ? old : view;
}
