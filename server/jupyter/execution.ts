/**
 * Execute requests of one kernel as a pure machine: one at a time, each as busy, execute_input, outputs, reply, idle, all with the request as parent.
 * What is queued behind an error is aborted; `user_expressions` run after their request.
 */
import { mime, type CellError, type Output } from "../../kernels/protocol/output.js";
import type { Header } from "./message.js";
import { toJupyter, toTraceback } from "./mime.js";

export interface Execute {
  /** who asked: replies go there */
  from: number;
  header: Header;
  code: string;
  silent: boolean;
  storeHistory: boolean;
  expressions: [name: string, code: string][];
  stdin: boolean;
  stopOnError: boolean;
}

interface Expression {
  name: string;
  rest: Execute["expressions"];
  results: Record<string, unknown>;
  value: unknown;
}

export interface ExecutionState {
  /** prefix of run ids: one a kernel and start */
  prefix: string;
  runs: number;
  count: number;
  queue: readonly Execute[];
  current: { item: Execute; run: string; count: number; expression: Expression | null } | null;
  /** parents of runs that are over, for what their timers show later */
  past: readonly { run: string; header: Header }[];
  /** ids of displays shown by the current request */
  shown: readonly string[];
}

export type ExecutionInput =
  | { type: "execute"; item: Execute }
  | { type: "outputs"; run: string; outputs: { output: Output; clear?: boolean }[] }
  | { type: "done"; run: string; result: "ok" | "error" | "interrupted"; error?: CellError; warnings: readonly string[] }
  /** restarted (null) or dead */
  | { type: "end"; cause: string | null };

export type Effect =
  | { do: "publish"; type: string; parent: Header; content: Record<string, unknown> }
  | { do: "reply"; to: number; type: string; parent: Header; content: Record<string, unknown> }
  | { do: "run"; run: string; cell: string; code: string; parent: Header }
  | { do: "remember"; count: number; code: string }
  /** the value of the request that was remembered last, as text */
  | { do: "result"; text: string };

export const startExecution = (prefix: string): ExecutionState => ({ prefix, runs: 0, count: 0, queue: [], current: null, past: [], shown: [] });

export function step(state: ExecutionState, input: ExecutionInput): { state: ExecutionState; effects: Effect[] } {
  const effects: Effect[] = [];
  const next = { ...state };
  if (input.type === "execute") {
    next.queue = [...state.queue, input.item];
    pump(next, effects);
  } else if (input.type === "outputs") show(next, effects, input);
  else if (input.type === "end") end(next, effects, input.cause);
  else if (next.current?.run === input.run) {
    if (next.current.expression !== null) expressed(next, effects, next.current.expression, input);
    else done(next, effects, input);
    pump(next, effects);
  }
  return { state: next, effects };
}

function pump(state: ExecutionState, effects: Effect[]): void {
  const [item, ...queue] = state.queue;
  if (state.current !== null || item === undefined) return;
  const bumps = item.storeHistory && !item.silent;
  const count = state.count + 1;
  const { header, code } = item;
  const run = `${state.prefix}-${++state.runs}`;
  Object.assign(state, { queue, current: { item, run, count, expression: null }, count: bumps ? count : state.count, shown: [] });
  effects.push({ do: "publish", type: "status", parent: header, content: { execution_state: "busy" } });
  if (!item.silent) effects.push({ do: "publish", type: "execute_input", parent: header, content: { code, execution_count: count } });
  if (bumps) effects.push({ do: "remember", count, code });
  effects.push({ do: "run", run, cell: `jupyter-${state.prefix}-${state.runs}`, code, parent: header });
}

function show(state: ExecutionState, effects: Effect[], { run, outputs }: Extract<ExecutionInput, { type: "outputs" }>): void {
  const { current } = state;
  const live = current?.run === run ? current : null;
  const parent = live?.item.header ?? state.past.find((each) => each.run === run)?.header;
  if (parent === undefined) return;
  const publish = (type: string, content: Record<string, unknown>) => effects.push({ do: "publish", type, parent, content });
  for (const { output, clear } of outputs) {
    if (live?.expression) {
      // its value is for the reply
      if (output.kind === "display" && output.as === "result") live.expression.value = output.data;
      continue;
    }
    const empty = output.kind === "stream" && output.text === "";
    if (clear === true) publish("clear_output", { wait: !empty });
    if (output.kind === "stream") {
      if (!empty) publish("stream", { name: output.name, text: output.text });
    } else if (output.kind === "error") publish("error", toTraceback(output.error));
    else {
      const data = toJupyter(output.data);
      if (output.as === "result") {
        if (live && !live.item.silent) {
          publish("execute_result", { execution_count: live.count, data, metadata: {} });
          if (live.item.storeHistory) effects.push({ do: "result", text: data[mime.text] as string });
        }
        continue;
      }
      // ids that the author has not chosen mean nothing to other requests
      const id = output.as === undefined ? `${run}/${output.id}` : output.id;
      const update = output.as === "update" || state.shown.includes(id);
      if (!update) state.shown = [...state.shown, id];
      publish(update ? "update_display_data" : "display_data", { data, metadata: {}, transient: { display_id: id } });
    }
  }
}

function done(state: ExecutionState, effects: Effect[], { result, error, warnings }: Extract<ExecutionInput, { type: "done" }>): void {
  const current = state.current!;
  const { item, count } = current;
  // Jupyter has no place of its own for them
  if (warnings.length > 0)
    effects.push({ do: "publish", type: "stream", parent: item.header, content: { name: "stderr", text: `${warnings.join("\n")}\n` } });
  if (result === "ok") {
    const [first, ...rest] = item.expressions;
    if (first !== undefined) return express(state, effects, first, rest, {});
    return finish(state, effects, { status: "ok", execution_count: count, user_expressions: {}, payload: [] });
  }
  const told =
    result === "interrupted" || error === undefined
      ? {
          ename: "Interrupted",
          evalue: "the request was interrupted; the variables are kept",
          traceback: ["Interrupted: the request was interrupted; the variables are kept"],
        }
      : toTraceback(error);
  // an error is among the outputs already
  if (result === "interrupted") effects.push({ do: "publish", type: "error", parent: item.header, content: told });
  finish(state, effects, { status: "error", execution_count: count, ...told, user_expressions: {}, payload: [] });
  if (item.stopOnError) abort(state, effects);
}

/** Starts the next of `user_expressions`. */
function express(
  state: ExecutionState,
  effects: Effect[],
  [name, code]: [string, string],
  rest: Execute["expressions"],
  results: Record<string, unknown>,
): void {
  const current = state.current!;
  const run = `${state.prefix}-${++state.runs}`;
  state.current = { ...current, run, expression: { name, rest, results, value: undefined } };
  effects.push({ do: "run", run, cell: `jupyter-${state.prefix}-${state.runs}`, code: `(${code}\n)`, parent: current.item.header });
}

function expressed(
  state: ExecutionState,
  effects: Effect[],
  expression: Expression,
  { result, error }: Extract<ExecutionInput, { type: "done" }>,
): void {
  const { name, rest, results, value } = expression;
  const told =
    result === "ok"
      ? { status: "ok", data: toJupyter((value as Record<string, unknown> | undefined) ?? { "text/plain": "undefined" }), metadata: {} }
      : { status: "error", ...toTraceback(error ?? { name: "Interrupted", message: "the expression was interrupted", frames: [] }) };
  const all = { ...results, [name]: told };
  const [first, ...others] = rest;
  if (first !== undefined && result !== "interrupted") return express(state, effects, first, others, all);
  finish(state, effects, { status: "ok", execution_count: state.current!.count, user_expressions: all, payload: [] });
}

function finish(state: ExecutionState, effects: Effect[], content: Record<string, unknown>): void {
  const { item, run } = state.current!;
  state.current = null;
  state.past = [...state.past.slice(-99), { run, header: item.header }];
  effects.push({ do: "reply", to: item.from, type: "execute_reply", parent: item.header, content });
  effects.push({ do: "publish", type: "status", parent: item.header, content: { execution_state: "idle" } });
}

function abort(state: ExecutionState, effects: Effect[]): void {
  for (const { from, header } of state.queue) {
    effects.push({ do: "publish", type: "status", parent: header, content: { execution_state: "busy" } });
    effects.push({ do: "reply", to: from, type: "execute_reply", parent: header, content: { status: "aborted" } });
    effects.push({ do: "publish", type: "status", parent: header, content: { execution_state: "idle" } });
  }
  state.queue = [];
}

function end(state: ExecutionState, effects: Effect[], cause: string | null): void {
  const { current } = state;
  if (current !== null) {
    const parent = current.item.header;
    const message = cause ?? "the kernel was restarted";
    const told = { ename: "KernelError", evalue: message, traceback: [`KernelError: ${message}`] };
    if (cause !== null) effects.push({ do: "publish", type: "stream", parent, content: { name: "stderr", text: `${cause}\n` } });
    effects.push({ do: "publish", type: "error", parent, content: told });
    finish(state, effects, { status: "error", execution_count: current.count, ...told, user_expressions: {}, payload: [] });
  }
  abort(state, effects);
}
