/** `relation(rows | columns)`: a table of JavaScript values. */
import { createHash } from "node:crypto";
import type { Row } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import type { LoadColumn } from "./messages.js";
import { pack } from "./pack.js";
import { sha, TableRelation } from "./relation.js";

/**
 * Records (missing fields are NULL) or an object of arrays of one length. The values are copied at once: changing them later changes nothing.
 * Types: typed arrays keep theirs; numbers INTEGER, BIGINT or DOUBLE; bigint BIGINT or HUGEINT; Date TIMESTAMP; Uint8Array BLOB (an image is one BLOB of its pixels);
 * arrays of numbers DOUBLE[], Float32Array FLOAT[]; other objects JSON. Throws an Error that names column and row.
 */
export function relationOfValues<R extends object = Row>(engine: Engine, values: R[] | { [K in keyof R]: ArrayLike<R[K]> }): TableRelation<R> {
  let packed: { columns: LoadColumn[]; length: number } | null = pack(values);
  const hash = contentHash(packed);
  return new TableRelation<R>(engine, {
    upstream: [],
    build() {
      // handed to DuckDB, so that it is in memory once; after a failure there is nothing left to load again
      if (!packed) throw new Error("the relation could not be stored; run its cell again");
      const made = packed;
      packed = null;
      return made;
    },
    hash: () => Promise.resolve(hash),
    steady: true,
  });
}

function contentHash({ columns, length }: { columns: LoadColumn[]; length: number }): string {
  const hash = createHash("sha256");
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
  return sha("values", hash.digest("hex"));
}
