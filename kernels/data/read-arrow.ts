/** Arrow IPC into a table, in the worker: batch by batch from disk, so that a file larger than memory passes through. */
import { open, type FileHandle } from "node:fs/promises";
import { DuckDBDataChunk, type DuckDBConnection, type DuckDBType, type DuckDBVector } from "@duckdb/node-api";
import type { RecordBatch, RecordBatchReader } from "apache-arrow";
import { setCodecs } from "./arrow-codecs.js";
import { columnOf, duckType, type Column } from "./arrow-types.js";
import type { DataRequest } from "./messages.js";
import { bare, quote } from "./names.js";

const size = 2048;

/** `stopped` is asked between batches. */
export async function readArrow(
  connection: DuckDBConnection,
  request: Extract<DataRequest, { do: "arrow" }>,
  stopped: () => Error | null,
): Promise<void> {
  const { name, paths } = request;
  const [arrow, fzstd] = await Promise.all([import("apache-arrow"), import("fzstd")]);
  const { RecordBatchReader } = arrow;
  setCodecs(arrow, fzstd);
  let shape: string | null = null;
  try {
    for (const path of paths) {
      const handle = await open(path);
      try {
        const reader = await begin(() => RecordBatchReader.from(handle) as unknown as Promise<RecordBatchReader>, path);
        const fields = reader.schema.fields.map((field) => `${quote(field.name)} ${duckType(field.type, field.name)}`).join(", ");
        if (fields === "") throw new Error(`${short(path)} has no columns`);
        if (shape === null) await connection.run(`create or replace table ${name} (${fields})`);
        else if (shape !== fields) throw new Error(`${short(path)} has other columns than ${short(paths[0]!)}: (${fields}), not (${shape})`);
        shape = fields;
        await append(connection, name, reader, stopped).catch((error: unknown) => {
          throw stopped() ?? new Error(`${short(path)} cannot be read to its end: ${(error as Error).message}`, { cause: error });
        });
      } finally {
        await close(handle);
      }
    }
  } catch (error) {
    await connection.run(`drop table if exists ${name}`);
    throw error;
  }
}

async function begin(make: () => Promise<RecordBatchReader>, path: string): Promise<RecordBatchReader> {
  try {
    const reader = await make();
    await reader.open();
    if (reader.schema === undefined) throw new Error("it has no schema");
    return reader;
  } catch (error) {
    throw new Error(`${short(path)} is no Arrow IPC file or stream: ${(error as Error).message}`, { cause: error });
  }
}

async function append(connection: DuckDBConnection, name: string, reader: RecordBatchReader, stopped: () => Error | null): Promise<void> {
  const appender = await connection.createAppender(bare(name), "nb");
  try {
    const types: DuckDBType[] = reader.schema.fields.map((_, i) => appender.columnType(i));
    for await (const batch of reader as AsyncIterable<RecordBatch>) {
      const stop = stopped();
      if (stop) throw stop;
      const columns = batch.data.children.map((data, i) => columnOf(data, reader.schema.fields[i]!.name));
      for (let from = 0; from < batch.numRows; from += size) {
        const rows = Math.min(size, batch.numRows - from);
        const chunk = DuckDBDataChunk.create(types, rows);
        columns.forEach((column, i) => fill(chunk.getColumnVector(i), column, batch.data.children[i]!.nullCount, from, rows));
        appender.appendDataChunk(chunk);
      }
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

function fill(vector: DuckDBVector, column: Column, nulls: number, from: number, rows: number): void {
  if (column.direct && nulls === 0)
    (vector as unknown as { items: Float64Array }).items.set(column.direct.subarray(from, from + rows) as ArrayLike<number>);
  else for (let i = 0; i < rows; i++) vector.setItem(i, column.get(from + i));
  vector.flush();
}

/** The reader closes what it has read to the end. */
const close = (handle: FileHandle): Promise<void> => handle.close().catch(() => undefined);
const short = (path: string): string => path.split(/[/\\]/).at(-1)!;
