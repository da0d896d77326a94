/** Renames a name wherever it is used: other cells, tables of SQL. Refuses with a sentence rather than change what the code means. */
import ts from "typescript";
import type { Edit, Renaming } from "../protocol/language.js";
import { checkName, renameName, renameUse } from "../reactive/rename.js";
import { libraryNames } from "../reactive/references.js";
import { sourcesOf, tokens, type Token } from "../data/tokens.js";
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

/** The name, when it is one that cells share: of this cell's top level, or another's. */
function shared(project: Project, cell: string, name: string, at: number): string | null {
  if (project.owner(name) === undefined) return null;
  const opened = project.open(cell)!;
  const found = project.service.getDefinitionAtPosition(opened.file, toModule(opened.module, at)) ?? [];
  const owner = project.reading(project.owner(name)!)!;
  const top = owner.analysis.bindings.filter((binding) => binding.name === name).map((binding) => binding.at);
  const hits = found.some((one) => {
    const to = project.toCell(one.fileName, one.textSpan.start);
    return to !== null && to.cell === owner.cell.id && (top.includes(to.at) || owner.analysis.types.includes(name));
  });
  // an import of a package is defined elsewhere and still this cell's name
  const imported = owner.analysis.bindings.some((binding) => binding.name === name && binding.how === "import");
  return hits || (imported && isFree(project, cell, name, at)) ? name : null;
}

/** Does the identifier here mean the module's own or imported name, not a local one or a property? */
function isFree(project: Project, cell: string, name: string, at: number): boolean {
  const opened = project.open(cell)!;
  const program = project.service.getProgram()!;
  const source = program.getSourceFile(opened.file)!;
  const start = toModule(opened.module, wordAt(project.reading(cell)!.cell.source, at)!.from);
  const find = (node: ts.Node): ts.Node | undefined =>
    node.getStart(source) === start && ts.isIdentifier(node) ? node : ts.forEachChild(node, find);
  const node = find(source);
  const symbol = node && program.getTypeChecker().getSymbolAtLocation(node);
  return symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0 && symbol.name === name;
}

function everywhere(project: Project, name: string, word: { from: number; to: number; name: string }, to: string): Renaming {
  const home = project.owner(name);
  if (home === undefined) return { refused: `No cell defines \`${name}\`.` };
  const taken = project.owner(to);
  if (taken !== undefined) return { refused: `Cell ${taken} defines \`${to}\` already.` };
  if (libraryNames.includes(to)) return { refused: `\`${to}\` is a name of the library; a cell that defines it would hide it from all others.` };
  const edits: Edit[] = [];
  for (const reading of project.readings()) {
    const { id, source } = reading.cell;
    const own = id === home;
    const tables = reading.templates.flatMap((template) => tablesIn(reading, template, name, to));
    if (!own && tables.length === 0 && !reading.words.has(name)) continue;
    try {
      const { splices } = own ? renameName(source, name, to) : renameUse(source, name, to, tables);
      edits.push(...splices.map((splice) => ({ cell: id, ...splice })));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { refused: `Cell ${id}: ${error.message.replace(/^The cell/, "it")}.` };
    }
  }
  return { ...word, edits };
}

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
    insert: token.type === "quoted" ? `"${to}"` : to,
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
