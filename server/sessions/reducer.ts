/** The session as a pure step: `apply(state, input)` gives the next state, the events that clients replay, and what is to be done. */
import { replay } from "../../kernels/notebook/replay.js";
import { applyOperation } from "../../kernels/notebook/operations.js";
import type { CellState, Command, KernelState, NotebookSource, NotebookState, Operation } from "../../kernels/protocol/document.js";
import type { Output } from "../../kernels/protocol/output.js";
import { blankCell } from "../../kernels/notebook/blank.js";
import { deriveBadge, deriveCells, same } from "./derive.js";
import { viewGraph, type GraphView } from "./graph.js";
import { fieldEdit, renameEdits } from "./edits.js";
import { checkOps } from "./guard.js";
import { isText, planAll, planRun, planStale, planTo, reach, walkOf } from "./plan.js";
import type { Action, Input, KeptResult, Outcome, Queued, Ran, Refusal, SessionState, Unnumbered } from "./state.js";

export const noKernel: KernelState = { state: "none", pid: null, backend: null, memory: [], memoryLimit: 0, death: null, tensors: null };

export interface Opening {
  epoch: string;
  path: string;
  source: NotebookSource;
  broken: string | null;
  rev: number;
  mode: "auto" | "lazy";
  results: Record<string, KeptResult>;
  outputs: Record<string, { run: string; sourceHash: string; at: number; outputs: Output[] }>;
  runs: number;
  memoryLimit: number;
}

/** A session as it is when its notebook is opened: document and kept results, no kernel. */
export function openState(opening: Opening): SessionState {
  const { source, results, outputs } = opening;
  const known = new Set(source.cells.map((cell) => cell.id));
  const cells: Record<string, CellState> = {};
  const ran: Record<string, Ran> = {};
  for (const [id, kept] of Object.entries(results)) {
    if (!known.has(id)) continue;
    cells[id] = { ...blankCell, result: kept.result, run: kept.run, startedAt: kept.startedAt, elapsedMs: kept.elapsedMs };
    ran[id] = kept.ran;
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
    mode: opening.mode,
    kernel: { ...noKernel, memoryLimit: opening.memoryLimit },
    variables: [],
    badge: { state: "unchecked", why: "not run yet", cells: [] },
    writer: null,
    savedAt: null,
  };
  const state: SessionState = {
    doc,
    graph: viewGraph(source.cells),
    queue: [],
    running: null,
    runs: opening.runs,
    ran,
    live: {},
    touched: {},
    then: null,
    restarted: true,
    clients: [],
  };
  const derived = deriveCells(state);
  return { ...state, doc: { ...doc, cells: derived, badge: deriveBadge(state, derived) } };
}

/** One step under way: collects events, each folded at once, and actions. */
class Step {
  state: SessionState;
  readonly events: (Unnumbered & { seq: number })[] = [];
  readonly actions: Action[] = [];
  value: unknown = undefined;
  constructor(state: SessionState) {
    this.state = state;
  }
  get doc(): NotebookState {
    return this.state.doc;
  }
  emit(event: Unnumbered): void {
    const numbered = { ...event, seq: this.doc.seq + 1 };
    this.events.push(numbered);
    this.set({ doc: replay(this.doc, numbered) });
  }
  set(part: Partial<SessionState>): void {
    this.state = { ...this.state, ...part };
  }
  act(action: Action): void {
    this.actions.push(action);
  }
  cell(id: string, part: Partial<CellState>): void {
    this.patch({ ...this.pending, [id]: { ...(this.pending[id] ?? this.doc.cells[id] ?? blankCell), ...part } });
  }
  /** cell states changed in this step and not yet told; the derived parts are added when the step ends */
  pending: Record<string, CellState> = {};
  patch(cells: Record<string, CellState>): void {
    this.pending = cells;
  }
  kernel(part: Partial<KernelState>): void {
    const kernel = { ...this.doc.kernel, ...part };
    if (!same(kernel, this.doc.kernel)) this.emit({ type: "kernel", kernel });
  }
  /** Recomputes what follows from document, graph and runs, and tells what changed. */
  settle(): void {
    const before = this.doc.cells;
    const pending = Object.fromEntries(Object.entries(this.pending).filter(([id]) => this.state.graph.cells.has(id)));
    const derived = deriveCells({ ...this.state, doc: { ...this.doc, cells: { ...before, ...pending } } });
    this.pending = {};
    const changed: Record<string, CellState | null> = {};
    for (const [id, cell] of Object.entries(derived)) if (before[id] === undefined || !same(before[id], cell)) changed[id] = cell;
    for (const id of Object.keys(before)) if (!(id in derived)) changed[id] = null;
    if (Object.keys(changed).length > 0) this.emit({ type: "cells", cells: changed });
    const badge = deriveBadge(this.state, derived);
    if (!same(badge, this.doc.badge)) this.emit({ type: "badge", badge });
  }
}

/** The next state, or why not. The state that went in is not changed. */
export function apply(state: SessionState, input: Input): Outcome {
  const step = new Step(state);
  const refused = input.type === "command" ? command(step, input) : (other(step, input), null);
  if (refused !== null) return { refused };
  return { state: step.state, events: step.events, actions: step.actions, ...(step.value !== undefined && { value: step.value }) };
}

const writes = new Set<Command["do"]>(["ops", "field", "rename", "run", "run-all", "run-stale", "restart", "shutdown", "clear", "mode", "cancel"]);
/** commands that mean what the client saw of the document */
const seesDocument = new Set<Command["do"]>(["ops", "field", "rename", "run", "run-all", "run-stale"]);

function command(step: Step, { client, rev, command, at }: Extract<Input, { type: "command" }>): Refusal | null {
  const { doc } = step;
  if (writes.has(command.do)) {
    if (doc.writer === null) become(step, client);
    else if (doc.writer.client !== client) return { code: "not-writer", message: `${doc.writer.name} is writing; take over first.` };
  }
  if (seesDocument.has(command.do) && rev !== doc.rev)
    return { code: "stale", message: `The document is at revision ${doc.rev}, the command was made for ${rev}.` };
  if (doc.broken !== null && (seesDocument.has(command.do) || command.do === "mode"))
    return {
      code: "bad-request",
      message: `The file does not parse (${doc.broken}); it is shown as one cell and is not changed. Repair it in an editor.`,
    };
  const missing = (id: string): Refusal | null =>
    doc.source.cells.some((cell) => cell.id === id) ? null : { code: "not-found", message: `Cell ${JSON.stringify(id)} is not in this notebook.` };
  switch (command.do) {
    case "ops":
      return edit(step, command.ops, client);
    case "field":
    case "rename": {
      const gone = missing(command.cell);
      if (gone !== null) return gone;
      const ops = command.do === "field" ? fieldEdit(doc.source, command) : renameEdits(doc.source, command);
      return typeof ops === "string" ? { code: "bad-request", message: ops } : edit(step, ops, client);
    }
    case "run": {
      for (const id of command.cells) {
        const gone = missing(id);
        if (gone !== null) return gone;
      }
      enqueue(step, planRun(step.state, command.cells, command.inputs ?? true), at);
      return null;
    }
    case "run-all":
      enqueue(step, planAll(step.state), at);
      return null;
    case "run-stale":
      enqueue(step, planStale(step.state), at);
      return null;
    case "interrupt": {
      const { running } = step.state;
      // what was waiting does not start after a stop; "stop and keep best" ends one cell only
      if (!command.soft) step.set({ queue: [] });
      if (running !== null) {
        if (command.soft === true) step.set({ running: { ...running, soft: true } });
        step.act({ do: "interrupt", run: running.run, soft: command.soft === true });
        step.kernel({ state: "stopping" });
      }
      step.settle();
      return null;
    }
    case "cancel": {
      const { outputs } = walkOf(step.state);
      const drop = reach(outputs, [command.cell]).add(command.cell);
      step.set({ queue: step.state.queue.filter((item) => !drop.has(item.cell)) });
      step.settle();
      return null;
    }
    case "restart": {
      const { then } = command;
      if (typeof then === "object") {
        const gone = missing(then.to);
        if (gone !== null) return gone;
      }
      dropKernel(step, null, at);
      step.set({ then });
      step.kernel({ state: "starting", death: null });
      step.act({ do: "restart" });
      return null;
    }
    case "shutdown":
      if (doc.kernel.state === "none") return null;
      dropKernel(step, null, at);
      step.kernel({ state: "none", pid: null, death: null, memory: [], tensors: null });
      step.act({ do: "shutdown" });
      return null;
    case "clear": {
      if (command.cell !== null) {
        const gone = missing(command.cell);
        if (gone !== null) return gone;
      }
      const ids = command.cell === null ? Object.keys(doc.outputs) : [command.cell];
      for (const id of ids) {
        if ((doc.outputs[id] ?? []).length > 0) step.emit({ type: "outputs", cell: id, run: doc.cells[id]?.run ?? "", clear: true, outputs: [] });
        step.act({ do: "keep", cell: id });
      }
      return null;
    }
    case "mode":
      if (command.mode !== "auto" && command.mode !== "lazy")
        return { code: "bad-request", message: `Expected \`mode\` to be auto or lazy, got ${JSON.stringify(command.mode)}.` };
      if (doc.mode !== command.mode) {
        step.emit({ type: "mode", mode: command.mode });
        step.act({ do: "journal", record: { type: "mode", mode: command.mode } });
        // the file says it too, so that it comes back in a clone
        return edit(step, [{ op: "front", front: { ...doc.source.front, mode: command.mode } }], client);
      }
      return null;
    case "write":
      become(step, client);
      return null;
    default:
      return { code: "bad-request", message: `Unknown command ${JSON.stringify((command as { do?: unknown }).do)}.` };
  }
}

function become(step: Step, client: string): void {
  const name = step.state.clients.find((other) => other.client === client)?.name ?? client;
  if (step.doc.writer?.client !== client) step.emit({ type: "writer", writer: { client, name } });
}

function edit(step: Step, ops: Operation[], by: string): Refusal | null {
  const wrong = checkOps(ops);
  if (wrong !== null) return { code: "bad-request", message: wrong };
  try {
    ops.reduce(applyOperation, step.doc.source);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { code: "bad-request", message: `${error.message}.` };
  }
  changed(step, ops, by);
  return null;
}

function changed(step: Step, ops: Operation[], by: string): void {
  const rev = step.doc.rev + 1;
  step.emit({ type: "ops", rev, ops, by });
  const front = step.doc.source.front.mode;
  if (front !== undefined && front !== step.doc.mode) step.emit({ type: "mode", mode: front });
  step.act({ do: "journal", record: { type: "ops", rev, ops } });
  step.act({ do: "project" });
  regraph(step);
}

/** After the document changed: graph, forgotten cells, states. */
function regraph(step: Step): void {
  const { source } = step.doc;
  const graph: GraphView = viewGraph(source.cells, step.state.graph);
  const gone = Object.keys(step.state.ran).filter((id) => !graph.cells.has(id));
  const { ran, live, touched } = step.state;
  const keep = <T>(record: Readonly<Record<string, T>>) =>
    gone.length === 0 ? record : Object.fromEntries(Object.entries(record).filter(([id]) => graph.cells.has(id)));
  step.set({ graph, ran: keep(ran), live: keep(live), touched: keep(touched), queue: step.state.queue.filter((item) => graph.cells.has(item.cell)) });
  if (gone.length > 0 && step.doc.kernel.pid !== null) step.act({ do: "forget", cells: gone });
  for (const cell of gone) step.act({ do: "keep", cell });
  const { running } = step.state;
  if (running !== null && !graph.cells.has(running.cell) && step.doc.kernel.state !== "stopping") {
    // a cell that is gone stops; what waits behind it goes on
    step.set({ running: { ...running, soft: true } });
    step.act({ do: "interrupt", run: running.run, soft: false });
    step.kernel({ state: "stopping" });
  }
  step.settle();
}

/** Puts cells at the end of the queue, starts a kernel if there is none, and the first cell if nothing runs. */
function enqueue(step: Step, ids: readonly string[], at: number, mayCommit = false): void {
  const add: Queued[] = ids.map((cell) => ({ cell, mayCommit }));
  const set = new Set(ids);
  // asked again while it waits: it runs once, at its new place
  step.set({ queue: [...step.state.queue.filter((item) => !set.has(item.cell)), ...add] });
  const kernel = step.doc.kernel.state;
  if (ids.length > 0 && (kernel === "none" || kernel === "dead")) {
    step.kernel({ state: "starting", death: null });
    step.act({ do: "start" });
  }
  pump(step, at);
  step.settle();
}

/** Starts the next cell that can run; those whose inputs failed are cancelled on the way. */
function pump(step: Step, at: number): void {
  const kernel = step.doc.kernel.state;
  if (step.state.running !== null || (kernel !== "idle" && kernel !== "busy")) return;
  for (let [next, ...rest] = step.state.queue; next !== undefined; [next, ...rest] = step.state.queue) {
    step.set({ queue: rest });
    const cell = step.doc.source.cells.find((other) => other.id === next!.cell);
    const view = step.state.graph.cells.get(next.cell);
    if (cell === undefined || view === undefined || isText(cell)) continue;
    const state = step.state;
    const result = (id: string) => step.pending[id] ?? step.doc.cells[id];
    const failed = view.uses.find((use) => state.live[use.cell] === undefined && use.cell !== cell.id)?.cell;
    const run = `${step.doc.epoch.slice(0, 6)}-${state.runs + 1}`;
    const inputs = Object.fromEntries(view.uses.map((use) => [use.name, result(use.cell)?.run ?? ""]));
    const ran: Ran = { kind: cell.kind, source: cell.source, inputs };
    const problem = view.problems.find((other) => other.severity === "error" && other.type !== "syntax");
    if (failed !== undefined || problem !== undefined) {
      const { [cell.id]: _, ...live } = state.live;
      step.set({ runs: state.runs + 1, ran: { ...state.ran, [cell.id]: ran }, live, touched: omit(state.touched, cell.id) });
      const origin = failed === undefined ? null : (result(failed)?.blockedBy ?? failed);
      step.cell(cell.id, {
        result: problem !== undefined ? "error" : "cancelled",
        run,
        startedAt: at,
        elapsedMs: 0,
        progress: null,
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
      running: { cell: cell.id, run, since: at, soft: false, shown: false },
      runs: state.runs + 1,
      ran: { ...state.ran, [cell.id]: ran },
      touched: omit(state.touched, cell.id),
    });
    step.cell(cell.id, { run, startedAt: at, elapsedMs: null, progress: null, blockedBy: null });
    const { uses, defines } = view;
    step.act({ do: "run", request: { cell, run, uses: [...new Set(uses.map((use) => use.name))], defines, mayCommit: next.mayCommit } });
    step.kernel({ state: "busy" });
    return;
  }
  if (step.doc.kernel.state === "busy") step.kernel({ state: "idle" });
}

/** Journals a cell's result and keeps its outputs. */
function record(step: Step, id: string): void {
  const cell = step.pending[id] ?? step.doc.cells[id];
  const ran = step.state.ran[id];
  if (cell === undefined || ran === undefined || cell.run === null) return;
  const kept: KeptResult = { result: cell.result, run: cell.run, startedAt: cell.startedAt, elapsedMs: cell.elapsedMs, ran };
  step.act({ do: "journal", record: { type: "result", cell: id, kept, runs: step.state.runs } });
  step.act({ do: "keep", cell: id });
}

function finish(step: Step, result: "ok" | "error" | "interrupted", elapsedMs: number, at: number): void {
  const { running } = step.state;
  if (running === null) return;
  const { cell, run } = running;
  // a run that showed nothing leaves nothing of the older one
  if (!running.shown && (step.doc.outputs[cell] ?? []).length > 0) step.emit({ type: "outputs", cell, run, clear: true, outputs: [] });
  const live = result === "ok" ? { ...step.state.live, [cell]: run } : omit(step.state.live, cell);
  step.set({ running: null, live });
  step.cell(cell, { result, elapsedMs, progress: null });
  record(step, cell);
  if (step.doc.kernel.state === "stopping") step.kernel({ state: "busy" });
  if (result === "interrupted" && !running.soft) step.set({ queue: [] });
  pump(step, at);
}

/** The kernel is gone or going: its values, the queue and the running cell with it. */
function dropKernel(step: Step, cause: string | null, at: number): void {
  const { running } = step.state;
  if (running !== null) {
    if (cause !== null) {
      const error: Output = { kind: "error", error: { name: "KernelError", message: cause, cell: running.cell, frames: [] } };
      step.emit({ type: "outputs", cell: running.cell, run: running.run, clear: false, outputs: [error] });
    }
    step.cell(running.cell, { result: cause === null ? "interrupted" : "error", elapsedMs: at - running.since, progress: null });
  }
  step.set({ running: null, queue: [], live: {}, restarted: true, then: null });
  if (running !== null) record(step, running.cell);
  if (step.doc.variables.length > 0) step.emit({ type: "variables", variables: [] });
  step.settle();
}

function other(step: Step, input: Exclude<Input, { type: "command" }>): void {
  switch (input.type) {
    case "join": {
      step.set({ clients: [...step.state.clients.filter((other) => other.client !== input.client), { client: input.client, name: input.name }] });
      if (step.doc.writer === null) become(step, input.client);
      return;
    }
    case "leave":
      step.set({ clients: step.state.clients.filter((other) => other.client !== input.client) });
      if (step.doc.writer?.client === input.client) step.emit({ type: "writer", writer: null });
      return;
    case "ready": {
      step.kernel({ state: "idle", pid: input.pid, memory: [], death: null, tensors: null });
      const { then } = step.state;
      step.set({ then: null });
      if (then === "all") return enqueue(step, planAll(step.state), input.at);
      if (then === "stale") return enqueue(step, planStale(step.state), input.at);
      if (then !== null && then !== "nothing") return enqueue(step, planTo(step.state, then.to), input.at);
      pump(step, input.at);
      return step.settle();
    }
    case "kernel":
      return kernel(step, input.message, input.at);
    case "outputs":
      for (const group of groupOutputs(input.messages)) {
        // of a run that is over (stopped, or replaced): nobody waits for it
        if (step.doc.cells[group.cell] === undefined || (step.pending[group.cell] ?? step.doc.cells[group.cell])!.run !== group.run) continue;
        const { running } = step.state;
        const first = running !== null && running.run === group.run && !running.shown;
        step.emit({ type: "outputs", ...group, clear: group.clear || first });
        if (first) step.set({ running: { ...running, shown: true } });
      }
      return;
    case "memory":
      return step.kernel({ memory: [...step.doc.kernel.memory.slice(-59), input.rss], memoryLimit: input.limit });
    case "near-limit":
      return step.emit({
        type: "notice",
        level: "warning",
        text: `Memory ${gigabytes(input.rss)} of ${gigabytes(input.limit)} GB: the running cell is interrupted so that the variables live.`,
        ...(step.state.running !== null && { cell: step.state.running.cell }),
      });
    case "stuck":
      return step.emit({
        type: "notice",
        level: "warning",
        text: "stuck: a native call does not yield; restart the kernel, or wait.",
        ...(step.state.running !== null && { cell: step.state.running.cell }),
      });
    case "exit": {
      if (input.expected) return;
      const cell = step.state.running?.cell ?? null;
      dropKernel(step, input.cause, input.at);
      step.kernel({ state: "dead", pid: null, death: { cause: input.cause, code: input.code, signal: input.signal, cell, at: input.at } });
      return step.settle();
    }
    case "outside": {
      changed(step, [{ op: "replace", source: input.source }], "file");
      return step.emit({ type: "notice", level: "info", text: input.text });
    }
    case "saved":
      return step.emit({ type: "saved", at: input.at });
    case "trouble":
      return step.emit({ type: "notice", level: "warning", text: input.text });
  }
}

function kernel(step: Step, message: Extract<Input, { type: "kernel" }>["message"], at: number): void {
  const { running } = step.state;
  switch (message.type) {
    case "started":
      // the old output stays until the first new one, or until the run is over
      return;
    case "progress":
      if (running?.run !== message.run) return;
      step.cell(message.cell, { progress: message.progress });
      return step.settle();
    case "done": {
      if (running?.run !== message.run) return;
      finish(step, message.result, message.elapsedMs, at);
      return step.settle();
    }
    case "variables":
      return step.emit({ type: "variables", variables: message.variables });
    case "backend":
      return step.kernel({ backend: message.name, tensors: message.tensors });
    case "changed": {
      const touched = { ...step.state.touched };
      for (const id of message.cells) if (step.state.ran[id] !== undefined) touched[id] = message.file;
      step.set({ touched });
      return step.settle();
    }
  }
}

/** Neighbouring outputs of one run as one event. */
export function groupOutputs(
  messages: Extract<Input, { type: "outputs" }>["messages"],
): { cell: string; run: string; clear: boolean; outputs: Output[] }[] {
  const groups: { cell: string; run: string; clear: boolean; outputs: Output[] }[] = [];
  for (const { cell, run, clear, output } of messages) {
    const last = groups.at(-1);
    if (last !== undefined && last.cell === cell && last.run === run && clear !== true) last.outputs.push(output);
    else groups.push({ cell, run, clear: clear === true, outputs: [output] });
  }
  return groups;
}

function omit<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}

const gigabytes = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
