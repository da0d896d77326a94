/** A lazy table: a view in the kernel's DuckDB. Synchronous to chain, made when first needed, never changed afterwards. */
import { createHash, type Hash as HashStream } from "node:crypto";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
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
import { checkDataset, datasetOf } from "./dataset.js";
import { faultIn, type Engine } from "./engine.js";
import { isInterrupted, SqlError } from "./fault.js";
import { imagesIn } from "./images.js";
import type { LoadColumn, PackedTable } from "./messages.js";
import { bare, qualify, quote, text } from "./names.js";
import { Once } from "./once.js";
import { find } from "./near.js";
import { checkParquet } from "./parquet.js";
import { isFinite32, type Matrix } from "./numeric.js";
import { TableSplit } from "./split.js";
import { tokens } from "./tokens.js";
import { buffersOf, columnsBy, maskedOf, rowsOf } from "./unpack.js";

/** How a relation comes to be. */
export interface Recipe {
  /** relations that it reads; they live as long as it does */
  upstream: TableRelation<object>[];
  /** called once, when every upstream relation exists */
  build(): Made | Promise<Made>;
  /** names the content: SQL, files, upstream (contracts: same hash, same rows) */
  hash(): Promise<Hash>;
  /** turns DuckDB's error into one that points into the author's text */
  explain?(error: SqlError): Error;
  /** the rows come in the same order at each reading, whatever the plan says */
  steady?: boolean;
}
export type Made =
  | {
      sql: string;
      /** keep the rows: reading twice would give others */ table: boolean;
      /** called when it exists, or failed to */ done?: () => void;
    }
  | { columns: LoadColumn[]; length: number }
  /** makes the table or view of this name itself */
  | { make(name: string): Promise<void> };

let counter = 0;
/** Drops what DuckDB keeps for relations that nobody can reach any more. */
const collected = new FinalizationRegistry<{ engine: Engine; name: string }>(({ engine, name }) => {
  engine.drop(name);
});

/** Feeds a content hash with columns of values. */
export function hashColumns(hash: HashStream, { columns, length }: { columns: LoadColumn[]; length: number }): void {
  for (const { name, type, column } of columns) {
    hash.update(JSON.stringify([name, type, length]));
    if (column.kind === "any") hash.update(JSON.stringify(column.data, (_, value) => (typeof value === "bigint" ? `${value}n` : value)));
    else {
      hash.update(column.data);
      if (column.nulls) hash.update(column.nulls);
      if (column.kind === "text") hash.update(JSON.stringify(column.values));
      if (column.kind === "blob") hash.update(column.bytes);
    }
  }
}

export function sha(...parts: (string | NodeJS.ArrayBufferView)[]): Hash {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 32);
}

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
      build: () => this.#sampleOf(n, seed, key),
      hash: async () => sha("sample", JSON.stringify([n, seed, key ?? null]), await this.hash()),
      steady: true,
    });
  }

  /** The n smallest hashes. A little more than enough is filtered out in one parallel pass, and only that is sorted. */
  async #sampleOf(n: number, seed: number, key: string | undefined): Promise<Made> {
    await this.fixed();
    const { engine } = this;
    const source = key === undefined ? `(select *, row_number() over () as "~k" from ${this.#name})` : this.#name;
    const hash = stableHash(key === undefined ? '"~k"' : quote(find(await this.info(), key).name), seed);
    const all = await this.count();
    const share = Math.min(1, (n / Math.max(all, 1)) * (1 + 6 / Math.sqrt(n)));
    const enough = qualify(`~sample${++counter}`);
    const keep = (where: string): Promise<unknown> =>
      engine.request({ do: "create", name: enough, sql: `select *, ${hash} as "~h" from ${source}${where}`, table: true });
    await keep(share < 1 ? ` where ${hash} < '${BigInt(Math.round(share * 2 ** 53)) * 2048n}'::UBIGINT` : "");
    if (share < 1) {
      // keys that repeat can make the guess too small
      const { rows } = await engine.query(`select count(*) as n from ${enough}`);
      if ((rows[0]!["n"] as number) < Math.min(n, all)) await keep("");
    }
    const chosen = `(select *, rowid as "~n" from ${enough} order by "~h", rowid limit ${n})`;
    const drop = `exclude ("~h", "~n"${key === undefined ? ', "~k"' : ""})`;
    return { sql: `select * ${drop} from ${chosen} order by "~n"`, table: true, done: () => engine.drop(enough) };
  }

  split(options: SplitOptions<R>): TableSplit<R> {
    return new TableSplit<R>(this, options);
  }

  /** One row a column: type, min, max, approximate distinct values, mean, deviation, quartiles, count, share of NULLs. */
  describe(): TableRelation<Row> {
    return new TableRelation<Row>(this.engine, {
      upstream: [this as unknown as TableRelation<object>],
      build: async () => {
        await this.fixed();
        return { sql: `from (summarize ${this.#name})`, table: true };
      },
      hash: async () => sha("describe", await this.hash()),
      steady: true,
    });
  }

  /** CSV, Parquet, JSON or NDJSON by the ending, whole or not at all; a `.duckdb` file gets the table of that name. */
  async save(path: string, { table }: { table?: string } = {}): Promise<void> {
    const target = this.engine.files.target(path);
    mkdirSync(dirname(target), { recursive: true });
    if (/\.(duckdb|db)$/i.test(path)) {
      if (typeof table !== "string" || table === "" || table.includes("\0")) throw expected("table", "the name of a table of the file", table);
      await this.fixed();
      await this.engine.request({ do: "save", name: this.#name, path: target, table });
      return;
    }
    const ending = /\.(csv|parquet|json|ndjson)$/i.exec(path)?.[1]?.toLowerCase();
    if (!ending) throw expected("path", "a file that ends in .csv, .parquet, .json, .ndjson or .duckdb", path);
    const format = { csv: "format csv, header true", parquet: "format parquet", json: "format json, array true", ndjson: "format json" }[ending]!;
    if (ending === "parquet") await checkParquet(await this.info(), this.#name, (sql) => this.#read(sql));
    const temporary = `${target}.${process.pid}.part`;
    try {
      await this.#read(`copy (from ${this.#name}) to ${text(temporary)} (${format})`);
      renameSync(temporary, target);
    } finally {
      rmSync(temporary, { force: true });
    }
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
    const list = async () => {
      const x = options.x ?? (await this.info()).map(({ name }) => name).filter((name) => !y.includes(name));
      return this.#select([...x, ...y] as (keyof R & string)[]);
    };
    return datasetOf({ blocks: () => this.#blocks(list), tensor: make }, options);
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

/** UBIGINT, the same on every machine and version: the lower 64 bits of md5("seed:key"). In JS: `createHash("md5").update(...).digest().readBigUInt64LE(8)`. */
export function stableHash(column: string, seed: number): string {
  return `md5_number_lower(concat(${text(`${seed}:`)}, ${column}))`;
}

export function expected(name: string, what: string, got: unknown): Error {
  const shown = typeof got === "string" ? JSON.stringify(got) : Array.isArray(got) ? "[]" : String(got);
  return new Error(`Expected \`${name}\` to be ${what}, got ${shown}`);
}

/** A relation of plain SQL: nothing in it is looked up or resolved. */
export function relationOf<R extends object = Row>(engine: Engine, sql: string, upstream: TableRelation<object>[] = []): TableRelation<R> {
  return new TableRelation<R>(engine, {
    upstream,
    build: () => ({ sql, table: false }),
    hash: async () => sha("sql", sql, ...(await Promise.all(upstream.map((relation) => relation.hash())))),
  });
}
