/** DuckDB as the kernel holds it: started on first use, its relations shown as tables, its queries stopped with their run. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import type { Drawn, RunContext } from "../protocol/cells.js";
import type { BytesOptions, CsvOptions } from "../protocol/library.js";
import type { KernelQuery } from "../protocol/document.js";
import type { KernelConfig } from "../protocol/kernel.js";
import { mime, type Output, type Progress, type TableView } from "../protocol/output.js";
import type { VersionCard } from "../protocol/serving.js";
import { settle, type Relation, type VersionRef } from "../protocol/values.js";
import type { Engine, TrainedOn } from "../data/engine.js";
import { createFiles } from "../data/files.js";
import { Once, struck } from "../data/once.js";
import type { TableSplit } from "../data/split.js";
import type { Calls } from "./calls.js";
import { toBundle } from "./display.js";
import type { Injected, Run } from "./run.js";
import type { SqlOrigin } from "./errors.js";
import type { Tensors } from "./tensors.js";

export interface DataOptions {
  config: KernelConfig;
  calls: Calls;
  tensors: Tensors;
  current(): Run | null;
  progress(run: Run, progress: Progress): void;
  /** why a name of the notebook is no table */
  named(name: string): string | null;
  /** a port to the DuckDB worker, for the control worker: tables page while a cell computes */
  port(port: MessagePort): void;
}

export interface Data {
  names: Injected;
  relation(text: string): Promise<Relation>;
  /** a relation of the rows in a Parquet file, which go into memory; `hash` is their content's */
  kept(path: string, hash: string): Promise<Relation>;
  draw(relation: Relation, condition: string, n: number, seed: number): Promise<Drawn>;
  /** the `log` of cells */
  log(call: RunContext["call"]): Promise<unknown>;
  /** how a relation or a split is shown; undefined for anything else */
  display(value: unknown): Promise<Output & { kind: "display" }> | undefined;
  answer(query: KernelQuery): Promise<unknown>;
  interrupt(): void;
  forget(names: string[]): void;
  /** a strike has landed: what was being made may never be */
  landed(): void;
  close(): Promise<void>;
}

type Sql = (strings: TemplateStringsArray, ...values: unknown[]) => Relation;
interface Opened {
  engine: Engine;
  sql: Sql;
  relation(text: string): Relation;
  values(values: never, how: BytesOptions | undefined, told: (sentence: string) => void): Relation;
}

export function createData(options: DataOptions): Data {
  const { config, calls, tensors } = options;
  const files = createFiles(config.workspace);
  const opening = new Once<Opened>();
  let opened: Opened | null = null;

  const read = (path: string) => {
    options.current()?.reads.add(path);
    return path;
  };
  /** what a person should know of the rows stands with the cell that reads them */
  const told = (run: Run) => (sentence: string) => void run.warnings.push(sentence);
  const open = () =>
    opening.get(async () => {
      const [{ createEngine }, { sqlTag, sqlText }, { relationOfValues }] = await Promise.all([
        import("../data/engine.js"),
        import("../data/sql.js"),
        import("../data/values.js"),
      ]);
      // by another try, after a strike
      if (opened) return opened;
      const made = createEngine({
        ...config.duckdb,
        workspace: config.workspace,
        root: config.root,
        trainedOn(ref) {
          const run = options.current();
          if (run) run.volatile ??= "it asks the server for what may change";
          return trainedOn(calls, ref);
        },
        named: options.named,
        warn: (sentence) => void options.current()?.warnings.push(sentence),
        tensor: async (values, rows, width) => (await tensors.load()).tf.tensor2d(values, [rows, width]),
      });
      const { resolve } = made.files;
      made.files.resolve = (path) => read(resolve(path));
      made.onProgress((percent) => {
        const run = options.current();
        if (run) options.progress(run, { label: "query", done: Math.round(percent), total: 100, eta: null });
      });
      options.port(made.port());
      opened = {
        engine: made,
        sql: sqlTag(made) as Sql,
        relation: (text: string) => sqlText(made, text) as Relation,
        values: (values: never, how: BytesOptions | undefined, tell: (sentence: string) => void) =>
          relationOfValues(made, values, how, tell) as Relation,
      };
      return opened;
    });

  return {
    names: {
      file: () => (path: string) => read(files.resolve(path)),
      sql: async (run) => {
        const { sql } = await open();
        return (strings: TemplateStringsArray, ...values: unknown[]) => pointed(sql(strings, ...values), strings, run.cell.id);
      },
      relation: async (run) => {
        const { values } = await open();
        return (given: never, how?: BytesOptions) => values(given, how, told(run));
      },
      csv: async (run) => {
        const [{ engine: made }, { CsvRelation }] = await Promise.all([open(), import("../data/csv.js")]);
        return (path: string, how: CsvOptions = {}) => new CsvRelation(made, path, how, told(run));
      },
      database: async () => {
        const [{ engine: made }, { database }] = await Promise.all([open(), import("../data/database.js")]);
        return (path: string) => database(made, path);
      },
    },
    async log(call) {
      const [{ engine: opened }, { logFunction }] = await Promise.all([open(), import("../data/log.js")]);
      const run = options.current();
      if (run) run.volatile = "it reads the log of predictions, which grows";
      return logFunction(opened, call);
    },
    relation: async (text) => (await open()).relation(text),
    async kept(path, hash) {
      const [{ engine: made }, { TableRelation }, { text }] = await Promise.all([open(), import("../data/relation.js"), import("../data/names.js")]);
      const build = () => ({ sql: `from read_parquet(${text(path)})`, table: true });
      const relation = new TableRelation(made, { upstream: [], build, hash: () => Promise.resolve(hash), steady: true });
      // another kernel may drop the file
      await relation.ready();
      return relation;
    },
    draw: async (...asked) => (await import("../data/draw.js")).draw(...asked),
    display(value) {
      if (isSplit(value)) return value.summary().then((parts) => ({ kind: "display", id: "", data: toBundle(parts) }));
      if (!isRelation(value)) return undefined;
      return value.view().then((view) => ({
        kind: "display",
        id: "",
        data: { [mime.table]: view, [mime.text]: tableText(view) },
      }));
    },
    answer: async (query) => (await open()).engine.answer(query),
    interrupt: () => opened?.engine.interrupt(),
    forget(names) {
      for (const name of names) void opened?.engine.forget(name).catch(() => undefined);
    },
    landed: struck,
    close: async () => opened?.engine.close(),
  };
}

/** Errors of a relation made by `sql` know the template that they speak of. */
function pointed(relation: Relation, strings: TemplateStringsArray, cell: string): Relation {
  const { recipe } = relation as unknown as { recipe?: { explain?: (error: Error) => Error } };
  const explain = recipe?.explain;
  if (recipe && explain) {
    const origin: SqlOrigin = { cell, pieces: strings.raw };
    recipe.explain = (error) => Object.defineProperty(explain(error), "origin", { value: origin, enumerable: false });
  }
  return relation;
}

function isSplit(value: unknown): value is Pick<TableSplit, "summary" | "id" | typeof settle> {
  return typeof value === "object" && value !== null && "covers" in value && typeof (value as { summary?: unknown }).summary === "function";
}

export function isRelation(value: unknown): value is Relation & { view(): Promise<TableView> } {
  return typeof value === "object" && value !== null && typeof (value as { view?: unknown }).view === "function" && "schema" in value;
}

/** Hash of what a relation or a split holds; undefined for anything else. */
export function contentOf(value: unknown): Promise<string> | undefined {
  if (isRelation(value)) return value.hash();
  return isSplit(value) ? value[settle]().then(() => `split ${value.id}`) : undefined;
}

/** Columns that stand in a table's text. */
const textColumns = 20;

/** The first rows as text, for clients without a table. */
function tableText({ columns: all, first, total }: TableView): string {
  const columns = all.slice(0, textColumns);
  const cell = (value: unknown) => (value === null ? "NULL" : typeof value === "object" ? JSON.stringify(value) : String(value)).slice(0, 40);
  const rows = [columns.map(({ name }) => name), ...first.slice(0, 10).map((row) => row.slice(0, textColumns).map(cell))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
  if (all.length > columns.length) lines.push(`... ${all.length.toLocaleString("en")} columns`);
  if (total === null || total > 10) lines.push(total === null ? "..." : `... ${total.toLocaleString("en")} rows`);
  return lines.join("\n");
}

async function trainedOn(calls: Calls, ref: VersionRef): Promise<TrainedOn | null> {
  const found = await calls.call("registry.resolve", ref);
  if (!found) return null;
  const card = JSON.parse(await readFile(join(found.dir, "card.json"), "utf8")) as VersionCard;
  return card.split;
}
