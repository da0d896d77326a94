/** Where a cell changes the inside of a value that another cell made: directly, by another name for it, or in a function that it calls with it. */
import type { ScopeManager, Variable } from "@typescript-eslint/scope-manager";
import { bare, place, walk, type Node } from "./tree.js";

/** What a program changes beside what it makes while it runs. */
export interface Changes {
  /** of values of other cells */
  mutations: Mutation[];
  /** what its functions change and keep, by name: a variable, or a field that only they see; null: nothing */
  stateful: string | null;
  /** as `stateful`, and with the fields of objects that it makes once, which whoever imports it shares */
  keeps: string | null;
  /** a function changes the value of a free name */
  later: boolean;
  /** it changes a value that it imports from a file of the workspace */
  changesImports: boolean;
}

export interface Mutation {
  /** the free name whose value is changed */
  name: string;
  line: number;
  column: number;
  code: string;
  /** a call by whose name alone it is told: of a module it is a function like any other */
  call?: true;
}

const mutators = new Set(["push", "pop", "shift", "unshift", "splice", "sort", "fill", "copyWithin"]);
/** methods that also exist as pure ones (a tensor's `add`): a change only when the result is dropped or the arguments say so */
const perhaps: Record<string, (call: Node, statement: boolean) => boolean> = {
  set: (call) => (call.arguments as Node[]).length === 2,
  delete: (call) => (call.arguments as Node[]).length === 1,
  clear: (call) => (call.arguments as Node[]).length === 0,
  add: (_, statement) => statement,
  reverse: (_, statement) => statement,
  next: (call) => (call.arguments as Node[]).length <= 1,
  fit: () => true,
  fitDataset: () => true,
  trainOnBatch: () => true,
  setWeights: () => true,
  on: (_, statement) => statement,
  once: (_, statement) => statement,
  off: (_, statement) => statement,
  addListener: (_, statement) => statement,
  addEventListener: (_, statement) => statement,
};

/** static functions that change their first argument */
const changers = /^(Object\.(assign|defineProperty|defineProperties|setPrototypeOf)|Reflect\.(set|deleteProperty|defineProperty))$/;
/** methods that hand each item of what they are called on to a function */
const each = new Set(["forEach", "map", "filter", "some", "every", "find", "findIndex", "findLast", "flatMap"]);

/** `free`: identifiers that no scope of the cell defines. */
export function mutationsOf(program: Node, source: string, scopes: ScopeManager, free: ReadonlySet<Node>): Changes {
  const found: Mutation[] = [];
  const outer = outsideOf(scopes);
  let stateful: string | null = null;
  const selves: Self[] = [];
  let changesImports = false;
  let later = false;
  /** nodes around the one that is looked at */
  let around: readonly Node[] = [];
  const { origin } = origins(program, scopes, free);
  const add = (target: Node, whole: Node, least: number, call = false) => {
    let root = bare(target);
    let depth = 0;
    while (root.type === "MemberExpression") {
      root = bare(root.object as Node);
      depth++;
    }
    if (stateful === null && outer(root, around)) stateful = root.name as string;
    if (root.type === "ThisExpression" && depth > 0) selves.push(...selfOf(bare(target), around));
    const name = depth >= least && root.type === "Identifier" ? origin(root) : null;
    if (name === null) return;
    if (typeof name !== "string") {
      // by name alone a function of a module is like any other
      changesImports ||= !(call && name.namespace && depth === 1);
      return;
    }
    later ||= around.some(({ type }) => functions.test(type));
    const code = source.slice(whole.start, whole.end).split("\n")[0]!;
    found.push({ name, ...place(source, whole.start), code: code.length > 60 ? `${code.slice(0, 57)}...` : code, ...(call && { call }) });
  };
  const targets = (node: Node | null, whole: Node): void => {
    if (!node) return;
    if (node.type === "ArrayPattern") for (const item of node.elements as (Node | null)[]) targets(item, whole);
    else if (node.type === "ObjectPattern") for (const item of node.properties as Node[]) targets((item.value ?? item.argument) as Node, whole);
    else if (node.type === "AssignmentPattern") targets(node.left as Node, whole);
    else if (node.type === "RestElement") targets(node.argument as Node, whole);
    else add(node, whole, 1);
  };
  walk(program, (node, parents) => {
    around = parents;
    if (node.type === "AssignmentExpression") targets(node.left as Node, node);
    else if (node.type === "ForOfStatement" || node.type === "ForInStatement") {
      if ((node.left as Node).type !== "VariableDeclaration") targets(node.left as Node, node.left as Node);
    } else if (node.type === "UpdateExpression") add(node.argument as Node, node, 1);
    else if (node.type === "UnaryExpression" && node.operator === "delete") add(node.argument as Node, node, 1);
    else if (node.type === "CallExpression") {
      const callee = bare(node.callee as Node);
      const method = callee.type === "MemberExpression" && !callee.computed ? ((callee.property as Node).name as string) : null;
      const statement = parents.at(-1)?.type === "ExpressionStatement";
      if (method !== null && (mutators.has(method) || (Object.hasOwn(perhaps, method) && perhaps[method]!(node, statement))))
        add(callee, node, 1, true);
      const first = (node.arguments as Node[])[0];
      if (first !== undefined && changers.test(source.slice(callee.start, callee.end))) add(first, node, 0);
    }
  });
  const hidden = selves.find(({ field }) => field.startsWith("#"));
  stateful ??= hidden?.field ?? null;
  const kept = stateful ?? selves.find(({ owner }) => owner === null || isMade(program, owner))?.field ?? null;
  return { mutations: found, stateful, keeps: kept, later, changesImports };
}

/** A field that a method changes of its own object. */
interface Self {
  field: string;
  /** the class; null: a literal, which is one object */
  owner: Node | null;
}

/** `this.field` of a method; none for a constructor, which makes what it changes. */
function selfOf(target: Node, around: readonly Node[]): Self[] {
  const at = around.findLastIndex(({ type }) => type === "FunctionExpression" || type === "FunctionDeclaration" || type === "PropertyDefinition");
  const [holder, method] = [around[at - 1], around[at]?.type === "PropertyDefinition" ? around[at] : around[at - 1]];
  let inner = target;
  while (bare(inner.object as Node).type === "MemberExpression") inner = bare(inner.object as Node);
  const property = inner.property as Node;
  const name = (property.name as string | undefined) ?? "this";
  const field = property.type === "PrivateIdentifier" ? `#${name}` : name;
  if (method?.type === "MethodDefinition" || method?.type === "PropertyDefinition") {
    if (method.kind === "constructor") return [];
    return [{ field, owner: around.findLast(({ type }) => type === "ClassDeclaration" || type === "ClassExpression") ?? null }];
  }
  return holder?.type === "Property" ? [{ field, owner: null }] : [];
}

/** Is an object of this class made once, at the top level, or is the class itself such an object? */
function isMade(program: Node, owner: Node): boolean {
  const name = (owner.id as Node | null)?.name;
  let made = false;
  walk(program, (node, parents) => {
    const callee = node.type === "NewExpression" ? bare(node.callee as Node) : null;
    if (callee === null || parents.some(({ type }) => functions.test(type))) return;
    made ||= callee === owner || (callee.type === "Identifier" && callee.name === name);
  });
  return made || ((owner.body as Node).body as Node[]).some((member) => member.static === true);
}

/** calls that are over when they return: what their callback changes is changed once */
const atOnce = /^(forEach|map|filter|some|every|find\w*|flatMap|reduce|reduceRight|sort|toSorted|replace|replaceAll|from|tidy|then|catch|finally)$/;

/** Tells whether an identifier is a variable of the cell that a function around it, which may be called later, did not make. */
function outsideOf(scopes: ScopeManager): (identifier: Node, around: readonly Node[]) => boolean {
  let made: Map<unknown, Node> | null = null;
  return (identifier, around) => {
    if (identifier.type !== "Identifier" || !around.some(({ type }) => functions.test(type))) return false;
    if (made === null) {
      made = new Map();
      for (const scope of scopes.scopes)
        for (const { identifier: each, from, resolved } of scope.references)
          if (resolved && from.variableScope !== resolved.scope.variableScope) made.set(each, resolved.scope.block as unknown as Node);
    }
    const block = made.get(identifier);
    if (block === undefined) return false;
    return around.some((node, i) => {
      if (!functions.test(node.type) || node === block || node.start < block.start || node.end > block.end) return false;
      let up = i - 1;
      while (around[up]?.type === "ParenthesizedExpression") up--;
      const call = around[up];
      if (call?.type !== "CallExpression") return true;
      const callee = bare(call.callee as Node);
      if (callee === node) return false;
      return !(callee.type === "MemberExpression" && !callee.computed && atOnce.test((callee.property as Node).name as string));
    });
  };
}
const functions = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;

/** A free name, or what comes from a file of the workspace. */
type Origin = string | { namespace: boolean };

/** Tells for an identifier whose value it stands for: a free name's own, one bound to it or to a part of it, or an argument that is. */
function origins(program: Node, scopes: ScopeManager, free: ReadonlySet<Node>) {
  const resolved = new Map<Node, Variable>();
  let prepared: { names: Map<Node, Variable>; calls: Map<Variable, Node[]>; loops: Map<Node, Node>; receivers: Map<Node, Node> } | null = null;

  /** What only a cell needs that changes one of its own names: made at the first of them. */
  const prepare = () => {
    if (prepared !== null) return prepared;
    const names = new Map<Node, Variable>();
    const calls = new Map<Variable, Node[]>();
    const loops = new Map<Node, Node>();
    const receivers = new Map<Node, Node>();
    for (const scope of scopes.scopes)
      for (const reference of scope.references) if (reference.resolved) resolved.set(reference.identifier as unknown as Node, reference.resolved);
    for (const variable of scopes.variables)
      for (const definition of variable.defs) {
        const node = definition.node as unknown as Node;
        if ((definition.type as string) === "FunctionName") names.set(node, variable);
        else if ((definition.type as string) === "Variable" && node.init) names.set(bare(node.init as Node), variable);
      }
    walk(program, (node) => {
      if (node.type === "ForOfStatement") loops.set(node.left as Node, node.right as Node);
      if (node.type !== "CallExpression") return;
      const callee = bare(node.callee as Node);
      const variable = callee.type === "Identifier" ? resolved.get(callee) : undefined;
      if (variable !== undefined) calls.set(variable, [...(calls.get(variable) ?? []), node]);
      const given = (node.arguments as Node[])[0];
      if (callee.type === "MemberExpression" && given !== undefined && each.has((callee.property as Node).name as string))
        receivers.set(bare(given), callee.object as Node);
    });
    return (prepared = { names, calls, loops, receivers });
  };

  const origin = (identifier: Node, seen: ReadonlySet<Variable> = new Set()): Origin | null => {
    if (free.has(identifier)) return identifier.name as string;
    const { names, calls, loops, receivers } = prepare();
    const variable = resolved.get(identifier);
    const definition = variable?.defs[0];
    // one that is assigned again may hold something else
    if (variable === undefined || definition === undefined || variable.defs.length > 1 || seen.has(variable)) return null;
    if (variable.references.some((reference) => reference.isWrite() && reference.init !== true)) return null;
    if ((definition.type as string) === "ImportBinding") {
      const from = ((definition.parent as unknown as Node).source as Node).value as string;
      return /^\.|^\/|^file:/.test(from) ? { namespace: (definition.node as unknown as Node).type === "ImportNamespaceSpecifier" } : null;
    }
    const inside = new Set([...seen, variable]);
    const rootOf = (expression: Node | null | undefined): Origin | null => {
      let root = expression && bare(expression);
      while (root?.type === "MemberExpression") root = bare(root.object as Node);
      return root?.type === "Identifier" ? origin(root, inside) : null;
    };
    const node = definition.node as unknown as Node;
    if ((definition.type as string) === "Variable") {
      const loop = loops.get(definition.parent as unknown as Node);
      return rootOf(loop ?? (node.init as Node | null));
    }
    if ((definition.type as string) !== "Parameter") return null;
    const at = (node.params as Node[]).findIndex(
      (parameter) => parameter.start <= identifierOf(definition).start && identifierOf(definition).end <= parameter.end,
    );
    if (at < 0 || (node.params as Node[])[at]!.type === "RestElement") return null;
    const receiver = receivers.get(node);
    if (receiver !== undefined) return at === 0 ? rootOf(receiver) : null;
    const name = names.get(node);
    for (const call of (name && calls.get(name)) ?? []) {
      const owner = rootOf((call.arguments as Node[])[at]);
      if (owner !== null) return owner;
    }
    return null;
  };
  return { origin: (identifier: Node) => origin(identifier) };
}

const identifierOf = (definition: Variable["defs"][number]) => definition.name as unknown as Node;
