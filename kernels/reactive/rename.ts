/** Renames a top-level name within its cell: its declaration and its uses there. */
import { parseCell, place, scopesOf, walk, type Node } from "./tree.js";

/** The source after the rename, and the splices that lead there, last first, so that each can be applied as it stands. */
export function renameName(source: string, from: string, to: string): { source: string; splices: { at: number; remove: number; insert: string }[] } {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(to) || parseCell(`const ${to} = 0`).errors.length > 0)
    throw new RangeError(`Expected \`to\` to be a name that JavaScript allows, got ${JSON.stringify(to)}`);
  const parsed = parseCell(source);
  const error = parsed.errors[0];
  if (error) throw new RangeError(`The cell has a syntax error in line ${place(source, error.at).line}: ${error.message}`);
  const scopes = scopesOf(parsed.program);
  const top = scopes.globalScope!.childScopes[0]!;
  const variable = top.set.get(from);
  if (!variable) throw new RangeError(`The cell does not define \`${from}\` at its top level`);
  // a class has its name in a scope of its own as well
  const variables = scopes.variables.filter((one) => one === variable || one.identifiers.some((node) => variable.identifiers.includes(node)));
  const nodes = variables.flatMap((one) => [...one.identifiers, ...one.references.map((reference) => reference.identifier)]);
  const references = [...new Set(nodes)] as unknown as Node[];
  const taken = scopes.scopes.some((scope) => scope.set.has(to) && (scope === top || scope.through.some((one) => variables.includes(one.resolved!))));
  if (taken || scopes.globalScope!.through.some((reference) => reference.identifier.name === to))
    throw new RangeError(`The cell uses the name \`${to}\` already`);

  const places = new Set(references.map((node) => node.start));
  const insertAt = new Map<number, string>();
  walk(parsed.program, (node) => {
    // `{ a }` becomes `{ a: b }`, `import { a }` becomes `import { a as b }`
    if (node.type === "Property" && node.shorthand) {
      const value = node.value as Node;
      if (places.has(value.start)) insertAt.set(value.start, `${from}: ${to}`);
    } else if (node.type === "ImportSpecifier") {
      const [imported, local] = [node.imported as Node, node.local as Node];
      if (imported.start === local.start && places.has(local.start)) insertAt.set(local.start, `${from} as ${to}`);
    } else if (node.type === "ExportSpecifier") {
      const [local, exported] = [node.local as Node, node.exported as Node];
      if (exported.start === local.start && places.has(local.start)) insertAt.set(local.start, `${to} as ${from}`);
    }
  });
  const splices = [...places].sort((a, b) => b - a).map((at) => ({ at, remove: from.length, insert: insertAt.get(at) ?? to }));
  let text = source;
  for (const { at, remove, insert } of splices) text = text.slice(0, at) + insert + text.slice(at + remove);
  return { source: text, splices };
}
