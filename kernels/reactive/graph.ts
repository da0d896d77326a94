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
  /** name -> the cell that defines it; the first one where two clash */
  definedBy: Record<string, string>;
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
  const index = new Map(ids.map((id, i) => [id, i]));
  const inOrder = (group: Iterable<string>) => [...group].sort((a, b) => index.get(a)! - index.get(b)!);
  const folded = new Map<string, string | null>();
  for (const name of definers.keys()) folded.set(name.toLowerCase(), folded.has(name.toLowerCase()) ? null : name);
  /** SQL names have no case; a name that differs only in case from two cells' names means neither */
  const table = (name: string) => (definers.has(name) ? name : (folded.get(name.toLowerCase()) ?? null));

  const cells: Record<string, GraphCell> = Object.create(null) as Record<string, GraphCell>;
  for (const analysis of analyses) {
    const own = new Set([...analysis.defines, ...analysis.privates]);
    const names = new Set([...analysis.uses, ...analysis.tables.map(table).filter((name) => name !== null)]);
    const uses = [...names].filter((name) => !own.has(name) && definers.has(name));
    const from = new Set(uses.flatMap((name) => definers.get(name)!));
    from.delete(analysis.id);
    cells[analysis.id] = { defines: analysis.defines, uses, inputs: inOrder(from), outputs: [], problems: [...analysis.problems] };
  }
  for (const id of ids) for (const input of cells[id]!.inputs) cells[input]!.outputs.push(id);

  for (const analysis of analyses) cells[analysis.id]!.problems.push(...problemsOf(analysis, definers));
  for (const members of components(ids, cells)) {
    const group = inOrder(members);
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
  const definedBy: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, [first]] of definers) definedBy[name] = first!;
  return { ids, order: topological(ids, index, cells), cells, definedBy };
}

function problemsOf(analysis: Analysis, definers: Map<string, string[]>): Problem[] {
  const problems: Problem[] = [];
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
function components(ids: readonly string[], cells: Record<string, GraphCell>): string[][] {
  const number = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const inStack = new Set<string>();
  const groups: string[][] = [];
  for (const root of ids) {
    if (number.has(root)) continue;
    // by hand: a chain of ten thousand cells must not overflow the call stack
    const work: { id: string; next: number }[] = [{ id: root, next: 0 }];
    while (work.length > 0) {
      const top = work.at(-1)!;
      const { id } = top;
      if (top.next === 0) {
        number.set(id, number.size);
        low.set(id, number.get(id)!);
        stack.push(id);
        inStack.add(id);
      }
      const next = cells[id]!.inputs[top.next++];
      if (next !== undefined) {
        if (!number.has(next)) work.push({ id: next, next: 0 });
        else if (inStack.has(next)) low.set(id, Math.min(low.get(id)!, number.get(next)!));
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent) low.set(parent.id, Math.min(low.get(parent.id)!, low.get(id)!));
      if (low.get(id) !== number.get(id)) continue;
      const group = stack.splice(stack.lastIndexOf(id));
      for (const member of group) inStack.delete(member);
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
function topological(ids: readonly string[], index: ReadonlyMap<string, number>, cells: Record<string, GraphCell>): string[] {
  const waiting = ids.map((id) => cells[id]!.inputs.length);
  const ready = new Heap();
  for (let i = 0; i < ids.length; i++) if (waiting[i] === 0) ready.push(i);
  const order: string[] = [];
  const placed = new Uint8Array(ids.length);
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    placed[at] = 1;
    order.push(ids[at]!);
    for (const user of cells[ids[at]!]!.outputs) {
      const next = index.get(user)!;
      if (--waiting[next]! === 0) ready.push(next);
    }
  }
  return [...order, ...ids.filter((_, i) => placed[i] === 0)];
}
