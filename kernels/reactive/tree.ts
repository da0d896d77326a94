/** The parser's tree as loose nodes, and a walk over it. One parser for all of `reactive`. */
import { visitorKeys as scopeKeys } from "@typescript-eslint/visitor-keys";
import { analyze, type ScopeManager } from "@typescript-eslint/scope-manager";
import { parseSync, visitorKeys } from "oxc-parser";
import { deepest, nesting } from "./depth.js";

/** A syntax tree node; offsets are UTF-16 units. */
export interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

export interface Parse {
  program: Node;
  body: Node[];
  comments: { start: number; end: number }[];
  errors: { message: string; at: number }[];
}

/** Parses a cell's TypeScript as a module. Never throws: errors come back, and the tree is then empty. */
export function parseCell(source: string): Parse {
  if (source.length > deepest && nesting(source) > deepest) {
    const program: Node = { type: "Program", start: 0, end: 0, body: [], sourceType: "module" };
    return {
      program,
      body: [],
      comments: [],
      errors: [{ message: `The code is nested more than ${deepest} deep. Put data into a file or a list`, at: 0 }],
    };
  }
  const result = parseSync("cell.ts", source, { lang: "ts", sourceType: "module", astType: "ts", range: true, preserveParens: true });
  const program = result.program as unknown as Node;
  const errors = result.errors
    .filter((error) => error.severity === "Error")
    .map((error) => ({
      message: [error.message, error.helpMessage].filter(Boolean).join(". "),
      at: Math.min(error.labels[0]?.start ?? 0, source.length),
    }));
  if (errors.length === 0) errors.push(...outsideModules(program, source));
  return { program, body: program.body as Node[], comments: result.comments, errors };
}

/** What the parser lets pass and no module may hold. */
function outsideModules(program: Node, source: string): Parse["errors"] {
  const found: Parse["errors"] = [];
  if (!/\brequire\s*\(|\bexport\s*=|(?:[):]|\belse)\s*(?:async\s+)?function\b/.test(source)) return found;
  walk(program, (node) => {
    if (node.type === "TSImportEqualsDeclaration" && node.importKind !== "type") {
      const from = (node.moduleReference as Node).expression as Node | undefined;
      const name = (node.id as Node).name as string;
      if (from) found.push({ message: `A cell is a module: write \`import ${name} from ${source.slice(from.start, from.end)}\``, at: node.start });
    } else if (node.type === "TSExportAssignment")
      found.push({ message: "A cell is a module: write `export default`, or give the value a name", at: node.start });
    else {
      const inner = node.type === "LabeledStatement" ? [node.body] : node.type === "IfStatement" ? [node.consequent, node.alternate] : [];
      for (const each of inner as (Node | null)[])
        if (each?.type === "FunctionDeclaration")
          found.push({ message: "A function declaration stands at the top level or in a block: put it in { }", at: each.start });
    }
  });
  return found;
}

/** Scopes of a parsed cell: `through` of the global scope are its free names. */
export function scopesOf(program: Node): ScopeManager {
  return analyze(program as never, { sourceType: "module", lib: [], childVisitorKeys: scopeKeys as Record<string, string[]> });
}

/** Calls `enter` on each node, parents first, in source order; return false to skip its children. */
export function walk(node: Node, enter: (node: Node, parents: readonly Node[]) => boolean | void): void {
  const parents: Node[] = [];
  const visit = (one: Node) => {
    if (enter(one, parents) === false) return;
    parents.push(one);
    for (const key of visitorKeys[one.type] ?? []) {
      const child = one[key];
      if (Array.isArray(child)) {
        for (const item of child as (Node | null)[]) if (item) visit(item);
      } else if (child) visit(child as Node);
    }
    parents.pop();
  };
  visit(node);
}

/** Line from 1 and column from 1 of an offset. */
export function place(source: string, at: number): { line: number; column: number } {
  const before = source.slice(0, at);
  return { line: before.split("\n").length, column: at - (before.lastIndexOf("\n") + 1) + 1 };
}

/** The expression inside parentheses, `as`, `satisfies` and `!`. */
export function bare(node: Node): Node {
  let one = node;
  while (["ParenthesizedExpression", "TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression", "TSTypeAssertion"].includes(one.type))
    one = one.expression as Node;
  return one;
}

/** Is there a value in this namespace? One of types alone leaves none behind. */
export function hasStatements(node: Node): boolean {
  const body = (node.body as Node | null)?.body as Node[] | undefined;
  return (body ?? []).some((statement) => {
    const declared = (statement.declaration as Node | null | undefined) ?? statement;
    if (declared.type === "TSModuleDeclaration") return hasStatements(declared);
    return !/^TS(InterfaceDeclaration|TypeAliasDeclaration)$/.test(declared.type) && declared.declare !== true;
  });
}
