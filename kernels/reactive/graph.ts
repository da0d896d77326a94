/** The cells' dependencies: who reads whose names, in which order they run, and what is wrong with them (design 4). Pure. */
import type { Problem } from "../protocol/document.js";
import { withEntries } from "../notebook/record.js";
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
  /** the same object while no cell reads other names or from other cells */
  edges: Edges;
}
/** On places in the document: a thousand cells are ordered anew with each name that a person types. */
interface Edges {
  places: ReadonlyMap<string, number>;
  inputs: readonly (readonly number[])[];
  cyclic: boolean;
}

/** `analyses` in document order. */
export function buildGraph(analyses: readonly Analysis[]): Graph {
  const ids = analyses.map((analysis) => analysis.id);
  const definers = new Map<string, string[]>();
  for (const { id, defines } of analyses)
    for (const name of defines) {
      const others = definers.get(name);
      if (others === undefined) definers.set(name, [id]);
      else others.push(id);
    }
  const places = new Map(ids.map((id, i) => [id, i]));
  const tableOf = tables(definers);
  const isModule = modules(analyses, places);
  const cells: Record<string, GraphCell> = Object.create(null) as Record<string, GraphCell>;
  const inputs: number[][] = [];
  for (const analysis of analyses) {
    const { uses, from } = reads(analysis, definers, tableOf, places);
    inputs.push(from);
    cells[analysis.id] = {
      ...{ defines: analysis.defines, uses, inputs: from.map((at) => ids[at]!), outputs: [] },
      problems: problemsOf(analysis, definers, isModule),
    };
  }
  const outputs = turned(inputs);
  for (const [i, to] of outputs.entries()) cells[ids[i]!]!.outputs = to.map((at) => ids[at]!);
  const circles = circlesOf(inputs, ids, (id) => cells[id]!);
  for (const [id, problem] of circles) cells[id]!.problems.push(problem);
  return { ids, order: topological(inputs, outputs).map((at) => ids[at]!), cells, definers, edges: { places, inputs, cyclic: circles.size > 0 } };
}

/** What `buildGraph` gives after the texts of these cells changed, made of the graph before; and the cells that are not as they were. */
export function patchGraph(
  last: Graph,
  changed: ReadonlyMap<string, { old: Analysis; now: Analysis }>,
  analyses: readonly Analysis[],
): { graph: Graph; cells: ReadonlyMap<string, GraphCell> } {
  const { ids } = last;
  const { places } = last.edges;
  const moved = new Set(
    [...changed.values()].flatMap(({ old, now }) => [...differing(old.defines, now.defines), ...differing(modulesOf(old), modulesOf(now))]),
  );
  let { definers } = last;
  if (moved.size > 0) {
    const next = new Map(definers);
    for (const name of moved) {
      const others = (next.get(name) ?? []).filter((id) => !changed.has(id));
      for (const [id, { now }] of changed) if (now.defines.includes(name)) others.push(id);
      others.sort((a, b) => places.get(a)! - places.get(b)!);
      if (others.length > 0) next.set(name, others);
      else next.delete(name);
    }
    definers = next;
  }
  const small = new Set([...moved].map((name) => name.toLowerCase()));
  const concerns = ({ id, defines, uses, tables: names, writes, mutations }: Analysis) =>
    changed.has(id) ||
    (moved.size > 0 &&
      ([...moved].some((name) => defines.includes(name) || uses.includes(name)) ||
        names.some((name) => small.has(name.toLowerCase())) ||
        writes.some(({ name }) => moved.has(name)) ||
        mutations.some(({ name }) => moved.has(name))));
  const tableOf = tables(definers);
  const isModule = modules(analyses, places);
  const cells = new Map<string, GraphCell>();
  let inputs: (readonly number[])[] | null = null;
  for (const [i, analysis] of analyses.entries()) {
    if (!concerns(analysis)) continue;
    const old = last.cells[analysis.id]!;
    const { uses, from } = reads(analysis, definers, tableOf, places);
    if (!sameItems(from, last.edges.inputs[i]!)) (inputs ??= [...last.edges.inputs])[i] = from;
    const problems = [...problemsOf(analysis, definers, isModule), ...old.problems.filter((problem) => problem.type === "cycle")];
    cells.set(analysis.id, { ...old, defines: analysis.defines, uses, inputs: from.map((at) => ids[at]!), problems });
  }
  let { edges, order } = last;
  // a cell may read another name of the same cell
  const others = [...cells].some(([id, { uses }]) => !sameItems(uses, last.cells[id]!.uses));
  const now = (id: string) => cells.get(id) ?? last.cells[id]!;
  if (inputs !== null) {
    const outputs = turned(inputs);
    for (const [i, to] of outputs.entries()) {
      const cell = now(ids[i]!);
      if (to.length === cell.outputs.length && to.every((at, k) => ids[at] === cell.outputs[k])) continue;
      cells.set(ids[i]!, { ...cell, outputs: to.map((at) => ids[at]!) });
    }
    const next = topological(inputs, outputs).map((at) => ids[at]!);
    if (!sameItems(order, next)) order = next;
  }
  if (inputs !== null || others) edges = { ...edges, inputs: inputs ?? edges.inputs };
  // what a circle is made of is told in each of its cells
  if (inputs !== null || (edges.cyclic && (others || moved.size > 0))) {
    const circles = circlesOf(edges.inputs, ids, now);
    const known = (problem: Problem) => problem.type === "cycle";
    if (edges.cyclic || circles.size > 0)
      for (const id of ids) {
        const { problems } = now(id);
        const [old, problem] = [problems.find(known), circles.get(id)];
        if (old?.message === problem?.message && sameItems(old?.cells ?? [], problem?.cells ?? [])) continue;
        const rest = problems.filter((each) => !known(each));
        cells.set(id, { ...now(id), problems: problem === undefined ? rest : [...rest, problem] });
      }
    edges = { ...edges, cyclic: circles.size > 0 };
  }
  return { graph: { ids, order, cells: withEntries(last.cells, [...cells]), definers, edges }, cells };
}

/** Names of other cells that a cell reads, and the places of these cells. */
function reads(
  { id, defines, privates, uses: names, tables: read }: Analysis,
  definers: Graph["definers"],
  tableOf: (name: string) => string | null,
  places: ReadonlyMap<string, number>,
): { uses: string[]; from: number[] } {
  const uses: string[] = [];
  const from: number[] = [];
  const use = (name: string | null) => {
    if (name === null || uses.includes(name) || defines.includes(name) || privates.includes(name)) return;
    const others = definers.get(name);
    if (others === undefined) return;
    uses.push(name);
    for (const other of others) {
      const at = places.get(other)!;
      if (other !== id && !from.includes(at)) from.push(at);
    }
  };
  for (const name of names) use(name);
  for (const name of read) use(tableOf(name));
  return { uses, from: from.sort((a, b) => a - b) };
}

/** What is said in each cell that is part of a circle. */
function circlesOf(inputs: Edges["inputs"], ids: readonly string[], cell: (id: string) => GraphCell): Map<string, Problem> {
  const circles = new Map<string, Problem>();
  for (const members of components(inputs)) {
    const group = members.sort((a, b) => a - b).map((at) => ids[at]!);
    const path = shortestCycle(group, cell);
    if (!path) continue;
    const steps = path.map((id, i) => {
      const next = path[(i + 1) % path.length]!;
      return `${id} needs ${namesBetween(cell(id), cell(next)).join(", ")} of ${next}`;
    });
    const message = `Cells need each other in a circle: ${steps.join("; ")}. Move what they share into a cell of its own`;
    for (const id of group) circles.set(id, { type: "cycle", severity: "error", message, cells: path.filter((other) => other !== id) });
  }
  return circles;
}

/** SQL names have no case; a name that differs only in case from two cells' names means neither. */
function tables(definers: Graph["definers"]): (name: string) => string | null {
  let folded: Map<string, string | null> | null = null;
  return (name) => {
    if (definers.has(name)) return name;
    folded ??= foldNames(definers.keys());
    return folded.get(name.toLowerCase()) ?? null;
  };
}

/** Each place's users, of each place's inputs. */
function turned(inputs: readonly (readonly number[])[]): number[][] {
  const outputs: number[][] = inputs.map(() => []);
  for (const [i, from] of inputs.entries()) for (const at of from) outputs[at]!.push(i);
  return outputs;
}

const sameItems = <T>(a: readonly T[], b: readonly T[]) => a === b || (a.length === b.length && a.every((item, i) => item === b[i]));
/** Names that one of the lists has alone. */
const differing = (a: readonly string[], b: readonly string[]) =>
  a === b ? [] : [...a.filter((name) => !b.includes(name)), ...b.filter((name) => !a.includes(name))];

/** Names in small letters -> the name; null where two differ in case alone. */
function foldNames(names: Iterable<string>): Map<string, string | null> {
  const folded = new Map<string, string | null>();
  for (const name of names) {
    const small = name.toLowerCase();
    folded.set(small, folded.has(small) ? null : name);
  }
  return folded;
}

const modulesOf = ({ bindings }: Analysis) => bindings.flatMap(({ name, how }) => (how === "import" ? [name] : []));
/** Is a name of a cell imported? */
function modules(analyses: readonly Analysis[], places: ReadonlyMap<string, number>): (cell: string, name: string) => boolean {
  return (cell, name) => analyses[places.get(cell)!]!.bindings.some((binding) => binding.name === name && binding.how === "import");
}

/** What is wrong with a cell, but for cycles. */
function problemsOf(
  analysis: Analysis,
  definers: ReadonlyMap<string, readonly string[]>,
  isModule: (cell: string, name: string) => boolean,
): Problem[] {
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
  for (const { name, line, column, code, call } of analysis.mutations) {
    const owner = foreign(name);
    if (owner && !(call && isModule(owner, name)))
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
function shortestCycle(group: readonly string[], cell: (id: string) => GraphCell): string[] | null {
  const [start] = group;
  const members = new Set(group);
  const before = new Map<string, string>();
  const queue = [start!];
  for (let i = 0; i < queue.length; i++) {
    for (const next of cell(queue[i]!).inputs) {
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

/** Kahn's order, the earliest cell of the document first among those that are ready; those of a cycle, and what reads from it, come last. */
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
