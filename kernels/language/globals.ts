/** What every cell has without an import, as global declarations; a cell's own name shadows them. */
import { join } from "node:path";
import { libraryNames } from "../reactive/references.js";

/** One line about each, shown by hover and completion. */
const docs: Record<string, string> = {
  sql: "A query as a lazy table. Files by path (`from 'data/x.csv'`), other cells' results by name, `${value}` is bound. `await x.rows()` gives the rows.",
  relation: "Rows or columns of JavaScript as a table that SQL can read by its cell's name.",
  file: "Absolute path of a workspace file, or of `npm:package/path`.",
  display: "Shows a value under the cell; `id` replaces what was shown with it before.",
  view: "Shows a control below the cell and gives its value: `const alpha = view(input.range({ min: 0, max: 1, step: 0.1 }))`. Moving it runs the cell again.",
  input: "The controls that `view` shows: `range`, `number`, `text`, `textarea`, `checkbox`, `toggle`, `select`, `radio`, `date`, `button`.",
  html: "A piece of HTML, shown in a sandboxed frame.",
  md: "Markdown as an output.",
  svg: "A picture in SVG.",
  progress: "The cell's progress: label, done, total.",
  cell: "This run: its id, `signal` (stop was pressed) and `onDispose` (before the next run).",
  secret: "A value of the server's environment: `TOUCHSTONE_SECRET_NAME`. It never appears in an output.",
  features: "Closed, pure features: fitted on the training rows, run by the same file when serving.",
  f: "Stock features: `f.z`, `f.oneHot`, `f.cyclic`, ... each with a rule for null and unseen values.",
  tf: "TensorFlow.js on the best back end that loads here.",
  baseline: "The number to beat, by simple predictors that need no training.",
  train: "Trains a model and compares it with the baseline, row by row.",
  ensemble: "One predictor from several, with weights.",
  distill: "A small student of a large teacher, within a budget.",
  abTest: "Simulates a live test before it runs: how many users, how long, how many false alarms.",
  drift: "Which columns differ between a reference and current rows.",
  promote: "Proposes a version; the server judges it by six gates.",
  log: "The logged requests of an endpoint as a table.",
};

export function globalsText(root: string): string {
  const path = (file: string) => JSON.stringify(join(root, file).replaceAll("\\", "/"));
  const doc = (name: string) => (docs[name] === undefined ? "" : `/** ${docs[name]} */ `);
  const own = [...new Set([...libraryNames, "html", "md"])].filter((name) => !["sql", "f", "console", "tf", "svg"].includes(name));
  return [
    `import type { Library } from ${path("kernels/protocol/library.js")};`,
    `import type { Relation } from ${path("kernels/protocol/values.js")};`,
    `import type * as tensorflow from "@tensorflow/tfjs";`,
    // what TypeScript finds by comparing two tensors member by member, some hundred functions, after every key
    `declare module "@tensorflow/tfjs-core/dist/tensor" { interface Tensor<out R extends tensorflow.Rank = tensorflow.Rank> {} }`,
    "declare global {",
    // before DuckDB has described it a query's rows are open records
    `${doc("sql")}const sql: <R extends object = Record<string, any>>(text: TemplateStringsArray, ...values: unknown[]) => Relation<R>;`,
    `${doc("f")}const f: typeof import(${path("kernels/models/f.js")});`,
    `${doc("tf")}const tf: typeof tensorflow;`,
    `${doc("svg")}const svg: Library["html"];`,
    ...own.map((name) => `${doc(name)}const ${name}: Library extends { ${name}: infer T } ? T : any;`),
    "}",
    "export {};",
  ].join("\n");
}
