/** Quick fixes: TypeScript's repairs that stay in the cell, and the names that DuckDB proposes. */
import ts from "typescript";
import type { CodeProblem, Edit, Fix } from "../protocol/language.js";
import { style } from "./format.js";
import type { Project } from "./project.js";
import { toCell, toModule, type Module } from "./virtual.js";

/** Repairs that are right more often than not; those that write types, stubs or other files are left out. */
const wanted = new Set([
  "spelling",
  "import",
  "addMissingConst",
  "addMissingAwait",
  "addMissingAwaitToInitializer",
  "fixAwaitInSyncFunction",
  "addMissingNewOperator",
  "addMissingDeclareProperty",
  "addNameToNamelessParameter",
  "constructorForDerivedNeedSuperCall",
  "extendsInterfaceBecomesImplements",
  "fixUnreachableCode",
  "fixUnusedLabel",
  "forgottenThisPropertyAccess",
  "invalidJsxCharacters",
  "unusedIdentifier",
]);
/** Of what TypeScript only suggests: what is never read, never reached, or has no effect. */
const suggested = new Set([6133, 6138, 6192, 6196, 6198, 6199, 7027, 7028]);

/** Repairs for the findings between two places of a cell. `said`: what DuckDB says against its SQL. */
export function fixes(project: Project, cell: string, from: number, to: number, said: readonly CodeProblem[]): Fix[] {
  const opened = project.open(cell, "all");
  if (opened === null) return [];
  const { file, module } = opened;
  const { service } = project;
  const [start, end] = [toModule(module, from), toModule(module, to)];
  const touched = (one: ts.Diagnostic) => (one.start ?? 0) >= module.prologue && one.start! <= end && one.start! + (one.length ?? 0) >= start;
  const problems = [
    ...service.getSemanticDiagnostics(file),
    ...service.getSuggestionDiagnostics(file).filter((one) => suggested.has(one.code)),
  ].filter(touched);
  const found = problems.flatMap((one) =>
    service
      .getCodeFixesAtPosition(file, one.start!, one.start! + one.length!, [one.code], style, { quotePreference: "double" })
      .filter((fix) => wanted.has(fix.fixName)),
  );
  const labels = new Set(found.map((fix) => fix.description));
  const list = problems.flatMap((one): Fix[] => missingAwait(project, file, one, cell));
  for (const fix of found) {
    // a module of Node has two names: the plain one could be a package's
    // and what lies below it (`node:path/posix`) is the same again
    if (
      fix.fixName === "import" &&
      [/"(.+)"$/, /"node:(.+)\/.+"$/].some((name) => name.test(fix.description) && labels.has(fix.description.replace(name, '"node:$1"')))
    )
      continue;
    const edits = fix.changes.flatMap((change) =>
      change.textChanges.map((one) => (change.fileName === file ? editOf(project, cell, module, fix, one) : null)),
    );
    if (edits.length === 0 || edits.includes(null)) continue;
    list.push({ label: fix.description, edits: (edits as Edit[]).sort((a, b) => b.at - a.at) });
  }
  list.push(...said.filter((one) => one.from <= to && one.to >= from).flatMap((one) => proposals(project, cell, one)));
  return [...new Map(list.map((fix) => [fix.label, fix])).values()];
}

/** null when it is not of the cell's own text. */
function editOf(project: Project, cell: string, module: Module, fix: ts.CodeFixAction, change: ts.TextChange): Edit | null {
  const { span, newText } = change;
  const at = toCell(module, span.start);
  if (at !== null && (at > 0 || fix.fixName !== "import" || span.length > 0)) {
    return toCell(module, span.start + span.length) === null ? null : { cell, at, remove: span.length, insert: newText };
  }
  // a new import stands before or after the line that we add: it becomes the cell's first
  if (fix.fixName !== "import" || span.length > 0 || /\.(names|cell\d+)(\.ts)?"/.test(newText)) return null;
  const { source } = project.reading(cell)!.cell;
  const text = newText.trim();
  return { cell, at: 0, remove: 0, insert: `${/;\s*$/m.test(source) ? text : text.replace(/;$/, "")}\n` };
}

/** `Did you mean "delay"`, `Candidate bindings: "delay", "date"`: each replaces the word that is marked. */
function proposals(project: Project, cell: string, problem: CodeProblem): Fix[] {
  const word = project.reading(cell)!.cell.source.slice(problem.from, problem.to);
  const list = /(?:candidate (?:bindings|entries|functions):|did you mean)(.*)/is.exec(problem.message)?.[1];
  if (list === undefined || !/^[\p{L}_][\p{L}\p{N}_$]*$/u.test(word)) return [];
  const names = [...list.matchAll(/[`"]([^`"\n]+)[`"]/g)].map((match) => match[1]!);
  return [...new Set(names)].slice(0, 5).map((name) => ({
    label: `Change spelling to \`${name}\``,
    edits: [{ cell, at: problem.from, remove: word.length, insert: /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"` }],
  }));
}

/** `p.then` was not meant: `(await p).name`. TypeScript offers it inside of functions alone. */
function missingAwait(project: Project, file: string, problem: ts.Diagnostic, cell: string): Fix[] {
  const forgot = (problem.relatedInformation ?? []).some((one) => one.code === 2773);
  const source = project.service.getProgram()?.getSourceFile(file);
  const found = project.cellOf(file);
  if (!forgot || problem.code !== 2339 || source === undefined || found === null) return [];
  const find = (node: ts.Node): ts.PropertyAccessExpression | undefined =>
    ts.isPropertyAccessExpression(node) && node.name.getStart(source) === problem.start ? node : ts.forEachChild(node, find);
  const access = find(source);
  if (access === undefined) return [];
  const [from, to] = [toCell(found.module, access.expression.getStart(source)), toCell(found.module, access.expression.end)];
  if (from === null || to === null) return [];
  return [
    {
      label: "Add await",
      edits: [
        { cell, at: to, remove: 0, insert: ")" },
        { cell, at: from, remove: 0, insert: "(await " },
      ],
    },
  ];
}
