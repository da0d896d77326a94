/** Records of an iterator as a relation: read once, in pieces, never all in memory. */
import { createHash } from "node:crypto";
import type { Row } from "../protocol/values.js";
import type { Engine } from "./engine.js";
import { SqlError } from "./fault.js";
import type { LoadColumn } from "./messages.js";
import { pack } from "./pack.js";
import { hashColumns, sha } from "./recipe.js";
import { TableRelation } from "./relation.js";
import { buffersOf } from "./unpack.js";

/** Records that are handed to DuckDB at once. */
const piece = 50_000;

export function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

/** A column of one piece is NULL throughout: its type is not known yet. */
const unknown = ({ column }: LoadColumn): boolean => column.kind === "text" && column.nulls !== null && column.nulls.every((one) => one === 1);

const numbers = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE)$/;
const compatible = (a: string, b: string): boolean =>
  a === b || (numbers.test(a) && numbers.test(b)) || (/^(FLOAT|DOUBLE)\[\]$/.test(a) && /^(FLOAT|DOUBLE)\[\]$/.test(b));

export function relationOfIterable<R extends object = Row>(engine: Engine, source: Iterable<unknown> | AsyncIterable<unknown>): TableRelation<R> {
  const digest = createHash("sha256");
  const relation: TableRelation<R> = new TableRelation<R>(engine, {
    upstream: [],
    build: () => ({ make: (name) => fill(engine, name, source, digest) }),
    hash: async () => {
      await relation.ready();
      return sha("iterable", digest.copy().digest("hex"));
    },
    steady: true,
  });
  return relation;
}

async function fill(
  engine: Engine,
  name: string,
  source: Iterable<unknown> | AsyncIterable<unknown>,
  digest: ReturnType<typeof createHash>,
): Promise<void> {
  const stops = engine.interrupts;
  const types = new Map<string, string>();
  const pending = new Set<string>();
  let rows = 0;
  const add = async (records: unknown[]): Promise<void> => {
    let packed: ReturnType<typeof pack>;
    try {
      packed = pack(records);
    } catch (error) {
      // rows of a piece count from its start
      throw new Error(
        (error as Error).message.replace(/\b(row |values\[)(\d+)/g, (_, word: string, row: string) => `${word}${Number(row) + rows}`),
        {
          cause: error,
        },
      );
    }
    const known = packed.columns.filter((column) => !unknown(column));
    for (const column of packed.columns) {
      if (unknown(column)) {
        if (!types.has(column.name)) pending.add(column.name);
        continue;
      }
      const before = types.get(column.name);
      if (before !== undefined && !compatible(before, column.type))
        throw new Error(
          `column \`${column.name}\` is ${before} up to row ${rows} and ${column.type} after it: a column has one type; convert its values first`,
        );
      types.set(column.name, column.type);
      pending.delete(column.name);
    }
    hashColumns(digest, packed);
    // a piece of NULLs alone still has its rows
    const columns = known.length > 0 ? known : packed.columns;
    rows += packed.length;
    await engine.request({ do: "append", name, columns, length: packed.length }, buffersOf(columns.map(({ column }) => column)));
  };
  let waiting: unknown[] = [];
  for await (const record of source) {
    if (engine.interrupts !== stops) throw new SqlError("The query was interrupted.", "Interrupt");
    waiting.push(record);
    if (waiting.length < piece) continue;
    await add(waiting);
    waiting = [];
  }
  if (waiting.length > 0) await add(waiting);
  if (rows === 0) throw new Error("the iterator gave no record, so the relation has no columns: give columns instead, such as { x: [], y: [] }");
  for (const column of pending) {
    const { rows: had } = await engine.query(`select 1 as one from (describe ${name}) where column_name = '${column.replaceAll("'", "''")}'`);
    if (had.length === 0) await engine.query(`alter table ${name} add column "${column.replaceAll('"', '""')}" VARCHAR`);
  }
}
