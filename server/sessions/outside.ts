/** What comes from the kernel, the disk and the clients' comings and goings. */
import type { Output } from "../../kernels/protocol/output.js";
import { same } from "./same.js";
import { showControl } from "./controls.js";
import { changed } from "./editing.js";
import { size } from "./size.js";
import { planAll, planSame, planStale, planTo } from "./plan.js";
import { ask } from "./questions.js";
import { calm, dropKernel, enqueue, finish, pump } from "./queue.js";
import type { Input } from "./state.js";
import { tracedByConsole } from "./traces.js";
import { become, type Step } from "./step.js";

export function other(step: Step, input: Exclude<Input, { type: "command" }>): void {
  switch (input.type) {
    case "join": {
      const { client, name } = input;
      const clients = [...step.doc.clients.filter((other) => other.client !== client), { client, name }];
      if (!same(clients, step.doc.clients)) step.emit({ type: "clients", clients });
      if (step.doc.writer === null && input.watch !== true) become(step, client);
      return;
    }
    case "language":
      if (!same(input.language, step.doc.language)) step.emit({ type: "language", language: input.language });
      return;
    case "leave":
      if (step.doc.clients.some((other) => other.client === input.client))
        step.emit({ type: "clients", clients: step.doc.clients.filter((other) => other.client !== input.client) });
      if (step.doc.writer?.client === input.client) step.emit({ type: "writer", writer: null });
      return;
    case "ready": {
      step.kernel({ state: "idle", pid: input.pid, memory: [], death: null, culled: null, lost: 0, tensors: null, ...calm });
      const { then } = step.state;
      step.set({ then: null });
      if (then === "all") return enqueue(step, planAll(step.state), input.at);
      if (then === "stale") return enqueue(step, planStale(step.state), input.at);
      if (then === "same") return enqueue(step, planSame(step.state, step.state.lost), input.at);
      if (then !== null && then !== "nothing") return enqueue(step, planTo(step.state, then.to), input.at);
      pump(step, input.at);
      return step.settle();
    }
    case "kernel":
      return kernel(step, input.message, input.at);
    case "outputs":
      for (const group of groupOutputs(input.messages)) {
        if (!isCurrent(step, group)) continue;
        const { running } = step.state;
        const first = running !== null && running.run === group.run && !running.shown;
        step.emit({ type: "outputs", ...group, clear: group.clear || first });
        if (first) step.set({ running: { ...running, shown: true } });
      }
      for (const { cell, run, count } of input.more ?? [])
        if (isCurrent(step, { cell, run })) step.emit({ type: "outputs", cell, run, clear: false, outputs: [], more: count });
      return;
    case "console":
      step.set(tracedByConsole(step.state, input.source));
      return step.settle();
    case "memory":
      return step.kernel({ memory: [...step.doc.kernel.memory.slice(-59), input.rss], memoryLimit: input.limit });
    case "near-limit":
      step.kernel({ nearLimit: { used: input.rss, limit: input.limit, cell: step.state.running?.cell ?? null, of: input.of } });
      return step.emit({
        type: "notice",
        level: "warning",
        text: `${input.of === "heap" ? "The heap stands at" : "Memory"} ${size(input.rss)} of ${size(input.limit)}: the running cell is interrupted so that the variables live.`,
        ...(step.state.running !== null && { cell: step.state.running.cell }),
      });
    case "stuck":
      step.kernel({ stuck: input.at });
      return step.emit({
        type: "notice",
        level: "warning",
        text: "The stop has no effect yet: a native call does not yield. Restart the kernel, or wait until it returns.",
        ...(step.state.running !== null && { cell: step.state.running.cell }),
      });
    case "exit": {
      if (input.expected) return;
      const cell = step.state.running?.cell ?? null;
      dropKernel(step, input.cause, input.at);
      step.kernel({
        state: "dead",
        pid: null,
        ...calm,
        lost: step.state.lost.length,
        death: { cause: input.cause, code: input.code, signal: input.signal, cell, at: input.at },
      });
      return step.settle();
    }
    case "cull":
      dropKernel(step, null, input.at);
      step.kernel({
        state: "none",
        pid: null,
        memory: [],
        tensors: null,
        ...calm,
        lost: step.state.lost.length,
        culled: { at: input.at, idleMs: input.idleMs },
      });
      step.act({ do: "shutdown" });
      return step.settle();
    case "outside": {
      changed(step, [{ op: "replace", source: input.source }], { by: "file", at: input.at, read: input.read });
      return step.emit({ type: "notice", level: "info", text: input.text });
    }
    case "saved":
      return step.emit({ type: "saved", at: input.at, rev: input.rev });
    case "held":
      if (step.doc.held !== input.why) step.emit({ type: "file", held: input.why });
      return;
    case "clean":
      step.emit({ type: "clean", clean: input.clean });
      return step.settle();
    case "packages":
      return step.emit({ type: "packages", packages: input.packages });
    case "question":
      return ask(step, input.question);
    case "trouble":
      return step.emit({ type: "notice", level: "warning", text: input.text });
  }
}

function kernel(step: Step, message: Extract<Input, { type: "kernel" }>["message"], at: number): void {
  const { running } = step.state;
  switch (message.type) {
    case "progress":
      if (running?.run !== message.run) return;
      step.cell(message.cell, { progress: message.progress });
      return step.settle();
    case "done": {
      if (running?.run !== message.run) return;
      finish(step, message, at);
      return step.settle();
    }
    case "control":
      if (running?.run === message.run) showControl(step, message);
      return;
    case "variables":
      return step.emit({ type: "variables", variables: message.variables });
    case "backend":
      return step.kernel({ backend: message.name, device: message.device, skipped: message.skipped, tensors: message.tensors });
    case "changed": {
      let { touched } = step.state;
      for (const id of message.cells) {
        if (!step.state.ran.has(id)) continue;
        touched = touched.with(id, message.file);
        step.dirty.add(id);
      }
      step.set({ touched });
      return step.settle();
    }
  }
}

/** Nobody waits for the outputs of a run that is over: stopped, or replaced. */
function isCurrent(step: Step, { cell, run }: { cell: string; run: string }): boolean {
  const state = step.pending[cell] ?? step.doc.cells[cell];
  return step.doc.cells[cell] !== undefined && state?.run === run;
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
