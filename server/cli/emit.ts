/** `touchstone emit FILE`: the notebook as one module, cells in the order of their needs, library names imported. */
import { writeFileSync } from "node:fs";
import type { Cell } from "../../kernels/protocol/document.js";
import { libraryNames } from "../../kernels/reactive/references.js";
import { renameName } from "../../kernels/reactive/rename.js";
import { viewGraph } from "../sessions/graph.js";
import { Failure } from "./failure.js";
import { findNotebook } from "./notebook.js";

export async function emit({ file, out, say }: { file: string; out: string | null; say(text: string): void }): Promise<number> {
  const { source } = findNotebook(file);
  const text = emitModule(source.cells, source.front.title ?? null);
  if (out === null) say(text.trimEnd());
  else writeFileSync(out, text);
  return 0;
}

/** Throws a Failure where no order or no single module exists: a clash, a cycle, a syntax error. */
export function emitModule(cells: readonly Cell[], title: string | null): string {
  const graph = viewGraph(cells);
  for (const cell of cells) {
    const error = graph.cells.get(cell.id)!.problems.find((problem) => problem.severity === "error");
    if (error !== undefined) throw new Failure(1, `Cell ${cell.id}${error.line === undefined ? "" : ` line ${error.line}`}: ${error.message}.`);
  }
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const used = new Set<string>();
  const defined = new Set([...graph.cells.values()].flatMap((view) => view.defines));
  // names that are private to a cell would meet in one module
  const taken = new Set(defined);
  const parts: string[] = [];
  for (const id of placeTexts(cells, graph.order)) {
    const cell = byId.get(id)!;
    const { analysis } = graph.readings.get(id)!;
    if (cell.kind === "markdown") {
      parts.push(
        cell.source
          .split("\n")
          .map((line) => `// ${line}`.trimEnd())
          .join("\n"),
      );
      continue;
    }
    for (const name of analysis.uses) if (libraryNames.includes(name) && !defined.has(name)) used.add(name);
    let text = cell.source;
    for (const name of analysis.privates) {
      let fresh = name;
      for (let n = 2; taken.has(fresh); n++) fresh = `${name}${n}`;
      taken.add(fresh);
      if (fresh !== name) text = renameName(text, name, fresh).source;
    }
    parts.push(`// ${id}\n${text}`);
  }
  // `console` is everywhere
  used.delete("console");
  const head = [
    ...(title === null ? [] : [`// ${title}`]),
    ...(used.size === 0 ? [] : [`import { ${[...used].sort().join(", ")} } from "touchstone"`]),
  ];
  return `${[...head, ...parts, "export {}"].join("\n\n")}\n`;
}

/** Each text stays before the cell that it stands before in the document. */
function placeTexts(cells: readonly Cell[], order: readonly string[]): string[] {
  const before = new Map<string, string[]>();
  let texts: string[] = [];
  for (const cell of cells) {
    if (cell.kind === "markdown") texts.push(cell.id);
    else {
      before.set(cell.id, texts);
      texts = [];
    }
  }
  const code = order.filter((id) => before.has(id));
  return [...code.flatMap((id) => [...before.get(id)!, id]), ...texts];
}
