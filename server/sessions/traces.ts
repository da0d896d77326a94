/**
 * What earlier runs may have left behind that a clean run would not: in values that change when another cell merely calls them (a counter in a
 * closure, a cache), in files that cells import, in what the whole kernel shares (tables made by SQL, globals). Each run notes which of these places it
 * may have touched. A place is as in a clean run when all that touched it since it was made are in the document still, ran once each, and in its order. Pure.
 */
import { analyse } from "../../kernels/reactive/references.js";
import type { ImportedFile } from "../../kernels/protocol/kernel.js";
import { blocked, walkOf } from "./plan.js";
import { same } from "./same.js";
import type { Ran, SessionState } from "./state.js";
import { suspectOf, suspectsOf, type Suspect } from "./suspects.js";

/** What one run may have changed beside its own values. */
export interface Touch {
  /** of the run */
  number: number;
  places: readonly string[];
}

/** Places: `cell:ID`, the values of a cell, made anew whenever it runs; `file:PATH#N`, one loading of a file; `tables` and `global:NAME`, made with the kernel. */
const ofCell = "cell:";
const ofFile = "file:";
const tables = "tables";
const placeOfFile = ({ path, version }: ImportedFile) => `${ofFile}${path}#${version}`;

/** The number in a run's id. */
export const numberOf = (run: string): number => Number(run.slice(run.lastIndexOf("-") + 1));

/** The number of a cell's last run in the present kernel; 0: none. */
function lastOf({ doc, since }: SessionState, id: string): number {
  const run = doc.cells[id]?.run;
  const number = run == null ? 0 : numberOf(run);
  return number > since ? number : 0;
}

/** When the place was made: by the cell's last run, or before any. */
const madeAt = (state: SessionState, place: string): number => (place.startsWith(ofCell) ? lastOf(state, place.slice(ofCell.length)) : 0);

/** Cells that a value of this one may come from (`inputs`) or get to (`outputs`), at any distance: what cannot change hands nothing on. */
function handed(state: SessionState, way: "inputs" | "outputs", from: string): Set<string> {
  const edges = walkOf(state)[way];
  const isPlain = (id: string) => state.hands.get(id) === "plain";
  const seen = new Set<string>();
  const todo = way === "outputs" && isPlain(from) ? [] : [from];
  for (let id = todo.pop(); id !== undefined; id = todo.pop())
    for (const next of edges.get(id) ?? []) {
      if (seen.has(next) || (way === "inputs" && isPlain(next))) continue;
      seen.add(next);
      if (way === "inputs" || !isPlain(next)) todo.push(next);
    }
  seen.delete(from);
  return seen;
}

/** A cell whose value is changed, and those that its value may be a part of, with their files. */
function holders(state: SessionState, owner: string): string[] {
  const all = [owner, ...handed(state, "inputs", owner)];
  return all.flatMap((id) => [ofCell + id, ...(suspectsOf(state).get(id)?.importer === true ? filesOf(state, id) : [])]);
}

/** Files that a cell imports; without `all` those that keep something. */
const filesOf = (state: SessionState, id: string, all = true): string[] =>
  (state.files.get(id) ?? []).filter((file) => all || file.state !== null).map(placeOfFile);

/** May any cell's values, or any file's, change when others use them? */
function keepsAnything(state: SessionState): boolean {
  if (suspectsOf(state).size > 0) return true;
  for (const [, hands] of state.hands) if (hands === "stream") return true;
  for (const [, files] of state.files) if (files.some((file) => file.state !== null)) return true;
  return false;
}

/** Places that code may change which is suspected of this, and is handed values of these cells. */
function placesOf(state: SessionState, own: Suspect | undefined, inputs: Iterable<string>): Set<string> {
  const suspects = suspectsOf(state);
  const places = new Set<string>();
  const add = (suspect: Suspect | undefined) => {
    for (const place of suspect?.shared ?? []) places.add(place);
    for (const owner of suspect?.owners ?? []) for (const place of holders(state, owner)) places.add(place);
  };
  add(own);
  for (const other of inputs) {
    const suspect = suspects.get(other);
    if (suspect?.stateful === true || state.hands.get(other) === "stream") places.add(ofCell + other);
    if (suspect?.later === true) add(suspect);
    for (const place of filesOf(state, other, false)) places.add(place);
  }
  return places;
}

/** Does this run only make again what the last one has made, and nothing else has changed since? */
function remakes(state: SessionState, id: string, now: Ran): boolean {
  const [touch, last] = [state.traces.get(id), state.ran.get(id)];
  if (touch === undefined || last === undefined || state.doc.cells[id]?.result !== "ok" || state.touched.has(id)) return false;
  if (suspectsOf(state).get(id)?.remakes !== true || touch.places.join() !== tables || last.controls !== undefined) return false;
  if (last.kind !== now.kind || last.source !== now.source || !same(last.inputs, now.inputs)) return false;
  if ((state.ghosts.get(tables) ?? 0) > touch.number) return false;
  for (const [other, { number, places }] of state.traces) if (other !== id && number > touch.number && places.includes(tables)) return false;
  return true;
}

/** A cell is about to run, with this code and these inputs: what its last run touched, a clean run does not. `state` is as it was before; `number` the new run's. */
export function tracedByRun(state: SessionState, id: string, number: number, now: Ran): Pick<SessionState, "traces" | "ghosts"> {
  if (remakes(state, id, now)) return { traces: state.traces, ghosts: state.ghosts };
  // where nothing may change by being used, it need not be known whose values get here
  const inputs = keepsAnything(state) ? handed(state, "inputs", id) : [];
  const places = [...placesOf(state, suspectsOf(state).get(id), inputs)];
  const traces = places.length > 0 ? state.traces.with(id, { number, places }) : state.traces.without(id);
  return { traces, ghosts: ghostsWith(state, [id]) };
}

/** Its run is over: it was seen to change values of these cells, and `state` knows what it imported. */
export function tracedByEnd(state: SessionState, id: string, number: number, owners: readonly string[]): SessionState["traces"] {
  const suspect = suspectsOf(state).get(id);
  const own = suspect?.changesImports === true ? filesOf(state, id) : suspect?.usesImports === true ? filesOf(state, id, false) : [];
  const more = [...owners.flatMap((owner) => holders(state, owner)), ...own];
  if (more.length === 0) return state.traces;
  const places = [...new Set([...(state.traces.get(id)?.places ?? []), ...more])];
  return state.traces.with(id, { number, places });
}

/** A console (Jupyter) asks the kernel: what its code may change, a clean run does not. Its functions of earlier requests may be at work too. */
export function tracedByConsole(state: SessionState, source: string): Pick<SessionState, "consoleNames" | "ghosts"> {
  const analysis = analyse({ id: "", kind: "code", source });
  const read = analysis.uses.filter((name) => state.graph.definers.has(name));
  const consoleNames = read.every((name) => state.consoleNames.has(name)) ? state.consoleNames : new Set([...state.consoleNames, ...read]);
  const inputs = new Set<string>();
  for (const name of consoleNames)
    for (const owner of state.graph.definers.get(name) ?? [])
      if (state.hands.get(owner) !== "plain") for (const id of [owner, ...handed(state, "inputs", owner)]) inputs.add(id);
  const places = placesOf(state, suspectOf(analysis, state.graph), inputs);
  if (places.size === 0) return { consoleNames, ghosts: state.ghosts };
  // after the last run and before the next
  const ghosts = new Map(state.ghosts);
  for (const place of places) ghosts.set(place, state.runs + 0.5);
  return { consoleNames, ghosts };
}

/** These cells are deleted: what their last runs touched, a clean run does not. `state` is as it was before. */
export function tracedByDelete(state: SessionState, ids: readonly string[]): Pick<SessionState, "traces" | "ghosts"> {
  const gone = new Set(ids);
  return { traces: state.traces.only((id) => !gone.has(id)), ghosts: ghostsWith(state, ids) };
}

/** What the last runs of these cells touched, a clean run does not. */
export function ghostsWith(state: SessionState, ids: readonly string[]): SessionState["ghosts"] {
  let ghosts: Map<string, number> | null = null;
  for (const id of ids) {
    const touch = state.traces.get(id);
    for (const place of touch?.places ?? [])
      if (touch!.number > madeAt(state, place)) (ghosts ??= new Map(state.ghosts)).set(place, Math.max(touch!.number, ghosts.get(place) ?? 0));
  }
  return ghosts ?? state.ghosts;
}

/** What does not show a clean run. */
export interface Traces {
  /** cells whose values earlier runs may have changed */
  cells: ReadonlySet<string>;
  /** files, with the cells that import them */
  files: readonly { file: ImportedFile; cells: readonly string[] }[];
  /** was something changed that all cells share? */
  shared: boolean;
}

export function tracesOf(state: SessionState): Traces {
  const found = new Set<string>();
  const importers = importersOf(state);
  const exists = (place: string) =>
    place.startsWith(ofCell) ? state.graph.cells.has(place.slice(ofCell.length)) : !place.startsWith(ofFile) || importers.has(place);
  for (const [place, number] of state.ghosts) if (exists(place) && number > madeAt(state, place)) found.add(place);
  const waits = blocked(state);
  const touchers = new Map<string, Map<string, number>>();
  for (const [id, { number, places }] of state.traces)
    for (const place of places) {
      if (!exists(place) || number <= madeAt(state, place)) continue;
      // a clean run leaves out what is disabled
      if (waits.has(id)) found.add(place);
      const known = touchers.get(place);
      if (known === undefined) touchers.set(place, new Map([[id, number]]));
      else known.set(id, number);
    }
  for (const [place, by] of touchers)
    if (!found.has(place) && !inOrder(state, place, readersOf(state, place, importers.get(place)?.cells ?? []), by)) found.add(place);
  const cells = new Set<string>();
  const files: { file: ImportedFile; cells: readonly string[] }[] = [];
  let shared = false;
  for (const place of found)
    if (place.startsWith(ofCell)) cells.add(place.slice(ofCell.length));
    else if (place.startsWith(ofFile)) files.push(importers.get(place)!);
    else shared = true;
  return { cells, files, shared };
}

/** Place of a file that the kernel holds -> the file, and the cells that import it. */
function importersOf(state: SessionState): Map<string, { file: ImportedFile; cells: string[] }> {
  const found = new Map<string, { file: ImportedFile; cells: string[] }>();
  for (const [id, files] of state.files)
    for (const file of files) {
      const place = placeOfFile(file);
      const known = found.get(place);
      if (known === undefined) found.set(place, { file, cells: [id] });
      else known.cells.push(id);
    }
  return found;
}

/** Cells that may see what is there. */
function readersOf(state: SessionState, place: string, importers: readonly string[]): Iterable<string> {
  if (place.startsWith(ofCell)) return handed(state, "outputs", place.slice(ofCell.length));
  const from = place.startsWith(ofFile) ? importers : seersOf(state, place);
  return from === null ? state.graph.order : [...from, ...from.flatMap((id) => [...handed(state, "outputs", id)])];
}

/** Cells that may see what the kernel shares; null: any may. */
function seersOf(state: SessionState, place: string): string[] | null {
  const what = /^global:(globalThis|global|self)$/.test(place) ? "globalThis" : place.replace(/^global:/, "");
  if (!["tables", "globalThis", "process"].includes(what)) return null;
  return [...suspectsOf(state)].flatMap(([id, { sees }]) => (sees.includes(what) ? [id] : []));
}

/** Did those that touched a place, and those that may have seen it, run in the order of a clean run? */
function inOrder(state: SessionState, place: string, readers: Iterable<string>, touchers: ReadonlyMap<string, number>): boolean {
  const { index } = state.graph;
  const made = madeAt(state, place);
  const sorted = [...new Set([...readers, ...touchers.keys()])].sort((a, b) => index.get(a)! - index.get(b)!);
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
