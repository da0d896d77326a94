/** What each cell's code may change beside its own values when it runs, or when others call its functions: by its syntax, kept with the graph. Pure. */
import { libraryNames, type Analysis } from "../../kernels/reactive/references.js";
import type { GraphView } from "./graph.js";
import type { SessionState } from "./state.js";

export interface Suspect {
  /** its functions change its own values */
  stateful: boolean;
  /** what it changes for the whole kernel: `tables`, `global:NAME` */
  shared: readonly string[];
  /** running it again with the same inputs leaves in `shared` what is there */
  remakes: boolean;
  /** cells whose values it changes where its code shows it */
  owners: readonly string[];
  /** some of `shared` and `owners` is changed in functions */
  later: boolean;
  /** it imports by name: what others read of it may be a file's */
  importer: boolean;
  /** it uses itself what it imports */
  usesImports: boolean;
  /** it changes a value of a file */
  changesImports: boolean;
  /** of what the kernel shares, what its code may see: `tables`, `globalThis`, `process` */
  sees: readonly string[];
}

/** names that any JavaScript has: reading one says nothing of what cells set */
const standard = new Set(Object.getOwnPropertyNames(globalThis));
const globals = new Set(["globalThis", "global", "self"]);

const suspects = new WeakMap<GraphView, ReadonlyMap<string, Suspect>>();

/** Cells of which nothing is suspected are missing. */
export function suspectsOf({ graph }: Pick<SessionState, "graph">): ReadonlyMap<string, Suspect> {
  const known = suspects.get(graph);
  if (known !== undefined) return known;
  const found = new Map<string, Suspect>();
  for (const [id, { analysis }] of graph.readings) {
    const suspect = suspectOf(analysis, graph);
    if (suspect !== undefined) found.set(id, suspect);
  }
  suspects.set(graph, found);
  return found;
}

/** Undefined: nothing is suspected. */
export function suspectOf(analysis: Analysis, graph: GraphView): Suspect | undefined {
  const { stateful, effects, later, usesImports, changesImports, mutations, bindings, uses } = analysis;
  // a global that a cell only calls is no news: `console.clear()`, `cell.signal.addEventListener`
  const set = mutations.flatMap(({ name, call }) =>
    !graph.definers.has(name) && !libraryNames.includes(name) && (call === undefined || /^global(This)?$/.test(name)) ? [`global:${name}`] : [],
  );
  const shared = [...new Set([...set, ...(effects ? ["tables"] : [])])];
  // also calls on what another cell imports, of which no warning is given: a list of a file is no function of a module
  const owners = new Set<string>();
  for (const { name, call } of mutations) {
    const owner = graph.definers.get(name)?.[0];
    if (owner === undefined || owner === analysis.id) continue;
    const isModule = graph.readings.get(owner)!.analysis.bindings.some((binding) => binding.name === name && binding.module === true);
    if (!(call && isModule)) owners.add(owner);
  }
  const importer = bindings.some(({ how }) => how === "import");
  const remakes = analysis.remakes && set.length === 0 && analysis.tables.every((name) => graph.definers.has(name));
  const unknown = (name: string) =>
    globals.has(name) || !(standard.has(name) || graph.definers.has(name) || libraryNames.includes(name) || analysis.privates.includes(name));
  const sees = [
    ...(uses.some((name) => name === "sql" || name === "database") ? ["tables"] : []),
    ...(importer || usesImports || uses.some(unknown) ? ["globalThis"] : []),
    ...(importer || usesImports || uses.includes("process") ? ["process"] : []),
  ];
  if (stateful || shared.length + owners.size + sees.length > 0 || importer || usesImports)
    return { stateful, shared, remakes, owners: [...owners], later, importer, usesImports, changesImports, sees };
  return undefined;
}
