/** The one meaning of an event: server and clients fold the same log by this function, so they cannot differ. Pure. */
import type { NotebookEvent, NotebookState } from "../protocol/document.js";
import { applyOperation } from "./operations.js";
import { withEntries, withEntry } from "./record.js";
import { addOutputs } from "./shown.js";

/** The state after one event. Events must be given in order: throws a RangeError on a gap. */
export function replay(state: NotebookState, event: NotebookEvent): NotebookState {
  if (event.seq !== state.seq + 1) throw new RangeError(`Expected event ${state.seq + 1}, got ${event.seq}`);
  const next = { ...state, seq: event.seq };
  switch (event.type) {
    case "ops":
      return { ...next, rev: event.rev, source: event.ops.reduce(applyOperation, state.source) };
    case "cells": {
      const changes = Object.entries(event.cells);
      const cells = withEntries(
        state.cells,
        changes.map(([id, cell]) => [id, cell ?? undefined] as const),
      );
      let { outputs, outputsFrom, more } = state;
      for (const [id, cell] of changes) {
        if (cell !== null) continue;
        outputs = withEntry(outputs, id, undefined);
        outputsFrom = withEntry(outputsFrom, id, undefined);
        more = withEntry(more, id, undefined);
      }
      return { ...next, cells, outputs, outputsFrom, more };
    }
    case "clean":
      return { ...next, clean: event.clean };
    case "packages":
      return { ...next, packages: event.packages };
    case "questions":
      return { ...next, questions: event.questions };
    case "controls":
      return { ...next, controls: withEntry(state.controls, event.cell, event.controls.length === 0 ? undefined : event.controls) };
    case "control": {
      const controls = (state.controls[event.cell] ?? []).map((one) => (one.key === event.key ? { ...one, value: event.value } : one));
      return { ...next, controls: withEntry(state.controls, event.cell, controls) };
    }
    case "queue":
      return { ...next, queue: state.queue.toSpliced(event.at, event.remove, ...event.insert) };
    case "outputs": {
      const shown = event.clear ? [] : (state.outputs[event.cell] ?? []);
      const outputs = withEntry(state.outputs, event.cell, addOutputs(shown, event.outputs));
      const more = event.more !== undefined || event.clear ? withEntry(state.more, event.cell, event.more) : state.more;
      return { ...next, outputs, more, outputsFrom: withEntry(state.outputsFrom, event.cell, undefined) };
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
