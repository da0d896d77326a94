/** A notebook as text: percent format, source only. `parseNotebook(printNotebook(x))` gives x back. */
import type { Cell, NotebookSource } from "../protocol/document.js";
import { printFront } from "./front.js";
import { printMarker } from "./marker.js";
import { scanCode } from "./scan.js";

/** The line beginnings that git leaves in a file with conflicts. */
export const conflictLine = /^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|$)/m;

/** Never print a notebook whose parse was `broken`: that text is kept as it is. */
export function printNotebook(source: NotebookSource): string {
  const front = printFront(source.front);
  const cells = source.cells.map(printCell);
  const text = [front, ...cells].filter((part) => part !== "").join("\n");
  return (source.bom ? "\uFEFF" : "") + (source.crlf ? text.replaceAll("\n", "\r\n") : text);
}

function printCell(cell: Cell): string {
  const unfinished = cell.kind !== "markdown" && !standsAlone(cell.source);
  const body = cell.kind === "markdown" || unfinished ? comment(cell.source) : cell.source;
  return `${printMarker(cell.kind, cell.id, cell.options, unfinished)}\n${body}\n`;
}

/**
 * Can the source be written as it is? Not when a template literal or comment is open at its end (it would swallow the cells that follow),
 * nor when one of its lines would be read as a marker or a conflict. Such a cell is written commented, with `unfinished` in its marker.
 */
export function standsAlone(source: string): boolean {
  const { stop, open } = scanCode(source);
  return stop === source.length && open === null && !conflictLine.test(source);
}

/** Each line behind `// `; a line that starts with %% behind `//`, so that it is no marker. */
export function comment(text: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "//" : line.startsWith("%%") ? `//${line}` : `// ${line}`))
    .join("\n");
}

/** The text behind the comment signs. */
export function uncomment(lines: readonly string[]): string {
  return lines.map((line) => line.replace(/^\/\/ ?/, "")).join("\n");
}
