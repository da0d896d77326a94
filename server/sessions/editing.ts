/** Changes of the document: checked, told, journaled; then the graph and what follows from it. */
import type { Cell, NotebookSource, Operation } from "../../kernels/protocol/document.js";
import { remember } from "./applied.js";
import { followCells } from "./controls.js";
import { bury, unearth } from "./deleted.js";
import { viewGraph, type GraphView } from "./graph.js";
import { checkOps } from "./guard.js";
import { blocked, inputsFirst } from "./plan.js";
import type { Refusal } from "./state.js";
import type { Step } from "./step.js";
import { tracedByDelete } from "./traces.js";
import { repaired } from "./well-formed.js";

/** Who changed the document, when, and what they call the change. */
export interface Origin {
  by: string;
  at: number;
  token?: string | undefined;
  /** what the file says that was merged in: one record with the change, so that no kill comes between them */
  read?: NotebookSource;
}

/** Operations of a client. */
export function edit(step: Step, ops: Operation[], from: Origin): Refusal | null {
  const wrong = checkOps(ops);
  if (wrong !== null) return { code: "bad-request", message: wrong };
  try {
    ops = repaired(step.doc.source, ops);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { code: "bad-request", message: `${error.message}.` };
  }
  changed(step, ops, from);
  return null;
}

/** Applies operations that fit the document. */
export function changed(step: Step, ops: Operation[], { by, at, token, read }: Origin): void {
  const rev = step.doc.rev + 1;
  const before = step.doc.source.cells;
  const named = token === undefined ? {} : { token };
  step.emit({ type: "ops", rev, ops, by, ...named });
  if (token !== undefined) step.set({ applied: remember(step.state.applied, by, token) });
  const front = step.doc.source.front.mode;
  if (front !== undefined && front !== step.doc.mode) step.emit({ type: "mode", mode: front });
  step.act({ do: "journal", record: { type: "ops", rev, ops, by, at, ...named, ...(read !== undefined && { read }) } });
  step.act({ do: "project" });
  regraph(step, before);
}

/** After the document changed: graph, forgotten cells, states. */
function regraph(step: Step, before: readonly Cell[]): void {
  const { source } = step.doc;
  const graph: GraphView = viewGraph(source.cells, step.state.graph);
  const { ran, live, hands, files, touched } = step.state;
  const stays = (id: string) => graph.cells.has(id);
  const gone = graph.graph.ids === step.state.graph.graph.ids ? [] : [...ran].map(([id]) => id).filter((id) => !stays(id));
  // one that was disabled while it waited, and what reads from it, wait on without a place
  const waits = blocked({ doc: step.doc, graph });
  const queue = step.state.queue.filter((item) => stays(item.cell) && !waits.has(item.cell));
  const kept =
    gone.length === 0
      ? {}
      : { ran: ran.only(stays), live: live.only(stays), hands: hands.only(stays), files: files.only(stays), touched: touched.only(stays) };
  const had = step.state.graph;
  if (gone.length > 0) step.set(tracedByDelete(step.state, gone));
  bury(step, before, gone);
  step.set({ graph, ...kept, queue: inputsFirst({ graph }, queue) });
  if (gone.length > 0 && step.doc.kernel.pid !== null) step.act({ do: "forget", cells: gone });
  if (graph !== had) unearth(step, had);
  followCells(step, before);
  const { running } = step.state;
  if (running !== null && !graph.cells.has(running.cell) && step.doc.kernel.state !== "stopping") {
    // a cell that is gone stops; what waits behind it goes on
    step.set({ running: { ...running, soft: true } });
    step.act({ do: "interrupt", run: running.run, soft: false });
    step.kernel({ state: "stopping" });
  }
  step.settle();
}
