/** DuckDB's errors: read from their JSON form in the worker, told to a person in the kernel. */
import type { Fault } from "./messages.js";

/** An error of a query. `line` and `column` count from 1 in the SQL text as it was written. */
export class SqlError extends Error {
  override readonly name = "SqlError";
  /** DuckDB's class of error: "Binder", "Catalog", "IO", "Out of Memory", "Interrupt" */
  readonly type: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** which piece of the tagged template (0 = before the first `${}`), and the offset in it */
  readonly piece: number | undefined;
  readonly offset: number | undefined;
  constructor(message: string, type: string, place?: { line: number; column: number; piece?: number; offset?: number }) {
    super(message);
    this.type = type;
    this.line = place?.line;
    this.column = place?.column;
    this.piece = place?.piece;
    this.offset = place?.offset;
  }
}

/** Is this the error of a query that was stopped? */
export function isInterrupted(error: unknown): boolean {
  return error instanceof SqlError && error.type === "Interrupt";
}

interface DuckError {
  exception_type?: string;
  exception_message?: string;
  position?: string;
  candidates?: string;
  name?: string;
}

/** Reads what DuckDB threw with `errors_as_json`; parser errors have a prefix before the JSON. */
export function faultOf(error: unknown): Fault {
  const text = error instanceof Error ? error.message : String(error);
  const start = text.indexOf("{");
  let read: DuckError | null = null;
  if (start >= 0) {
    try {
      read = JSON.parse(text.slice(start)) as DuckError;
    } catch {}
  }
  if (!read?.exception_message) {
    const plain = /^([A-Z][\w ]*?)(?: Error)?: ([\s\S]*)$/.exec(text);
    return { type: plain?.[1] ?? "Error", message: plain?.[2] ?? text, position: null, candidates: [], missing: null };
  }
  const type = read.exception_type === "INTERRUPT" ? "Interrupt" : (read.exception_type ?? "Error");
  return {
    type,
    message: read.exception_message,
    // what the worker wrote before the statement is not the author's
    position: read.position === undefined ? null : Number(read.position) - ((error as { head?: number }).head ?? 0),
    candidates: read.candidates ? read.candidates.split(",").map((name) => name.trim()) : [],
    missing: read.name ?? null,
  };
}

/** The sentence for a person. */
export function sentenceOf(fault: Fault): string {
  if (fault.type === "Interrupt") return "The query was interrupted.";
  const disk = /max_temp_directory_size|temp directory/i.test(fault.message) ? ", and more disk than it may fill" : "";
  if (fault.type === "Out of Memory")
    return `The query needs more memory than DuckDB may use here${disk}. Select fewer columns or rows, or aggregate before joining. (DuckDB: ${firstLine(fault.message)})`;
  if (/This file is not utf-8 encoded/.test(fault.message))
    return `${fault.message.trim().split("\n\n")[0]} A CSV file in another encoding is read by \`csv("data/file.csv", { encoding: "latin-1" })\`, which says what it seems to be.`;
  const other = /([^/\\']+\.duckdb_extension)'[\s\S]*built specifically for DuckDB version '([^']+)'[\s\S]*this version of DuckDB is '([^']+)'/.exec(
    fault.message,
  );
  if (other)
    return `The extension file ${other[1]} is of DuckDB ${other[2]}, and this is DuckDB ${other[3]}, which loads files of its own version alone: put that one in its place (docs/extensions.md).`;
  if (/extension/i.test(fault.message) && /(install|download|load|autoload)/i.test(fault.message)) {
    const file = /\/(v[\d.]+\/\w+\/\w+\.duckdb_extension)/.exec(fault.message)?.[1];
    const place = file === undefined ? "" : `, or put it there yourself as ~/.duckdb/extensions/${file} (docs/extensions.md)`;
    return `This needs DuckDB's extension${extensionOf(fault.message)}, which is downloaded when it is first used, and that did not work here: check the network and run again${place}. Files in CSV, Parquet, JSON, Arrow and DuckDB's own format need none. (DuckDB: ${firstLine(fault.message)})`;
  }
  return fault.message.trim();
}

function extensionOf(message: string): string {
  const name = /(?:extension ['"]?|load the )(\w+)/i.exec(message)?.[1];
  return name === undefined || /^(is|to|that|at)$/i.test(name) ? "" : ` \`${name}\``;
}

function firstLine(text: string): string {
  return text
    .trim()
    .split("\n")[0]!
    .replace(/[:.\s]+$/, "");
}
