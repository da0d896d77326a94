/** A grid's rows as a file of the person's. */
import type { Filter, SortKey } from "../../kernels/protocol/document.js";
import { download } from "../controllers/download.js";
import { csv, type RowSource } from "../controllers/rows.js";

const fileName = (source: RowSource): string => source.name.replace(/[^\w.-]+/g, "_");

/** Streamed by the server: the page never holds it. */
export function fetchFile(source: RowSource, href: string, extension: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = `${fileName(source)}.${extension}`;
  link.click();
}

export async function saveCsv(source: RowSource, sort: SortKey[], where: Filter[]): Promise<void> {
  const href = source.csv(sort, where);
  if (href !== null) return fetchFile(source, href, "csv");
  const { rows } = await source.page(0, Infinity, sort, where);
  const names = source.columns.map((column) => column.name);
  download(`${fileName(source)}.csv`, "text/csv", csv(names, rows));
}
