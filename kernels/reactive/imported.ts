/** What a cell imports, by its syntax: static and dynamic imports of a literal, `require`, and files of packages (`npm:NAME/path`). Pure. */
import { parseCell, walk, type Node } from "./tree.js";

/** Specifiers as written, each once; `npm:NAME/path` gives NAME. Empty where the code does not parse. */
export function importedBy(source: string): string[] {
  const found = new Set([...source.matchAll(/\bnpm:((?:@[\w.~-]+\/)?[\w.~-]+)\//g)].map((match) => match[1]!));
  if (/\b(?:import|require|from)\b/.test(source))
    walk(parseCell(source).program, (node) => {
      const asked =
        node.type === "ImportDeclaration" ||
        node.type === "ExportNamedDeclaration" ||
        node.type === "ExportAllDeclaration" ||
        node.type === "ImportExpression"
          ? (node.source as Node | null)
          : node.type === "CallExpression" && (node.callee as Node).type === "Identifier" && (node.callee as Node).name === "require"
            ? ((node.arguments as Node[])[0] ?? null)
            : null;
      if (asked?.type === "Literal" && typeof asked.value === "string") found.add(asked.value);
    });
  return [...found];
}
