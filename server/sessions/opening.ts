/** A session as it is when its notebook is opened: document and kept results, no kernel. Pure. */
import { blankCell } from "../../kernels/notebook/blank.js";
import type { Control } from "../../kernels/protocol/controls.js";
import type { CellState, KernelState, NotebookSource, NotebookState, Reopened } from "../../kernels/protocol/document.js";
import type { Output } from "../../kernels/protocol/output.js";
import type { Applied } from "./applied.js";
import { badgeOf, markAll, noMarks } from "./badge.js";
import { deriveCells } from "./derive.js";
import { viewGraph } from "./graph.js";
import { PersistentMap } from "../../kernels/notebook/persistent.js";
import type { KeptResult, Ran, SessionState } from "./state.js";

export const noKernel: KernelState = {
  state: "none",
  pid: null,
  backend: null,
  device: null,
  skipped: [],
  memory: [],
  memoryLimit: 0,
  death: null,
  tensors: null,
  stuck: null,
  nearLimit: null,
  lost: 0,
  culled: null,
};

export interface Opening {
  epoch: string;
  path: string;
  source: NotebookSource;
  broken: string | null;
  rev: number;
  mode: "auto" | "lazy";
  results: Record<string, KeptResult>;
  outputs: Record<string, { run: string; sourceHash: string; at: number; outputs: Output[]; more?: number }>;
  runs: number;
  reopened: Reopened | null;
  memoryLimit: number;
  memoryMost?: number;
  applied?: Applied;
  controls?: Record<string, Control[]>;
}

/** A session as it is when its notebook is opened: document and kept results, no kernel. */
export function openState(opening: Opening): SessionState {
  const { source, results, outputs } = opening;
  const known = new Set(source.cells.map((cell) => cell.id));
  const cells: Record<string, CellState> = {};
  const ran: [string, Ran][] = [];
  for (const [id, kept] of Object.entries(results)) {
    if (!known.has(id)) continue;
    cells[id] = {
      ...blankCell,
      result: kept.result,
      run: kept.run,
      startedAt: kept.startedAt,
      elapsedMs: kept.elapsedMs,
      warnings: kept.warnings ?? [],
      ...(kept.changed && { changed: kept.changed }),
    };
    ran.push([id, kept.ran]);
  }
  const pick = <T>(of: (kept: Opening["outputs"][string]) => T) =>
    Object.fromEntries(Object.entries(outputs).flatMap(([id, kept]) => (known.has(id) ? [[id, of(kept)] as const] : [])));
  const doc: NotebookState = {
    epoch: opening.epoch,
    seq: 0,
    path: opening.path,
    rev: opening.rev,
    source,
    broken: opening.broken,
    cells,
    outputs: pick((kept) => kept.outputs),
    outputsFrom: pick(({ run, sourceHash, at }) => ({ run, sourceHash, at })),
    queue: [],
    clean: null,
    more: Object.fromEntries(Object.entries(outputs).flatMap(([id, { more }]) => (known.has(id) && more !== undefined ? [[id, more] as const] : []))),
    mode: opening.mode,
    kernel: { ...noKernel, memoryLimit: opening.memoryLimit, ...(opening.memoryMost !== undefined && { memoryMost: opening.memoryMost }) },
    variables: [],
    badge: { state: "unchecked", why: "not run yet", cells: [] },
    language: { state: "off", problems: {} },
    writer: null,
    clients: [],
    held: null,
    savedAt: null,
    packages: null,
    questions: [],
    controls: Object.fromEntries(Object.entries(opening.controls ?? {}).filter(([id, { length }]) => known.has(id) && length > 0)),
    reopened: opening.reopened,
  };
  const state: SessionState = {
    doc,
    graph: viewGraph(source.cells),
    queue: [],
    running: null,
    runs: opening.runs,
    ran: PersistentMap.of(ran),
    live: PersistentMap.empty(),
    touched: PersistentMap.empty(),
    marks: noMarks,
    hands: PersistentMap.empty(),
    files: PersistentMap.empty(),
    traces: PersistentMap.empty(),
    ghosts: new Map(),
    consoleNames: new Set(),
    deleted: new Map(),
    since: opening.runs,
    then: null,
    lost: [],
    restarted: true,
    applied: opening.applied ?? {},
    buried: {},
  };
  const all = { ...cells, ...(deriveCells(state, null) as Record<string, CellState>) };
  const settled = { ...state, doc: { ...doc, cells: all } };
  const marks = markAll(settled);
  return { ...settled, marks, doc: { ...settled.doc, badge: badgeOf({ ...settled, marks }) } };
}
