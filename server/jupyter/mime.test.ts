import { expect, it } from "vitest";
import { mime, type CellError, type MimeBundle } from "../../kernels/protocol/output.js";
import { toJupyter, toTraceback } from "./mime.js";

const table = {
  columns: [
    { name: "a<b", type: "INTEGER" },
    { name: "w", type: "VARCHAR" },
  ],
  first: [
    [1, "x"],
    [null, "<i>"],
  ],
  total: 40,
};

/** [what, the cell's bundle, what a Jupyter client gets] */
const bundles: [string, MimeBundle, Record<string, unknown>][] = [
  ["text", { [mime.text]: "42" }, { "text/plain": "42" }],
  ["a picture", { [mime.png]: "iVBOR" }, { "image/png": "iVBOR", "text/plain": "<image/png>" }],
  ["HTML: its text too", { [mime.html]: "<b>x</b> <i>y</i>" }, { "text/html": "<b>x</b> <i>y</i>", "text/plain": "x y" }],
  ["SVG without words", { [mime.svg]: "<svg></svg>" }, { [mime.svg]: "<svg></svg>", "text/plain": `<${mime.svg}>` }],
  ["Markdown", { [mime.markdown]: "# T", [mime.text]: "# T" }, { "text/markdown": "# T", "text/plain": "# T" }],
  ["JSON", { "application/json": { a: [1] }, [mime.text]: "{ a: [1] }" }, { "application/json": { a: [1] }, "text/plain": "{ a: [1] }" }],
  [
    "a figure without a layout",
    { [mime.plotly]: { data: [{ type: "bar", y: [1] }] }, [mime.text]: "figure, 1 trace" },
    { "application/vnd.plotly.v1+json": { data: [{ type: "bar", y: [1] }], layout: {} }, "text/plain": "figure, 1 trace" },
  ],
  [
    "a table: escaped, its beginning named",
    { [mime.table]: table, [mime.text]: "40 rows" },
    {
      [mime.table]: table,
      "text/html":
        "<table><caption>first 2 of 40 rows</caption><thead><tr><th>a&#60;b</th><th>w</th></tr></thead><tbody><tr><td>1</td><td>x</td></tr><tr><td>NULL</td><td>&#60;i&#62;</td></tr></tbody></table>",
      "text/plain": "40 rows",
    },
  ],
];
it.each(bundles)("%s", (_, given, expected) => {
  expect(toJupyter(given)).toEqual(expected);
});

it("an error: name, value, and a traceback in a terminal's colours with places and causes", () => {
  const error = {
    name: "TypeError",
    message: "no x",
    line: 2,
    code: "  null.x",
    frames: [
      { cell: "jupyter-j1a2-7", line: 2, column: 6 },
      { file: "helper.ts", line: 9, column: 1, name: "load" },
    ],
    cause: { name: "RangeError", message: "deep", frames: [] },
  } as unknown as CellError;
  expect(toTraceback(error)).toEqual({
    ename: "TypeError",
    evalue: "no x",
    traceback: [
      "\x1b[0;31mTypeError\x1b[0m: no x",
      "  \x1b[0;32mline 2\x1b[0m: null.x",
      "    at (In [7]:2:6)",
      "    at load (helper.ts:9:1)",
      "caused by \x1b[0;31mRangeError\x1b[0m: deep",
    ],
  });
});
