/** What the compiler asks of a syntax tree. */
import { parseCell, type Node } from "../reactive/tree.js";

export type { Node };

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
  const { program, errors } = parseCell(source);
  const error = errors[0];
  if (error) throw new ParseError(error.message, error.at);
  return program;
}

const modifiers = ["declare", "definite", "override", "readonly", "abstract"];

/** Is there anything that JavaScript does not know, or that Node 20 lacks (`using`, `accessor`, decorators)? Then esbuild prints it as JavaScript. */
export function needsStripping(node: Node): boolean {
  if (node.type.startsWith("TS") || node.type === "AccessorProperty" || node["accessibility"]) return true;
  if (modifiers.some((name) => node[name] === true)) return true;
  if (node["optional"] === true && !/^(Member|Call|Chain)/.test(node.type)) return true;
  if (Array.isArray(node["decorators"]) && node["decorators"].length > 0) return true;
  return node.type === "VariableDeclaration" && typeof node["kind"] === "string" && node["kind"].includes("using");
}
