/**
 * What earlier runs may have left behind that a clean run would not: in values that change when another cell merely calls them (a counter in a
 * closure, a cache), in what the whole kernel shares (tables made by SQL, globals). Each run notes which of these places it may have touched. A place is as
 * in a clean run when all that touched it since it was made stand in the document still, ran once each, and in the document's order. Pure.
 */
import { libraryNames } from "../../kernels/reactive/references.js";
import type { GraphView } from "./graph.js";
import { blocked, walkOf } from "./plan.js";
import type { SessionState } from "./state.js";

/** What one run may have changed beside its own values. */
export interface Touch {
  /** of the run */
  number: number;
  places: readonly string[];
}

/** Places: `cell:ID`, the values of a cell, made anew whenever it runs; `tables` and `global:NAME`, which only a new kernel makes anew. */
const ofCell = "cell:";
const tables = "tables";
const ofGlobal = "global:";

/** What a cell's code may change when it runs, by its syntax. */
interface Suspect {
  /** its functions change its own values */
  stateful: boolean;
  /** what it changes for the whole kernel, itself or in functions that others call */
  shared: readonly string[];
  /** some of it in functions */
  later: boolean;
  /** cells whose values it changes where its code shows it */
  owners: readonly string[];
}

const suspects = new WeakMap<GraphView, ReadonlyMap<string, Suspect>>();

function suspectsOf({ graph }: Pick<SessionState, "graph">): ReadonlyMap<string, Suspect> {
  const known = suspects.get(graph);
  if (known !== undefined) return known;
  const found = new Map<string, Suspect>();
  for (const [id, { analysis }] of graph.readings) {
    // a global that a cell only calls is no news: `console.clear()`, `cell.signal.addEventListener`
    const globals = analysis.mutations.flatMap(({ name, call }) =>
      !graph.definers.has(name) && !libraryNames.includes(name) && (call === undefined || /^global(This)?$/.test(name)) ? [ofGlobal + name] : [],
    );
    const shared = [...new Set([...globals, ...(analysis.effects ? [tables] : [])])];
    const owners = graph.cells.get(id)!.problems.flatMap(({ type, cells = [] }) => (type === "mutation" ? cells : []));
    if (analysis.stateful || shared.length + owners.length > 0)
      found.set(id, { stateful: analysis.stateful, shared, later: analysis.later, owners: [...new Set(owners)] });
  }
  suspects.set(graph, found);
  return found;
}

/** The number in a run's id. */
export const numberOf = (run: string): number => Number(run.slice(run.lastIndexOf("-") + 1));

/** The number of a cell's last run in the present kernel; 0: none. */
function lastOf({ doc, since }: SessionState, id: string): number {
  const run = doc.cells[id]?.run;
  const number = run == null ? 0 : numberOf(run);
  return number > since ? number : 0;
}

/** When the place was made: by the cell's last run, or with the kernel. */
const madeAt = (state: SessionState, place: string): number => (place.startsWith(ofCell) ? lastOf(state, place.slice(ofCell.length)) : 0);

/** Cells along `edges`, at any distance: a value that cannot hold another hands nothing on. */
function handed(state: SessionState, way: "inputs" | "outputs", from: string): Set<string> {
  const edges = walkOf(state)[way];
  const seen = new Set<string>();
  const todo = way === "outputs" && state.plain.has(from) ? [] : [from];
  for (let id = todo.pop(); id !== undefined; id = todo.pop())
    for (const next of edges.get(id) ?? []) {
      if (seen.has(next) || (way === "inputs" && state.plain.has(next))) continue;
      seen.add(next);
      if (way === "inputs" || !state.plain.has(next)) todo.push(next);
    }
  seen.delete(from);
  return seen;
}

/** A cell whose value is changed, and those that its value may be a part of. */
const holders = (state: SessionState, owner: string): string[] => [owner, ...handed(state, "inputs", owner)].map((id) => ofCell + id);

/** Places that a run of this cell may change, by the code as it is now. */
function placesOf(state: SessionState, id: string): string[] {
  const all = suspectsOf(state);
  if (all.size === 0) return [];
  const own = all.get(id);
  const places = new Set<string>(own?.shared);
  const add = (suspect: Suspect | undefined) => {
    for (const owner of suspect?.owners ?? []) for (const place of holders(state, owner)) places.add(place);
  };
  add(own);
  for (const other of handed(state, "inputs", id)) {
    const suspect = all.get(other);
    if (suspect?.stateful) places.add(ofCell + other);
    if (suspect?.later !== true) continue;
    for (const place of suspect.shared) places.add(place);
    add(suspect);
  }
  return [...places];
}

/** A cell is about to run: what its last run touched, a clean run does not. `state` is as it was before; `number` the new run's. */
export function tracedByRun(state: SessionState, id: string, number: number): Pick<SessionState, "traces" | "ghosts"> {
  const places = placesOf(state, id);
  const traces = places.length > 0 ? state.traces.with(id, { number, places }) : state.traces.without(id);
  return { traces, ghosts: ghostsWith(state, [id]) };
}

/** Its run is over, and was seen to change values of these cells. */
export function tracedByEnd(state: SessionState, id: string, number: number, owners: readonly string[]): SessionState["traces"] {
  if (owners.length === 0) return state.traces;
  const places = [...new Set([...(state.traces.get(id)?.places ?? []), ...owners.flatMap((owner) => holders(state, owner))])];
  return state.traces.with(id, { number, places });
}

/** These cells are deleted: what their last runs touched, a clean run does not. `state` is as it was before. */
export function tracedByDelete(state: SessionState, ids: readonly string[]): Pick<SessionState, "traces" | "ghosts"> {
  const gone = new Set(ids);
  return { traces: state.traces.only((id) => !gone.has(id)), ghosts: ghostsWith(state, ids) };
}

function ghostsWith(state: SessionState, ids: readonly string[]): SessionState["ghosts"] {
  let ghosts: Map<string, number> | null = null;
  for (const id of ids) {
    const touch = state.traces.get(id);
    for (const place of touch?.places ?? [])
      if (touch!.number > madeAt(state, place)) (ghosts ??= new Map(state.ghosts)).set(place, Math.max(touch!.number, ghosts.get(place) ?? 0));
  }
  return ghosts ?? state.ghosts;
}

/** What does not show a clean run: cells whose values earlier runs may have changed, and whether what all cells share was. */
export interface Traces {
  cells: ReadonlySet<string>;
  shared: boolean;
}

export function tracesOf(state: SessionState): Traces {
  const cells = new Set<string>();
  let shared = false;
  const add = (place: string) => {
    if (place.startsWith(ofCell)) cells.add(place.slice(ofCell.length));
    else shared = true;
  };
  const exists = (place: string) => !place.startsWith(ofCell) || state.graph.cells.has(place.slice(ofCell.length));
  for (const [place, number] of state.ghosts) if (exists(place) && number > madeAt(state, place)) add(place);
  const waits = blocked(state);
  const touchers = new Map<string, Map<string, number>>();
  for (const [id, { number, places }] of state.traces)
    for (const place of places) {
      if (!exists(place) || number <= madeAt(state, place)) continue;
      // a clean run leaves out what is disabled
      if (waits.has(id)) add(place);
      const known = touchers.get(place);
      if (known === undefined) touchers.set(place, new Map([[id, number]]));
      else known.set(id, number);
    }
  for (const [place, by] of touchers) if (!inOrder(state, place, by)) add(place);
  return { cells, shared };
}

/** Did those that touched a place, and those that may have seen it, run in the order of a clean run? */
function inOrder(state: SessionState, place: string, touchers: ReadonlyMap<string, number>): boolean {
  const { graph } = state;
  const made = madeAt(state, place);
  const readers = place.startsWith(ofCell) ? handed(state, "outputs", place.slice(ofCell.length)) : new Set(graph.order);
  for (const id of touchers.keys()) readers.add(id);
  const sorted = [...readers].sort((a, b) => graph.index.get(a)! - graph.index.get(b)!);
  let [touched, seen] = [0, 0];
  for (const id of sorted) {
    const own = touchers.get(id);
    const number = own ?? lastOf(state, id);
    if (number <= made) continue;
    if (number < touched || (own !== undefined && number < seen)) return false;
    seen = Math.max(seen, number);
    if (own !== undefined) touched = Math.max(touched, number);
  }
  return true;
}
