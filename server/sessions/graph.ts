/** The notebook's graph as a session uses it: who defines, who reads, in which order. A cell is analysed again only when its text changed. */
import { conflictOf } from "../../kernels/notebook/conflict.js";
import type { CallView, Cell, Problem } from "../../kernels/protocol/document.js";
import { buildGraph, patchGraph, type Graph, type GraphCell } from "../../kernels/reactive/graph.js";
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
  graph: Graph;
}

interface Reading {
  cell: Cell;
  analysis: Analysis;
  form: CallView | null;
}

/** The graph of these cells. What a cell's new text leaves as it was is taken from `last`. */
export function viewGraph(cells: readonly Cell[], last?: GraphView): GraphView {
  const changed: Reading[] = [];
  let others = last === undefined || cells.length !== last.graph.ids.length;
  const read = (cell: Cell, i: number): Reading => {
    const old = last?.readings.get(cell.id);
    if (last?.graph.ids[i] !== cell.id) others = true;
    if (old?.cell === cell) return old;
    // the other version of a cell, kept until somebody decides: its names are not defined twice
    const isCopy = conflictOf(cell) !== null;
    const known = old !== undefined && old.cell.source === cell.source && old.cell.kind === cell.kind && isCopy === (conflictOf(old.cell) !== null);
    const reading = known
      ? { ...old, cell }
      : { cell, analysis: analyse(isCopy ? { ...cell, source: "" } : cell, old?.analysis), form: formOf(cell) };
    changed.push(reading);
    return reading;
  };
  const all = cells.map(read);
  if (!others && last !== undefined) return patched(last, changed, all);
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

/** The same cells, other texts. */
function patched(last: GraphView, changed: readonly Reading[], all: readonly Reading[]): GraphView {
  if (changed.length === 0) return last;
  const texts = new Map<string, { old: Analysis; now: Analysis }>();
  for (const { cell, analysis } of changed) {
    const old = last.readings.get(cell.id)!.analysis;
    if (old !== analysis) texts.set(cell.id, { old, now: analysis });
  }
  const patch = patchGraph(
    last.graph,
    texts,
    all.map((reading) => reading.analysis),
  );
  const { graph } = patch;
  const readings = new Map(last.readings);
  for (const reading of changed) readings.set(reading.cell.id, reading);
  const views = new Map(last.cells);
  for (const [id, cell] of patch.cells) views.set(id, viewOf(readings.get(id)!, cell, graph, views.get(id)));
  const index = graph.order === last.order ? last.index : new Map(graph.order.map((id, i) => [id, i]));
  return { cells: views, order: graph.order, index, definers: graph.definers, readings, graph };
}

function viewOf({ cell, form }: Reading, { defines, uses: names, problems }: GraphCell, graph: Graph, old: CellView | undefined): CellView {
  const uses = names.map((name) => ({ name, cell: graph.definers.get(name)![0]! }));
  const view: CellView = { id: cell.id, defines, uses, names, problems, form };
  return old !== undefined && old.form === view.form && same(old, view) ? old : view;
}
