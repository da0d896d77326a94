/** What a cell defines and what it reads, by JavaScript's own scope rules (design 4, prototypes 1). Pure: source in, names out. */
import type { Variable } from "@typescript-eslint/scope-manager";
import type { Cell, CellKind, Problem } from "../protocol/document.js";
import { mutationsOf, type Mutation } from "./mutations.js";
import { changesTables, remakesTable, sqlTables } from "./tables.js";
import { bare, hasStatements, parseCell, place, scopesOf, walk, type Node } from "./tree.js";

/** A name at the top level of a cell. */
export interface Binding {
  name: string;
  how: "const" | "let" | "var" | "using" | "function" | "class" | "enum" | "import";
  /** it stands for a whole module: `import * as name` */
  module?: true;
  /** offset of the name where it is declared */
  at: number;
}
export interface NamePlace {
  name: string;
  line: number;
  column: number;
}

export interface Analysis {
  id: string;
  kind: CellKind;
  /** names that other cells may use, in order of declaration */
  defines: string[];
  /** how each of these is declared */
  bindings: Binding[];
  /** top-level names that stay in the cell: `_x`, `using`, a `var` inside a statement */
  privates: string[];
  /** types and interfaces; they make no edge and clash with nothing */
  types: string[];
  /** free names whose value is read, also those of JavaScript and of the library */
  uses: string[];
  /** assignments to free names */
  writes: NamePlace[];
  /** changes inside the value of a free name: `x.push(1)`, `x.a = 1`, `delete x.a` */
  mutations: Mutation[];
  /** its functions change its own values: what others read of it depends on how often they call it */
  stateful: boolean;
  /** what it changes and keeps, as a file that others import: a name; null: nothing */
  keeps: string | null;
  /** it uses itself what it imports, or imports while it runs */
  usesImports: boolean;
  /** it changes a value that it imports from a file of the workspace */
  changesImports: boolean;
  /** it changes tables that its names do not show */
  effects: boolean;
  /** each of these changes makes a table anew, as often as it runs */
  remakes: boolean;
  /** what it changes beside its own values, it changes also in functions, which others may call */
  later: boolean;
  /** names read as tables by sql`` texts; whether a cell defines them is the graph's to say */
  tables: string[];
  /** syntax errors, with line and column from 1 */
  problems: Problem[];
  /** the last statement is an expression, which displays itself */
  displays: boolean;
  /** top-level await */
  awaits: boolean;
}

/** Names that the kernel gives to every cell. They are no edges; a cell that defines one of them shadows it for all. */
export const libraryNames: readonly string[] =
  "sql relation csv database file display view input cell console baseline train distill ensemble abTest readTest drift decay promote label diagnose review log features f secret tf progress prompt".split(
    " ",
  );

const nothing = {
  defines: [],
  bindings: [],
  privates: [],
  types: [],
  uses: [],
  writes: [],
  mutations: [],
  stateful: false,
  keeps: null,
  usesImports: false,
  changesImports: false,
  effects: false,
  remakes: false,
  later: false,
  tables: [],
  problems: [],
  displays: false,
  awaits: false,
};

/**
 * Analyses one cell. With a syntax error the names of `last`, the analysis before it, are kept, so that the cells around do not
 * lose their edges while a person types.
 */
export function analyse(cell: Pick<Cell, "id" | "kind" | "source">, last?: Analysis): Analysis {
  const { id, kind, source } = cell;
  if (kind === "markdown") return { ...nothing, id, kind };
  const parsed = parseCell(source);
  const problems = parsed.errors.map(({ message, at }): Problem => ({ type: "syntax", severity: "error", message, ...place(source, at) }));
  if (problems.length > 0) return { ...nothing, ...last, id, kind, problems: problems.slice(0, 5), writes: [], mutations: [] };

  const scopes = scopesOf(parsed.program);
  const top = scopes.globalScope!.childScopes[0]!;
  const bindings: Binding[] = [];
  const privates: string[] = [];
  const types: string[] = [];
  const own = new Set(parsed.body.flatMap((statement) => [statement, statement.declaration as Node | null]));
  for (const variable of top.variables) {
    const how = declaredAs(variable, own);
    if (how === "type") types.push(variable.name);
    else if (how === "private" || (how && variable.name.startsWith("_"))) privates.push(variable.name);
    else if (how) {
      const whole = variable.defs.some(({ node }) => (node as unknown as Node).type === "ImportNamespaceSpecifier");
      bindings.push({ name: variable.name, how, ...(whole && { module: true as const }), at: variable.identifiers[0]!.range[0] });
    }
  }
  const typed = source.includes("typeof") ? typeQueries(parsed.program) : new Set<unknown>();
  const through = scopes.globalScope!.through.filter((reference) => reference.isValueReference && !typed.has(reference.identifier));
  const reads = through.filter((reference) => reference.isRead());
  const at = (node: Node) => place(source, node.start);
  const name = (node: Node) => node.name as string;
  const free = new Set(through.map((reference) => reference.identifier as unknown as Node));
  const last_ = parsed.body.at(-1);
  const { tables, awaits, effects, remakes, later, imports } = inspect(parsed.program);
  const changes = mutationsOf(parsed.program, source, scopes, free);
  return {
    id,
    kind,
    defines: bindings.map((binding) => binding.name),
    bindings,
    privates,
    types,
    uses: unique(reads.map((reference) => reference.identifier.name as string)),
    // a default in a pattern counts as a second write of the same place
    writes: unique(through.filter((reference) => reference.isWrite()).map((reference) => reference.identifier as unknown as Node)).map((node) => ({
      name: name(node),
      ...at(node),
    })),
    mutations: changes.mutations,
    stateful: changes.stateful !== null,
    keeps: changes.keeps,
    usesImports: imports || top.variables.some(isUsedImport),
    changesImports: changes.changesImports,
    effects,
    remakes,
    later: later || changes.later,
    tables,
    problems,
    displays: last_?.type === "ExpressionStatement" && last_.directive == null,
    awaits,
  };
}

const unique = <T>(items: readonly T[]) => [...new Set(items)];

const isUsedImport = ({ defs, references }: Variable) =>
  defs.some((definition) => (definition.type as string) === "ImportBinding") && references.some((reference) => reference.isValueReference);

/** How a top-level variable is declared; null when it has no value (declare, import type, overloads without a body). */
function declaredAs(variable: Variable, own: ReadonlySet<Node | null>): Binding["how"] | "type" | "private" | null {
  let type = false;
  for (const definition of variable.defs) {
    const node = definition.node as unknown as Node;
    const parent = definition.parent as unknown as Node | undefined;
    switch (definition.type as string) {
      case "ImportBinding":
        if (parent?.importKind === "type" || node.importKind === "type") type = true;
        else return "import";
        break;
      case "Variable": {
        if (!parent || parent.declare) break;
        const kind = parent.kind as string;
        if (kind === "using" || kind === "await using") return "private";
        if (kind === "var") {
          if (own.has(parent)) return "var";
          return "private";
        }
        return kind as "const" | "let";
      }
      case "FunctionName":
        if (!node.declare && node.type !== "TSDeclareFunction") return "function";
        break;
      case "ClassName":
        if (!node.declare) return "class";
        break;
      case "TSEnumName":
        if (!node.declare) return "enum";
        break;
      case "TSModuleName":
        if (node.declare || (node.id as Node).type !== "Identifier") break;
        if (hasStatements(node)) return "const";
        type = true;
        break;
      case "Type":
        type = true;
    }
  }
  return type ? "type" : null;
}

/** Identifiers of `typeof x` in types: they read no value when the cell runs. */
function typeQueries(program: Node): Set<unknown> {
  const found = new Set<unknown>();
  walk(program, (node, parents) => {
    if (node.type === "Identifier" && parents.some((parent) => parent.type === "TSTypeQuery")) found.add(node);
  });
  return found;
}

/** Tables that sql`` texts read, and whether the cell awaits at its top level. */
function inspect(program: Node) {
  const tables: string[] = [];
  let awaits = false;
  let effects = false;
  let remakes = true;
  let later = false;
  let imports = false;
  walk(program, (node, parents) => {
    if (node.type === "TaggedTemplateExpression") {
      const tag = bare(node.tag as Node);
      if (tag.type === "Identifier" && tag.name === "sql") {
        const quasis = (node.quasi as Node).quasis as { value: { cooked: string | null; raw: string } }[];
        const sql = quasis.map((quasi) => quasi.value.cooked ?? quasi.value.raw).join(" $1 ");
        tables.push(...sqlTables(sql));
        const changes = changesTables(sql);
        effects ||= changes;
        remakes &&= !changes || remakesTable(sql);
        later ||= changes && parents.some((parent) => parent.type.includes("Function"));
      }
    } else if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node.await === true)) {
      awaits ||= !parents.some((parent) => /Function|^PropertyDefinition$|^StaticBlock$/.test(parent.type));
    } else if (node.type === "ImportExpression" || (/^Export(All|Named)Declaration$/.test(node.type) && node.source)) imports = true;
    else if (node.type === "VariableDeclaration" && node.kind === "await using")
      awaits ||= !parents.some((parent) => parent.type.includes("Function"));
  });
  return { tables: unique(tables), awaits, effects, remakes: effects && remakes, later, imports };
}
