/** A notebook as one HTML file that opens without network, prints, and runs nothing: what stands in it is escaped or was cleaned. Pure. */
import { isMoved, valueText, type Control } from "../../kernels/protocol/controls.js";
import type { Cell, CellState, NotebookState } from "../../kernels/protocol/document.js";
import {
  mime,
  type CellError,
  type FindingView,
  type MimeBundle,
  type Output,
  type PlotlySpec,
  type TableView,
  type ValueView,
  type WireValue,
} from "../../kernels/protocol/output.js";
import type { ReportFacts } from "../../kernels/protocol/http.js";
import type { Gate } from "../../kernels/protocol/serving.js";
import { ansi, collapse, fold } from "../controllers/ansi.js";
import { figure as digits, integer, plural } from "../controllers/format.js";
import { figureTable } from "../controllers/figure-table.js";
import { cellText } from "../controllers/rows.js";
import { statusOf } from "../controllers/status.js";
import { highlight } from "../controllers/tokens.js";
import { markup, Markup } from "./html.js";
import { style } from "./style.js";

/** What the page has made of the parts that need a browser; none of it holds anything that could run. */
export interface Drawn {
  /** figure -> SVG */
  figures: ReadonlyMap<PlotlySpec, string>;
  /** Markdown text -> cleaned HTML */
  prose: ReadonlyMap<string, string>;
  /** foreign HTML -> cleaned HTML */
  foreign: ReadonlyMap<string, string>;
  /** table whose length was not known yet -> its rows */
  totals: ReadonlyMap<TableView, number>;
}

export interface ReportInput {
  title: string;
  path: string;
  state: NotebookState;
  cells: readonly Cell[];
  badge: string;
  /** "27 November 2026, 12:04" */
  date: string;
  /** names of the kinds: "Baseline" */
  kinds: ReadonlyMap<string, string>;
  drawn: Drawn;
  /** by which a reader can make it again */
  facts: ReportFacts;
}

const rowsShown = 20;
const linesShown = 200;

export function report(input: ReportInput): string {
  const { title, path, state, cells, badge, date } = input;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="generator" content="Touchstone">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="facts">${path} · ${date} · <strong>${badge}</strong></p>
<p class="show-code"><label><input type="checkbox" id="show-code"> Show all code</label></p>
</header>
<main>
${cells.map((cell, i) => cellSection(cell, i + 1, state.cells[cell.id], input))}
</main>
${madeOf(input.facts)}
</body>
</html>
`.text;
}

/** What it was made of, in full. */
function madeOf({ notebook, lock, seed, touchstone, node }: ReportFacts): Markup {
  return markup`<footer class="note"><details><summary>To make this report again</summary>
<table><tbody><tr><th scope="row">notebook, sha256</th><td><code>${notebook}</code></td></tr>
<tr><th scope="row">package-lock.json, sha256</th><td>${lock === null ? "there is none" : markup`<code>${lock}</code>`}</td></tr>
<tr><th scope="row">seed</th><td>${seed}</td></tr>
<tr><th scope="row">made with</th><td>Touchstone ${touchstone}, Node ${node}</td></tr></tbody></table>
<p>With these files, <code>npm ci</code> and <code>touchstone report</code> run the whole notebook anew.</p></details></footer>
`;
}

function cellSection(cell: Cell, number: number, state: CellState | undefined, input: ReportInput): Markup {
  const prose = input.drawn.prose.get(cell.source);
  if (cell.kind === "markdown") {
    // the title stands above already
    const again = number === 1 && /^# +(.+?) *(\n|$)/.exec(cell.source)?.[1] === input.title;
    const text = again ? prose?.replace(/^<h1>.*?<\/h1>\s*/s, "") : prose;
    return markup`<section class="prose" id="${cell.id}">${new Markup(text ?? "")}</section>\n`;
  }
  const outputs = input.state.outputs[cell.id] ?? [];
  const more = input.state.more[cell.id] ?? 0;
  const status = statusOf(cell, state, 0);
  const names = state?.defines.slice(0, 3).join(", ") ?? "";
  if (cell.source.trim() === "" && outputs.length === 0) return new Markup("");
  return markup`<section class="cell" id="${cell.id}" aria-label="Cell ${number}">
<details class="code"><summary>${number} · ${input.kinds.get(cell.kind) ?? cell.kind}${names === "" ? "" : markup` <code>${names}</code>`}${
    status.name === "ok" ? "" : markup` <span class="status">${status.text}</span>`
  }</summary>
<pre>${code(cell.source)}</pre></details>
${controlList(input.state.controls[cell.id] ?? [])}${outputs.map((one) => output(one, input.drawn))}
${more > 0 ? markup`<p class="note">${plural(more, "more display")} in the notebook.</p>` : ""}
</section>
`;
}

/** What the controls hold; nobody can move them here. */
const controlList = (controls: readonly Control[]): Markup =>
  controls.length === 0
    ? new Markup("")
    : markup`<dl class="controls">${controls.map(
        (control) =>
          markup`<dt>${control.spec.label}</dt><dd>${valueText(control.spec, control.value)}${isMoved(control) ? ` (default: ${valueText(control.spec, control.spec.value)})` : ""}</dd>`,
      )}</dl>
`;

const code = (source: string) =>
  highlight(source, "typescript").map(
    (line, i) =>
      markup`${i > 0 ? "\n" : ""}${line.map(({ text, type }) => (type === "text" ? markup`${text}` : markup`<span class="tok-${type}">${text}</span>`))}`,
  );

function output(one: Output, drawn: Drawn): Markup {
  switch (one.kind) {
    case "stream":
      return printed(one.text, one.name, one.cut ?? 0);
    case "error":
      return errorBlock(one.error);
    case "display":
      return display(one.data, drawn);
  }
}

/** Text as the page shows it: colours, progress lines collapsed, the last lines. */
function printed(text: string, name = "value", cut = 0): Markup {
  const lines = fold(collapse(text).replace(/\n$/, "").split("\n"));
  const shown = lines.slice(-linesShown);
  const earlier = lines.length - shown.length;
  return markup`${earlier > 0 || cut > 0 ? markup`<p class="note">${earlier > 0 ? plural(earlier, "earlier line") : "Earlier lines"} in the notebook.</p>` : ""}<pre class="text ${name}">${ansi(
    shown.join("\n"),
  ).map((span) =>
    span.style === ""
      ? span.text
      : markup`<span class="${span.style
          .split(" ")
          .map((part) => `ansi-${part}`)
          .join(" ")}">${span.text}</span>`,
  )}</pre>
`;
}

function errorBlock(error: CellError): Markup {
  const caret = error.column === undefined ? "" : `\n${" ".repeat(Math.max(0, error.column - 1))}^`;
  return markup`<div class="error"><p><strong>${error.name}:</strong> ${words(error.message)}</p>
${error.line === undefined ? "" : markup`<p class="note">${error.cell === undefined ? "" : `cell ${error.cell}, `}line ${error.line}</p>`}
${error.code === undefined || error.code === "" ? "" : markup`<pre>${error.code}${caret}</pre>`}
${error.cause === undefined ? "" : markup`<p class="note">Cause: ${error.cause.name}: ${error.cause.message}</p>`}</div>
`;
}

function display(data: MimeBundle, drawn: Drawn): Markup {
  const text = data[mime.text] === undefined ? JSON.stringify(data, null, 2) : String(data[mime.text]);
  if (mime.finding in data) return finding(data[mime.finding] as FindingView, drawn);
  if (mime.table in data) {
    const view = data[mime.table] as TableView;
    return table(view.columns, view.first, view.total ?? drawn.totals.get(view) ?? null);
  }
  if (mime.plotly in data) return figure(data[mime.plotly] as PlotlySpec, text, drawn);
  if (mime.progress in data) return markup`<p class="note">${String((data[mime.progress] as { label?: unknown }).label ?? "")}</p>\n`;
  if (mime.markdown in data) return markup`<div class="prose">${new Markup(drawn.prose.get(String(data[mime.markdown])) ?? "")}</div>\n`;
  const picture = [mime.png, mime.jpeg, mime.gif, mime.webp].find((type) => type in data);
  if (picture !== undefined) return markup`<img class="picture" src="data:${picture};base64,${String(data[picture])}" alt="${text}">\n`;
  // through an image: scripts in it never run
  if (mime.svg in data)
    return markup`<img class="picture" src="data:image/svg+xml;charset=utf-8,${encodeURIComponent(String(data[mime.svg]))}" alt="${text}">\n`;
  if (mime.html in data) return markup`<div class="foreign">${new Markup(drawn.foreign.get(String(data[mime.html])) ?? "")}</div>\n`;
  const view = data[mime.value] as ValueView | undefined;
  const cut = view?.length === undefined ? "" : markup`<p class="note">The first ${integer(text.length)} of ${integer(view.length)} characters.</p>`;
  return markup`${cut}${printed(text)}`;
}

function finding(given: FindingView, drawn: Drawn): Markup {
  return markup`<article class="result" data-verdict="${given.verdict}">
<p class="headline"><span class="verdict verdict-${given.verdict}">${{ good: "✓", bad: "✗", unsure: "?" }[given.verdict]} ${given.word}</span> <span class="sentence">${words(given.sentence)}</span></p>
${given.warnings.map((warning) => markup`<p class="warning">⚠ ${words(warning)}</p>`)}
${given.proposal === undefined ? "" : gates(given.proposal.gates)}
${given.figures.map((spec) => figure(spec, given.sentence, drawn))}
${given.tables
  .filter(({ title }) => given.proposal === undefined || title !== "Gates")
  .map(
    ({ title, columns, rows }) =>
      markup`<h3>${title}</h3>${table(
        columns.map((name) => ({ name, type: "" })),
        rows,
        rows.length,
        false,
      )}`,
  )}
<p class="note">Method: ${given.method}${given.footer === "" ? "" : ` · ${given.footer}`}</p>
</article>
`;
}

function gates(given: readonly Gate[]): Markup {
  const rows = given.map((gate): WireValue[] => [
    gate.name,
    gate.verdict,
    unit(gate.measured, gate.unit),
    unit(gate.limit, gate.unit),
    gate.sentence,
  ]);
  const columns = ["Gate", "Verdict", "Measured", "Limit", "Why"].map((name) => ({ name, type: "" }));
  return table(columns, rows, rows.length, false);
}
const unit = (value: number | null, of: string) => (value === null ? "" : `${digits(value)}${of === "" ? "" : ` ${of}`}`);

function figure(spec: PlotlySpec, label: string, drawn: Drawn): Markup {
  const title = spec.layout?.["title"];
  const name = spec.title ?? (typeof title === "string" ? title : (title as { text?: string } | undefined)?.text) ?? label;
  const svg = drawn.figures.get(spec);
  const numbers = figureTable(spec.data);
  const short = numbers.rows.length <= rowsShown;
  const all = table(
    numbers.columns.map((column) => ({ name: column, type: "" })),
    numbers.rows,
    numbers.rows.length,
    false,
  );
  return svg === undefined
    ? markup`<figure><figcaption>${name}</figcaption>${all}</figure>\n`
    : markup`<figure><div role="img" aria-label="${name}" tabindex="0">${new Markup(svg)}</div>${short ? markup`<details class="numbers"><summary>As table</summary>${all}</details>` : ""}</figure>\n`;
}

/** `told`: of a table of data, how many rows there are; a result's own table says so only where it is cut. */
function table(
  columns: readonly { name: string; type: string }[],
  rows: readonly (readonly WireValue[])[],
  total: number | null,
  told = true,
): Markup {
  const wide = rows[0]?.length ?? columns.length;
  const shown = rows.slice(0, rowsShown);
  const heads = columns.slice(0, wide);
  const numeric = heads.map((_, i) => shown.some((row) => typeof row[i] === "number"));
  const notes = [
    total === null
      ? `The first ${integer(shown.length)} rows`
      : total > shown.length
        ? `The first ${integer(shown.length)} of ${plural(total, "row")}`
        : plural(total, "row"),
    ...(columns.length > wide ? [`the first ${wide} of ${plural(columns.length, "column")}`] : []),
  ];
  const note = told || rows.length > shown.length || columns.length > wide;
  return markup`<div class="table" tabindex="0" role="group" aria-label="Table"><table><thead><tr>${heads.map(
    ({ name, type }, i) =>
      markup`<th scope="col"${numeric[i] ? new Markup(' class="number"') : ""}${type === "" ? "" : markup` title="${type}"`}>${name}</th>`,
  )}</tr></thead><tbody>${shown.map(
    (row) =>
      markup`<tr>${heads.map(({ type }, i) => markup`<td${numeric[i] ? new Markup(' class="number"') : ""}>${row[i] === null ? markup`<i>NULL</i>` : told || typeof row[i] !== "string" ? cellText(row[i], type, 7) : words(row[i])}</td>`)}</tr>`,
  )}</tbody></table></div>${note ? markup`<p class="note">${notes.join(", ")}.</p>` : ""}
`;
}

/** A sentence with `names` in backticks set as code. */
const words = (text: string): Markup[] =>
  text.split(/(`[^`\n]+`)/).map((part) => (/^`.+`$/.test(part) ? markup`<code>${part.slice(1, -1)}</code>` : markup`${part}`));
