/** How a relation comes to be, and the hash of its content. */
import { createHash, type Hash as HashStream } from "node:crypto";
import type { Hash } from "../protocol/values.js";
import type { SqlError } from "./fault.js";
import type { LoadColumn } from "./messages.js";
import type { TableRelation } from "./relation.js";

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
