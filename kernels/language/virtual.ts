/**
 * A cell as a module: one line before it imports names of the other cells, one line after it exports its own, and each sql`` tag
 * gets the type of its rows. What is added shifts offsets; `toModule` and `toCell` translate (prototypes 2).
 */
import ts from "typescript";
import type { Cell } from "../protocol/document.js";
import { analyse, type Analysis } from "../reactive/references.js";
import { bare, parseCell, walk, type Node } from "../reactive/tree.js";

/** One sql`...` of a cell. */
export interface Template {
  /** the constant that it is the value of */
  name: string | null;
  /** end of the tag, where its row type is put */
  tagEnd: number;
  /** inside of the back quotes */
  from: number;
  to: number;
  /** the author wrote the row's type */
  typed: boolean;
  /** raw text between the holes */
  pieces: string[];
  /** where each piece starts in the cell */
  starts: number[];
  /** source ranges of the holes */
  holes: { from: number; to: number }[];
}

/** A cell with what was read from it. */
export interface Reading {
  cell: Cell;
  analysis: Analysis;
  templates: Template[];
  /** identifiers in it, also those in strings: names of other cells are imported when they are among these */
  words: ReadonlySet<string>;
  /** names that the author exports himself */
  exported: ReadonlySet<string>;
  /** names that it offers to the others: values and types */
  offers: readonly string[];
  broken: boolean;
}

export function readCell(cell: Cell, last?: Reading): Reading {
  let analysis = analyse(cell, last?.analysis);
  const broken = analysis.problems.length > 0;
  // never parsed so far: what TypeScript makes of it
  if (broken && analysis.defines.length === 0) analysis = { ...analysis, defines: guessed(cell.source) };
  const words = new Set(cell.source.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu));
  const { templates, exported } = broken || !/\bsql\b|\bexport\b/.test(cell.source) ? none : inspect(cell.source);
  const offers = [...analysis.defines, ...analysis.types.filter((name) => !name.startsWith("_"))];
  return { cell, analysis, templates, words, exported, offers, broken };
}
const none = { templates: [] as Template[], exported: new Set<string>() };

/** Names that a cell defines as far as it can be read. */
function guessed(source: string): string[] {
  const names: string[] = [];
  const add = (name: ts.BindingName | undefined): void => {
    if (name === undefined) return;
    if (ts.isIdentifier(name)) {
      if (name.text !== "" && !name.text.startsWith("_")) names.push(name.text);
    } else for (const element of name.elements) if (ts.isBindingElement(element)) add(element.name);
  };
  for (const statement of ts.createSourceFile("cell.ts", source, ts.ScriptTarget.ES2023).statements) {
    if (ts.isVariableStatement(statement)) for (const one of statement.declarationList.declarations) add(one.name);
    else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) add(statement.name);
  }
  return [...new Set(names)];
}

function inspect(source: string): { templates: Template[]; exported: Set<string> } {
  const templates: Template[] = [];
  const exported = new Set<string>();
  walk(parseCell(source).program, (node, parents) => {
    if (node.type === "ExportNamedDeclaration") for (const name of namesOfExport(node)) exported.add(name);
    if (node.type !== "TaggedTemplateExpression") return;
    const tag = bare(node.tag as Node);
    if (tag.type !== "Identifier" || tag.name !== "sql") return;
    const quasi = node.quasi as Node;
    const quasis = quasi.quasis as (Node & { value: { raw: string } })[];
    const parent = parents.at(-1);
    const id = parent?.type === "VariableDeclarator" ? (parent.id as Node) : null;
    templates.push({
      name: id?.type === "Identifier" && parents.length <= 4 ? (id.name as string) : null,
      tagEnd: tag.end,
      from: quasi.start + 1,
      to: quasi.end - 1,
      typed: (node.typeArguments ?? node.typeParameters ?? null) !== null,
      pieces: quasis.map((piece) => piece.value.raw),
      starts: quasis.map((piece) => source.indexOf(piece.value.raw, Math.max(piece.start, quasi.start + 1))),
      holes: (quasi.expressions as Node[]).map((hole) => ({ from: hole.start, to: hole.end })),
    });
  });
  return { templates, exported };
}

function namesOfExport(node: Node): string[] {
  const declaration = node.declaration as Node | null;
  if (declaration === null) return (node.specifiers as Node[]).map((one) => (one.exported as Node).name as string);
  if (declaration.type !== "VariableDeclaration") return [((declaration.id as Node | null)?.name as string) ?? ""];
  const names: string[] = [];
  walk(declaration, (inner, parents) => {
    if (
      inner.type === "Identifier" &&
      !parents.some((parent) => parent.type === "VariableDeclarator" && parent.init !== null && inner.start >= (parent.init as Node).start)
    )
      names.push(inner.name as string);
  });
  return names;
}

export interface Module {
  text: string;
  /** length of the line before the cell */
  prologue: number;
  /** length of the cell's source */
  length: number;
  insertions: { at: number; text: string }[];
}

/** The module of a cell. `names` are imported from `hub`; `rows` gives the row type of a template, null when it is not known. */
export function buildModule(
  reading: Reading,
  hub: string,
  names: readonly string[],
  rows: (reading: Reading, template: Template, index: number) => string | null,
): Module {
  const { source } = reading.cell;
  const own = new Set([...reading.analysis.defines, ...reading.analysis.types, ...reading.analysis.privates]);
  const prologue = `import { ${names.filter((name) => !own.has(name)).join(", ")} } from ${JSON.stringify(hub)};\n`;
  const insertions = reading.templates.flatMap((template, index) => {
    const type = template.typed ? null : rows(reading, template, index);
    return type === null ? [] : [{ at: template.tagEnd, text: `<${type}>` }];
  });
  let body = "";
  let at = 0;
  for (const insertion of insertions) {
    body += source.slice(at, insertion.at) + insertion.text;
    at = insertion.at;
  }
  body += source.slice(at);
  const exports = reading.offers.filter((name) => !reading.exported.has(name));
  return { text: `${prologue}${body}\nexport { ${exports.join(", ")} };\n`, prologue: prologue.length, length: source.length, insertions };
}

/** An offset of the cell in its module. */
export function toModule(module: Module, at: number): number {
  return module.insertions.reduce((sum, one) => (one.at < at ? sum + one.text.length : sum), module.prologue + at);
}

/** An offset of the module in the cell; null before and after the cell, and inside of what was added (`lenient`: the place where it was added). */
export function toCell(module: Module, at: number, lenient = false): number | null {
  let offset = at - module.prologue;
  if (offset < 0) return null;
  for (const { at: place, text } of module.insertions) {
    if (offset <= place) break;
    if (offset < place + text.length) return lenient ? place : null;
    offset -= text.length;
  }
  return offset > module.length ? (lenient ? module.length : null) : offset;
}
