/** What clients ask for: who may, what it means, and why not. */
import type { Command } from "../../kernels/protocol/document.js";
import { moveControl, resetControls } from "./moving.js";
import { edit } from "./editing.js";
import { fieldEdit, renameEdits } from "./edits.js";
import { planAll, planFrom, planRun, planStale, reach, walkOf } from "./plan.js";
import { calm, dropKernel, enqueue } from "./queue.js";
import { close } from "./questions.js";
import { leastMemory, size } from "./size.js";
import type { Input, Refusal, SessionState } from "./state.js";
import { become, type Step } from "./step.js";

const writes = new Set<Command["do"]>([
  "ops",
  "field",
  "rename",
  "run",
  "run-from",
  "run-all",
  "run-stale",
  "restart",
  "shutdown",
  "limit",
  "clear",
  "mode",
  "cancel",
  "control",
  "reset",
]);
/** commands that mean what the client saw of the document */
const seesDocument = new Set<Command["do"]>(["ops", "field", "rename", "run", "run-from", "run-all", "run-stale"]);

/** Null when it was done. */
export function command(step: Step, { client, rev, command, at }: Extract<Input, { type: "command" }>): Refusal | null {
  const { doc } = step;
  if (writes.has(command.do)) {
    if (doc.writer === null) become(step, client);
    else if (doc.writer.client !== client) return { code: "not-writer", message: `${doc.writer.name} is writing; take over first.` };
  }
  // sent again because its answer was lost
  if (command.do === "ops" && command.token !== undefined && step.state.applied[client] === command.token) return null;
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
      return edit(step, command.ops, { by: client, at, token: command.token });
    case "field":
    case "rename": {
      const gone = missing(command.cell);
      if (gone !== null) return gone;
      const ops = command.do === "field" ? fieldEdit(doc.source, command) : renameEdits(doc.source, command, doc.cells);
      return typeof ops === "string" ? { code: "bad-request", message: ops } : edit(step, ops, { by: client, at });
    }
    case "run": {
      for (const id of command.cells) {
        const gone = missing(id);
        if (gone !== null) return gone;
      }
      enqueue(step, planRun(step.state, command.cells, command.inputs ?? true), at, command.fresh === true ? command.cells : []);
      return null;
    }
    case "run-from": {
      const gone = missing(command.cell);
      if (gone !== null) return gone;
      enqueue(step, planFrom(step.state, command.cell), at);
      return null;
    }
    case "run-all":
      enqueue(step, planAll(step.state, command.promote === true), at);
      return null;
    case "run-stale":
      enqueue(step, planStale(step.state), at);
      return null;
    case "compare": {
      const { running, queue, runs } = step.state;
      if (running !== null || queue.length > 0) return { code: "bad-request", message: "Cells are still running; compare when they are done." };
      if (doc.clean?.status === "running") return { code: "bad-request", message: "A clean run is already on its way." };
      const clean = { status: "running" as const, at, rev: doc.rev, runs, done: 0, total: planAll(step.state).length, differences: [] };
      step.emit({ type: "clean", clean });
      step.act({ do: "compare", clean });
      return null;
    }
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
      const drop = command.cell === null ? null : reach(walkOf(step.state).outputs, [command.cell]).add(command.cell);
      step.set({ queue: drop === null ? [] : step.state.queue.filter((item) => !drop.has(item.cell)) });
      step.settle();
      return null;
    }
    case "answer": {
      const question = doc.questions.find(({ id }) => id === command.question);
      if (question === undefined)
        return { code: "not-found", message: "The cell does not wait for this answer any more: somebody has given one, or it was stopped." };
      close(step, [question], command.value);
      return null;
    }
    case "control":
      return moveControl(step, command, at);
    case "reset":
      return (command.cell === null ? null : missing(command.cell)) ?? resetControls(step, command.cell, at);
    case "limit": {
      const most = doc.kernel.memoryMost ?? Infinity;
      if (command.bytes < leastMemory || command.bytes > most)
        return {
          code: "bad-request",
          message: `A kernel's memory limit is from ${size(leastMemory)} to ${size(most)} on this machine, not ${size(command.bytes)}.`,
        };
      const { then } = command;
      const gone = typeof then === "object" ? missing(then.to) : null;
      if (gone !== null) return gone;
      step.act({ do: "limit", bytes: command.bytes });
      step.kernel({ memoryLimit: command.bytes, nearLimit: null });
      if (then !== undefined) restart(step, then, at);
      return null;
    }
    case "restart": {
      const { then } = command;
      const gone = typeof then === "object" ? missing(then.to) : null;
      if (gone !== null) return gone;
      restart(step, then, at);
      return null;
    }
    case "shutdown":
      if (doc.kernel.state === "none") return null;
      dropKernel(step, null, at);
      step.kernel({ state: "none", pid: null, death: null, culled: null, memory: [], tensors: null, ...calm });
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
        return edit(step, [{ op: "front", front: { ...doc.source.front, mode: command.mode } }], { by: client, at });
      }
      return null;
    case "write":
      become(step, client);
      return null;
    default:
      return { code: "bad-request", message: `Unknown command ${JSON.stringify((command as { do?: unknown }).do)}.` };
  }
}

function restart(step: Step, then: SessionState["then"], at: number): void {
  dropKernel(step, null, at);
  step.set({ then });
  step.kernel({ state: "starting", death: null, culled: null, ...calm });
  step.act({ do: "restart" });
}
