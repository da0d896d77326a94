/**
 * Log worker: one short process that turns closed NDJSON segments of the prediction log into Parquet. Standard input: [{dir, segments}].
 * For each folder: cut torn last lines, write part-ID.parquet under a temporary name, fsync, rename, then commit manifest.json (temporary name, fsync, rename,
 * fsync of the folder). A reader believes the manifest alone, so that a row is counted once whenever this process dies. Segments in the manifest for a minute are removed.
 */
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  files: { file: string; rows: number; at: number; segments: string[] }[];
}
export interface Job {
  dir: string;
  segments: string[];
}

/** How long a covered segment stays for readers that asked before. */
const grace = 60_000;

/** Columns of a line: short names on disk, words in Parquet. */
const columns = {
  ...{ id: "VARCHAR", row: "INTEGER", at: "BIGINT", v: "INTEGER", arm: "VARCHAR", key: "VARCHAR", p: "DOUBLE", step: "INTEGER" },
  ...{ ms: "DOUBLE", st: "VARCHAR", record: "JSON", prediction: "JSON", warnings: "VARCHAR[]" },
};
const text = (path: string): string => `'${path.replaceAll("'", "''")}'`;

// a test kills the process at its n-th step
let left = Number(process.env["TOUCHSTONE_KILL_AT"] ?? 0);
const step = (): void => {
  if (left > 0 && --left === 0) process.kill(process.pid, "SIGKILL");
};

function sync(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

/** Cuts what follows the last line feed; gives the number of lines. */
function trim(path: string): number {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(10) + 1;
  if (end < bytes.length) {
    const file = openSync(path, "r+");
    ftruncateSync(file, end);
    fsyncSync(file);
    closeSync(file);
  }
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

async function compact(connection: DuckDBConnection, { dir, segments }: Job): Promise<void> {
  const manifestPath = join(dir, "manifest.json");
  let manifest: Manifest = { files: [] };
  try {
    manifest = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const known = new Set(manifest.files.map((file) => file.file));
  const covered = new Set(manifest.files.flatMap((file) => file.segments));
  const old = manifest.files.filter((file) => Date.now() - file.at > grace).flatMap((file) => file.segments);
  for (const file of readdirSync(dir)) {
    // left by a worker that died before its commit
    if (/\.tmp$/.test(file) || (file.endsWith(".parquet") && !known.has(file))) rmSync(join(dir, file), { force: true });
  }
  const fresh = segments.filter((file) => !covered.has(file));
  step();
  if (fresh.length > 0) {
    let rows = 0;
    const paths = fresh.map((file) => join(dir, file));
    for (const path of paths) rows += trim(path);
    step();
    const name = `part-${createHash("sha256").update(fresh.join("\0")).digest("hex").slice(0, 16)}.parquet`;
    const temporary = join(dir, `${name}.tmp`);
    const types = Object.entries(columns)
      .map(([column, type]) => `"${column}": '${type}'`)
      .join(", ");
    const read = `read_json([${paths.map(text).join(", ")}], format = 'newline_delimited', columns = {${types}}, maximum_object_size = 67108864)`;
    const selected = `select id, "row", make_timestamp("at" * 1000) as "at", v as version, arm, key, p as probability, step, ms, st as status, record::varchar as record, prediction::varchar as prediction, warnings from ${read}`;
    await connection.run(`copy (${selected}) to ${text(temporary)} (format parquet, compression zstd)`);
    step();
    const [counted] = (await connection.runAndReadAll(`select count(*)::int as n from read_parquet(${text(temporary)})`)).getRowObjectsJS() as {
      n: number;
    }[];
    if (counted!.n !== rows) throw new Error(`the segments hold ${rows} lines, ${counted!.n} were read: nothing was changed`);
    sync(temporary);
    step();
    renameSync(temporary, join(dir, name));
    step();
    sync(dir);
    step();
    const next: Manifest = { files: [...manifest.files, { file: name, rows, at: Date.now(), segments: fresh }] };
    const content = `${JSON.stringify(next)}\n`;
    const file = openSync(`${manifestPath}.tmp`, "w", 0o600);
    const half = content.length >> 1;
    writeSync(file, content.slice(0, half));
    step();
    writeSync(file, content.slice(half));
    fsyncSync(file);
    closeSync(file);
    step();
    renameSync(`${manifestPath}.tmp`, manifestPath);
    step();
    sync(dir);
    step();
  }
  for (const file of old) {
    if (statSync(join(dir, file), { throwIfNoEntry: false })) rmSync(join(dir, file), { force: true });
    step();
  }
}

try {
  const jobs = JSON.parse(readFileSync(0, "utf8")) as Job[];
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "512MB" });
  const connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
  const failures: string[] = [];
  // a day that cannot be read does not hold up the others
  for (const job of jobs) await compact(connection, job).catch((error: Error) => failures.push(`${job.dir}: ${error.message}`));
  if (failures.length > 0) throw new Error(failures.join("; "));
  process.exit(0);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
