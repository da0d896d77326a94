/** What a cell's source says about its top-level names, and what a piece of it may not do in features. Pure: source in, findings out. */
import type { Reference, Scope, ScopeManager, Variable } from "@typescript-eslint/scope-manager";
import MagicString from "magic-string";
import { bare, parseCell, place, scopesOf, walk, type Node } from "../reactive/tree.js";

export type Definition =
  | { how: "import"; from: string; /** "default", "*" or a name */ imported: string }
  | { how: "function" | "class" | "enum"; node: Node; /** assigned after its declaration, at this offset */ writtenAt: number | null }
  | { how: "const"; node: Node; /** the initial value; null for patterns */ init: Node | null }
  | { how: "let" | "var" | "using" | "namespace"; node: Node };

export interface CellSource {
  id: string;
  source: string;
  program: Node;
  scopes: ScopeManager;
  top: Scope;
  definitions: Map<string, Definition>;
}

/** A name that a piece of source needs from outside of itself. */
export interface Need {
  name: string;
  node: Node;
  /** defined at the top level of the same cell */
  own: boolean;
}

export interface Offence {
  message: string;
  at: number;
}

/** Reads a cell's source as it ran. It parsed then, so errors are unexpected and thrown. */
export function readCell(id: string, source: string): CellSource {
  const parsed = parseCell(source);
  if (parsed.errors[0]) throw new SyntaxError(`cell ${id}: ${parsed.errors[0].message}`);
  const scopes = scopesOf(parsed.program);
  const top = scopes.globalScope!.childScopes[0]!;
  const definitions = new Map<string, Definition>();
  for (const variable of top.variables) {
    const definition = define(variable);
    if (definition) definitions.set(variable.name, definition);
  }
  return { id, source, program: parsed.program, scopes, top, definitions };
}

function define(variable: Variable): Definition | null {
  for (const { type, node: raw, parent: above } of variable.defs) {
    const node = raw as unknown as Node;
    const parent = above as unknown as Node | undefined;
    if (node.declare || parent?.declare) continue;
    const kind = type as string;
    if (kind === "ImportBinding") {
      if (parent?.importKind === "type" || node.importKind === "type") continue;
      const from = (parent!.source as Node).value as string;
      if (node.type === "ImportNamespaceSpecifier") return { how: "import", from, imported: "*" };
      if (node.type === "ImportDefaultSpecifier") return { how: "import", from, imported: "default" };
      const imported = node.imported as Node;
      return { how: "import", from, imported: (imported.name ?? imported.value) as string };
    }
    if (kind === "Variable") {
      const declared = parent!.kind as string;
      if (declared !== "const") return { how: declared === "let" ? "let" : declared === "var" ? "var" : "using", node };
      return { how: "const", node, init: (node.id as Node).type === "Identifier" ? ((node.init as Node | null) ?? null) : null };
    }
    if (kind === "FunctionName" && node.type === "TSDeclareFunction") continue;
    const write = variable.references.find((reference) => reference.isWrite());
    const writtenAt = write ? (write.identifier as unknown as Node).start : null;
    if (kind === "FunctionName") return { how: "function", node, writtenAt };
    if (kind === "ClassName") return { how: "class", node, writtenAt };
    if (kind === "TSEnumName") return { how: "enum", node, writtenAt };
    if (kind === "TSModuleName") return { how: "namespace", node };
  }
  return null;
}

const inside = (node: Node, outer: Node) => node.start >= outer.start && node.end <= outer.end;

function referencesIn(cell: CellSource, node: Node): Reference[] {
  const types = new Set<unknown>();
  walk(node, (one, parents) => {
    if (one.type === "Identifier" && parents.some((parent) => parent.type === "TSTypeQuery")) types.add(one);
  });
  return cell.scopes.scopes
    .flatMap((scope) => scope.references)
    .filter((reference) => reference.isValueReference && inside(reference.identifier as unknown as Node, node) && !types.has(reference.identifier));
}

/** Does the piece define this reference itself? */
function isLocal(cell: CellSource, reference: Reference, node: Node): boolean {
  const { resolved } = reference;
  if (!resolved || resolved.scope === cell.top || resolved.scope.type === "global") return false;
  return inside(resolved.scope.block as unknown as Node, node);
}

/** Names that the piece reads or writes and does not define. */
export function needsOf(cell: CellSource, node: Node, self: string | null): Need[] {
  const needs = new Map<string, Need>();
  for (const reference of referencesIn(cell, node)) {
    const identifier = reference.identifier as unknown as Node;
    const name = identifier.name as string;
    if (isLocal(cell, reference, node) || name === self) continue;
    if (!needs.has(name)) needs.set(name, { name, node: identifier, own: reference.resolved?.scope === cell.top });
  }
  return [...needs.values()];
}

/** Is the name in this node the language's own, not one that the cell or the piece defines? */
function isFree(cell: CellSource, node: Node, owned: (name: string) => boolean): boolean {
  if (node.type !== "Identifier" || cell.definitions.has(node.name as string) || owned(node.name as string)) return false;
  return cell.scopes.globalScope!.through.some((reference) => (reference.identifier as unknown as Node) === node);
}

const mutators = new Set("push pop shift unshift splice sort reverse fill copyWithin set add delete clear".split(" "));

/**
 * What a function, class or expression of a cell does that no feature may do. `owned` says whether another cell defines a name.
 * `self`: the name that the piece itself has.
 */
export function offences(cell: CellSource, piece: Node, owned: (name: string) => boolean, self: string | null): Offence[] {
  const found: Offence[] = [];
  const outer = new Map(needsOf(cell, piece, null).map((need) => [need.name, need]));
  const references = referencesIn(cell, piece);
  const local = new Set(references.filter((reference) => isLocal(cell, reference, piece)).map((reference) => reference.identifier as unknown));
  const say = (node: Node, message: string) => found.push({ message, at: node.start });

  for (const reference of references) {
    const identifier = reference.identifier as unknown as Node;
    if (reference.isWrite() && !reference.init && !local.has(identifier))
      say(identifier, `assigns \`${identifier.name as string}\`, which is not its own: what one record leaves behind would change the next`);
  }
  const changed = (target: Node): string | null => {
    let root = bare(target);
    let depth = 0;
    while (root.type === "MemberExpression") {
      root = bare(root.object as Node);
      depth++;
    }
    if (depth === 0 || root.type !== "Identifier" || local.has(root)) return null;
    return outer.has(root.name as string) || root.name === self ? (root.name as string) : null;
  };
  const targets = (node: Node | null): void => {
    if (!node) return;
    if (node.type === "ArrayPattern") (node.elements as (Node | null)[]).forEach(targets);
    else if (node.type === "ObjectPattern") for (const one of node.properties as Node[]) targets((one.value ?? one.argument) as Node);
    else if (node.type === "AssignmentPattern") targets(node.left as Node);
    else if (node.type === "RestElement") targets(node.argument as Node);
    else {
      const name = changed(node);
      if (name !== null) say(node, `changes \`${name}\`, which is not its own: what one record leaves behind would change the next`);
    }
  };
  walk(piece, (node, parents) => {
    const free = (one: unknown) => isFree(cell, bare(one as Node), owned);
    switch (node.type) {
      case "AssignmentExpression":
        targets(node.left as Node);
        break;
      case "UpdateExpression":
        targets(node.argument as Node);
        break;
      case "UnaryExpression":
        if (node.operator === "delete") targets(node.argument as Node);
        break;
      case "AwaitExpression":
        say(node, "waits (`await`); what it needs belongs into `fit`");
        break;
      case "ForOfStatement":
        if (node.await === true) say(node, "waits (`for await`); what it needs belongs into `fit`");
        break;
      case "ImportExpression":
        say(node, "imports while it runs; use an `import` line of the cell");
        break;
      case "MetaProperty":
        if ((node.meta as Node).name === "import") say(node, "reads `import.meta`, which is another file when served");
        break;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        if (node.async === true) say(node, "is or holds an async function; what it needs belongs into `fit`");
        break;
      case "ThisExpression":
      case "Super":
        if (!hasOwnThis(parents, piece))
          say(node, `uses \`${node.type === "Super" ? "super" : "this"}\`, which is not the record: it has no value when served`);
        break;
      case "MemberExpression": {
        const object = bare(node.object as Node);
        const property = node.computed ? (bare(node.property as Node).value as unknown) : (node.property as Node).name;
        if (object.type === "Identifier" && free(object)) {
          if (object.name === "Date" && property === "now")
            say(node, "reads the clock (`Date.now`): the same record would give other numbers tomorrow");
          if (object.name === "Math" && property === "random") say(node, "draws at random (`Math.random`): the same record would give other numbers");
        }
        if (typeof property === "string" && /^(toLocale|localeCompare$)/.test(property))
          say(node, `depends on the machine's language (\`${property}\`)`);
        break;
      }
      case "NewExpression":
        if (free(node.callee) && bare(node.callee as Node).name === "Date" && (node.arguments as Node[]).length === 0)
          say(node, "reads the clock (`new Date()`): the same record would give other numbers tomorrow");
        break;
      case "CallExpression": {
        const callee = bare(node.callee as Node);
        if (free(callee) && callee.name === "Date") say(node, "reads the clock (`Date()`): the same record would give other numbers tomorrow");
        if (callee.type === "MemberExpression" && !callee.computed && mutators.has((callee.property as Node).name as string)) {
          const name = changed(callee);
          // a method of an imported or captured module is judged when it runs; a list or map of a cell is not
          if (name !== null && parents.at(-1)?.type === "ExpressionStatement")
            say(node, `changes \`${name}\`, which is not its own: what one record leaves behind would change the next`);
        }
        break;
      }
      case "PropertyDefinition":
        if (node.static === true && node.value && !isInert(node.value as Node))
          say(node, "has a static field that is computed; only literals and functions stay the same for ever");
        if (node.static === true && (node.key as Node).type === "PrivateIdentifier" && !isFunction(node.value as Node | null))
          say(node, "has a static private field, in which it could count calls");
        break;
      case "StaticBlock":
        say(node, "has a static block, in which it could keep something");
        break;
      case "Decorator":
        say(node, "has a decorator");
        break;
      case "ClassDeclaration":
      case "ClassExpression":
        if (node.superClass && !["Identifier", "MemberExpression"].includes(bare(node.superClass as Node).type))
          say(node, "extends a class that is computed");
        break;
    }
  });
  return found;
}

/** Does a function or class between the piece and here give `this` a value of its own? The piece's own outermost function does not: it is called plainly. */
function hasOwnThis(parents: readonly Node[], piece: Node): boolean {
  const path = parents.filter((node) => inside(node, piece));
  const at = path.findLastIndex(
    (node) =>
      node.type === "FunctionExpression" || node.type === "FunctionDeclaration" || node.type === "PropertyDefinition" || node.type === "StaticBlock",
  );
  if (at < 0) return false;
  if (path[at]!.type === "PropertyDefinition" || path[at]!.type === "StaticBlock") return true;
  const holder = path[at - 1];
  if (holder?.type === "MethodDefinition") return true;
  // a method of an object literal that the piece makes, unless that literal is the declaration of features itself
  return holder?.type === "Property" && inside(holder, piece) && holder !== piece;
}

export function isFunction(node: Node | null): boolean {
  return node !== null && ["ArrowFunctionExpression", "FunctionExpression"].includes(bare(node).type);
}

/** Literals, functions, and lists and objects of them: made anew they are the same. */
export function isInert(node: Node): boolean {
  const one = bare(node);
  switch (one.type) {
    case "Literal":
      return !(one.regex && /[gy]/.test((one.regex as { flags: string }).flags));
    case "UnaryExpression":
      return one.operator !== "delete" && isInert(one.argument as Node);
    case "TemplateLiteral":
      return (one.expressions as Node[]).length === 0;
    case "ArrayExpression":
      return (one.elements as (Node | null)[]).every((item) => item !== null && item.type !== "SpreadElement" && isInert(item));
    case "ObjectExpression":
      return (one.properties as Node[]).every(
        (item) => item.type === "Property" && item.kind === "init" && !item.computed && !item.method && isInert(item.value as Node),
      );
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return true;
    default:
      return false;
  }
}

/** `Math.sqrt`, `f.z`, `helper`: a name, or a path that starts at one. */
export function rootOf(node: Node): Node | null {
  let one = bare(node);
  while (one.type === "MemberExpression" && !one.computed) one = bare(one.object as Node);
  return one.type === "Identifier" ? one : null;
}

/** The text of a piece, with lists that spread written as calls of `$$join` (features-driver.ts says why). */
export function textOf(cell: CellSource, piece: Node): string {
  const out = new MagicString(cell.source);
  walk(piece, (node) => {
    if (node.type !== "ArrayExpression") return;
    const items = node.elements as (Node | null)[];
    if (!items.some((item) => item?.type === "SpreadElement") || items.includes(null)) return;
    let at = node.start;
    let before = "$$join(";
    let group = false;
    for (const [i, item] of (items as Node[]).entries()) {
      const spread = item.type === "SpreadElement";
      const inner = spread ? (item.argument as Node) : item;
      const comma = i === 0 ? "" : ", ";
      out.update(at, inner.start, before + (spread ? `${group ? "]" : ""}${comma}(` : group ? comma : `${comma}[`));
      group = !spread;
      at = inner.end;
      before = spread ? ")" : "";
    }
    out.update(at, node.end, `${before}${group ? "]" : ""})`);
  });
  return out.slice(piece.start, piece.end);
}

export { bare, place, walk, type Node };
