import fc from "fast-check";
import { expect, it } from "vitest";
import type { Control } from "../../kernels/protocol/controls.js";
import type { NotebookState } from "../../kernels/protocol/document.js";
import type { Output, PlotlySpec } from "../../kernels/protocol/output.js";
import { report, type ReportInput } from "./report.js";

const tags =
  "!doctype html head meta title style body header footer h1 h3 p strong label input main section details summary code pre span div article figure figcaption dl dt dd table thead tbody tr th td i img svg".split(
    " ",
  );

function inputOf(text: string, outputs: Output[]): ReportInput {
  const cell = { id: text, kind: "code" as const, source: text, options: {} };
  const spec = { type: "select" as const, label: text, value: text, options: [text, ""], debounce: false };
  const controls: Control[] = [
    { key: text, spec, value: text },
    { key: "2", spec, value: "" },
  ];
  // an id may be the name of what every object has
  const of = (value: unknown) => Object.assign(Object.create(null) as object, value === null ? {} : { [text]: value });
  const state = { cells: of(null), outputs: of(outputs), more: of(3), controls: of(controls) } as unknown as NotebookState;
  const drawn = { figures: new Map<PlotlySpec, string>(), prose: new Map<string, string>(), foreign: new Map<string, string>(), totals: new Map() };
  const facts = { notebook: text, lock: text, seed: 1, touchstone: text, node: text };
  return { title: text, path: text, state, cells: [cell], badge: text, date: text, kinds: new Map([["code", text]]), drawn, facts };
}

it("says what the controls hold", () => {
  const html = report(inputOf("rate", []));
  expect(html).toContain('<dl class="controls"><dt>rate</dt><dd>rate</dd><dt>rate</dt><dd>empty (default: rate)</dd></dl>');
});

const display = (data: Record<string, unknown>): Output => ({ kind: "display", id: "1", data });

const everywhere = (text: string): Output[] => [
  { kind: "stream", name: "stdout", text: `${text}\u001b[31m${text}` },
  {
    kind: "error",
    error: { name: text, message: text, cell: text, line: 1, column: 2, code: text, frames: [], cause: { name: text, message: text, frames: [] } },
  },
  display({ "text/plain": text, "image/png": text }),
  display({ "text/plain": text, "image/svg+xml": text }),
  display({ "text/plain": text }),
  display({ "application/vnd.plotly.v1+json": { data: [{ type: "bar", name: text, x: [text], y: [1] }], layout: { title: text } } }),
  display({
    "application/vnd.touchstone.table+json": {
      relation: text,
      columns: [{ name: text, type: text }],
      total: 30,
      first: [[text], [null], [{ a: text }]],
    },
  }),
  display({
    "application/vnd.touchstone.finding+json": {
      kind: text,
      sentence: text,
      verdict: "good",
      word: text,
      method: text,
      numbers: {},
      figures: [],
      tables: [{ title: text, columns: [text], rows: [[text]] }],
      warnings: [text],
      footer: text,
      next: [],
    },
  }),
];

it("holds no tag or attribute that text of a notebook brought, whatever it is", () => {
  const hostile = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '"><script>alert(1)</script>',
      "' onerror='alert(1)",
      "</style><img src=x onerror=alert(1)>",
      "</pre>`${1}`",
      "<!--",
      "]]>",
      "&lt;script&gt;",
    ),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      const html = report(inputOf(text, everywhere(text))).replace(/<style>[\s\S]*?<\/style>/, "<style></style>");
      for (const match of html.matchAll(/<\/?([^\s>]*)([^>]*)>?/g)) {
        expect(tags).toContain(match[1]!.toLowerCase());
        expect(match[2]!.replace(/"[^"]*"/g, '""')).not.toMatch(/\bon\w+|javascript:|'/i);
      }
    }),
  );
});

it("says how much of a table and of a text there is", () => {
  const html = report(
    inputOf("x", [
      display({
        "application/vnd.touchstone.table+json": {
          relation: "t",
          columns: [{ name: "n", type: "INTEGER" }],
          total: 2_914_003,
          first: Array.from({ length: 50 }, (_, i) => [i]),
        },
      }),
      { kind: "stream", name: "stdout", text: Array.from({ length: 300 }, (_, i) => `line ${i}`).join("\n") },
    ]),
  );
  expect(html).toContain("The first 20 of 2,914,003 rows.");
  expect(html).toContain("100 earlier lines in the notebook.");
  expect(html).toContain("3 more displays in the notebook.");
  expect(html.match(/<tr>/g)).toHaveLength(25);
});

it("writes the title once, names in tables as code, and no count below a result's own table", () => {
  const input = inputOf("a", [
    display({
      "application/vnd.touchstone.finding+json": {
        ...{ kind: "k", sentence: "s", verdict: "good", word: "w", method: "m", numbers: {}, figures: [], warnings: [], footer: "", next: [] },
        tables: [{ title: "Gates", columns: ["why"], rows: [["the input is `date`"]] }],
      },
    }),
  ]);
  const head = { id: "m", kind: "markdown" as const, source: "# A & B\n\ntext", options: {} };
  const drawn = { ...input.drawn, prose: new Map([[head.source, "<h1>A &amp; B</h1>\n<p>text</p>\n"]]) };
  const html = report({ ...input, title: "A & B", cells: [head, ...input.cells], drawn });
  expect(html.match(/<h1>/g)).toHaveLength(1);
  expect(html).toContain('<section class="prose" id="m"><p>text</p>');
  expect(html).toContain("<td>the input is <code>date</code></td>");
  expect(html).not.toContain("1 row.");
  // another heading than the title stays
  expect(report({ ...input, title: "C", cells: [head, ...input.cells], drawn }).match(/<h1>/g)).toHaveLength(2);
});
