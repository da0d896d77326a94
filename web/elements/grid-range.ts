/** Cells that are selected together, from the one where a person began to the one where they are, and their text for a spreadsheet. */
import type { Filter, SortKey } from "../../kernels/protocol/document.js";
import { plural } from "../controllers/format.js";
import { cellText, type RowSource } from "../controllers/rows.js";

export interface Place {
  row: number;
  column: number;
}
/** First and last row and column, both inside. */
export interface Range {
  rows: [number, number];
  columns: [number, number];
}

/** Cells that are copied at once; more of them are a file. */
export const mostCopied = 500_000;
/** rows of one question */
const step = 10_000;

export function rangeOf(from: Place, to: Place): Range {
  const sorted = (a: number, b: number): [number, number] => (a < b ? [a, b] : [b, a]);
  return { rows: sorted(from.row, to.row), columns: sorted(from.column, to.column) };
}

export const holds = (range: Range | null, row: number, column: number): boolean =>
  range !== null && row >= range.rows[0] && row <= range.rows[1] && column >= range.columns[0] && column <= range.columns[1];

const size = ({ rows, columns }: Range): [number, number] => [rows[1] - rows[0] + 1, columns[1] - columns[0] + 1];

export function rangeText(range: Range): string {
  const [rows, columns] = size(range);
  return `${plural(rows, "row")} by ${plural(columns, "column")} selected`;
}

/** Tabs between columns; a text that holds one, a line end or a quote stands in quotes, as spreadsheets read it. NULL is empty. */
export async function rangeTsv(source: RowSource, range: Range, sort: SortKey[], where: Filter[]): Promise<string> {
  const [rows, width] = size(range);
  if (rows * width > mostCopied)
    throw new Error(
      `${plural(rows * width, "cell")} are too many to copy (at most ${mostCopied.toLocaleString("en")}): download a file, or select fewer`,
    );
  const columns = source.columns.slice(range.columns[0], range.columns[1] + 1);
  const names = columns.map(({ name }) => name);
  const lines: string[] = [];
  for (let at = range.rows[0]; at <= range.rows[1]; at += step) {
    const page = await source.page(at, Math.min(step, range.rows[1] + 1 - at), sort, where, names);
    for (const row of page.rows) lines.push(row.map((value, i) => (value === null ? "" : field(cellText(value, columns[i]!.type, 17)))).join("\t"));
  }
  return lines.join("\n");
}

const field = (text: string): string => (/["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
