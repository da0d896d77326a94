/** `touchstone check FILE`: syntax, the graph (clashes, cycles, foreign writes) and types across cells. */
import { readFileSync } from "node:fs";
import { parseBytes } from "../../kernels/notebook/decode.js";
import type { Cell } from "../../kernels/protocol/document.js";
import type { CodeProblem, LanguageAnswers } from "../../kernels/protocol/language.js";
import { startLanguage } from "../language/process.js";
import { viewGraph } from "../sessions/graph.js";
import { workspaceOf } from "../sessions/paths.js";
import { Failure } from "./failure.js";
import { findNotebook, type NamedNotebook } from "./notebook.js";

interface Found {
  cell: string | null;
  line: number | null;
  column: number | null;
  severity: "error" | "warning";
  message: string;
}

/** 0, or 1 when something is wrong; warnings alone are no failure. */
export async function check({ file, say }: { file: string; say(text: string): void }): Promise<number> {
  const notebook = findNotebook(file);
  const found: Found[] = parseBytes(readFileSync(notebook.file)).problems.map((problem) => ({
    cell: null,
    line: problem.line ?? null,
    column: problem.column ?? null,
    severity: problem.severity,
    message: problem.message,
  }));
  const graph = viewGraph(notebook.source.cells);
  for (const cell of notebook.source.cells)
    for (const problem of graph.cells.get(cell.id)!.problems)
      found.push({ cell: cell.id, line: problem.line ?? null, column: problem.column ?? null, severity: problem.severity, message: problem.message });
  // a cell that does not parse has no types to check; the others have
  const broken = new Set(found.filter((other) => other.severity === "error").map((other) => other.cell));
  for (const [cell, problems] of Object.entries(await types(notebook)))
    if (!broken.has(cell)) for (const problem of problems) found.push({ cell, ...problem });
  const begins = firstLines(readFileSync(notebook.file, "utf8"), notebook.source.cells);
  for (const { cell, line, column, severity, message } of found) {
    const first = cell === null ? 1 : (begins.get(cell) ?? 1);
    // as compilers say it, so that editors lead there
    const where = [file, line === null ? (cell === null ? null : first) : first + line - 1, line === null ? null : column].filter(
      (part) => part !== null,
    );
    say(`${where.join(":")}  ${severity}: ${message}${cell === null ? "" : ` (cell ${cell})`}`);
  }
  const errors = found.filter((other) => other.severity === "error").length;
  const code = notebook.source.cells.filter((cell) => cell.kind !== "markdown").length;
  say(errors === 0 ? `${code} cells checked: no errors` : `${code} cells checked: ${errors} ${errors === 1 ? "error" : "errors"}`);
  return errors === 0 ? 0 : 1;
}

/** Line of the file on which each cell's code begins. Between two cells of code stand markers and comments alone. */
export function firstLines(text: string, cells: readonly Cell[]): Map<string, number> {
  const lines = text.replaceAll("\r\n", "\n");
  const found = new Map<string, number>();
  let at = 0;
  let line = 1;
  for (const { id, kind, source } of cells) {
    if (kind === "markdown" || source.trim() === "") continue;
    const start = at === 0 && lines.startsWith(source) ? 0 : lines.indexOf(`\n${source}`, at) + 1;
    // an unfinished cell stands in the file as a comment
    if (start === 0 && at > 0) continue;
    line += lines.slice(at, start).split("\n").length - 1;
    found.set(id, line);
    at = start + source.length;
    line += source.split("\n").length - 1;
  }
  return found;
}

/** By the same service as the editor's, in a process of its own. */
async function types({ file, root, source: { cells } }: NamedNotebook): Promise<Record<string, CodeProblem[]>> {
  const language = startLanguage({ ready: () => undefined, problems: () => undefined });
  try {
    language.send({ type: "open", notebook: file, workspace: workspaceOf(root, file), rev: 1, cells });
    const { value } = await language.ask({ client: "check", notebook: file, question: { ask: "problems" } });
    return value as LanguageAnswers["problems"];
  } catch (error) {
    throw new Failure(1, `The types could not be checked: ${(error as Error).message}`);
  } finally {
    language.stop();
  }
}
