/**
 * What earlier runs may have left behind that a clean run would not: in values that change when another cell merely calls them (a counter in a
 * closure, a cache), in what the whole kernel shares (tables made by SQL, globals). A cell that runs again puts its own values right, a new kernel all. Pure.
 */
import { libraryNames } from "../../kernels/reactive/references.js";
import type { GraphView } from "./graph.js";
import { reach, walkOf } from "./plan.js";
import type { SessionState } from "./state.js";

/** stands among the traced cells for what the whole kernel shares */
export const kernelWide = "";

interface Suspects {
  /** cell whose functions change its own values -> cells that read from it, at any distance */
  stateful: ReadonlyMap<string, ReadonlySet<string>>;
  /** cells that change what the kernel shares */
  effects: ReadonlySet<string>;
}

const suspects = new WeakMap<GraphView, Suspects>();

function suspectsOf(state: Pick<SessionState, "graph">): Suspects {
  const { graph } = state;
  const known = suspects.get(graph);
  if (known !== undefined) return known;
  const stateful = new Map<string, ReadonlySet<string>>();
  const effects = new Set<string>();
  for (const [id, { analysis }] of graph.readings) {
    if (analysis.stateful) stateful.set(id, reach(walkOf(state).outputs, [id]));
    // a global that a cell only calls is no news: `console.clear()`, `cell.signal.addEventListener`
    const shared = ({ name, call }: (typeof analysis.mutations)[number]) =>
      !graph.definers.has(name) && !libraryNames.includes(name) && (call === undefined || /^global(This)?$/.test(name));
    if (analysis.effects || analysis.mutations.some(shared)) effects.add(id);
  }
  const made = { stateful, effects };
  suspects.set(graph, made);
  return made;
}

/** The number of a cell's last run in the present kernel; 0: none. */
function numberOf({ doc, since }: SessionState, id: string): number {
  const run = doc.cells[id]?.run;
  const number = run == null ? 0 : Number(run.slice(run.lastIndexOf("-") + 1));
  return number > since ? number : 0;
}

/** Owners among `cells` whose values this cell's last run has seen and may have changed. */
function reached(state: SessionState, id: string): string[] {
  const number = numberOf(state, id);
  if (number === 0) return [];
  // as the graph is, and as that run found it
  const read = Object.keys(state.ran.get(id)?.inputs ?? {}).flatMap((name) => state.graph.definers.get(name)?.[0] ?? []);
  const found: string[] = [];
  for (const [owner, readers] of suspectsOf(state).stateful)
    if (owner !== id && numberOf(state, owner) < number && (readers.has(id) || read.some((one) => one === owner || readers.has(one))))
      found.push(owner);
  return found;
}

/** The traced cells when this cell is about to run; `state` is as it was before. */
export function tracedByRun(state: SessionState, id: string): ReadonlySet<string> {
  const { stateful, effects } = suspectsOf(state);
  if (stateful.size + effects.size + state.traces.size + state.affected.size === 0) return state.traces;
  const { index } = state.graph;
  const place = index.get(id) ?? 0;
  const later = (other: string) => other !== id && (index.get(other) ?? 0) > place;
  const found = new Set(reached(state, id));
  for (const [owner, readers] of stateful) {
    if (found.has(owner) || !readers.has(id)) continue;
    const made = numberOf(state, owner);
    for (const reader of readers)
      if (later(reader) && numberOf(state, reader) > made) {
        found.add(owner);
        break;
      }
  }
  const again = numberOf(state, id) > 0;
  if (again && (effects.has(id) || state.affected.has(id))) found.add(kernelWide);
  for (const other of effects) if (later(other) && numberOf(state, other) > 0) found.add(kernelWide);
  return withTraces(state.traces, found, id);
}

/** The traced cells when these are deleted; `state` is as it was before. */
export function tracedByDelete(state: SessionState, ids: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const { effects } = suspectsOf(state);
  for (const id of ids) {
    if (numberOf(state, id) === 0) continue;
    const { changed = [], problems } = state.doc.cells[id]!;
    for (const name of changed) for (const owner of state.graph.definers.get(name) ?? []) found.add(owner);
    for (const problem of problems) if (problem.type === "mutation") for (const owner of problem.cells ?? []) found.add(owner);
    for (const owner of reached(state, id)) found.add(owner);
    if (effects.has(id) || state.affected.has(id)) found.add(kernelWide);
  }
  for (const id of ids) found.delete(id);
  return withTraces(state.traces, found, null);
}

/** Cells whose runs have changed what the kernel shares, once this one runs. */
export function affectedByRun(state: SessionState, id: string): ReadonlySet<string> {
  return state.affected.has(id) || !suspectsOf(state).effects.has(id) ? state.affected : new Set([...state.affected, id]);
}

function withTraces(before: ReadonlySet<string>, found: ReadonlySet<string>, made: string | null): ReadonlySet<string> {
  const gone = made !== null && before.has(made) && !found.has(made);
  if (!gone && [...found].every((id) => before.has(id))) return before;
  const next = new Set([...before, ...found]);
  if (gone) next.delete(made);
  return next;
}
