/** DuckDB files beside the notebook's own database, in the worker: attached for reading, written by replacing the whole file. */
import { closeSync, constants, copyFileSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Attached } from "./database.js";
import type { DataRequest } from "./messages.js";
import { quote, text } from "./names.js";

const open = new Map<string, { name: string; stamp: string }>();
let count = 0;

export async function attach(connection: DuckDBConnection, { path, stamp }: Extract<DataRequest, { do: "attach" }>): Promise<Attached> {
  let own = open.get(path);
  if (own && own.stamp !== stamp) {
    // another program has replaced the file: what reads the old one is stale
    await connection.run(`detach ${quote(own.name)}`);
    open.delete(path);
    own = undefined;
  }
  if (!own) {
    own = { name: `db${++count}`, stamp };
    try {
      await connection.run(`attach ${text(path)} as ${quote(own.name)} (read_only)`);
    } catch (error) {
      throw held(path, error) ?? error;
    }
    open.set(path, own);
  }
  const { name } = own;
  const found = await connection.runAndReadAll(
    `select case when table_schema = 'main' then table_name else table_schema || '.' || table_name end from information_schema.tables where table_catalog = ${text(name)} order by 1`,
  );
  return { name, tables: found.getRows().map(([table]) => String(table)) };
}

/** The writer of a file keeps even readers out. */
function held(path: string, error: unknown): Error | null {
  const message = error instanceof Error ? error.message : String(error);
  if (!/could not set lock|conflicting lock/i.test(message)) return null;
  const pid = /PID (\d+)/.exec(message)?.[1];
  return new Error(
    `IO Error: ${basename(path)} is open for writing in another program${pid === undefined ? "" : ` (process ${pid})`}, which keeps readers out: close it there and run again`,
  );
}

/**
 * Copies the file, writes the table into the copy, and renames it: readers keep the old file or get the new one, and a failure leaves the old one.
 * A lock file beside it keeps two kernels from losing each other's tables.
 */
export async function saveTable(connection: DuckDBConnection, request: Extract<DataRequest, { do: "save" }>): Promise<void> {
  const { name, path, table } = request;
  const lock = `${path}.lock`;
  const release = take(lock, path);
  const copy = `${path}.${process.pid}.part`;
  const alias = quote(`save${++count}`);
  try {
    if (existsSync(path)) copyFileSync(path, copy, constants.COPYFILE_FICLONE);
    await connection.run(`attach ${text(copy)} as ${alias}`);
    try {
      await connection.run(`create or replace table ${alias}.main.${quote(table)} as from ${name}`);
    } finally {
      await connection.run(`detach ${alias}`);
    }
    renameSync(copy, path);
  } finally {
    for (const rest of [copy, `${copy}.wal`]) rmSync(rest, { force: true });
    release();
  }
}

function take(lock: string, path: string): () => void {
  for (let tries = 0; ; tries++) {
    try {
      const handle = openSync(lock, "wx");
      writeSync(handle, String(process.pid));
      closeSync(handle);
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const pid = Number(safeRead(lock));
      if (tries > 0 || (pid > 0 && alive(pid)))
        throw new Error(`IO Error: ${basename(path)} is being written by another kernel (process ${pid}): run again when it has finished`, {
          cause: error,
        });
      // its writer has died: the file itself was never touched
      rmSync(lock, { force: true });
    }
  }
}

function safeRead(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function alive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
