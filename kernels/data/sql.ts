/** The `sql` tag: a SELECT with bound values and relations in its holes, files by path and other cells' results by name. */
import type { Row } from "../protocol/values.js";
import { arrowFile, isArrow } from "./arrow.js";
import { bindTables, type Edit } from "./bind.js";
import { sourceTokens } from "../reactive/tables.js";
import type { Engine, EngineOptions } from "./engine.js";
import { faultIn } from "./engine.js";
import { SqlError } from "./fault.js";
import { isAddress } from "./files.js";
import { contentHash } from "./hash.js";
import { literal } from "./literal.js";
import { quote, text } from "./names.js";
import { near } from "./near.js";
import { refusedStatement } from "./refuse.js";
import { sha, type Recipe } from "./recipe.js";
import { TableRelation } from "./relation.js";
import { sourcesOf, targetOf, tokens, type Token } from "./tokens.js";

/** The tag of one engine. Errors in a hole are thrown at once; errors of the SQL when the relation is settled or read. */
export function sqlTag(engine: Engine): <R extends object = Row>(strings: TemplateStringsArray, ...values: unknown[]) => TableRelation<R> {
  return (strings, ...values) => {
    if (!Array.isArray(strings) || !("raw" in strings)) throw new Error("sql is a template tag: write sql`select ...`, not sql(...)");
    return new TableRelation(engine, recipe(engine, strings.raw, values));
  };
}

/** A relation of SQL text without holes, by the same rules as the tag. */
export function sqlText<R extends object = Row>(engine: Engine, source: string): TableRelation<R> {
  return new TableRelation<R>(engine, recipe(engine, [source], []));
}

/** Functions that give another value at each reading. */
const volatileCalls = new Set(
  "random uuid gen_random_uuid uuidv4 uuidv7 now get_current_timestamp today get_current_time nextval transaction_timestamp".split(" "),
);
const volatileWords = new Set("current_date current_time current_timestamp localtime localtimestamp tablesample".split(" "));

function isVolatile(list: Token[]): boolean {
  return list.some(({ type, text: word }, i) => {
    if (type !== "word") return false;
    const lower = word.toLowerCase();
    if (volatileWords.has(lower) || (lower === "using" && list[i + 1]?.text.toLowerCase() === "sample")) return true;
    return volatileCalls.has(lower) && list[i + 1]?.text === "(";
  });
}

function recipe(engine: Engine, raw: readonly string[], values: unknown[]): Recipe {
  // what an author must escape inside a template is not escaped in SQL; every other backslash is SQL's own
  const pieces = raw.map((piece) => piece.replaceAll("\\`", "`").replaceAll("\\${", "${"));
  const holes = values.map((value, i) => hole(value, i, pieces));
  const upstream: TableRelation<object>[] = [];
  for (const value of values) if (value instanceof TableRelation) upstream.push(value as TableRelation<object>);
  let composed: Composed<TableRelation<object>> | null = null;
  const compose = (): Composed<TableRelation<object>> =>
    (composed ??= composeText({ files: engine.files, exports: engine.exports, arrow: (path) => arrowFile<object>(engine, path) }, pieces, holes));
  checkHoles(pieces, holes);
  return {
    upstream,
    async build() {
      const made = compose();
      for (const relation of made.named) {
        await relation.ready();
        upstream.push(relation);
      }
      return { sql: made.sql(), table: made.volatile };
    },
    async hash() {
      const made = compose();
      const below = await Promise.all([...new Set([...upstream, ...made.named])].map((relation) => relation.hash()));
      return sha("sql", made.plain, ...(await Promise.all(made.files.map((file) => contentHash(engine, file)))), ...below);
    },
    explain: (error) => (error.line !== undefined ? error : placeError(error, compose(), pieces, engine, engine.options.named)),
  };
}

/** A value of a template as SQL text: a literal, or the name (or a query in parentheses) of a relation. */
export type Hole = { relation: { readonly name: string } } | { sql: string };

/** A place in the pieces of a template. */
export interface SqlPlace {
  piece: number;
  offset: number;
}

/** What composing needs of an engine: where paths lead, and what the results of other cells are called. */
export interface SqlScope<R extends { readonly name: string } = { readonly name: string }> {
  files: Pick<Engine["files"], "resolve" | "target">;
  exports: ReadonlyMap<string, R>;
  /** a relation of an Arrow file, which DuckDB does not read by its path; absent: it is named as any other file */
  arrow?(path: string): R;
}

function hole(value: unknown, i: number, pieces: string[]): Hole {
  if (value instanceof TableRelation) return { relation: value as TableRelation<object> };
  try {
    if (value !== null && typeof value === "object" && "train" in value && "covers" in value)
      throw new Error("is a split: write `.train`, `.valid` or `.test` after it");
    return { sql: literal(value) };
  } catch (error) {
    const before = pieces[i]!.trimEnd().split("\n").at(-1)!.trim().slice(-30);
    throw new Error(`the value in hole ${i + 1} of the SQL (\`${before} \${...}\`) ${(error as Error).message}`, { cause: error });
  }
}

function checkHoles(pieces: readonly string[], holes: readonly Hole[]): void {
  let before = "";
  holes.forEach((filled, i) => {
    before += pieces[i]!;
    const { open } = tokens(before);
    if (open)
      throw new Error(
        `hole ${i + 1} of the SQL stands inside ${open === "comment" ? "a comment" : "quotes"}: a bound value needs none, write \${x} without them`,
      );
    before += "sql" in filled ? filled.sql : ' "r" ';
  });
}

interface Composed<R extends { readonly name: string }> {
  /** the text with values written in and paths as the author wrote them: names the query */
  plain: string;
  sql(): string;
  files: string[];
  /** results of other cells that it reads by name, and the relations of Arrow files */
  named: R[];
  volatile: boolean;
  /** index in `sql()` -> index in `plain`; null when it lies in added text */
  back(at: number): number | null;
  /** where piece i starts in `plain` */
  starts: number[];
}

/** The text that DuckDB gets: values written in, paths made absolute, other cells' results bound by name. */
export function composeText<R extends { readonly name: string }>(
  engine: SqlScope<R>,
  pieces: readonly string[],
  holes: readonly Hole[],
): Composed<R> {
  let plain = "";
  const starts: number[] = [];
  const relations: { at: number; relation: { readonly name: string } }[] = [];
  pieces.forEach((piece, i) => {
    starts.push(plain.length);
    plain += piece;
    const filled = holes[i];
    if (!filled) return;
    if ("sql" in filled) plain += filled.sql;
    else {
      relations.push({ at: plain.length, relation: filled.relation });
      plain += marker;
    }
  });
  const { tokens: list, open } = tokens(plain);
  if (open && open !== "comment")
    throw new SqlError(`The SQL ends inside ${open === "string" ? "a string" : "a quoted name"}: a quote is missing.`, "Parser");
  while (list.at(-1)?.text === ";" && list.at(-1)!.type === "symbol") list.pop();
  if (list.length === 0) throw new SqlError("The SQL is empty.", "Parser");
  const semicolon = list.find(({ type, text: c }) => type === "symbol" && c === ";");
  if (semicolon) throw located("The SQL holds two statements; a SQL cell holds one.", "Parser", starts, pieces, semicolon.at);
  const end = list.at(-1)!.end;
  const refused = refusedStatement(list, (name) => engine.exports.has(name));
  if (refused) throw located(refused.message, "Binder", starts, pieces, refused.at);

  const sources = sourcesOf(list);
  const files: string[] = [];
  const made: R[] = [];
  const edits: Edit[] = relations.map(({ at, relation }) => ({ at, end: at + marker.length, insert: () => relation.name }));
  for (const token of sources.files) {
    if (isAddress(token.text)) continue;
    let path: string;
    try {
      path = engine.files.resolve(token.text);
    } catch (error) {
      throw located((error as Error).message, "IO", starts, pieces, token.at);
    }
    files.push(path);
    if (isArrow(path) && engine.arrow) {
      const relation = engine.arrow(path);
      made.push(relation);
      edits.push({ at: token.at, end: token.end, insert: () => relation.name });
      continue;
    }
    const inserted = token.type === "quoted" ? quote(path) : text(path);
    edits.push({ at: token.at, end: token.end, insert: () => inserted });
  }

  const target = targetOf(list);
  if (target !== null && !isAddress(target.text)) {
    try {
      const path = text(engine.files.target(target.text));
      edits.push({ at: target.at, end: target.end, insert: () => path });
    } catch (error) {
      throw located((error as Error).message, "IO", starts, pieces, target.at);
    }
  }

  const named = new Map<string, R>();
  for (const { name } of sources.tables) {
    const relation = engine.exports.get(name);
    if (relation) named.set(name, relation);
  }
  edits.push(...bindTables(list, sources.tables, named));
  const first = list[0]!;
  // as a table of its own, or a view could not hold it
  if (/^(describe|desc|show|summarize)$/i.test(first.text)) {
    edits.push({ at: first.at, end: first.at, insert: () => "from (" }, { at: end, end, insert: () => ")" });
  }
  edits.sort((a, b) => a.at - b.at || a.end - b.end);

  const pieceList = (): { from: number; to: number; origin: number | null; text: string }[] => {
    const out: { from: number; to: number; origin: number | null; text: string }[] = [];
    let at = 0;
    let length = 0;
    const add = (origin: number | null, added: string): void => {
      out.push({ from: length, to: length + added.length, origin, text: added });
      length += added.length;
    };
    for (const edit of edits) {
      add(at, plain.slice(at, edit.at));
      add(edit.at === edit.end ? null : -1 - edit.at, edit.insert());
      at = edit.end;
    }
    add(at, plain.slice(at, end));
    return out;
  };
  return {
    plain: plain.slice(0, end),
    sql: () =>
      pieceList()
        .map((piece) => piece.text)
        .join(""),
    files,
    named: [...named.values(), ...made],
    volatile: isVolatile(list),
    starts,
    back(position) {
      const piece = pieceList().find(({ from, to }) => position >= from && position < to);
      if (!piece || piece.origin === null) return null;
      // replaced text points to where it stood
      return piece.origin < 0 ? -1 - piece.origin : piece.origin + position - piece.from;
    },
  };
}

/** Stands for a relation's name until that is known. */
const marker = 'nb."@@@@"';

/** Gives DuckDB's error its place in the author's text, and a hint. */
export function placeError(
  error: SqlError,
  composed: Composed<{ readonly name: string }>,
  pieces: readonly string[],
  engine: SqlScope,
  named: EngineOptions["named"] = () => null,
): Error {
  const fault = faultIn(error);
  let message = error.message;
  if (fault?.type === "Catalog" && fault.missing && /Table with name/.test(message)) message = noTable(fault.missing, composed.plain, engine, named);
  if (fault?.position == null) return new SqlError(message, error.type);
  const sql = composed.sql();
  const index = Buffer.from(sql).subarray(0, fault.position).toString().length;
  const at = composed.back(index);
  return at === null ? new SqlError(message, error.type) : located(message, error.type, composed.starts, pieces, at);
}

function noTable(name: string, plain: string, engine: SqlScope, named: NonNullable<EngineOptions["named"]>): string {
  const key = name.toLowerCase();
  const elsewhere = sourceTokens(tokens(plain).tokens).find(({ token, ours }) => !ours && token.text.toLowerCase() === key);
  if (elsewhere !== undefined)
    return `There is no table or view \`${name}\` in that schema${engine.exports.has(key) ? `; the result of a cell is called \`${name}\` or \`nb.${name}\`` : ""}.`;
  return named(name) ?? `There is no table or view \`${name}\`${near(name, [...engine.exports.keys()])}.`;
}

/** An error with its place in the author's text; `at` counts in the text with the values written in. */
function located(message: string, type: string, starts: readonly number[], pieces: readonly string[], at: number): SqlError {
  const piece = Math.max(
    0,
    starts.findLastIndex((start) => start <= at),
  );
  const offset = Math.min(at - (starts[piece] ?? 0), pieces[piece]!.length);
  // a hole is shown as one short word
  const shown =
    pieces
      .slice(0, piece)
      .map((text) => `${text}\${...}`)
      .join("") + pieces[piece]!.slice(0, offset);
  const lines = shown.split("\n");
  return new SqlError(message, type, { line: lines.length, column: lines.at(-1)!.length + 1, piece, offset });
}
