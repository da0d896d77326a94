/** The few things that the compiler asks of a syntax tree. */
import { parseSync } from "oxc-parser";

export interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** A cell or file that does not parse. `offset` is in UTF-16 units of the source. */
export class ParseError extends SyntaxError {
  override name = "SyntaxError";
  offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Parses TypeScript as a module. Throws `ParseError` at the first error. */
export function parse(source: string): Node {
  const result = parseSync("cell.ts", source, { astType: "ts", range: true, preserveParens: true, sourceType: "module" });
  const error = result.errors[0];
  if (error) throw new ParseError(error.message, error.labels[0]?.start ?? 0);
  return result.program as unknown as Node;
}

/** Calls `visit` for each node, outer ones first. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const key in node) {
    const value = node[key];
    if (typeof value !== "object" || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) walk(item, visit);
    } else if (isNode(value)) walk(value, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

/** Is there anything that JavaScript does not know, or that Node 20 lacks (`using`, decorators)? Then esbuild prints it as JavaScript. */
export function needsStripping(node: Node): boolean {
  if (node.type.startsWith("TS")) return true;
  for (const key of ["declare", "optional", "definite", "override", "readonly", "abstract"]) {
    if (node[key] === true && !(key === "optional" && /^(Member|Call|Chain)/.test(node.type))) return true;
  }
  if (node["accessibility"] || (Array.isArray(node["decorators"]) && node["decorators"].length > 0)) return true;
  return node.type === "VariableDeclaration" && typeof node["kind"] === "string" && node["kind"].includes("using");
}
