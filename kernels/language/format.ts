/** Formatting by TypeScript's own formatter: spaces and line starts, never a reflow, so that the author's lines and templates stay. */
import ts from "typescript";
import type { Edit, Fix } from "../protocol/language.js";
import type { Project } from "./project.js";
import { toCell, toModule } from "./virtual.js";

const style: ts.FormatCodeSettings = {
  ...ts.getDefaultFormatCodeSettings("\n"),
  indentSize: 2,
  tabSize: 2,
  convertTabsToSpaces: true,
  semicolons: ts.SemicolonPreference.Ignore,
  insertSpaceAfterFunctionKeywordForAnonymousFunctions: true,
};

/** Edits of one text, last first. */
export function formatText(source: string): { at: number; remove: number; insert: string }[] {
  const snapshot = ts.ScriptSnapshot.fromString(source);
  const service = ts.createLanguageService(
    {
      getCompilationSettings: () => ({ target: ts.ScriptTarget.ES2023 }),
      getScriptFileNames: () => ["cell.ts"],
      getScriptVersion: () => "1",
      getScriptSnapshot: (name) => (name === "cell.ts" ? snapshot : undefined),
      getCurrentDirectory: () => "",
      getDefaultLibFileName: () => "lib.d.ts",
      fileExists: (name) => name === "cell.ts",
      readFile: () => undefined,
    },
    undefined,
    ts.LanguageServiceMode.Syntactic,
  );
  try {
    return service
      .getFormattingEditsForDocument("cell.ts", style)
      .map(({ span, newText }) => ({ at: span.start, remove: span.length, insert: newText }))
      .filter(({ at, remove, insert }) => source.slice(at, at + remove) !== insert)
      .sort((a, b) => b.at - a.at);
  } finally {
    service.dispose();
  }
}

export function format(project: Project, cell: string): Edit[] {
  project.sync();
  const reading = project.reading(cell);
  // what does not parse would be taken apart
  if (reading?.broken) throw new RangeError("The cell has a syntax error: correct it first, then it can be formatted.");
  return reading === undefined ? [] : formatText(reading.cell.source).map((edit) => ({ cell, ...edit }));
}

/** Cheap repairs: did you mean, add await, missing async. Those that would touch another file are left out. */
const repairs = [2551, 2552, 2570, 2724, 2304, 1308, 2339, 2322, 2345, 2801, 2365, 2363, 2362, 2356, 18004];
const wanted = new Set(["spelling", "addMissingAwait", "addMissingAwaitToInitializer", "fixAwaitInSyncFunction", "addMissingInvocationForDecorator"]);

export function fixes(project: Project, cell: string, from: number, to: number): Fix[] {
  const opened = project.open(cell);
  if (opened === null) return [];
  const { file, module } = opened;
  const [start, end] = [toModule(module, from), toModule(module, to)];
  const codes = project.service
    .getSemanticDiagnostics(file)
    .filter((one) => (one.start ?? 0) <= end && (one.start ?? 0) + (one.length ?? 0) >= start && repairs.includes(one.code));
  const found = codes.flatMap((one) =>
    project.service
      .getCodeFixesAtPosition(file, one.start!, one.start! + one.length!, [one.code], style, { quotePreference: "double" })
      .filter((fix) => wanted.has(fix.fixName)),
  );
  const awaited = codes.flatMap((one): Fix[] => missingAwait(project, file, one, cell));
  return awaited.concat(
    found.flatMap((fix): Fix[] => {
      const edits: Edit[] = [];
      for (const change of fix.changes) {
        for (const { span, newText } of change.textChanges) {
          const at = change.fileName === file ? toCell(module, span.start) : null;
          if (at === null) return [];
          edits.push({ cell, at, remove: span.length, insert: newText });
        }
      }
      return edits.length === 0 ? [] : [{ label: fix.description, edits: edits.sort((a, b) => b.at - a.at) }];
    }),
  );
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
