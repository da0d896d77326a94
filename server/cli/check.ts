/** `touchstone check FILE`: syntax, the graph (clashes, cycles, foreign writes) and types across cells. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { parseBytes } from "../../kernels/notebook/decode.js";
import { entry } from "../../kernels/paths/paths.js";
import { viewGraph } from "../sessions/graph.js";
import { Failure } from "./failure.js";
import { findNotebook } from "./notebook.js";

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
  for (const problem of await types(notebook.file)) if (!broken.has(problem.cell)) found.push({ ...problem, severity: "error" });
  for (const { cell, line, column, severity, message } of found) {
    const where = [cell === null ? file : `cell ${cell}`, line === null ? "" : `line ${line}${column === null ? "" : `:${column}`}`]
      .filter((part) => part !== "")
      .join(" ");
    say(`${where}  ${severity}: ${message}`);
  }
  const errors = found.filter((other) => other.severity === "error").length;
  const code = notebook.source.cells.filter((cell) => cell.kind !== "markdown").length;
  say(errors === 0 ? `${code} cells checked: no errors` : `${code} cells checked: ${errors} ${errors === 1 ? "error" : "errors"}`);
  return errors === 0 ? 0 : 1;
}

/** In a process of its own: TypeScript needs 300 MB. */
async function types(file: string): Promise<{ cell: string; line: number; column: number; message: string }[]> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [entry("language"), file], { maxBuffer: 64 * 2 ** 20, timeout: 300_000 });
    return JSON.parse(stdout) as { cell: string; line: number; column: number; message: string }[];
  } catch (error) {
    throw new Failure(1, `The types could not be checked: ${(error as Error).message.split("\n").slice(0, 2).join(" ")}`);
  }
}
