/** One question about a notebook's code, answered. */
import type { CodeProblem, Completions, LanguageAnswer, LanguageAnswers, LanguageQuestion } from "../protocol/language.js";
import { complete, detail } from "./complete.js";
import { fixes } from "./fixes.js";
import { format } from "./format.js";
import { hover, signature } from "./info.js";
import { definition, references } from "./navigate.js";
import { extraCell, type Project } from "./project.js";
import { rename } from "./rename.js";
import { sqlComplete, sqlDefinition, sqlHover } from "./sql.js";
import { templateAt } from "./sql-text.js";
import type { Schemas } from "./schemas.js";

export type QuickQuestion = Exclude<LanguageQuestion, { ask: "problems" }>;

/** Answers from the cells as they are now. An unknown cell or a text cell has nothing to say. */
export async function answer(
  project: Project,
  schemas: Schemas,
  question: QuickQuestion,
  /** what DuckDB says against a cell's SQL */ said: (cell: string) => readonly CodeProblem[] = () => [],
): Promise<LanguageAnswer> {
  const code = "code" in question && question.cell === extraCell ? (question.code ?? "") : null;
  if (code !== null) project.extra(code);
  try {
    project.sync();
    const reading = project.reading(question.cell);
    if (reading === undefined) return empty(question);
    if ("at" in question && question.ask !== "rename") {
      const place = Math.max(0, Math.min(question.at, reading.cell.source.length));
      const template = templateAt(reading, place);
      if (template !== null) {
        const here = { project, schemas, reading, template, at: place };
        if (question.ask === "complete") return await sqlComplete(here);
        if (question.ask === "hover") return await sqlHover(here);
        if (question.ask === "definition") return sqlDefinition(here);
        return empty(question);
      }
      return direct(project, { ...question, at: place }, said);
    }
    return direct(project, question, said);
  } finally {
    if (code !== null) project.extra(null);
  }
}

function direct(project: Project, question: QuickQuestion, said: (cell: string) => readonly CodeProblem[]): LanguageAnswer {
  switch (question.ask) {
    case "complete":
      return complete(project, question.cell, question.at, question.trigger);
    case "detail":
      return detail(project, question.cell, question.at, question.label);
    case "hover":
      return hover(project, question.cell, question.at);
    case "signature":
      return signature(project, question.cell, question.at);
    case "definition":
      return definition(project, question.cell, question.at);
    case "references":
      return references(project, question.cell, question.at);
    case "rename":
      return rename(project, question.cell, question.at, question.to);
    case "format":
      return format(project, question.cell);
    case "fixes":
      return fixes(project, question.cell, question.from, question.to, said(question.cell));
  }
}

function empty(question: QuickQuestion): LanguageAnswer {
  const at = "at" in question ? question.at : 0;
  const none: Omit<LanguageAnswers, "problems"> = {
    complete: { from: at, to: at, items: [], incomplete: false } satisfies Completions,
    detail: null,
    hover: null,
    signature: null,
    definition: [],
    references: [],
    rename: { refused: "There is nothing to rename here." },
    format: [],
    fixes: [],
  };
  return none[question.ask];
}
