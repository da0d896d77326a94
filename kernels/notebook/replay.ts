/** The one meaning of an event: server and clients fold the same log by this function, so they cannot differ. Pure. */
import type { NotebookEvent, NotebookState } from "../protocol/document.js";
import type { Output } from "../protocol/output.js";
import { applyOperation } from "./operations.js";

/** Characters of printed text that a cell keeps on show; the whole is on the server's disk. */
export const shownText = 256_000;

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
      let outputsFrom = state.outputsFrom;
      for (const [id, cell] of Object.entries(event.cells)) {
        if (cell !== null) {
          cells[id] = cell;
          continue;
        }
        delete cells[id];
        outputs = without(outputs, id);
        outputsFrom = without(outputsFrom, id);
      }
      return { ...next, cells, outputs, outputsFrom };
    }
    case "queue":
      return { ...next, queue: state.queue.toSpliced(event.at, event.remove, ...event.insert) };
    case "outputs": {
      const shown = event.clear ? [] : (state.outputs[event.cell] ?? []);
      const outputs = { ...state.outputs, [event.cell]: addOutputs(shown, event.outputs) };
      return { ...next, outputs, outputsFrom: without(state.outputsFrom, event.cell) };
    }
    case "kernel":
      return { ...next, kernel: event.kernel };
    case "variables":
      return { ...next, variables: event.variables };
    case "badge":
      return { ...next, badge: event.badge };
    case "writer":
      return { ...next, writer: event.writer };
    case "clients":
      return { ...next, clients: event.clients };
    case "file":
      return { ...next, held: event.held, broken: event.broken };
    case "mode":
      return { ...next, mode: event.mode };
    case "saved":
      return { ...next, savedAt: event.at };
    case "notice":
      return next;
  }
}

/** What a cell shows after more outputs: text of one stream joins, a display of a known id takes the old one's place, long text loses its beginning. */
export function addOutputs(shown: readonly Output[], more: readonly Output[]): Output[] {
  const all = [...shown];
  let text = 0;
  for (const output of all) if (output.kind === "stream") text += output.text.length;
  for (const output of more) {
    const last = all.at(-1);
    if (output.kind === "stream") {
      text += output.text.length;
      if (last?.kind === "stream" && last.name === output.name) all[all.length - 1] = { ...last, text: last.text + output.text };
      else all.push(output);
      if (text > shownText * 2) text = cutText(all, text);
    } else if (output.kind === "display") {
      const at = all.findIndex((other) => other.kind === "display" && other.id === output.id);
      if (at < 0) all.push(output);
      else all[at] = output;
    } else all.push(output);
  }
  return all;
}

/** Shortens the oldest text until half of the limit is left, at a line's start; returns what is left. */
function cutText(all: Output[], text: number): number {
  for (let i = 0; i < all.length && text > shownText; i++) {
    const output = all[i]!;
    if (output.kind !== "stream") continue;
    const surplus = Math.min(output.text.length, text - shownText);
    const eol = output.text.indexOf("\n", surplus);
    const from = eol < 0 ? surplus : eol + 1;
    // the slice is copied, or it would keep the whole text in memory
    all[i] = { ...output, text: structuredClone(output.text.slice(from)), cut: (output.cut ?? 0) + from };
    text -= from;
  }
  return text;
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}
