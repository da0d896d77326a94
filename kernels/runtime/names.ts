/** What a cell's code defines and reads, with the details that the compiler needs (reactive/references.ts gives the graph its own view). */
import { analyze, DefinitionType } from "@typescript-eslint/scope-manager";
import { visitorKeys } from "@typescript-eslint/visitor-keys";
import type { Node } from "./syntax.js";

export interface Names {
  /** top-level names that other cells may read, in the order of the source */
  exports: string[];
  /** names that are read or written and not defined here */
  free: string[];
  /** local name of each import binding that is used as a value, or not used at all -> is its absence an error? Type-only ones are missing. */
  imports: Map<string, boolean>;
}

/** Names of a parsed program. `_private` names, `var` inside a statement, `declare`, types and `using` are not exported. */
export function namesOf(program: Node): Names {
  const manager = analyze(program as never, { sourceType: "module", lib: [], childVisitorKeys: visitorKeys as never });
  const moduleScope = manager.globalScope?.childScopes[0];
  const exports: string[] = [];
  const imports = new Map<string, boolean>();
  const statements = new Set(
    (program["body"] as Node[]).map((node) => (node.type === "ExportNamedDeclaration" && node["declaration"] ? (node["declaration"] as Node) : node)),
  );
  for (const variable of moduleScope?.variables ?? []) {
    const definition = variable.defs[0];
    if (!definition) continue;
    const node = definition.node as unknown as Node;
    const parent = definition.parent as unknown as Node | null | undefined;
    if (definition.type === DefinitionType.ImportBinding) {
      const typeOnly = parent?.["importKind"] === "type" || node["importKind"] === "type";
      const values = variable.references.filter((reference) => reference.isValueReference);
      if (typeOnly || (variable.references.length > 0 && values.length === 0)) continue;
      imports.set(variable.name, values.length > 0);
    } else if (definition.type === DefinitionType.Variable) {
      if (!parent || parent["declare"] === true || parent["kind"] === "using" || parent["kind"] === "await using") continue;
      if (parent["kind"] === "var" && !statements.has(parent)) continue;
    } else if (definition.type === DefinitionType.Type) {
      continue;
    } else if (node["declare"] === true || node.type === "TSDeclareFunction") {
      continue;
    }
    if (!variable.name.startsWith("_")) exports.push(variable.name);
  }
  const free = new Set<string>();
  for (const reference of manager.globalScope?.through ?? []) {
    if (reference.isValueReference || reference.isWrite()) free.add(reference.identifier.name as string);
  }
  return { exports, free: [...free], imports };
}
