/** A lazy table: a view in the kernel's DuckDB. Synchronous to chain, made when first needed, never changed afterwards. */
import { tileColumns, wideTable, type ColumnInfo, type TableView } from "../protocol/output.js";
import {
  settle,
  type Columns,
  type Dataset,
  type DatasetOptions,
  type Hash,
  type ImageOptions,
  type MaskedColumns,
  type NullRule,
  type Relation,
  type Row,
  type SplitOptions,
} from "../protocol/values.js";
import { describeSql, sizesSql } from "./describe.js";
import { checkDataset, datasetOf } from "./dataset.js";
import { expected } from "./expected.js";
import { faultIn, type Engine } from "./engine.js";
import { isInterrupted, SqlError } from "./fault.js";
import { imagesIn } from "./images.js";
import type { PackedTable } from "./messages.js";
import { bare, qualify, quote } from "./names.js";
import { Once } from "./once.js";
import { find } from "./near.js";
import { isFinite32, type Matrix } from "./numeric.js";
import { sha, type Recipe, type Made } from "./recipe.js";
import { sampleOf } from "./sample.js";
import { saveTo } from "./save.js";
import { TableSplit } from "./split.js";
import { checkTrainable } from "./trainable.js";
import { tokens } from "./tokens.js";
import { buffersOf, columnsBy, maskedOf, rowsOf, valuesOf } from "./unpack.js";

let counter = 0;
/** Drops what DuckDB keeps for relations that nobody can reach any more. */
const collected = new FinalizationRegistry<{ engine: Engine; name: string }>(({ engine, name }) => {
  engine.drop(name);
});

export class TableRelation<R extends object = Row> implements Relation<R> {
  readonly engine: Engine;
  readonly recipe: Recipe;
  #name: string;
  readonly #ready = new Once<void>();
  readonly #steady = new Once<void>();
  readonly #hash = new Once<Hash>();
  readonly #count = new Once<number>();

  constructor(engine: Engine, recipe: Recipe) {
    this.engine = engine;
    this.recipe = recipe;
    this.#name = qualify(`@${++counter}`);
  }

  static {
    // in a list of values and among the variables
    Object.defineProperty(this, "name", { value: "Relation" });
  }

  get name(): string {
    return this.#name;
  }

  /** What it is called inside other values and texts: rows are read by a call alone. */
  toString(): string {
    return `Relation ${bare(this.#name).replace(/@\d+$/, "")}`.trimEnd();
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Makes the view; with a name also `nb."name"`, so that later SQL reads `from name`. Rejects with the SQL's own error. */
  async [settle](name?: string): Promise<void> {
    if (name !== undefined && !this.#ready.begun) this.#name = qualify(`${name}@${++counter}`);
    await this.ready();
    if (name === undefined) return;
    const key = name.toLowerCase();
    const before = this.engine.exports.get(key);
    // its cell has run again: what it showed is gone
    if (before && before !== (this as unknown)) this.engine.unpin(before);
    this.engine.exports.set(key, this as unknown as TableRelation<object>);
    await this.engine.request({ do: "create", name: qualify(name), sql: `from ${this.#name}`, table: false });
  }

  /** The view exists. */
  ready(): Promise<void> {
    return this.#ready.get(() => this.#make());
  }

  async #make(): Promise<void> {
    for (const relation of this.recipe.upstream) await relation.ready();
    let made: Made | null = null;
    try {
      made = await this.recipe.build();
      if ("make" in made) await made.make(this.#name);
      else if ("columns" in made) {
        const transfer = buffersOf(made.columns.map(({ column }) => column));
        await this.engine.request({ do: "load", name: this.#name, ...made }, transfer);
      } else await this.engine.request({ do: "create", name: this.#name, sql: made.sql, table: made.table });
    } catch (error) {
      throw this.#explained(error);
    } finally {
      if (made && "sql" in made) made.done?.();
    }
    collected.register(this, { engine: this.engine, name: this.#name });
  }

  #explained(error: unknown): unknown {
    return error instanceof SqlError && !isInterrupted(error) ? (this.recipe.explain?.(error) ?? error) : error;
  }

  /** The view exists and gives its rows in one order: a join or a group is kept as a table when it is first read. */
  fixed(): Promise<void> {
    return this.#steady.get(() => this.#fix());
  }

  async #fix(): Promise<void> {
    await this.ready();
    if (this.recipe.steady) for (const relation of this.recipe.upstream) await relation.fixed();
    else await this.engine.request({ do: "fix", name: this.#name }).catch((error: unknown) => this.#failed(error));
  }

  /** An error of reading: its position counts in the view's own definition, or in that of a view below, which cannot be told apart. */
  #failed(error: unknown): never {
    const fault = faultIn(error);
    if (fault?.position != null) {
      const head = Buffer.byteLength(`create or replace view ${this.#name} as `);
      fault.position = this.recipe.upstream.length > 0 || fault.position < head ? null : fault.position - head;
    }
    throw this.#explained(error);
  }

  async #read(sql: string): Promise<PackedTable> {
    await this.fixed();
    return this.engine.request<PackedTable>({ do: "run", sql }).catch((error: unknown) => this.#failed(error));
  }

  /** Columns and their DuckDB types, in order. */
  async info(): Promise<ColumnInfo[]> {
    await this.ready();
    return this.engine.request({ do: "columns", name: this.#name });
  }

  /** `nullable`: a NULL was seen. */
  async schema(): Promise<{ name: string; type: string; nullable: boolean }[]> {
    const info = await this.info();
    const table = await this.#read(`select ${info.map(({ name }) => `count(*) > count(${quote(name)})`).join(", ")} from ${this.#name}`);
    const seen = Object.values(rowsOf(table)[0]!);
    return info.map((column, i) => ({ ...column, nullable: seen[i] === true }));
  }

  count(): Promise<number> {
    return this.#count.get(async () => rowsOf(await this.#read(`select count(*) as n from ${this.#name}`))[0]!["n"] as number);
  }

  async rows(limit?: number): Promise<R[]> {
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) throw expected("limit", "a whole number from 0", limit);
    return rowsOf(await this.#read(`from ${this.#name}${limit === undefined ? "" : ` limit ${limit}`}`)) as R[];
  }

  async #select(names: readonly string[] | undefined): Promise<string> {
    if (names === undefined) return "*";
    if (!Array.isArray(names) || names.length === 0) throw expected("names", "a list of column names", names);
    const info = await this.info();
    return names.map((name) => quote(find(info, name).name)).join(", ");
  }

  columns(names?: (keyof R & string)[], rule?: NullRule): Promise<Columns>;
  columns(names: (keyof R & string)[] | undefined, rule: { nulls: "mask" }): Promise<MaskedColumns>;
  async columns(names?: (keyof R & string)[], { nulls = "error" }: { nulls?: "error" | "mask" | number } = {}): Promise<Columns | MaskedColumns> {
    checkRule(nulls);
    const list = await this.#select(names);
    const table = await this.#read(`select ${list} from ${this.#name}`);
    return nulls === "mask" ? maskedOf(table) : columnsBy(table, nulls);
  }

  /** float32, one row a row; booleans are 0 and 1; a column of bytes or numbers (an image) becomes that many columns. NULL by `nulls`; what is no finite float32 is refused. */
  async tensor(
    names?: (keyof R & string)[],
    { nulls = "error" }: { nulls?: "error" | "mask" | number } = {},
  ): Promise<import("@tensorflow/tfjs").Tensor2D> {
    checkRule(nulls);
    if (typeof nulls === "number" && !isFinite32(nulls)) throw expected("nulls", "a number that can be trained on", nulls);
    const make = this.engine.options.tensor;
    if (!make) throw new Error("no TFJS back end is loaded here");
    const list = await this.#select(names);
    await this.fixed();
    const sql = `select ${list} from ${this.#name}`;
    const matrix = await this.engine
      .request<Matrix | { refused: string }>({ do: "matrix", sql, nulls })
      .catch((error: unknown) => this.#failed(error));
    if ("refused" in matrix) throw new Error(matrix.refused);
    return make(matrix.values, matrix.rows, matrix.width);
  }

  where(sql: string): TableRelation<R> {
    if (typeof sql !== "string" || sql.trim() === "") throw expected("sql", 'a condition such as "delay > 15"', sql);
    const { tokens: words, open } = tokens(sql);
    if (open && open !== "comment") throw new Error(`the condition ${JSON.stringify(sql)} ends inside quotes`);
    if (words.some(({ type, text: c }) => type === "symbol" && c === ";")) throw new Error(`the condition ${JSON.stringify(sql)} holds a semicolon`);
    const { engine } = this;
    return new TableRelation<R>(engine, {
      upstream: [this as unknown as TableRelation<object>],
      build: () => ({ sql: `select * from ${this.#name} where (${sql}\n)`, table: false }),
      hash: async () => sha("where", sql, await this.hash()),
      steady: true,
      explain: (error) => new SqlError(`In the condition ${JSON.stringify(sql)}: ${error.message}`, error.type),
    });
  }

  images(column: keyof R & string, options?: ImageOptions): TableRelation<R> {
    return imagesIn<R>(this, column, options);
  }

  sample(n: number, options: { seed?: number; key?: keyof R & string } = {}): TableRelation<R> {
    if (!(Number.isSafeInteger(n) && n > 0)) throw expected("n", "a whole number from 1", n);
    const { seed = 0, key } = options;
    if (!Number.isSafeInteger(seed)) throw expected("seed", "a whole number", seed);
    return new TableRelation<R>(this.engine, {
      upstream: [this as unknown as TableRelation<object>],
      build: () => sampleOf(this as unknown as TableRelation<object>, n, seed, key),
      hash: async () => sha("sample", JSON.stringify([n, seed, key ?? null]), await this.hash()),
      steady: true,
    });
  }

  split(options: SplitOptions<R>): TableSplit<R> {
    return new TableSplit<R>(this, options);
  }

  /** One row a column: type, min, max, approximate distinct values, mean, deviation, quartiles (of what is finite), count, share of NULLs, count of what is not finite. */
  describe(): TableRelation<Row> {
    return new TableRelation<Row>(this.engine, {
      upstream: [this as unknown as TableRelation<object>],
      build: async () => {
        const info = await this.info();
        const sizes = await this.#read(sizesSql(info, this.#name));
        return {
          sql: describeSql(
            info,
            this.#name,
            sizes.columns.map((column) => valuesOf(column)[0] as number | null),
          ),
          table: true,
        };
      },
      hash: async () => sha("describe", await this.hash()),
      steady: true,
    });
  }

  /** CSV, Parquet, JSON or NDJSON by the ending, whole or not at all; a `.duckdb` file gets the table of that name. */
  async save(path: string, { table }: { table?: string } = {}): Promise<void> {
    await saveTo(this as unknown as TableRelation<object>, path, table, (sql) => this.#read(sql));
  }

  async *batches({ columns, size = 2048, nulls = "error" }: { columns?: string[]; size?: number } & NullRule = {}): AsyncGenerator<
    Columns & { length: number }
  > {
    checkRule(nulls, false);
    if (!(Number.isSafeInteger(size) && size > 0)) throw expected("size", "a whole number from 1", size);
    for await (const block of this.#blocks(() => this.#select(columns))) {
      const whole = columnsBy(block, nulls);
      for (let at = 0; at < block.length; at += size) {
        const length = Math.min(size, block.length - at);
        const piece = Object.fromEntries(block.names.map((name) => [name, cut(whole[name]!, at, at + length)]));
        yield Object.assign(piece, { length }) as Columns & { length: number };
      }
    }
  }

  dataset(options: DatasetOptions): Dataset {
    checkDataset(options);
    const make = this.engine.options.tensor;
    if (!make) throw new Error("no TFJS back end is loaded here");
    const y = typeof options.y === "string" ? [options.y] : options.y;
    const columns = async () => {
      const info = await this.info();
      const x = options.x ?? info.map(({ name }) => name).filter((name) => !y.includes(name));
      return [...x, ...y].map((name) => find(info, name));
    };
    const list = async () => (await columns()).map(({ name }) => quote(name)).join(", ");
    const read = async (sql: string) => (await this.#read(sql)).columns.map((column) => valuesOf(column)[0] as number | null);
    return datasetOf(
      {
        blocks: () => this.#blocks(list),
        check: async () => {
          for (const sentence of await checkTrainable(this.#name, await columns(), options, read)) this.engine.options.warn?.(sentence);
        },
        tensor: make,
      },
      options,
    );
  }

  /** One pass over the rows; the next block is read while one is used. */
  async *#blocks(select: () => Promise<string>): AsyncGenerator<PackedTable> {
    const list = await select();
    await this.fixed();
    const { engine } = this;
    const stream = await engine.request<number>({ do: "open", sql: `select ${list} from ${this.#name}` });
    const next = (): Promise<PackedTable | null> => {
      const table = engine.request<PackedTable | null>({ do: "next", stream });
      // a consumer that stops early never looks at the block that was read ahead
      table.catch(() => {});
      return table;
    };
    try {
      for (let ahead = next(); ;) {
        const block = await ahead;
        if (!block) return;
        ahead = next();
        yield block;
      }
    } finally {
      await engine.request({ do: "close", stream }).catch(() => {});
    }
  }

  hash(): Promise<Hash> {
    return this.#hash.get(() => this.recipe.hash());
  }

  /** What the page shows first; it reads the rest in pages. */
  async view(limit = 100): Promise<TableView> {
    await this.fixed();
    this.engine.pin(this as unknown as TableRelation<object>);
    const columns = await this.info();
    // a table of ten thousand columns is a million values in its first hundred rows
    const some = columns.length > wideTable ? { columns: columns.slice(0, tileColumns).map(({ name }) => name) } : {};
    const page = await this.engine.page({ relation: this.#name, offset: 0, limit: limit + 1, ...some });
    const whole = page.rows.length <= limit;
    return { relation: this.#name, columns, total: whole ? page.rows.length : null, first: page.rows.slice(0, limit) };
  }
}

function checkRule(nulls: unknown, mask = true): void {
  if (typeof nulls === "number" || nulls === "error" || (mask && nulls === "mask")) return;
  throw expected("nulls", `"error", ${mask ? '"mask" ' : ""}or a number`, nulls);
}

function cut(values: Columns[string], from: number, to: number): Columns[string] {
  return Array.isArray(values) ? values.slice(from, to) : (values as Float64Array).subarray(from, to);
}

/** A relation of plain SQL: nothing in it is looked up or resolved. */
export function relationOf<R extends object = Row>(engine: Engine, sql: string, upstream: TableRelation<object>[] = []): TableRelation<R> {
  return new TableRelation<R>(engine, {
    upstream,
    build: () => ({ sql, table: false }),
    hash: async () => sha("sql", sql, ...(await Promise.all(upstream.map((relation) => relation.hash())))),
  });
}
