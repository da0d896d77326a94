/** The notebook's state as a fold over the server's events. Pure; the document itself lives in document.ts. */
import type { NotebookEvent, NotebookState } from "../../kernels/protocol/document.js";
import type { Output } from "../../kernels/protocol/output.js";

/** New state after one event that is not `ops`. */
export function reduce(state: NotebookState, event: NotebookEvent): NotebookState {
  const next = { ...state, seq: event.seq };
  switch (event.type) {
    case "ops":
      return { ...next, rev: event.rev };
    case "cells": {
      const cells = { ...state.cells };
      for (const [id, cell] of Object.entries(event.cells)) {
        if (cell === null) delete cells[id];
        else cells[id] = cell;
      }
      return { ...next, cells };
    }
    case "outputs": {
      const shown = event.clear ? [] : (state.outputs[event.cell] ?? []);
      const outputs = { ...state.outputs, [event.cell]: addOutputs(shown, event.outputs) };
      const { [event.cell]: _old, ...outputsFrom } = state.outputsFrom;
      return { ...next, outputs, outputsFrom };
    }
    case "kernel":
      return { ...next, kernel: event.kernel };
    case "variables":
      return { ...next, variables: event.variables };
    case "badge":
      return { ...next, badge: event.badge };
    case "writer":
      return { ...next, writer: event.writer };
    case "mode":
      return { ...next, mode: event.mode };
    case "saved":
      return { ...next, savedAt: event.at };
    case "notice":
      return next;
  }
}

/** A display with a known id replaces the earlier one; text of the same stream is joined. */
export function addOutputs(shown: Output[], more: Output[]): Output[] {
  const out = [...shown];
  for (const output of more) {
    const last = out.at(-1);
    if (output.kind === "stream" && last?.kind === "stream" && last.name === output.name)
      out[out.length - 1] = { ...last, text: last.text + output.text };
    else if (output.kind === "display") {
      const at = out.findIndex((other) => other.kind === "display" && other.id === output.id);
      if (at >= 0) out[at] = output;
      else out.push(output);
    } else out.push(output);
  }
  return out;
}
