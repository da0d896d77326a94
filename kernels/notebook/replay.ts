/** The one meaning of an event: server and clients fold the same log by this function, so they cannot differ. Pure. */
import type { NotebookEvent, NotebookState } from "../protocol/document.js";
import { applyOperation } from "./operations.js";
import { addOutputs } from "./shown.js";

/** The state after one event. Events must be given in order: throws a RangeError on a gap. */
export function replay(state: NotebookState, event: NotebookEvent): NotebookState {
  if (event.seq !== state.seq + 1) throw new RangeError(`Expected event ${state.seq + 1}, got ${event.seq}`);
  const next = { ...state, seq: event.seq };
  switch (event.type) {
    case "ops":
      return { ...next, rev: event.rev, source: event.ops.reduce(applyOperation, state.source) };
    case "cells": {
      const cells = { ...state.cells };
      let outputs = state.outputs;
      let { outputsFrom, more } = state;
      for (const [id, cell] of Object.entries(event.cells)) {
        if (cell !== null) {
          cells[id] = cell;
          continue;
        }
        delete cells[id];
        outputs = without(outputs, id);
        outputsFrom = without(outputsFrom, id);
        more = without(more, id);
      }
      return { ...next, cells, outputs, outputsFrom, more };
    }
    case "clean":
      return { ...next, clean: event.clean };
    case "packages":
      return { ...next, packages: event.packages };
    case "queue":
      return { ...next, queue: state.queue.toSpliced(event.at, event.remove, ...event.insert) };
    case "outputs": {
      const shown = event.clear ? [] : (state.outputs[event.cell] ?? []);
      const outputs = { ...state.outputs, [event.cell]: addOutputs(shown, event.outputs) };
      const more =
        event.more !== undefined ? { ...state.more, [event.cell]: event.more } : event.clear ? without(state.more, event.cell) : state.more;
      return { ...next, outputs, more, outputsFrom: without(state.outputsFrom, event.cell) };
    }
    case "kernel":
      return { ...next, kernel: event.kernel };
    case "variables":
      return { ...next, variables: event.variables };
    case "badge":
      return { ...next, badge: event.badge };
    case "language":
      return { ...next, language: event.language };
    case "writer":
      return { ...next, writer: event.writer };
    case "clients":
      return { ...next, clients: event.clients };
    case "file":
      return { ...next, held: event.held };
    case "mode":
      return { ...next, mode: event.mode };
    case "saved":
      return { ...next, savedAt: event.at };
    case "notice":
      return next;
  }
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}
