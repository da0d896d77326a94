/** The columns of an Arrow IPC file by its head alone, as DuckDB's types. */
import { open } from "node:fs/promises";
import type { RecordBatchReader } from "apache-arrow";
import type { ColumnInfo } from "../protocol/output.js";
import { setCodecs } from "./arrow-codecs.js";
import { duckType } from "./arrow-types.js";

/** Throws where it is no Arrow file, or has a column that DuckDB has no type for. */
export async function arrowColumns(path: string): Promise<ColumnInfo[]> {
  const [arrow, fzstd] = await Promise.all([import("apache-arrow"), import("fzstd")]);
  setCodecs(arrow, fzstd);
  const handle = await open(path);
  try {
    const reader = await (arrow.RecordBatchReader.from(handle) as unknown as Promise<RecordBatchReader>);
    await reader.open();
    return reader.schema.fields.map((field) => ({ name: field.name, type: duckType(field.type, field.name) }));
  } finally {
    await handle.close().catch(() => undefined);
  }
}
