/** A table of all rows of a view, which later pages are read from. Of one Parquet file it is made in pieces, which a stop leaves as they are. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { statSync } from "node:fs";
import { discard, freshName } from "./kept.js";
import { text } from "./names.js";

/** rows of a piece, made of whole row groups */
const pieceRows = 700_000;

/** A table that is begun. */
interface Part {
  table: string;
  /** numbers of rows at which pieces begin, and of all rows */
  cuts: number[];
  /** pieces that are in it */
  done: number;
  /** when and how large the file was */
  stamp: string;
}
const parts = new Map<string, Part>();

/** how far a connection's copy is, in pieces; each statement of its own tells its percent from the start */
const steps = new WeakMap<DuckDBConnection, { done: number; of: number }>();

/** Percent of what the connection is at; negative while DuckDB cannot tell. */
export function percentOf(connection: DuckDBConnection): number {
  const { percentage } = connection.progress;
  const step = steps.get(connection);
  return step ? (100 * step.done + Math.max(0, percentage)) / step.of : percentage;
}

/** Makes the table `name` of all rows of `relation`. `file`: the one Parquet file, as a string in SQL, that it is no more and no less than. */
export async function copyRows(
  connection: DuckDBConnection,
  name: string,
  relation: string,
  file: string | null,
  stopped: () => boolean,
): Promise<void> {
  const part = file === null ? null : await begun(connection, relation, file);
  if (!part) return void (await connection.run(`create table ${name} as from ${relation}`));
  try {
    while (part.done < part.cuts.length - 1) {
      if (stopped()) throw new Error("stopped");
      steps.set(connection, { done: part.done, of: part.cuts.length - 1 });
      const [from, to] = [part.cuts[part.done]!, part.cuts[part.done + 1]! - 1];
      await connection.run(`insert into ${part.table} from ${file} where file_row_number between ${from} and ${to}`);
      part.done++;
    }
  } finally {
    steps.delete(connection);
  }
  parts.delete(relation);
  if ((await stampOf(connection, file!)) !== part.stamp) {
    await discard(connection, part.table);
    throw new Error(`the file ${file} was changed while it was read; run the cell again`);
  }
  await connection.run(`alter table ${part.table} rename to ${name.slice("nb.".length)}`);
}

/** Drops what was made of a table for this relation. */
export async function dropCopy(connection: DuckDBConnection, relation: string): Promise<void> {
  const part = parts.get(relation);
  parts.delete(relation);
  if (part) await discard(connection, part.table);
}

/** The part of an earlier try that was stopped, or an empty one; null: it is not worth pieces. */
async function begun(connection: DuckDBConnection, relation: string, file: string): Promise<Part | null> {
  const stamp = await stampOf(connection, file);
  const had = parts.get(relation);
  if (had) {
    const [[rows]] = (await connection.runAndReadAll(`select count(*) from ${had.table}`)).getRows() as [[bigint]];
    if (had.stamp === stamp && Number(rows) === had.cuts[had.done]) return had;
    await dropCopy(connection, relation);
  }
  if (stamp === null) return null;
  const groups = await connection.runAndReadAll(`select row_group_num_rows from parquet_metadata(${file}) where column_id = 0 order by row_group_id`);
  const cuts = [0];
  let at = 0;
  for (const [rows] of groups.getRows()) {
    at += Number(rows);
    if (at - cuts.at(-1)! >= pieceRows) cuts.push(at);
  }
  if (cuts.at(-1) !== at) cuts.push(at);
  if (cuts.length < 3) return null;
  const part: Part = { table: freshName(), cuts, done: 0, stamp };
  // of the relation: it must be there still
  await connection.run(`create table ${part.table} as from ${relation} limit 0`);
  parts.set(relation, part);
  return part;
}

/** When and how large a file on this machine was; null: it is several, or elsewhere. */
async function stampOf(connection: DuckDBConnection, file: string): Promise<string | null> {
  const files = (await connection.runAndReadAll(`select file_name from parquet_file_metadata(${file})`)).getRows();
  if (files.length !== 1) return null;
  const path = String(files[0]![0]);
  const found = statSync(path, { throwIfNoEntry: false });
  return found && text(path) === file ? `${found.mtimeMs} ${found.size}` : null;
}
