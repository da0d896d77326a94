/** `relation(rows | columns)`: a table of JavaScript values. */
import { createHash } from "node:crypto";
import type { BytesOptions, RelationSource } from "../protocol/library.js";
import type { Row } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import type { LoadColumn } from "./messages.js";
import { pack } from "./pack.js";
import { isBytes, relationOfBytes } from "./bytes.js";
import { isIterable, relationOfIterable } from "./iterate.js";
import { hashColumns, sha } from "./recipe.js";
import { TableRelation } from "./relation.js";

/**
 * Records (missing fields are NULL), in an array or from an iterator, or an object of arrays of one length, or the bytes of a file. The values are copied at once: changing them later changes nothing.
 * Types: typed arrays keep theirs; numbers INTEGER, BIGINT or DOUBLE; bigint BIGINT or HUGEINT; Date TIMESTAMP; Uint8Array BLOB (an image is one BLOB of its pixels);
 * arrays of numbers DOUBLE[], Float32Array FLOAT[]; other objects JSON. Throws an Error that names column and row.
 */
export function relationOfValues<R extends object = Row>(
  engine: Engine,
  values: RelationSource<R>,
  options: BytesOptions = {},
  told: (sentence: string) => void = () => {},
): TableRelation<R> {
  if (isBytes(values)) return relationOfBytes<R>(engine, values, options, told);
  // a stream is one of records unless a format is said
  if (options.format !== undefined && isIterable(values) && Symbol.asyncIterator in values)
    return relationOfBytes<R>(engine, values as AsyncIterable<Uint8Array>, options, told);
  if (isIterable(values)) return relationOfIterable<R>(engine, values);
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

function contentHash(packed: { columns: LoadColumn[]; length: number }): string {
  const hash = createHash("sha256");
  hashColumns(hash, packed);
  return sha("values", hash.digest("hex"));
}
