/** What each cell's code may change beside its own values when it runs, or when others call its functions: by its syntax, kept with the graph. Pure. */
import { libraryNames } from "../../kernels/reactive/references.js";
import type { GraphView } from "./graph.js";
import type { SessionState } from "./state.js";

export interface Suspect {
  /** its functions change its own values */
  stateful: boolean;
  /** what it changes for the whole kernel: `tables`, `global:NAME` */
  shared: readonly string[];
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
}

const suspects = new WeakMap<GraphView, ReadonlyMap<string, Suspect>>();

/** Cells of which nothing is suspected are missing. */
export function suspectsOf({ graph }: Pick<SessionState, "graph">): ReadonlyMap<string, Suspect> {
  const known = suspects.get(graph);
  if (known !== undefined) return known;
  const found = new Map<string, Suspect>();
  for (const [id, { analysis }] of graph.readings) {
    const { stateful, effects, later, usesImports, changesImports, mutations, bindings } = analysis;
    // a global that a cell only calls is no news: `console.clear()`, `cell.signal.addEventListener`
    const globals = mutations.flatMap(({ name, call }) =>
      !graph.definers.has(name) && !libraryNames.includes(name) && (call === undefined || /^global(This)?$/.test(name)) ? [`global:${name}`] : [],
    );
    const shared = [...new Set([...globals, ...(effects ? ["tables"] : [])])];
    // also calls on what another cell imports, of which no warning is given: a list of a file is no function of a module
    const owners = new Set<string>();
    for (const { name, call } of mutations) {
      const owner = graph.definers.get(name)?.[0];
      if (owner === undefined || owner === id) continue;
      const isModule = graph.readings.get(owner)!.analysis.bindings.some((binding) => binding.name === name && binding.module === true);
      if (!(call && isModule)) owners.add(owner);
    }
    const importer = bindings.some(({ how }) => how === "import");
    if (stateful || shared.length + owners.size > 0 || importer || usesImports)
      found.set(id, { stateful, shared, owners: [...owners], later, importer, usesImports, changesImports });
  }
  suspects.set(graph, found);
  return found;
}
