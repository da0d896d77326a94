/** Names that a cell gives to what its `view(...)` calls yield, so that a control without a label has one. Pure. */
import { bare, parseCell, walk, type Node } from "./tree.js";

/** The k-th call's name, where it has one; none at all when the calls' order is not the text's (in a loop, a condition, a function). */
export function viewNames(source: string): (string | undefined)[] {
  const { program } = parseCell(source);
  const names: (string | undefined)[] = [];
  let ordered = true;
  walk(program, (node, parents) => {
    if (node.type !== "CallExpression") return;
    const callee = bare(node.callee as Node);
    if (callee.type !== "Identifier" || callee.name !== "view") return;
    if (!parents.every(({ type }) => once.test(type))) ordered = false;
    names.push(nameOf(node, parents));
  });
  return ordered ? names : [];
}

/** what runs its parts once, in their order */
const once =
  /^(Program|Export(Named|Default)Declaration|Variable(Declaration|Declarator)|(Expression|Block)Statement|(Await|Parenthesized|Object|Array|Call|Member|Template|TSAs|TSSatisfies|TSNonNull|Binary)(Literal|Expression)|Property|SpreadElement)$/;

/** `alpha` in `const alpha = view(...)` and in `{ alpha: view(...) }`. */
function nameOf(call: Node, parents: readonly Node[]): string | undefined {
  let at: Node = call;
  for (let i = parents.length - 1; i >= 0; i--) {
    const parent = parents[i]!;
    if (parent.type === "VariableDeclarator") {
      const id = parent.id as Node;
      return parent.init === at && id.type === "Identifier" ? (id.name as string) : undefined;
    }
    if (parent.type === "Property") {
      const key = parent.key as Node;
      return parent.value === at && key.type === "Identifier" && parent.computed !== true ? (key.name as string) : undefined;
    }
    if (!/^(AwaitExpression|ParenthesizedExpression|TSAsExpression|TSSatisfiesExpression|TSNonNullExpression)$/.test(parent.type)) return undefined;
    at = parent;
  }
  return undefined;
}
