/** Errors as a person needs them: the cell's own line, what is wrong, what to do. */
import { inspect } from "node:util";
import type { CellError, Suggestion } from "../protocol/output.js";
import { ParseError } from "./syntax.js";

/** Which `sql` template an error of DuckDB speaks of. */
export interface SqlOrigin {
  cell: string;
  /** raw pieces between the holes */
  pieces: readonly string[];
}

/** A place in the user's own text. */
export interface Place {
  cell?: string;
  file?: string;
  line: number;
  column: number;
}
export interface ErrorContext {
  /** the cell that ran */
  cell: string;
  source: string;
  /** a frame of a stack, null = the kernel's own, left out */
  place(file: string, line: number, column: number): Place | null;
  /** where the cell waited for what failed with this */
  awaitedAt(thrown: object): Place | null;
  /** source of a cell or file, for the code line */
  sourceOf(place: Place): string | undefined;
  /** names in scope */
  names(): string[];
  /** cell that defines a name, when one does */
  owner(name: string): string | undefined;
}

/** Describes anything thrown. */
export function toCellError(thrown: unknown, context: ErrorContext, depth = 0): CellError {
  if (thrown instanceof ParseError) return parseError(thrown, context);
  if (!isError(thrown)) {
    return { name: "Thrown", message: `a value that is no Error was thrown: ${inspect(thrown, { depth: 2 })}`, cell: context.cell, frames: [] };
  }
  const frames = framesOf(thrown, context);
  const told = sqlPlace(thrown, context) ?? ownPlace(thrown, context);
  if (told) frames.unshift(told);
  const waited = frames.some((frame) => frame.cell !== undefined) ? null : context.awaitedAt(thrown);
  if (waited) frames.unshift(waited);
  const own = frames.find((frame) => frame.cell !== undefined) ?? frames.find((frame) => frame.file !== undefined);
  const error: CellError = { name: text(thrown, "name") || "Error", message: text(thrown, "message"), cell: own?.cell ?? context.cell, frames };
  if (own) {
    error.line = own.line;
    error.column = own.column;
    const code = context.sourceOf(own)?.split("\n")[own.line - 1];
    if (code !== undefined && own.cell !== undefined) error.code = code;
  }
  const suggestion = suggest(thrown, error, context);
  if (suggestion) error.suggestion = suggestion;
  if (depth < 4 && "cause" in thrown && thrown.cause !== undefined && thrown.cause !== thrown)
    error.cause = toCellError(thrown.cause, context, depth + 1);
  return error;
}

function isError(value: unknown): value is Error {
  return value instanceof Error || (typeof value === "object" && value !== null && "stack" in value && "message" in value);
}

function text(error: Error, key: "name" | "message"): string {
  try {
    return String(error[key]);
  } catch {
    return "";
  }
}

function parseError(error: ParseError, context: ErrorContext): CellError {
  const { line, column } = position(context.source, error.offset);
  const result: CellError = {
    name: "SyntaxError",
    message: error.message,
    cell: context.cell,
    line,
    column,
    frames: [{ cell: context.cell, line, column }],
  };
  const code = context.source.split("\n")[line - 1];
  if (code !== undefined) result.code = code;
  return result;
}

function framesOf(error: Error, context: ErrorContext): CellError["frames"] {
  let stack: string;
  try {
    stack = String(error.stack ?? "");
  } catch {
    return [];
  }
  const frames: CellError["frames"] = [];
  for (const line of stack.split("\n")) {
    const match = /^\s+at (?:async )?(?:(.*?) \()?([^()]+?):(\d+):(\d+)\)?$/.exec(line);
    // a SyntaxError of V8 starts with "file:line"
    const plain = match ?? (error.name === "SyntaxError" ? /^()(\S+?):(\d+)()$/.exec(line) : null);
    if (!plain) continue;
    const place = context.place(plain[2]!, Number(plain[3]), Number(plain[4] || 1));
    if (!place) continue;
    const name = plain[1]?.replace(/^(async |new |Object\.)+/, "");
    frames.push(name && !name.startsWith("<anonymous>") && name !== "eval" ? { ...place, name } : place);
    if (frames.length >= 50) break;
  }
  return frames;
}

/** The place in the cell of what DuckDB complains about. */
function sqlPlace(thrown: Error, context: ErrorContext): (Place & { cell: string }) | null {
  const { origin, piece, offset } = thrown as { origin?: SqlOrigin; piece?: number; offset?: number };
  if (!origin || piece === undefined || offset === undefined) return null;
  const source = context.sourceOf({ cell: origin.cell, line: 1, column: 1 });
  if (source === undefined) return null;
  // the pieces stand in the source in this order
  let at = 0;
  for (const [i, text] of origin.pieces.entries()) {
    at = source.indexOf(i === 0 ? `\`${text}` : `}${text}`, at);
    if (at < 0) return null;
    if (i === piece) return { cell: origin.cell, ...position(source, at + 1 + offset) };
  }
  return null;
}

/** Errors that know themselves which cell they speak of (features that cannot be closed over). */
function ownPlace(thrown: Error, context: ErrorContext): (Place & { cell: string }) | null {
  const { cell, line, column } = thrown as { cell?: unknown; line?: unknown; column?: unknown };
  if (typeof cell !== "string" || typeof line !== "number" || typeof column !== "number") return null;
  return context.sourceOf({ cell, line, column }) === undefined ? null : { cell, line, column };
}

/** Line and column, from 1. */
export function position(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

function suggest(thrown: Error, error: CellError, context: ErrorContext): Suggestion | undefined {
  const missing = /^(\S+) is not defined$/.exec(error.message)?.[1];
  if (missing !== undefined && error.name === "ReferenceError") {
    const owner = context.owner(missing);
    if (owner !== undefined && owner !== context.cell)
      return { label: `run the cell that defines ${missing}`, action: { type: "goto", cell: owner } };
    const near = nearest(missing, context.names());
    if (near !== undefined && error.cell !== undefined)
      return { label: `did you mean ${near}?`, action: { type: "replace", cell: error.cell, from: missing, to: near } };
  }
  const wanted = (thrown as { package?: unknown }).package;
  if (typeof wanted === "string") return { label: `install ${wanted}`, action: { type: "install", packages: [wanted] } };
  return undefined;
}

/** The name with the smallest edit distance, when it is near enough to be a slip. */
export function nearest(wanted: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    if (name === wanted || Math.abs(name.length - wanted.length) >= least) continue;
    const distance = name.toLowerCase() === wanted.toLowerCase() ? 0 : edits(wanted, name);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Optimal string alignment distance. */
function edits(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      let value = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) value = Math.min(value, rows[i - 2]![j - 2]! + 1);
      row.push(value);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
