/** What is wrong with a cell's code, in its own coordinates. Nothing of it keeps the cell from running. */
import ts from "typescript";
import type { CodeProblem } from "../protocol/language.js";
import { tidy } from "./info.js";
import type { Project } from "./project.js";
import { toCell } from "./virtual.js";

/** Said better, or allowed, by the notebook itself. */
const silent = new Set([
  // assignment to an import: the graph says which cell the name is of
  2632,
  // an await in a cell is at the top level of a module, whatever TypeScript thinks of the file
  1375, 1378,
  // `const x` beside an import of x: the graph says that two cells define it
  2440,
]);

export function problemsOf(project: Project, cell: string): CodeProblem[] {
  const file = project.fileOf(cell);
  const found = file === null ? null : project.cellOf(file);
  if (file === null || found === null) return [];
  const { module } = found;
  const { source } = project.reading(cell)!.cell;
  const syntax = project.service.getSyntacticDiagnostics(file);
  return (syntax.length > 0 ? syntax : project.service.getSemanticDiagnostics(file)).flatMap((one): CodeProblem[] => {
    if (silent.has(one.code) || one.category === ts.DiagnosticCategory.Suggestion) return [];
    const start = one.start ?? 0;
    // an unfinished cell is noticed at the export line after it: that is its end
    const from = toCell(module, start, syntax.length > 0);
    if (from === null) return [];
    const to = Math.max(from, toCell(module, start + (one.length ?? 0), true) ?? from);
    return [
      {
        from,
        to,
        ...place(source, from),
        severity: one.category === ts.DiagnosticCategory.Error ? "error" : "warning",
        message: tidy(ts.flattenDiagnosticMessageText(one.messageText, "\n")),
        code: one.code,
      },
    ];
  });
}

/** Line and column, from 1. */
export function place(source: string, at: number): { line: number; column: number } {
  const before = source.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
