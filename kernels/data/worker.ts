/** The thread that owns DuckDB. Requests come from the kernel's main thread and, through ports that it gave away, from its control worker. */
import { DuckDBInstance, StatementType, type DuckDBConnection, type DuckDBDataChunk, type DuckDBResult } from "@duckdb/node-api";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { ColumnInfo } from "../protocol/output.js";
import { faultOf } from "./fault.js";
import { append } from "./append.js";
import { Asides } from "./asides.js";
import { dropCopy, percentOf } from "./copy.js";
import { attach, saveTable } from "./database-worker.js";
import { load } from "./load.js";
import { readArrow } from "./read-arrow.js";
import { readCsv } from "./read-csv.js";
import type { DataRequest, FromWorker, LoadColumn, PackedTable, ToWorker } from "./messages.js";
import { forget } from "./kept.js";
import { answer, type Standing } from "./page.js";
import { parquetUnder } from "./parquet-under.js";
import { scanOf } from "./plan.js";
import { Folding, fold, type FoldRule, type Matrix } from "./numeric.js";
import { bare, rejectsOf, text } from "./names.js";
import { plainReader, TableReader } from "./read.js";
import { forgetRenamed, renamedOf } from "./rowid.js";
import { Stream } from "./stream.js";
import { buffersOf } from "./unpack.js";

const { memoryLimit, threads, spill, spillLimit } = workerData as { memoryLimit: string; threads: number; spill: string; spillLimit: number };

const instance = await DuckDBInstance.create(":memory:", {
  memory_limit: memoryLimit,
  threads: String(threads),
  temp_directory: spill,
  autoinstall_known_extensions: "true",
  preserve_insertion_order: "true",
});
const first = await connect();
// as an option of the instance it has no effect (1.5.6)
await first.run(`set global max_temp_directory_size = '${Math.floor(spillLimit)}B'`);
await first.run("create schema if not exists nb");
await first.run("set search_path = 'nb,main'");

/** Connections at rest, and those at work by lane: "run" is what Interrupt stops, "page" goes on beside it. */
const resting: DuckDBConnection[] = [first];
const working = { run: new Set<DuckDBConnection>(), page: new Set<DuckDBConnection>() };
type Lane = keyof typeof working;
/** which piece of work a connection is at */
const jobs = new WeakMap<DuckDBConnection, number>();
let jobCount = 0;

async function connect(): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  await connection.run("set errors_as_json = true");
  await connection.run("set TimeZone = 'UTC'");
  try {
    await connection.run("set search_path = 'nb,main'");
  } catch {
    // the first connection makes the schema
  }
  return connection;
}

async function borrow(lane: Lane): Promise<DuckDBConnection> {
  const connection = resting.pop() ?? (await connect());
  working[lane].add(connection);
  jobs.set(connection, ++jobCount);
  return connection;
}

function giveBack(lane: Lane, connection: DuckDBConnection): void {
  if (working[lane].delete(connection)) resting.push(connection);
}

async function on<T>(lane: Lane, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const connection = await borrow(lane);
  try {
    return await work(connection);
  } finally {
    giveBack(lane, connection);
  }
}

/** Changes of one name, one after the other: a drop that is still on its way must neither conflict with a new view of the name nor take it. */
const turns = new Map<string, Promise<unknown>>();
function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const result = (turns.get(name) ?? Promise.resolve()).then(work);
  const over = result
    .catch(() => undefined)
    .then(() => {
      if (turns.get(name) === over) turns.delete(name);
    });
  turns.set(name, over);
  return result;
}

function reader(result: DuckDBResult): TableReader {
  return new TableReader(result.deduplicatedColumnNames(), result.columnTypes());
}

async function run(connection: DuckDBConnection, sql: string): Promise<PackedTable> {
  // not `stream`: its results end silently where the query fails (stream.ts)
  const result = await connection.run(sql);
  const table = reader(result);
  for (let chunk: DuckDBDataChunk | null; (chunk = await result.fetchChunk()) && chunk.rowCount > 0;) table.add(chunk);
  return table.take();
}

/** Rows as numbers, each chunk folded while the next is fetched; whatever is refused is told by the count of the whole. */
async function matrix(connection: DuckDBConnection, sql: string, nulls: FoldRule): Promise<Matrix | { refused: string }> {
  const result = await connection.run(sql);
  const table = reader(result);
  const plain = plainReader(result.columnTypes());
  // a plan of thousands of columns takes longer than the copy that it saves
  const expected = plain && result.columnCount <= 500 ? (await scanOf(connection, `(${sql})`)).rows : 0;
  const folding = new Folding(nulls, expected * result.columnCount * (nulls === "mask" ? 2 : 1));
  const fetch = (): Promise<DuckDBDataChunk | null> => {
    const chunk = result.fetchChunk();
    // one that is fetched ahead of a refusal is never looked at
    chunk.catch(() => undefined);
    return chunk;
  };
  let refused = false;
  for (let ahead = fetch(); ;) {
    const chunk = await ahead;
    if (!chunk || chunk.rowCount === 0) break;
    ahead = fetch();
    const columns = plain?.(chunk);
    if (columns && folding.addPlain(columns, chunk.rowCount)) continue;
    table.add(chunk);
    try {
      folding.add(table.lend());
    } catch {
      refused = true;
      await ahead;
      break;
    }
  }
  if (!refused && folding.rows > 0) return folding.take();
  const whole = await run(connection, sql);
  try {
    return fold(whole, nulls);
  } catch (error) {
    return { refused: (error as Error).message };
  }
}

/** results that are being read in blocks */
const streams = new Map<number, Stream>();
let streamCount = 0;

async function next(id: number): Promise<PackedTable | null> {
  const stream = streams.get(id);
  if (!stream) return null;
  try {
    const table = await stream.next(interrupted);
    if (table === null) await close(id);
    return table;
  } catch (error) {
    await close(id);
    throw error;
  }
}

async function close(id: number): Promise<void> {
  const stream = streams.get(id);
  if (!stream) return;
  streams.delete(id);
  await stream.close();
  giveBack("run", stream.connection);
}

async function create(connection: DuckDBConnection, name: string, sql: string, table: boolean): Promise<{ kind: "view" | "table" }> {
  const statements = await connection.extractStatements(sql);
  const prepared = statements.count === 1 ? await statements.prepare(0) : null;
  const query = prepared?.statementType === StatementType.SELECT;
  prepared?.destroySync();
  if (query) {
    const kind = table ? "table" : "view";
    const head = `create or replace ${kind} ${name} as `;
    try {
      await connection.run(head + sql);
    } catch (error) {
      throw Object.assign(error as Error, { head: Buffer.byteLength(head) });
    }
    return { kind };
  }
  const result = await run(connection, sql);
  if (result.names.length === 0) throw new Error("Invalid Input Error: the statement gives no table");
  await load(
    connection,
    name,
    result.columns.map((column, i): LoadColumn => ({ name: result.names[i]!, type: loadType(result, i), column })),
    result.length,
  );
  return { kind: "table" };
}

/** Results of statements that are no queries hold text and counts; anything else is kept as text. */
function loadType(table: PackedTable, i: number): string {
  const kind = table.columns[i]!.kind;
  return kind === "f64" ? "DOUBLE" : kind === "i32" ? "INTEGER" : kind === "bool" ? "BOOLEAN" : kind === "date" ? "TIMESTAMP" : "VARCHAR";
}

/** Columns of relations: to describe a table of ten thousand takes DuckDB a second. */
const shapes = new Map<string, Promise<ColumnInfo[]>>();

function columnsOf(connection: DuckDBConnection, name: string): Promise<ColumnInfo[]> {
  const had = shapes.get(name);
  if (had) return had;
  const found = connection
    .runAndReadAll(`select column_name, column_type from (describe ${name})`)
    .then((result) => result.getRows().map(([column, type]) => ({ name: String(column), type: String(type) })));
  shapes.set(name, found);
  found.catch(() => shapes.delete(name));
  return found;
}

/** Nothing that is known of the relation of that name holds any more. */
function changed(name: string): void {
  forgetRenamed(name);
  for (const one of [name, renamedOf(name)]) {
    fixed.delete(one);
    shapes.delete(one);
  }
}

/** Relations whose rows come in one order at each reading, and where they are. */
const fixed = new Map<string, Promise<Standing>>();

function fix(connection: DuckDBConnection, name: string): Promise<Standing> {
  const had = fixed.get(name);
  if (had) return had;
  const made = (async () => {
    const found = await run(connection, `select 1 as one from duckdb_tables() where schema_name = 'nb' and table_name = ${text(bare(name))}`);
    if (found.length > 0) return { table: name, slow: false, rows: 0, under: null };
    const { fixed, slow, rows } = await scanOf(connection, name);
    if (fixed) return { table: null, slow, rows, under: slow ? null : await parquetUnder(connection, name) };
    const kept = `${name.slice(0, -1)}#"`;
    await connection.run(`create or replace table ${kept} as from ${name}`);
    await connection.run(`create or replace view ${name} as from ${kept}`);
    return { table: kept, slow: false, rows: 0, under: null };
  })();
  fixed.set(name, made);
  made.catch(() => fixed.delete(name));
  return made;
}

async function handle(request: DataRequest, begun: (connection: DuckDBConnection) => void): Promise<{ value: unknown; transfer?: ArrayBuffer[] }> {
  switch (request.do) {
    case "run": {
      const table = await on("run", (connection) => run(connection, request.sql));
      return { value: table, transfer: buffersOf(table.columns) };
    }
    case "matrix": {
      const made = await on("run", (connection) => matrix(connection, request.sql, request.nulls));
      return { value: made, transfer: "values" in made ? [made.values.buffer as ArrayBuffer] : [] };
    }
    case "create":
      changed(request.name);
      return { value: await inTurn(request.name, () => on("run", (connection) => create(connection, request.name, request.sql, request.table))) };
    case "fix":
      return { value: await on("run", (connection) => fix(connection, request.name).then(() => null)) };
    case "columns":
      return { value: await on("run", (connection) => columnsOf(connection, request.name)) };
    case "load":
      changed(request.name);
      return { value: await inTurn(request.name, () => on("run", (connection) => load(connection, request.name, request.columns, request.length))) };
    case "csv":
      changed(request.name);
      return { value: await on("run", (connection) => readCsv(connection, request)) };
    case "arrow": {
      changed(request.name);
      const since = interrupts;
      return { value: await on("run", (connection) => readArrow(connection, request, () => (interrupts > since ? interrupted() : null))) };
    }
    case "append":
      changed(request.name);
      return { value: await on("run", (connection) => append(connection, request)) };
    case "attach":
      return { value: await on("run", (connection) => attach(connection, request)) };
    case "save":
      return { value: await on("run", (connection) => saveTable(connection, request)) };
    case "drop":
      return { value: await inTurn(request.name, () => on("page", (connection) => drop(connection, request.name))) };
    case "open": {
      const connection = await borrow("run");
      try {
        const stream = await Stream.open(connection, request.sql);
        streams.set(++streamCount, stream);
        return { value: streamCount };
      } catch (error) {
        giveBack("run", connection);
        throw error;
      }
    }
    case "next": {
      const table = await next(request.stream);
      return { value: table, transfer: table ? buffersOf(table.columns) : [] };
    }
    case "close":
      return { value: await close(request.stream) };
    case "query":
      return {
        value: await on("page", (connection) => {
          begun(connection);
          return answer(
            connection,
            request.query,
            (name) => columnsOf(connection, name),
            (name) => fix(connection, name),
            asides,
          );
        }),
      };
  }
}

const asides = new Asides((work) => {
  handling++;
  return on("page", work).finally(() => handling--);
});

async function drop(connection: DuckDBConnection, name: string): Promise<void> {
  changed(name);
  for (const one of [name, renamedOf(name)]) {
    await forget(connection, one);
    await dropCopy(connection, one);
  }
  const kept = `${name.slice(0, -1)}#"`;
  for (const [kind, what] of [
    ["table", rejectsOf(name)],
    ["view", renamedOf(name)],
    ["table", `${renamedOf(name).slice(0, -1)}#"`],
    ["view", name],
    ["table", name],
    ["table", kept],
  ] as const) {
    try {
      await connection.run(`drop ${kind} if exists ${what}`);
    } catch {
      // `if exists` still refuses a name of the other kind
    }
  }
}

function interrupted(): Error {
  return new Error('{"exception_type":"INTERRUPT","exception_message":"Interrupted!"}');
}

/** how often that was: what is read here, not by a query, looks at it */
let interrupts = 0;

/** Stops what is at work now. It is said again until heard: between preparing and running a statement DuckDB forgets it. */
function interrupt(): void {
  interrupts++;
  for (const stream of streams.values()) stream.stopped = true;
  const reading = new Set([...streams.values()].map(({ connection }) => connection));
  const busy = new Map([...working.run].filter((connection) => !reading.has(connection)).map((connection) => [connection, jobs.get(connection)]));
  for (const connection of working.run) connection.interrupt();
  const again = setInterval(() => {
    for (const [connection, job] of busy)
      if (working.run.has(connection) && jobs.get(connection) === job) connection.interrupt();
      else busy.delete(connection);
    if (busy.size === 0) clearInterval(again);
  }, 20);
}

/** pieces of work that have not answered yet */
let handling = 0;
let closing = false;

/** Ends the thread as soon as nothing of DuckDB's is on its way. */
async function shut(): Promise<void> {
  closing = true;
  asides.close();
  for (;;) {
    interrupt();
    for (const id of [...streams.keys()]) await close(id);
    if (handling === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  process.exit();
}

/** A page asks for a name that the schema has; anything else is refused before it reaches SQL. */
function serve(port: MessagePort): void {
  const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  /** this port's pages at work */
  const pages = new Map<number, { connection: DuckDBConnection; since: number; cancelled: boolean }>();
  const told = setInterval(() => {
    for (const [id, { connection, since, cancelled }] of pages) {
      // said again until heard: between two statements of one page there is nothing to interrupt
      if (cancelled) connection.interrupt();
      else if (performance.now() - since > 400) send({ working: id, percent: Math.max(0, Math.round(percentOf(connection))) });
    }
  }, 200);
  told.unref();
  port.once("close", () => clearInterval(told));
  port.on("message", (message: ToWorker) => {
    if ("interrupt" in message) return interrupt();
    if ("close" in message) return void shut();
    if ("port" in message) return serve(message.port);
    if ("cancel" in message) {
      const page = pages.get(message.cancel);
      if (page) page.cancelled = true;
      page?.connection.interrupt();
      return;
    }
    const { id, request } = message;
    const begun = (connection: DuckDBConnection) => void pages.set(id, { connection, since: performance.now(), cancelled: false });
    if (closing) return send({ id, ok: false, fault: faultOf(new Error("DuckDB is closed")) });
    handling++;
    handle(request, begun)
      .finally(() => {
        pages.delete(id);
        handling--;
      })
      .then(
        ({ value, transfer }) => send({ id, ok: true, value }, transfer),
        (error: unknown) => send({ id, ok: false, fault: faultOf(error) }),
      );
  });
}

/** Percent of the longest query at work, for the cell's progress line. */
setInterval(() => {
  let percent: number | null = null;
  for (const connection of working.run) {
    const { percentage } = connection.progress;
    if (percentage >= 0) percent = Math.max(percent ?? 0, percentage);
  }
  if (percent !== null) parentPort!.postMessage({ progress: percent } satisfies FromWorker);
}, 250).unref();

// up: whoever waits for the start hears it
parentPort!.postMessage({ progress: null } satisfies FromWorker);
serve(parentPort as unknown as MessagePort);
