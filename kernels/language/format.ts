/** Formatting by TypeScript's own formatter: spaces and line starts, never a reflow, so that the author's lines and templates stay. */
import ts from "typescript";
import type { Edit } from "../protocol/language.js";
import type { Project } from "./project.js";

export const style: ts.FormatCodeSettings = {
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
