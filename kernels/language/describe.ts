/** Schemas of a notebook's queries: inputs first, so that a query over another cell's result has its columns too. */
import ts from "typescript";
import type { CodeProblem } from "../protocol/language.js";
import type { ColumnInfo } from "../protocol/output.js";
import { sqlTables } from "../reactive/tables.js";
import { place } from "./problems.js";
import { templateKey, templateText, type Project } from "./project.js";
import type { Schemas } from "./schemas.js";
import { toModule, type Reading, type Template } from "./virtual.js";

/** Tables that a cell's SQL may name: other cells' relations, with their columns where they are known. */
export function tablesOf(project: Project, cell: string): Map<string, ColumnInfo[] | null> {
  const found = new Map<string, ColumnInfo[] | null>();
  for (const reading of project.readings()) {
    if (reading.cell.id === cell) continue;
    for (const name of reading.analysis.defines) {
      if (project.owner(name) !== reading.cell.id) continue;
      const described = schemaOf(project, reading, name);
      if (described !== undefined) found.set(name, described);
      else {
        const columns = typedColumns(project, reading, name);
        if (columns !== undefined) found.set(name, columns);
      }
    }
  }
  return found;
}

/** undefined: the name is no query of SQL; null: it is one that is not described. */
function schemaOf(project: Project, reading: Reading, name: string): ColumnInfo[] | null | undefined {
  const index = reading.templates.findIndex((template) => template.name === name);
  if (index < 0) return reading.broken && reading.cell.kind === "sql" ? null : undefined;
  return project.schemas.get(templateKey(reading.cell.id, index))?.columns ?? null;
}

/** Columns of a relation that code makes (`relation({...})`, `flights.where(...)`), by its type; undefined when it is no relation. */
function typedColumns(project: Project, reading: Reading, name: string): ColumnInfo[] | null | undefined {
  const file = project.fileOf(reading.cell.id);
  const checker = project.service.getProgram()?.getTypeChecker();
  const source = file === null ? undefined : project.service.getProgram()?.getSourceFile(file);
  const symbol = source && checker?.getSymbolAtLocation(source);
  const exported = symbol && checker!.getExportsOfModule(symbol).find((one) => one.name === name);
  if (exported === undefined) return undefined;
  const target = exported.flags & ts.SymbolFlags.Alias ? checker!.getAliasedSymbol(exported) : exported;
  return relationColumns(checker!, checker!.getTypeOfSymbol(target));
}

/** A Relation<R>'s R as columns; null when R is open, undefined when it is no relation. */
function relationColumns(checker: ts.TypeChecker, type: ts.Type): ColumnInfo[] | null | undefined {
  if ((type.aliasSymbol ?? type.symbol)?.name !== "Relation") return undefined;
  const row = checker.getTypeArguments(type as ts.TypeReference)[0];
  if (row === undefined || row.getStringIndexType() !== undefined) return null;
  return row.getProperties().map((property) => ({ name: property.name, type: duckType(checker, checker.getTypeOfSymbol(property)) }));
}

/** The DuckDB type that a value of this type becomes. */
function duckType(checker: ts.TypeChecker, type: ts.Type): string {
  const bare = checker.getNonNullableType(type);
  const text = checker.typeToString(checker.getBaseTypeOfLiteralType(bare));
  if (text === "number") return "DOUBLE";
  if (text === "bigint") return "HUGEINT";
  if (text === "boolean") return "BOOLEAN";
  if (text === "Date") return "TIMESTAMP";
  if (text.startsWith("Uint8Array")) return "BLOB";
  return text === "string" || bare.flags & ts.TypeFlags.StringLike ? "VARCHAR" : '"NULL"';
}

/** What each hole of a template is: a DuckDB type, or the columns of a relation. */
function holesOf(project: Project, reading: Reading, template: Template): (string | ColumnInfo[])[] {
  if (template.holes.length === 0) return [];
  const opened = project.open(reading.cell.id)!;
  const program = project.service.getProgram()!;
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(opened.file)!;
  return template.holes.map(({ from, to }) => {
    const [start, end] = [toModule(opened.module, from), toModule(opened.module, to)];
    const find = (node: ts.Node): ts.Node | undefined =>
      node.getStart(source) === start && node.end === end ? node : node.pos <= start && node.end >= end ? ts.forEachChild(node, find) : undefined;
    const node = find(source);
    if (node === undefined) return '"NULL"';
    const type = checker.getTypeAtLocation(node);
    const columns = relationColumns(checker, type);
    // a relation with unknown rows stands for itself alone
    if (columns !== undefined) return columns ?? [];
    return duckType(checker, type);
  });
}

/** Brings the schemas up to date. Returns what DuckDB says against each cell's SQL. */
export async function describeAll(project: Project, schemas: Schemas, stop: () => boolean): Promise<Map<string, CodeProblem[]>> {
  project.sync();
  const problems = new Map<string, CodeProblem[]>();
  const all = project.readings().flatMap((reading) => reading.templates.map((template, index) => ({ reading, template, index, done: false })));
  const makers = new Map(all.filter((one) => one.template.name !== null).map((one) => [one.template.name!.toLowerCase(), one]));
  const live = new Set(all.map(({ reading, index }) => templateKey(reading.cell.id, index)));
  // an unfinished cell keeps what is known of it
  const broken = new Set(
    project
      .readings()
      .filter((one) => one.broken)
      .map((one) => one.cell.id),
  );
  for (const key of [...project.schemas.keys()]) if (!live.has(key) && !broken.has(key.split("\0")[0]!)) project.schemas.delete(key);
  const visit = async (one: (typeof all)[number]): Promise<void> => {
    if (one.done || stop()) return;
    one.done = true;
    const { reading, template, index } = one;
    const id = reading.cell.id;
    const named = sqlTables(template.pieces.join(" 0 ")).map((name) => name.toLowerCase());
    for (const name of named) {
      const maker = makers.get(name);
      if (maker !== undefined && maker.reading.cell.id !== id) await visit(maker);
    }
    // a hole may be another query's result
    for (const hole of template.holes) {
      const word = /^[\w$]+/.exec(reading.cell.source.slice(hole.from, hole.to))?.[0]?.toLowerCase();
      const maker = word === undefined ? undefined : makers.get(word);
      if (maker !== undefined && maker !== one) await visit(maker);
    }
    if (stop()) return;
    const tables = new Map<string, ColumnInfo[]>();
    let unknown = false;
    if (named.length > 0)
      for (const [name, columns] of tablesOf(project, id)) {
        // the others are there to be proposed
        if (columns !== null) tables.set(name, columns);
        else if (named.includes(name.toLowerCase())) unknown = true;
      }
    const holes = holesOf(project, reading, template);
    const key = templateKey(id, index);
    // over something that only a run can tell
    const described =
      unknown || holes.some((hole) => Array.isArray(hole) && hole.length === 0) ? null : await schemas.describe(template.pieces, holes, tables);
    const before = project.schemas.get(key);
    if (described !== null && "columns" in described) {
      const next = { text: templateText(template, reading.cell.source), columns: described.columns };
      if (JSON.stringify(next) !== JSON.stringify(before)) {
        project.schemas.set(key, next);
        project.touch();
        project.sync();
      }
    } else {
      if (described === null && before !== undefined) {
        project.schemas.delete(key);
        project.touch();
      }
      if (described !== null) {
        const from = described.place === null ? template.from : (template.starts[described.place.piece] ?? template.from) + described.place.offset;
        const word = described.place === null ? null : /^[\p{L}\p{N}_$]+/u.exec(reading.cell.source.slice(from));
        const list = problems.get(id) ?? [];
        // the run is the judge: here it is a warning
        list.push({
          from,
          to: word === null ? Math.max(from, template.to) : from + word[0].length,
          ...place(reading.cell.source, from),
          severity: "warning",
          message: described.message,
        });
        problems.set(id, list);
      }
    }
  };
  for (const one of all) await visit(one);
  return problems;
}
