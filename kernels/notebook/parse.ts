/** A notebook from its text (design 3). Total: any text gives cells, or one cell that shows the text and the reason why. */
import type { Cell, NotebookSource, Problem } from "../protocol/document.js";
import { parseFront } from "./front.js";
import { parseMarker } from "./marker.js";
import { conflictLine, uncomment } from "./print.js";
import { isMarker, scanCode } from "./scan.js";

export interface Parsed {
  source: NotebookSource;
  /** of the file: lines are the file's, from 1 */
  problems: Problem[];
  /** why the file cannot be read as cells; then `source` has one cell with the whole text, and the file must not be written */
  broken: string | null;
}

/** `text` as read from the file, with BOM and line ends. */
export function parseNotebook(text: string): Parsed {
  const bom = text.startsWith("\uFEFF");
  const bare = bom ? text.slice(1) : text;
  // one kind of line end throughout: the cells hold \n and the file is written back as it was; a mixed file keeps its bytes
  const crlf = bare.includes("\n") && !/(?<!\r)\n/.test(bare);
  const body = crlf ? bare.replaceAll("\r\n", "\n") : bare;
  const reading = readCells(body);
  if (typeof reading === "string") {
    return { source: { front: {}, cells: [{ id: "file", kind: "code", source: text, options: {} }] }, problems: [], broken: reading };
  }
  const empty = reading.source.cells.length === 0 && Object.keys(reading.source.front).length === 0;
  return { source: { ...reading.source, ...(crlf && !empty && { crlf }), ...(bom && { bom }) }, problems: reading.problems, broken: null };
}

function readCells(text: string): { source: NotebookSource; problems: Problem[] } | string {
  const conflict = conflictAt(text);
  if (conflict !== null) return `line ${conflict}: the file has unresolved conflict markers (<<<<<<< ======= >>>>>>>); resolve them in an editor`;
  const head = text.split("\n");
  const { front, taken, problems } = parseFront(head);
  let at = head.slice(0, taken).reduce((sum, line) => sum + line.length + 1, 0);
  const cells: (Omit<Cell, "id"> & { id: string | null })[] = [];

  while (at < text.length) {
    const marked = isMarker(text, at);
    let start = at;
    let marker = parseMarker("");
    if (marked) {
      const eol = text.indexOf("\n", at);
      start = eol < 0 ? text.length : eol + 1;
      marker = parseMarker(text.slice(at + 5, eol < 0 ? text.length : eol));
      if (marker.unknown) {
        const line = lineOf(text, at);
        problems.push({ type: "syntax", severity: "warning", line, message: `Line ${line}: ${marker.unknown}` });
      }
    }
    let source: string;
    if (marker.kind === "markdown" || marker.unfinished) {
      const { lines, next } = commented(text, start);
      source = uncomment(lines);
      at = next;
      if (at < text.length && !isMarker(text, at))
        problems.push({
          type: "syntax",
          severity: "warning",
          line: lineOf(text, at),
          message: `Line ${lineOf(text, at)}: code below the comment lines of a ${marker.kind} cell is read as a cell of its own`,
        });
    } else {
      const { stop, open } = scanCode(text, start);
      if (open) return `line ${lineOf(text, open.at)}: a ${open.what} begins here and is not closed`;
      source = trimEnd(text.slice(start, stop), stop < text.length);
      at = stop;
    }
    if (marked || source.trim() !== "") cells.push({ id: marker.id, kind: marker.kind, source, options: marker.options });
  }
  return { source: { front, cells: withIds(cells, problems) }, problems };
}

/** The comment lines and blank lines from `at` on; blank lines at either end belong to the file, not to the cell. */
function commented(text: string, at: number): { lines: string[]; next: number } {
  const lines: string[] = [];
  while (at < text.length && !isMarker(text, at)) {
    const eol = text.indexOf("\n", at);
    const end = eol < 0 ? text.length : eol;
    const line = text.slice(at, end);
    if (!line.startsWith("//") && line.trim() !== "") break;
    lines.push(line.startsWith("//") ? line : "");
    at = Math.min(end + 1, text.length);
  }
  while (lines.at(-1) === "") lines.pop();
  while (lines[0] === "") lines.shift();
  return { lines, next: at };
}

/** The printer ends a source with one line end, and sets a blank line before the next marker. */
function trimEnd(body: string, followed: boolean): string {
  if (followed && body.endsWith("\n\n")) return body.slice(0, -2);
  return body.endsWith("\n") ? body.slice(0, -1) : body;
}

/** Cells are kept by id in plain objects, also in the journal and on the wire. */
export const isReserved = (id: string): boolean => id in {};

/** Ids that are missing, taken or reserved are made from the content, so that the same file always gives the same ids. */
function withIds(cells: (Omit<Cell, "id"> & { id: string | null })[], problems: Problem[]): Cell[] {
  const taken = new Set(cells.map((cell) => cell.id).filter((id) => id !== null));
  const seen = new Set<string>();
  return cells.map((cell) => {
    let id = cell.id;
    if (id === null || seen.has(id) || isReserved(id)) {
      if (id !== null)
        problems.push({
          type: "syntax",
          severity: "warning",
          message: seen.has(id)
            ? `Two cells have the id ${JSON.stringify(id)}; the later one gets a new id`
            : `${JSON.stringify(id)} cannot be a cell's id: every object of JavaScript has that property; the cell gets a new id`,
        });
      const stem = id ?? contentId(`${cell.kind}\n${cell.source}`);
      id = stem;
      for (let n = 2; taken.has(id); n++) id = `${stem}-${n}`;
      taken.add(id);
    }
    seen.add(id);
    return { id, kind: cell.kind, source: cell.source, options: cell.options };
  });
}

/** FNV-1a over UTF-16 units, base 36: "c1k2j3". Not a secret, only the same for the same text. */
export function contentId(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `c${(hash >>> 0).toString(36)}`;
}

function lineOf(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/** Line of `<<<<<<<` when `=======` and `>>>>>>>` follow it. */
function conflictAt(text: string): number | null {
  if (!conflictLine.test(text)) return null;
  let start: number | null = null;
  let middle = false;
  for (const [i, line] of text.split("\n").entries()) {
    if (!conflictLine.test(line)) continue;
    if (line.startsWith("<")) {
      start ??= i + 1;
      middle = false;
    } else if (line.startsWith("=")) middle = start !== null;
    else if (line.startsWith(">") && start !== null && middle) return start;
  }
  return null;
}
