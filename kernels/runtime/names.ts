/** What a cell's code defines and reads, with the details that the compiler needs (reactive/references.ts gives the graph its own view). */
import { hasStatements, scopesOf } from "../reactive/tree.js";
import type { Node } from "./syntax.js";

export interface Names {
  /** top-level names that other cells may read, in the order of the source */
  exports: string[];
  /** names that are read or written and not defined here */
  free: string[];
  /** local name of each import binding that is used as a value, or not used at all -> is its absence an error? Type-only ones are missing. */
  imports: Map<string, boolean>;
}

/** Names of a parsed program. `_private` names, `var` inside a statement, `declare`, types and `using` are not exported; `privates`: `_names` are. */
export function namesOf(program: Node, privates = false): Names {
  const { globalScope } = scopesOf(program);
  const exports: string[] = [];
  const imports = new Map<string, boolean>();
  const body = program["body"] as Node[];
  const statements = new Set(body.map((node) => (node.type === "ExportNamedDeclaration" ? ((node["declaration"] as Node | null) ?? node) : node)));
  for (const variable of globalScope?.childScopes[0]?.variables ?? []) {
    const definitions = variable.defs.map((each) => ({
      type: each.type as string,
      node: each.node as unknown as Node,
      parent: each.parent as unknown as Node | null | undefined,
    }));
    if (definitions.some(({ type }) => type === "ImportBinding")) {
      const typeOnly = definitions.some(({ node, parent }) => node["importKind"] === "type" || parent?.["importKind"] === "type");
      const values = variable.references.filter((reference) => reference.isValueReference);
      if (typeOnly || (variable.references.length > 0 && values.length === 0)) continue;
      imports.set(variable.name, values.length > 0);
    } else if (!definitions.some(({ type, node, parent }) => hasValue(type, node, parent, statements))) continue;
    if (privates || !variable.name.startsWith("_")) exports.push(variable.name);
  }
  const free = new Set<string>();
  for (const reference of globalScope?.through ?? []) {
    if (reference.isValueReference || reference.isWrite()) free.add(reference.identifier.name as string);
  }
  return { exports, free: [...free], imports };
}

function hasValue(type: string, node: Node, parent: Node | null | undefined, statements: Set<Node>): boolean {
  if (type === "Variable") {
    if (!parent || parent["declare"] === true) return false;
    const kind = parent["kind"] as string;
    return !kind.includes("using") && (kind !== "var" || statements.has(parent));
  }
  if (type === "TSModuleName") return node["declare"] !== true && hasStatements(node);
  return type !== "Type" && node["declare"] !== true && node.type !== "TSDeclareFunction";
}
