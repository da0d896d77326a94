/** The run queue: cells enter it, start when the kernel is free, and end. */
import type { CellState } from "../../kernels/protocol/document.js";
import type { FromKernel } from "../../kernels/protocol/kernel.js";
import type { Output } from "../../kernels/protocol/output.js";
import { dropControls, heldBy } from "./controls.js";
import { inputsFirst, isText } from "./plan.js";
import { PersistentMap } from "../../kernels/notebook/persistent.js";
import { closeAll } from "./questions.js";
import type { KeptResult, Queued, Ran, SessionState } from "./state.js";
import { ghostsWith, numberOf, tracedByDelete, tracedByEnd, tracedByRun } from "./traces.js";
import type { Step } from "./step.js";

/** How a run ended. */
type Ended = Pick<Extract<FromKernel, { type: "done" }>, "result" | "elapsedMs" | "warnings" | "cached" | "changed" | "hands" | "files">;

/** Puts cells at the end of the queue, starts a kernel if there is none, and the first cell if nothing runs. */
export function enqueue(step: Step, ids: readonly string[], at: number, fresh: readonly string[] = []): void {
  const add: Queued[] = ids.map((cell) => ({ cell, mayCommit: false, ...(fresh.includes(cell) && { fresh: true as const }) }));
  const set = new Set(ids);
  // asked again while it waits: it runs once, at its new place
  step.set({ queue: inputsFirst(step.state, [...step.state.queue.filter((item) => !set.has(item.cell)), ...add]) });
  const kernel = step.doc.kernel.state;
  if (ids.length > 0 && (kernel === "none" || kernel === "dead")) {
    step.kernel({ state: "starting", death: null, culled: null });
    step.act({ do: "start" });
  }
  pump(step, at);
  step.settle();
}

/** Starts the next cell that can run; those whose inputs failed are cancelled on the way. */
export function pump(step: Step, at: number): void {
  const kernel = step.doc.kernel.state;
  if (step.state.running !== null || (kernel !== "idle" && kernel !== "busy")) return;
  for (let [next, ...rest] = step.state.queue; next !== undefined; [next, ...rest] = step.state.queue) {
    step.set({ queue: rest });
    const cell = step.state.graph.readings.get(next.cell)?.cell;
    const view = step.state.graph.cells.get(next.cell);
    if (cell === undefined || view === undefined || isText(cell)) continue;
    const state = step.state;
    const result = (id: string) => step.pending[id] ?? step.doc.cells[id];
    const failed = view.uses.find((use) => !state.live.has(use.cell) && use.cell !== cell.id)?.cell;
    const run = `${step.doc.epoch.slice(0, 6)}-${state.runs + 1}`;
    const inputs = Object.fromEntries(view.uses.map((use) => [use.name, result(use.cell)?.run ?? ""]));
    const ran: Ran = { kind: cell.kind, source: cell.source, inputs };
    const problem = view.problems.find((other) => other.severity === "error" && other.type !== "syntax");
    if (failed !== undefined || problem !== undefined) {
      const live = state.live.without(cell.id);
      step.set({ runs: state.runs + 1, ran: state.ran.with(cell.id, ran), live, touched: state.touched.without(cell.id) });
      const origin = failed === undefined ? null : (result(failed)?.blockedBy ?? failed);
      step.cell(cell.id, {
        result: problem !== undefined ? "error" : "cancelled",
        run,
        startedAt: at,
        elapsedMs: 0,
        progress: null,
        warnings: [],
        blockedBy: origin,
      });
      if (problem !== undefined) {
        const error: Output = {
          kind: "error",
          error: { name: "Error", message: problem.message, cell: cell.id, frames: [], ...(problem.line !== undefined && { line: problem.line }) },
        };
        step.emit({ type: "outputs", cell: cell.id, run, clear: true, outputs: [error] });
      }
      record(step, cell.id);
      continue;
    }
    step.set({
      ...tracedByRun(state, cell.id, state.runs + 1, ran),
      running: { cell: cell.id, run, since: at, soft: false, shown: false, controls: [] },
      runs: state.runs + 1,
      ran: state.ran.with(cell.id, ran),
      touched: state.touched.without(cell.id),
    });
    step.cell(cell.id, { run, startedAt: at, elapsedMs: null, progress: null, warnings: [], blockedBy: null });
    const { uses, defines } = view;
    step.act({
      do: "run",
      request: {
        cell,
        run,
        uses: [...new Set(uses.map((use) => use.name))],
        defines,
        mayCommit: next.mayCommit,
        ...(next.fresh && { fresh: next.fresh }),
        ...heldBy(step.doc, cell.id),
      },
    });
    step.kernel({ state: "busy", ...calm });
    return;
  }
  if (step.doc.kernel.state === "busy") step.kernel({ state: "idle" });
}

/** What the journal keeps of a cell's last run. */
export function keptOf({ result, startedAt, elapsedMs, warnings, changed = [] }: CellState, run: string, ran: Ran): KeptResult {
  return { result, run, startedAt, elapsedMs, ran, ...(warnings.length > 0 && { warnings }), ...(changed.length > 0 && { changed }) };
}

/** Journals a cell's result and keeps its outputs. */
export function record(step: Step, id: string): void {
  const cell = step.pending[id] ?? step.doc.cells[id];
  const ran = step.state.ran.get(id);
  if (cell === undefined || ran === undefined || cell.run === null) return;
  step.act({ do: "journal", record: { type: "result", cell: id, kept: keptOf(cell, cell.run, ran), runs: step.state.runs } });
  step.act({ do: "keep", cell: id });
}

/** Nothing is stuck and nothing was stopped for its memory. */
export const calm = { stuck: null, nearLimit: null };

/** The running cell is over. */
export function finish(step: Step, done: Ended, at: number): void {
  const { running } = step.state;
  if (running === null) return;
  closeAll(step);
  if (step.state.ran.has(running.cell)) settle(step, running, done);
  else {
    // deleted meanwhile, whatever may have its id now: what it has changed stays behind
    const traces = tracedByEnd(step.state, running.cell, numberOf(running.run), ownersOf(done));
    step.set({ running: null, ...tracedByDelete({ ...step.state, traces }, [running.cell]) });
  }
  step.kernel({ stuck: null, ...(step.doc.kernel.state === "stopping" && { state: "busy" }) });
  if (done.result === "interrupted" && !running.soft) step.set({ queue: [] });
  pump(step, at);
}

/** Cells whose values a run was seen to change. */
const ownersOf = ({ changed = [] }: Ended) => [...new Set(changed.map((one) => one.cell))];

/** What the run of a cell leaves. */
function settle(step: Step, { cell, run, shown }: NonNullable<SessionState["running"]>, done: Ended): void {
  const { result, elapsedMs, warnings, cached, changed = [], hands, files } = done;
  if (result === "ok") dropControls(step);
  // a run that showed nothing leaves nothing of the older one
  if (!shown && (step.doc.outputs[cell] ?? []).length > 0) step.emit({ type: "outputs", cell, run, clear: true, outputs: [] });
  const live = result === "ok" ? step.state.live.with(cell, run) : step.state.live.without(cell);
  // taken from the disk, it did not do to others what a clean run does to them
  if (cached !== undefined) step.set({ ghosts: ghostsWith(step.state, [cell]) });
  const held = {
    hands: hands === undefined ? step.state.hands.without(cell) : step.state.hands.with(cell, hands),
    files: files === undefined ? step.state.files.without(cell) : step.state.files.with(cell, files),
  };
  step.set({ running: null, live, ...held, traces: tracedByEnd({ ...step.state, ...held }, cell, numberOf(run), ownersOf(done)) });
  // what its code shows it to change is a problem of the cell already
  const known = new Set(step.doc.cells[cell]?.problems.flatMap(({ type, name }) => (type === "mutation" ? [name] : [])));
  const others = changed.filter(({ name }) => !known.has(name));
  step.cell(cell, {
    ...{ result, elapsedMs, progress: null, cached: cached ?? null },
    warnings: [...warnings, ...others.map(({ message }) => message)],
    changed: others.map(({ name }) => name),
  });
  record(step, cell);
}

/** The kernel is gone or going: its values, the queue and the running cell with it. */
export function dropKernel(step: Step, cause: string | null, at: number): void {
  const { running } = step.state;
  closeAll(step);
  if (running !== null) {
    if (cause !== null) {
      const error: Output = { kind: "error", error: { name: "KernelError", message: cause, cell: running.cell, frames: [] } };
      step.emit({ type: "outputs", cell: running.cell, run: running.run, clear: false, outputs: [error] });
    }
    step.cell(running.cell, { result: cause === null ? "interrupted" : "error", elapsedMs: at - running.since, progress: null });
  }
  const lost = [...step.state.live].map(([id]) => id);
  if (running !== null && !step.state.live.has(running.cell)) lost.push(running.cell);
  // a kernel that held nothing takes nothing along: what the one before it held is still what is missing
  if (lost.length > 0) step.set({ lost });
  step.set({ running: null, queue: [], live: PersistentMap.empty<string>(), restarted: true, then: null });
  step.set({
    hands: PersistentMap.empty(),
    files: PersistentMap.empty(),
    traces: PersistentMap.empty(),
    ghosts: new Map(),
    consoleNames: new Set(),
    since: step.state.runs,
  });
  if (running !== null) record(step, running.cell);
  if (step.doc.variables.length > 0) step.emit({ type: "variables", variables: [] });
  step.settle();
}
