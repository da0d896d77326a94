/** The cells' dependencies: who reads whose names, in which order they run, and what is wrong with them (design 4). Pure. */
import type { Problem } from "../protocol/document.js";
import { Heap } from "./heap.js";
import type { Analysis } from "./references.js";

export interface GraphCell {
  defines: string[];
  /** names of other cells that it reads, as they are defined there */
  uses: string[];
  /** cells that it reads from / that read from it, in document order */
  inputs: string[];
  outputs: string[];
  /** syntax, clash, cycle, foreign write (errors: the cell does not run), mutation (a warning) */
  problems: Problem[];
}
export interface Graph {
  /** in document order */
  ids: string[];
  /** inputs before users, else document order; the cells of a cycle come last */
  order: string[];
  cells: Record<string, GraphCell>;
  /** name -> the cells that define it, in document order; more than one is a clash */
  definers: ReadonlyMap<string, readonly string[]>;
}

/** `analyses` in document order. */
export function buildGraph(analyses: readonly Analysis[]): Graph {
  const ids = analyses.map((analysis) => analysis.id);
  const definers = new Map<string, string[]>();
  /** the same by place in the document: on numbers, since a thousand cells are ordered anew with each name that a person types */
  const places = new Map<string, number[]>();
  for (const [i, { id, defines }] of analyses.entries())
    for (const name of defines) {
      const others = definers.get(name);
      if (others === undefined) {
        definers.set(name, [id]);
        places.set(name, [i]);
      } else {
        others.push(id);
        places.get(name)!.push(i);
      }
    }
  let folded: Map<string, string | null> | null = null;
  /** SQL names have no case; a name that differs only in case from two cells' names means neither */
  const table = (name: string): string | null => {
    if (definers.has(name)) return name;
    folded ??= foldNames(definers.keys());
    return folded.get(name.toLowerCase()) ?? null;
  };

  const cells: Record<string, GraphCell> = Object.create(null) as Record<string, GraphCell>;
  const inputs: number[][] = [];
  const outputs: number[][] = analyses.map(() => []);
  for (const [i, analysis] of analyses.entries()) {
    const { defines, privates } = analysis;
    const uses: string[] = [];
    const use = (name: string | null) => {
      if (name !== null && definers.has(name) && !defines.includes(name) && !privates.includes(name) && !uses.includes(name)) uses.push(name);
    };
    for (const name of analysis.uses) use(name);
    for (const name of analysis.tables) use(table(name));
    const from: number[] = [];
    for (const name of uses) for (const at of places.get(name)!) if (at !== i && !from.includes(at)) from.push(at);
    inputs.push(from.sort((a, b) => a - b));
    for (const at of from) outputs[at]!.push(i);
    cells[analysis.id] = { defines, uses, inputs: from.map((at) => ids[at]!), outputs: [], problems: problemsOf(analysis, definers) };
  }
  for (const [i, to] of outputs.entries()) cells[ids[i]!]!.outputs = to.map((at) => ids[at]!);
  for (const members of components(inputs)) {
    const group = members.sort((a, b) => a - b).map((at) => ids[at]!);
    const path = shortestCycle(group, cells);
    if (!path) continue;
    const steps = path.map(
      (id, i) => `${id} needs ${namesBetween(cells[id]!, cells[path[(i + 1) % path.length]!]!).join(", ")} of ${path[(i + 1) % path.length]!}`,
    );
    for (const id of group) {
      const message = `Cells need each other in a circle: ${steps.join("; ")}. Move what they share into a cell of its own`;
      cells[id]!.problems.push({ type: "cycle", severity: "error", message, cells: path.filter((other) => other !== id) });
    }
  }
  return { ids, order: topological(inputs, outputs).map((at) => ids[at]!), cells, definers };
}

/** Whether two analyses of a cell make the same edges, so that only what is wrong inside the cell can differ. */
export function sameEdges(a: Analysis, b: Analysis): boolean {
  return (["defines", "privates", "uses", "tables"] as const).every(
    (part) => a[part] === b[part] || (a[part].length === b[part].length && a[part].every((name, i) => name === b[part][i])),
  );
}

/** The cell of `graph` after its text changed and made the same edges. */
export function reread(graph: Pick<Graph, "cells" | "definers">, analysis: Analysis): GraphCell {
  const old = graph.cells[analysis.id]!;
  return { ...old, problems: [...problemsOf(analysis, graph.definers), ...old.problems.filter((problem) => problem.type === "cycle")] };
}

/** Names in small letters -> the name; null where two differ in case alone. */
function foldNames(names: Iterable<string>): Map<string, string | null> {
  const folded = new Map<string, string | null>();
  for (const name of names) {
    const small = name.toLowerCase();
    folded.set(small, folded.has(small) ? null : name);
  }
  return folded;
}

/** What is wrong with a cell, but for cycles. */
function problemsOf(analysis: Analysis, definers: ReadonlyMap<string, readonly string[]>): Problem[] {
  const problems: Problem[] = [...analysis.problems];
  for (const name of new Set(analysis.defines)) {
    const others = definers.get(name)!.filter((id) => id !== analysis.id);
    if (others.length > 0)
      problems.push({
        type: "clash",
        severity: "error",
        name,
        cells: others,
        message: `\`${name}\` is also defined in ${others.length > 1 ? "cells" : "cell"} ${others.join(", ")}. One name, one cell: rename it here or there, or start it with _ to keep it in its cell`,
      });
  }
  const foreign = (name: string) => definers.get(name)?.find((id) => id !== analysis.id);
  for (const { name, line, column } of analysis.writes) {
    const owner = foreign(name);
    if (owner)
      problems.push({
        type: "foreign-write",
        severity: "error",
        name,
        cells: [owner],
        line,
        column,
        message: `\`${name}\` belongs to cell ${owner} and cannot be assigned here. Give the new value a name of its own`,
      });
  }
  for (const { name, line, column, code } of analysis.mutations) {
    const owner = foreign(name);
    if (owner)
      problems.push({
        type: "mutation",
        severity: "warning",
        name,
        cells: [owner],
        line,
        column,
        message: `\`${code}\` changes a value of cell ${owner}; cells that use \`${name}\` do not run again for it. Make a changed copy, or do it in cell ${owner}`,
      });
  }
  return problems;
}

const namesBetween = (reader: GraphCell, definer: GraphCell) => reader.uses.filter((name) => definer.defines.includes(name));

/** Groups of cells that reach each other (Tarjan's strongly connected components), only those with a cycle; in no order. */
function components(inputs: readonly (readonly number[])[]): number[][] {
  const number = new Int32Array(inputs.length).fill(-1);
  const low = new Int32Array(inputs.length);
  const inStack = new Uint8Array(inputs.length);
  const stack: number[] = [];
  const groups: number[][] = [];
  let count = 0;
  for (let root = 0; root < inputs.length; root++) {
    if (number[root]! >= 0) continue;
    // by hand: a chain of ten thousand cells must not overflow the call stack
    const work: { at: number; next: number }[] = [{ at: root, next: 0 }];
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const { at } = top;
      if (top.next === 0) {
        number[at] = low[at] = count++;
        stack.push(at);
        inStack[at] = 1;
      }
      const next = inputs[at]![top.next++];
      if (next !== undefined) {
        if (number[next]! < 0) work.push({ at: next, next: 0 });
        else if (inStack[next] === 1) low[at] = Math.min(low[at]!, number[next]!);
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent !== undefined) low[parent.at] = Math.min(low[parent.at]!, low[at]!);
      if (low[at] !== number[at]) continue;
      const group = stack.splice(stack.lastIndexOf(at));
      for (const member of group) inStack[member] = 0;
      if (group.length > 1) groups.push(group);
    }
  }
  return groups;
}

/** The shortest way from the group's first cell back to itself along inputs. */
function shortestCycle(group: readonly string[], cells: Record<string, GraphCell>): string[] | null {
  const [start] = group;
  const members = new Set(group);
  const before = new Map<string, string>();
  const queue = [start!];
  for (let i = 0; i < queue.length; i++) {
    for (const next of cells[queue[i]!]!.inputs) {
      if (next === start) {
        const path = [queue[i]!];
        while (path.at(-1) !== start) path.push(before.get(path.at(-1)!)!);
        return path.reverse();
      }
      if (members.has(next) && !before.has(next)) {
        before.set(next, queue[i]!);
        queue.push(next);
      }
    }
  }
  return null;
}

/** Kahn's order, the earliest cell of the document first among those that are ready. */
function topological(inputs: readonly (readonly number[])[], outputs: readonly (readonly number[])[]): number[] {
  const waiting = inputs.map((from) => from.length);
  const ready = new Heap();
  for (const [i, count] of waiting.entries()) if (count === 0) ready.push(i);
  const order: number[] = [];
  const placed = new Uint8Array(inputs.length);
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    placed[at] = 1;
    order.push(at);
    for (const user of outputs[at]!) if (--waiting[user]! === 0) ready.push(user);
  }
  for (const [i, done] of placed.entries()) if (done === 0) order.push(i);
  return order;
}
