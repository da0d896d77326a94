/** Renames a name wherever it is used: other cells, tables of SQL. Refuses with a sentence rather than change what the code means. */
import ts from "typescript";
import type { Edit, Renaming } from "../protocol/language.js";
import { checkName, renameName, renameUse } from "../reactive/rename.js";
import { buildGraph } from "../reactive/graph.js";
import { analyse, libraryNames } from "../reactive/references.js";
import { isReserved } from "../data/names.js";
import { sourcesOf, tokens, type Token } from "../data/tokens.js";
import { tablesOf } from "./describe.js";
import type { Project } from "./project.js";
import { textOf } from "./sql-text.js";
import { toCell, toModule, type Reading, type Template } from "./virtual.js";

/** `to` null only asks whether and what. */
export function rename(project: Project, cell: string, at: number, to: string | null): Renaming {
  const opened = project.open(cell);
  const reading = project.reading(cell);
  if (opened === null || reading === undefined) return { refused: "There is nothing to rename here." };
  const broken = project.readings().find((one) => one.broken);
  const word = wordAt(reading.cell.source, at);
  if (word === null) return { refused: "Put the caret on a name." };
  const table = tableAt(project, reading, at);
  const { file, module } = opened;
  const place = toModule(module, at);
  const info = table === null ? project.service.getRenameInfo(file, place, {}) : null;
  if (info !== null && !info.canRename) return { refused: sentence(info.localizedErrorMessage, word.name) };
  try {
    if (to !== null) checkName(to);
  } catch {
    return { refused: `\`${to}\` is not a name that JavaScript allows.` };
  }
  const owner = table ?? shared(project, cell, word.name, at);
  if (broken !== undefined && (owner !== null || broken.cell.id === cell))
    return { refused: `Cell ${broken.cell.id} has a syntax error; its uses of \`${word.name}\` cannot be seen. Correct it first.` };
  if (to === null || to === word.name) return { ...word, edits: [] };
  return owner !== null ? everywhere(project, owner, word, to) : within(project, file, place, word, to);
}

function wordAt(source: string, at: number): { from: number; to: number; name: string } | null {
  const before = /[\p{ID_Continue}$]*$/u.exec(source.slice(0, at))![0];
  const after = /^[\p{ID_Continue}$]*/u.exec(source.slice(at))![0];
  const name = before + after;
  return /^[\p{ID_Start}$_]/u.test(name) ? { from: at - before.length, to: at + after.length, name } : null;
}

/** The cell whose name stands as a table at this place of a SQL text. */
function tableAt(project: Project, reading: Reading, at: number): string | null {
  for (const template of reading.templates) {
    if (at < template.from || at > template.to) continue;
    const { tables } = sourcesOf(tokens(textOf(reading.cell.source, template)).tokens);
    const found = tables.find(({ token }) => at >= template.from + token.at && at <= template.from + token.end);
    // SQL does not tell the case of a name
    if (found !== undefined) return project.names().find((name) => name.toLowerCase() === found.name) ?? found.token.text;
  }
  return null;
}

/** The name, when what stands here is one that cells share: of a cell's top level, here or where it was imported from. */
function shared(project: Project, cell: string, name: string, at: number): string | null {
  const home = project.owner(name);
  if (home === undefined) return null;
  const { module } = project.open(cell)!;
  const top = project
    .reading(home)!
    .analysis.bindings.filter((binding) => binding.name === name)
    .map((binding) => binding.at);
  const declared = symbolAt(project, cell, at)?.declarations ?? [];
  return declared.some((declaration) => {
    const own = project.toCell(declaration.getSourceFile().fileName, (ts.getNameOfDeclaration(declaration) ?? declaration).getStart());
    // the line that we add imports it
    if (own === null) return ts.isImportSpecifier(declaration) && declaration.getStart() < module.prologue;
    if (own.cell !== home) return false;
    return (
      top.includes(own.at) ||
      ((ts.isInterfaceDeclaration(declaration) || ts.isTypeAliasDeclaration(declaration)) && ts.isSourceFile(declaration.parent))
    );
  })
    ? name
    : null;
}

/** What the identifier here means; of `{ a }` the value, not the property. */
function symbolAt(project: Project, cell: string, at: number): ts.Symbol | undefined {
  const opened = project.open(cell)!;
  const program = project.service.getProgram()!;
  const source = program.getSourceFile(opened.file)!;
  const start = toModule(opened.module, wordAt(project.reading(cell)!.cell.source, at)!.from);
  const find = (node: ts.Node): ts.Node | undefined =>
    node.getStart(source) === start && ts.isIdentifier(node) ? node : node.pos <= start && node.end > start ? ts.forEachChild(node, find) : undefined;
  const node = find(source);
  if (node === undefined) return undefined;
  const checker = program.getTypeChecker();
  return ts.isShorthandPropertyAssignment(node.parent) ? checker.getShorthandAssignmentValueSymbol(node.parent) : checker.getSymbolAtLocation(node);
}

function everywhere(project: Project, name: string, word: { from: number; to: number; name: string }, to: string): Renaming {
  const home = project.owner(name);
  if (home === undefined) return { refused: `No cell defines \`${name}\`.` };
  const taken = project.owner(to);
  if (taken !== undefined) return { refused: `Cell ${taken} defines \`${to}\` already.` };
  if (libraryNames.includes(to)) return { refused: `\`${to}\` is a name of the library; a cell that defines it would hide it from all others.` };
  if (to.startsWith("_")) return { refused: `Names that begin with _ are seen by their own cell alone: the others would lose \`${name}\`.` };
  const edits: Edit[] = [];
  for (const reading of project.readings()) {
    const { id, source } = reading.cell;
    const own = id === home;
    const tables = reading.templates.flatMap((template) => tablesIn(reading, template, name, to));
    if (tables.length > 0 && reading.templates.some((template) => isRow(project, reading, template, name)))
      return { refused: `Cell ${id}: its SQL takes \`${name}\` as a whole row too; give the table an alias first.` };
    if (!own && tables.length === 0 && !reading.words.has(name)) continue;
    try {
      const { splices } = own ? renameName(source, name, to) : renameUse(source, name, to, tables);
      edits.push(...splices.map((splice) => ({ cell: id, ...splice })));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { refused: `Cell ${id}: ${error.message.replace(/^The cell/, "it")}.` };
    }
  }
  const changed = differs(project, edits, name, to);
  if (changed !== null) return { refused: `Cell ${changed}: with the name \`${to}\` it would read something else.` };
  return { ...word, edits };
}

/** The cell that would define or read other names than now but for the new one; null when all keep their meaning. */
function differs(project: Project, edits: readonly Edit[], name: string, to: string): string | null {
  const readings = project.readings();
  const before = buildGraph(readings.map((reading) => reading.analysis));
  const after = buildGraph(
    readings.map(({ cell, analysis }) => {
      const own = edits.filter((edit) => edit.cell === cell.id).sort((a, b) => b.at - a.at);
      if (own.length === 0) return analysis;
      const source = own.reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), cell.source);
      return analyse({ ...cell, source });
    }),
  );
  const key = ({ defines, uses }: { defines: string[]; uses: string[] }, swap: boolean) =>
    JSON.stringify([defines, uses].map((list) => list.map((one) => (swap && one === name ? to : one)).sort()));
  return before.ids.find((id) => key(before.cells[id]!, true) !== key(after.cells[id]!, false)) ?? null;
}

/** Does a SQL text name the table where a value stands, and no column of it is called so? */
function isRow(project: Project, reading: Reading, template: Template, name: string): boolean {
  const list = tokens(textOf(reading.cell.source, template)).tokens;
  const { tables } = sourcesOf(list);
  const bare = list.some(
    (token, i) =>
      (token.type === "word" || token.type === "quoted") &&
      token.text.toLowerCase() === name.toLowerCase() &&
      !tables.some((table) => table.token === token) &&
      ![".", "("].includes(list[i + 1]?.text ?? "") &&
      list[i - 1]?.text !== "." &&
      list[i - 1]?.text.toLowerCase() !== "as",
  );
  const columns = tablesOf(project, reading.cell.id).get(name) ?? [];
  return bare && !columns.some((column) => column.name.toLowerCase() === name.toLowerCase());
}

const plain = /^[a-z_][a-z0-9_]*$/i;
/** Where a SQL text names a table: in FROM, and before the dot of its columns. */
function tablesIn(reading: Reading, template: Template, name: string, to: string): { at: number; remove: number; insert: string }[] {
  const list = tokens(textOf(reading.cell.source, template)).tokens;
  const same = (token: Token) => (token.type === "word" || token.type === "quoted") && token.text.toLowerCase() === name.toLowerCase();
  const sources = sourcesOf(list).tables.filter(({ token }) => same(token));
  if (sources.length === 0) return [];
  const columns = list.filter((token, i) => same(token) && list[i + 1]?.text === "." && list[i - 1]?.text !== ".");
  return [...new Set([...sources.map(({ token }) => token), ...columns])].map((token) => ({
    at: template.from + token.at,
    remove: token.end - token.at,
    insert: token.type === "quoted" || !plain.test(to) || isReserved(to) ? `"${to}"` : to,
  }));
}

/** A local name, a property or a type: TypeScript knows its uses. */
function within(project: Project, file: string, place: number, word: { from: number; to: number; name: string }, to: string): Renaming {
  const found = project.service.findRenameLocations(file, place, false, false, { providePrefixAndSuffixTextForRename: true }) ?? [];
  const edits: Edit[] = [];
  for (const one of found) {
    const cell = project.cellOf(one.fileName);
    if (cell === null)
      return { refused: `\`${word.name}\` is also defined outside of the notebook, in ${one.fileName.split("/").pop()}: rename it there.` };
    const at = toCell(cell.module, one.textSpan.start);
    if (at === null) {
      // our own lines around a cell follow by themselves; a row's type comes from the SQL
      if (one.textSpan.start >= cell.module.prologue && toCell(cell.module, one.textSpan.start, true)! < cell.module.length)
        return { refused: `\`${word.name}\` is a column of the SQL in cell ${cell.cell}: rename it there.` };
      continue;
    }
    edits.push({ cell: cell.cell, at, remove: one.textSpan.length, insert: `${one.prefixText ?? ""}${to}${one.suffixText ?? ""}` });
  }
  const touched = [...new Set(edits.map((edit) => edit.cell))];
  for (const cell of touched) {
    const reading = project.reading(cell)!;
    if (reading.words.has(to)) return { refused: `Cell ${cell} uses the name \`${to}\` already.` };
  }
  return edits.length === 0 ? { refused: `\`${word.name}\` cannot be renamed here.` } : { ...word, edits: edits.sort((a, b) => b.at - a.at) };
}

function sentence(message: string, name: string): string {
  if (/standard TypeScript library|node_modules/.test(message)) return `\`${name}\` is defined by a library: it cannot be renamed.`;
  return /cannot rename this element/i.test(message) ? "There is nothing to rename here." : message;
}
