/** Which cells run, wait or turn stale (design 4). Pure: the server's session keeps the states and applies what comes back. */
import type { Badge, CellKind, CellOptions, Result } from "../protocol/document.js";
import { canRun, type Graph } from "./graph.js";

/** What scheduling needs to know of a cell. */
export interface CellFacts {
  kind: CellKind;
  options: CellOptions;
  result: Result;
  stale: boolean;
  edited: boolean;
  causes: string[];
}
export type Facts = Record<string, CellFacts>;

export interface PlanOptions {
  mode: "auto" | "lazy";
  /** run the inputs that are not fresh first; default true */
  inputs?: boolean;
  /** run also the cells that cost much and those marked lazy ("run all") */
  all?: boolean;
}
export interface Plan {
  /** in order: inputs before users */
  run: string[];
  /** cells asked for, or needed, that cannot run: by a disabled cell, or by one with an error in the graph (perhaps themselves) */
  blocked: Record<string, { by: string; why: "disabled" | "problem" }>;
  /** cells that turn stale instead of running, with the cells that caused it */
  stale: Record<string, string[]>;
}

/** Kinds that run only when asked: a training must not start with each keystroke elsewhere. */
export const costlyKinds: readonly CellKind[] = ["train", "distill"];

/** Lazy by its marker, or by its kind unless the marker says `lazy=false`. */
export function isLazy(cell: Pick<CellFacts, "kind" | "options">): boolean {
  return cell.options.lazy ?? costlyKinds.includes(cell.kind);
}

/** All cells that read from these, at any distance, in run order. */
export function descendants(graph: Graph, ids: Iterable<string>): string[] {
  return reach(graph, ids, "outputs");
}
/** All cells that these read from, at any distance, in run order. */
export function ancestors(graph: Graph, ids: Iterable<string>): string[] {
  return reach(graph, ids, "inputs");
}

function reach(graph: Graph, ids: Iterable<string>, way: "inputs" | "outputs"): string[] {
  const from = new Set(ids);
  const seen = new Set<string>();
  const queue = [...from];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const next of graph.cells[id]?.[way] ?? []) {
      if (!seen.has(next)) queue.push(next);
      seen.add(next);
    }
  }
  return graph.order.filter((id) => seen.has(id) && !from.has(id));
}

/** Does what is shown equal what a run would give? Markdown always does. */
export function isFresh(cell: CellFacts): boolean {
  return cell.kind === "markdown" || (cell.result === "ok" && !cell.stale && !cell.edited);
}

/** What to do when `targets` are to be run. */
export function plan(graph: Graph, facts: Facts, targets: readonly string[], options: PlanOptions): Plan {
  const { mode, inputs = true, all = false } = options;
  const runnable = (id: string) => facts[id] !== undefined && facts[id].kind !== "markdown";
  const wanted = new Set(targets.filter((id) => graph.cells[id] && runnable(id)));

  // inputs that are not fresh, and whatever lies between them and the targets
  if (inputs) {
    const needed = (id: string): void => {
      for (const input of graph.cells[id]!.inputs) {
        if (wanted.has(input) || !runnable(input)) continue;
        const old = ancestors(graph, [input]).some((above) => !isFresh(facts[above]!));
        if (!old && isFresh(facts[input]!)) continue;
        wanted.add(input);
        needed(input);
      }
    };
    for (const id of [...wanted]) needed(id);
  }

  const blocked: Plan["blocked"] = {};
  const stale: Plan["stale"] = {};
  const run: string[] = [];
  const going = new Set<string>();
  const followed = new Set(descendants(graph, wanted));
  for (const id of graph.order) {
    if (!runnable(id)) continue;
    const cell = graph.cells[id]!;
    const asked = wanted.has(id);
    if (!asked && !followed.has(id)) continue;
    const why = blockOf(id, cell.inputs, blocked, graph, facts);
    if (why) {
      if (asked || cell.inputs.some((input) => going.has(input) || blocked[input])) blocked[id] = why;
      continue;
    }
    const changed = cell.inputs.filter((input) => going.has(input) || stale[input]);
    if (!asked && changed.length === 0) continue;
    const waits = cell.inputs.some((input) => stale[input] || (!going.has(input) && !isFresh(facts[input]!)));
    const lazy = !all && (mode === "lazy" || isLazy(facts[id]!));
    if (asked || (!lazy && !waits)) {
      going.add(id);
      run.push(id);
    } else stale[id] = changed;
  }
  return { run, blocked, stale };
}

function blockOf(id: string, inputs: readonly string[], blocked: Plan["blocked"], graph: Graph, facts: Facts): Plan["blocked"][string] | null {
  if (facts[id]!.options.disabled) return { by: id, why: "disabled" };
  if (!canRun(graph.cells[id]!)) return { by: id, why: "problem" };
  for (const input of inputs) {
    if (blocked[input]) return blocked[input];
    const above = [input, ...ancestors(graph, [input])];
    const disabled = above.find((other) => facts[other]?.options.disabled);
    if (disabled !== undefined) return { by: disabled, why: "disabled" };
    const wrong = above.find((other) => !canRun(graph.cells[other]!));
    if (wrong !== undefined) return { by: wrong, why: "problem" };
  }
  return null;
}

/** What a finished run means for the others. `queued`: cells still to run in this plan, in order. */
export function afterRun(
  graph: Graph,
  facts: Facts,
  id: string,
  result: Exclude<Result, "none">,
  queued: readonly string[],
): { /** do not run: result cancelled, blockedBy `id` */ cancelled: string[]; stale: Record<string, string[]> } {
  const below = descendants(graph, [id]);
  const waiting = new Set(queued);
  const cancelled = result === "ok" ? [] : below.filter((other) => waiting.has(other));
  const stale: Record<string, string[]> = {};
  for (const other of below) {
    if (!waiting.has(other) && facts[other] && facts[other].kind !== "markdown")
      stale[other] = causesOf(graph, facts, other, new Set([id, ...Object.keys(stale)]));
  }
  return { cancelled, stale };
}

/** Cells whose inputs are not the same cells as before: an edit, insertion, deletion or rename changed the graph. */
export function afterEdit(before: Graph, after: Graph, facts: Facts): Record<string, string[]> {
  const stale: Record<string, string[]> = {};
  const source = (graph: Graph, id: string) => new Map((graph.cells[id]?.uses ?? []).map((name) => [name, graph.definedBy[name]]));
  for (const id of after.order) {
    const cell = facts[id];
    if (!cell || cell.kind === "markdown" || cell.result === "none") continue;
    const was = source(before, id);
    const is = source(after, id);
    const causes = new Set<string>();
    for (const name of new Set([...was.keys(), ...is.keys()])) {
      // the cell's own edit that adds or drops a name shows as edited, not as stale
      if (was.get(name) !== is.get(name) && !(cell.edited && (!was.has(name) || !is.has(name)))) causes.add(is.get(name) ?? was.get(name)!);
    }
    for (const input of after.cells[id]!.inputs) if (stale[input]) causes.add(input);
    if (causes.size > 0) stale[id] = [...new Set([...cell.causes, ...causes])];
  }
  return stale;
}

function causesOf(graph: Graph, facts: Facts, id: string, changed: ReadonlySet<string>): string[] {
  return [...new Set([...facts[id]!.causes, ...graph.cells[id]!.inputs.filter((input) => changed.has(input))])];
}

/** Cells that "run stale" runs: everything that is not fresh. */
export function staleCells(graph: Graph, facts: Facts): string[] {
  return graph.order.filter((id) => facts[id] !== undefined && !isFresh(facts[id]) && !facts[id].options.disabled);
}

/** The notebook's badge. `earlier`: cells whose outputs come from an earlier session. */
export function badge(graph: Graph, facts: Facts, earlier: ReadonlySet<string> = new Set()): Badge {
  const cells = graph.ids.filter((id) => facts[id] !== undefined && facts[id].kind !== "markdown");
  const errors = cells.filter(
    (id) => !facts[id]!.options.disabled && (["error", "cancelled", "interrupted"].includes(facts[id]!.result) || !canRun(graph.cells[id]!)),
  );
  if (errors.length > 0) return { state: "error", cells: errors };
  const stale = cells.filter((id) => facts[id]!.result !== "none" && (facts[id]!.stale || facts[id]!.edited));
  if (stale.length > 0) return { state: "stale", cells: stale };
  const disabled = cells.filter((id) => facts[id]!.options.disabled || ancestors(graph, [id]).some((above) => facts[above]?.options.disabled));
  if (disabled.length > 0) return { state: "unchecked", why: "cells are disabled", cells: disabled };
  const never = cells.filter((id) => facts[id]!.result === "none");
  if (never.length > 0) return { state: "unchecked", why: "cells have not run", cells: never };
  const old = cells.filter((id) => earlier.has(id));
  if (old.length > 0) return { state: "unchecked", why: "outputs are from an earlier session", cells: old };
  return { state: "same" };
}
