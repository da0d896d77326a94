/** Renames a name within a cell: one of its own top level, or one of another cell that it uses. */
import { bare, parseCell, place, scopesOf, walk, type Node } from "./tree.js";

export interface Renamed {
  source: string;
  /** last first, so that each can be applied as it stands */
  splices: { at: number; remove: number; insert: string }[];
}

/** Throws when JavaScript does not allow the name. */
export function checkName(to: string): void {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(to) || parseCell(`const ${to} = 0`).errors.length > 0)
    throw new RangeError(`Expected \`to\` to be a name that JavaScript allows, got ${JSON.stringify(to)}`);
}

function parsed(source: string) {
  const parse = parseCell(source);
  const error = parse.errors[0];
  if (error) throw new RangeError(`The cell has a syntax error in line ${place(source, error.at).line}: ${error.message}`);
  return { program: parse.program, scopes: scopesOf(parse.program) };
}

/** Renames a name of the cell's top level: its declaration and its uses there. */
export function renameName(source: string, from: string, to: string): Renamed {
  checkName(to);
  const { program, scopes } = parsed(source);
  const top = scopes.globalScope!.childScopes[0]!;
  const variable = top.set.get(from);
  if (!variable) throw new RangeError(`The cell does not define \`${from}\` at its top level`);
  // a class has its name in a scope of its own as well
  const variables = scopes.variables.filter((one) => one === variable || one.identifiers.some((node) => variable.identifiers.includes(node)));
  const nodes = variables.flatMap((one) => [...one.identifiers, ...one.references.map((reference) => reference.identifier)]);
  const taken = scopes.scopes.some((scope) => scope.set.has(to) && (scope === top || scope.through.some((one) => variables.includes(one.resolved!))));
  if (taken || scopes.globalScope!.through.some((reference) => reference.identifier.name === to))
    throw new RangeError(`The cell uses the name \`${to}\` already`);
  return spliced(source, program, [...new Set(nodes)] as unknown as Node[], from, to);
}

/** Renames a name that another cell defines where this cell reads it, also as a table of its SQL (`tables`: their offsets). */
export function renameUse(source: string, from: string, to: string, tables: readonly { at: number; remove: number; insert: string }[] = []): Renamed {
  checkName(to);
  const { program, scopes } = parsed(source);
  const references = scopes.globalScope!.through.filter((reference) => reference.identifier.name === from);
  const nodes = references.map((reference) => reference.identifier) as unknown as Node[];
  const hidden = references.some((reference) => {
    for (let scope: typeof reference.from | null = reference.from; scope !== null; scope = scope.upper) if (scope.set.has(to)) return true;
    return false;
  });
  if (hidden || scopes.globalScope!.through.some((reference) => reference.identifier.name === to))
    throw new RangeError(`The cell uses the name \`${to}\` already`);
  return spliced(source, program, [...new Set(nodes)], from, to, tables);
}

function spliced(
  source: string,
  program: Node,
  references: Node[],
  from: string,
  to: string,
  more: readonly Renamed["splices"][number][] = [],
): Renamed {
  const places = new Set(references.map((node) => node.start));
  const insertAt = new Map<number, string>();
  walk(program, (node) => {
    // `{ a }` becomes `{ a: b }`, `import { a }` becomes `import { a as b }`
    if (node.type === "Property" && node.shorthand) {
      let value = bare(node.value as Node);
      if (value.type === "AssignmentPattern") value = value.left as Node;
      if (places.has(value.start)) insertAt.set(value.start, `${from}: ${to}`);
    } else if (node.type === "ImportSpecifier") {
      const [imported, local] = [node.imported as Node, node.local as Node];
      if (imported.start === local.start && places.has(local.start)) insertAt.set(local.start, `${from} as ${to}`);
    } else if (node.type === "ExportSpecifier") {
      const [local, exported] = [node.local as Node, node.exported as Node];
      if (exported.start === local.start && places.has(local.start)) insertAt.set(local.start, `${to} as ${from}`);
    }
  });
  const splices = [...[...places].map((at) => ({ at, remove: from.length, insert: insertAt.get(at) ?? to })), ...more].sort((a, b) => b.at - a.at);
  let text = source;
  for (const { at, remove, insert } of splices) text = text.slice(0, at) + insert + text.slice(at + remove);
  return { source: text, splices };
}
