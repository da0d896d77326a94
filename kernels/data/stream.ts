/** A query's rows in blocks, in flat memory, in the worker. */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBResult } from "@duckdb/node-api";
import type { PackedTable } from "./messages.js";
import { TableReader } from "./read.js";

/** rows of a block */
const block = 65_536;
const mark = '"~end of rows"';

/**
 * node-api's results of `stream` end silently, as if complete, where the query fails or is stopped half-way (1.5.6). So one more row is asked for after
 * all others: without it, the rows that came are not all.
 */
export class Stream {
  readonly connection: DuckDBConnection;
  readonly #sql: string;
  readonly #result: DuckDBResult;
  readonly #table: TableReader;
  #rows = 0;
  #ended = false;
  stopped = false;

  private constructor(connection: DuckDBConnection, sql: string, result: DuckDBResult) {
    this.connection = connection;
    this.#sql = sql;
    this.#result = result;
    this.#table = new TableReader(result.deduplicatedColumnNames().slice(0, -1), result.columnTypes().slice(0, -1));
  }

  /** `sql`: a SELECT whose columns have names of their own. */
  static async open(connection: DuckDBConnection, sql: string): Promise<Stream> {
    return new Stream(connection, sql, await connection.stream(`select *, false as ${mark} from (${sql}) union all by name select true as ${mark}`));
  }

  /** The next block; null after the last. Throws DuckDB's error where the query has failed. */
  async next(interrupted: () => Error): Promise<PackedTable | null> {
    while (!this.#ended && this.#table.length < block) {
      if (this.stopped) throw interrupted();
      const chunk = await this.#result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) {
        if (this.stopped) throw interrupted();
        throw await this.#failure();
      }
      this.#add(chunk);
    }
    if (this.stopped) throw interrupted();
    return this.#table.length === 0 ? null : this.#table.take();
  }

  #add(chunk: DuckDBDataChunk): void {
    const last = chunk.columnCount - 1;
    const rows = chunk.rowCount;
    if (chunk.getColumnVector(last).getItem(rows - 1) === true) {
      this.#ended = true;
      if (rows === 1) return;
      chunk.rowCount = rows - 1;
    }
    this.#table.add(chunk);
    this.#rows += chunk.rowCount;
  }

  /** The error that the stream has kept to itself: all columns of all rows are computed once more. */
  async #failure(): Promise<Error> {
    try {
      await this.connection.run(`select bit_xor(hash(t)) from (${this.#sql}) t`);
    } catch (error) {
      return error as Error;
    }
    return new Error(`Error: the query broke off after ${this.#rows.toLocaleString("en")} rows: run it again`);
  }

  /** Frees what an unread rest holds. */
  async close(): Promise<void> {
    if (!this.#ended) await this.connection.run("select 1").catch(() => undefined);
  }
}
