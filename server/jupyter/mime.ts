/** Our outputs as the ones that Jupyter's clients draw: each has text, tables are HTML too. */
import {
  mime,
  tileColumns,
  type CellError,
  type FindingView,
  type MimeBundle,
  type PlotlySpec,
  type TableView,
} from "../../kernels/protocol/output.js";

const escape = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const shown = (value: unknown) => (value === null ? "NULL" : typeof value === "object" ? JSON.stringify(value) : String(value));

interface Grid {
  columns: string[];
  rows: unknown[][];
  caption?: string;
}

function htmlTable({ columns, rows, caption }: Grid): string {
  const head = columns.map((name) => `<th>${escape(name)}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((value) => `<td>${escape(shown(value))}</td>`).join("")}</tr>`).join("");
  return `<table>${caption === undefined ? "" : `<caption>${escape(caption)}</caption>`}<thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function tableHtml({ columns, first, total }: TableView): string {
  const rows = first.slice(0, 20);
  // a wide table comes with the values of its first columns
  const names = columns.slice(0, first[0]?.length ?? tileColumns).map(({ name }) => name);
  const cut = [
    ...(total !== null && total <= rows.length ? [] : [`first ${rows.length} of ${total?.toLocaleString("en") ?? "..."} rows`]),
    ...(names.length < columns.length ? [`first ${names.length} of ${columns.length.toLocaleString("en")} columns`] : []),
  ];
  return htmlTable({ columns: names, rows, ...(cut.length > 0 && { caption: cut.join(", ") }) });
}

function findingHtml(view: FindingView): string {
  const tables = view.tables.map(({ title, columns, rows }) => htmlTable({ columns, rows, caption: title }));
  const warnings = view.warnings.map((text) => `<li>${escape(text)}</li>`).join("");
  return `<p><b>${escape(view.word)}</b>: ${escape(view.sentence)}</p>${tables.join("")}${warnings === "" ? "" : `<ul>${warnings}</ul>`}<p>${escape(view.method)} · ${escape(view.footer)}</p>`;
}

/** Standard forms of a bundle; ours stay in it for those who know them. */
export function toJupyter(data: MimeBundle): Record<string, unknown> {
  const table = data[mime.table] as TableView | undefined;
  const finding = data[mime.finding] as FindingView | undefined;
  const figure: PlotlySpec | undefined = finding?.figures[0];
  const plotly = data[mime.plotly] as PlotlySpec | undefined;
  return {
    ...data,
    ...(table && data[mime.html] === undefined && { [mime.html]: tableHtml(table) }),
    // a client that draws Plotly draws the richest form alone: a finding's sentence and tables matter more
    ...(finding && data[mime.html] === undefined && { [mime.html]: findingHtml(finding) }),
    ...(figure && data[mime.html] === undefined && !finding && { [mime.plotly]: figure }),
    // renderers want a layout
    ...(plotly && { [mime.plotly]: { data: plotly.data, layout: plotly.layout ?? {} } }),
    [mime.text]: typeof data[mime.text] === "string" ? data[mime.text] : plainText(data),
  };
}

function plainText(data: MimeBundle): string {
  const html = data[mime.html] ?? data[mime.svg];
  const text =
    typeof html === "string"
      ? html
          .replace(/<[^>]*>/g, " ")
          .replace(/\s+/g, " ")
          .trim()
      : "";
  return text === "" ? `<${Object.keys(data)[0] ?? "nothing"}>` : text;
}

// clients colour a traceback by these signs of terminals
const red = (text: string) => `\x1b[0;31m${text}\x1b[0m`;
const green = (text: string) => `\x1b[0;32m${text}\x1b[0m`;

/** An error as IPython tells it: name, message, and lines with the place in the request. */
export function toTraceback(error: CellError): { ename: string; evalue: string; traceback: string[] } {
  const lines: string[] = [];
  const tell = (each: CellError, head: string) => {
    lines.push(`${head}${red(each.name)}: ${each.message}`);
    if (each.code !== undefined && each.line !== undefined) lines.push(`  ${green(`line ${each.line}`)}: ${each.code.trim()}`);
    for (const { cell, file, line, column, name } of each.frames.slice(0, 30))
      lines.push(`    at ${name === undefined ? "" : `${name} `}(${cell === undefined ? file : placeName(cell)}:${line}:${column})`);
    if (each.suggestion) lines.push(`  ${each.suggestion.label}`);
    if (each.cause) tell(each.cause, "caused by ");
  };
  tell(error, "");
  return { ename: error.name, evalue: error.message, traceback: lines };
}

/** `jupyter-7-3` is the request In [3]. */
const placeName = (cell: string) => {
  const count = /^jupyter-[\w]+-(\d+)$/.exec(cell)?.[1];
  return count === undefined ? `cell ${cell}` : `In [${count}]`;
};
