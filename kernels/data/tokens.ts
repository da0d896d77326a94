/** Words of an SQL text, enough to find strings, comments and what stands after FROM. */

export interface Token {
  type: "word" | "string" | "quoted" | "number" | "symbol";
  /** as written; for string and quoted without quotes and with doubled ones undone */
  text: string;
  at: number;
  end: number;
}

const word = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const number = /(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const dollar = /\$([\p{L}_]?[\p{L}\p{N}_]*)\$/uy;

/** Comments and blanks are left out. `open` is set when the text ends inside a string, a quoted name or a comment. */
export function tokens(sql: string): { tokens: Token[]; open: "string" | "quoted" | "comment" | null } {
  const found: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(sql);
  };
  while (at < sql.length) {
    const c = sql[at]!;
    if (/\s/.test(c)) {
      at++;
      continue;
    }
    if (sql.startsWith("--", at)) {
      const end = sql.indexOf("\n", at);
      if (end < 0) return { tokens: found, open: "comment" };
      at = end + 1;
      continue;
    }
    if (sql.startsWith("/*", at)) {
      const end = blockEnd(sql, at);
      if (end < 0) return { tokens: found, open: "comment" };
      at = end;
      continue;
    }
    const escaped = (c === "e" || c === "E") && sql[at + 1] === "'";
    if (c === "'" || c === '"' || escaped) {
      const quoteAt = escaped ? at + 1 : at;
      const end = quoteEnd(sql, quoteAt, escaped);
      if (end < 0) return { tokens: found, open: c === '"' ? "quoted" : "string" };
      const mark = sql[quoteAt]!;
      const text = sql.slice(quoteAt + 1, end - 1).replaceAll(mark + mark, mark);
      found.push({ type: c === '"' ? "quoted" : "string", text, at, end });
      at = end;
      continue;
    }
    const tag = c === "$" ? match(dollar) : null;
    if (tag) {
      const end = sql.indexOf(tag[0], at + tag[0].length);
      if (end < 0) return { tokens: found, open: "string" };
      found.push({ type: "string", text: sql.slice(at + tag[0].length, end), at, end: end + tag[0].length });
      at = end + tag[0].length;
      continue;
    }
    const piece = match(word) ?? match(number);
    const text = piece?.[0] ?? c;
    found.push({ type: piece ? (/^[\d.]/.test(text) ? "number" : "word") : "symbol", text, at, end: at + text.length });
    at += text.length;
  }
  return { tokens: found, open: null };
}

function blockEnd(sql: string, at: number): number {
  let depth = 0;
  for (let i = at; i < sql.length; i++) {
    if (sql.startsWith("/*", i)) {
      depth++;
      i++;
    } else if (sql.startsWith("*/", i)) {
      i++;
      if (--depth === 0) return i + 1;
    }
  }
  return -1;
}

function quoteEnd(sql: string, at: number, escapes: boolean): number {
  const mark = sql[at]!;
  for (let i = at + 1; i < sql.length; i++) {
    if (escapes && sql[i] === "\\") i++;
    else if (sql[i] === mark) {
      if (sql[i + 1] === mark) i++;
      else return i + 1;
    }
  }
  return -1;
}

/** Functions whose string arguments are paths. */
const readers =
  /^(read_(csv|csv_auto|parquet|json|json_auto|json_objects|json_objects_auto|ndjson|ndjson_auto|ndjson_objects|text|blob)|parquet_(scan|metadata|schema|file_metadata|kv_metadata)|glob|sniff_csv)$/i;
/** Words that end a FROM list. */
const ends = new Set(
  "where group having window qualify order limit offset union intersect except select using on values returning set sample fetch".split(" "),
);

export interface Sources {
  /** strings that name files */
  files: Token[];
  /** unqualified names of tables, as DuckDB compares them: in lower case */
  tables: { name: string; token: Token }[];
}

/** What a query reads: strings and names in FROM and JOIN, and paths given to the functions that read files. */
export function sourcesOf(list: Token[]): Sources {
  const files: Token[] = [];
  const tables: Sources["tables"] = [];
  const cte = new Set<string>();
  /** one entry a parenthesis: are we in a FROM list, and whose arguments are these? */
  const stack: { from: boolean; reader: boolean }[] = [{ from: false, reader: false }];
  for (let i = 0; i < list.length; i++) {
    const token = list[i]!;
    const top = stack.at(-1)!;
    const before = list[i - 1];
    const after = list[i + 1];
    const lower = token.text.toLowerCase();
    if (token.type === "symbol") {
      if (token.text === "(" || token.text === "[") {
        const reader = token.text === "[" ? top.reader : before?.type === "word" && readers.test(before.text);
        stack.push({ from: token.text === "(" && opens(before, top.from) && !reader, reader });
      } else if ((token.text === ")" || token.text === "]") && stack.length > 1) stack.pop();
      continue;
    }
    // `with x as (`, `with x(a, b) as (`, and the next after a comma
    if ((token.type === "word" || token.type === "quoted") && definesCte(list, i)) cte.add(lower);
    if (token.type === "word" && (lower === "from" || lower === "join")) {
      // not `extract(year from d)`, `substring(s from 1)`, `trim(both from s)`, `is distinct from`
      if (lower === "join" || !(isCallFrom(list, i) || before?.text.toLowerCase() === "distinct")) top.from = true;
      continue;
    }
    if (token.type === "word" && ends.has(lower) && before?.text !== ".") {
      top.from = false;
      continue;
    }
    if (token.type === "string") {
      const argument =
        top.reader && before?.text !== "=" && before?.text !== ">" && (before?.text === "(" || before?.text === "[" || before?.text === ",");
      const source = top.from && isSourceStart(before);
      if (argument || source) files.push(token);
      continue;
    }
    if ((token.type === "word" || token.type === "quoted") && top.from && isSourceStart(before) && after?.text !== "(" && after?.text !== ".") {
      if (token.type === "quoted" && /[./\\*]/.test(token.text)) files.push(token);
      else tables.push({ name: lower, token });
    }
  }
  return { files, tables: tables.filter(({ name }) => !cte.has(name)) };
}

/** The string that names what a statement writes or opens for writing: COPY TO, EXPORT and IMPORT DATABASE, ATTACH of a file. */
export function targetOf(list: Token[]): Token | null {
  const word = (token: Token | undefined): string => (token?.type === "word" ? token.text.toLowerCase() : "");
  const head = word(list[0]);
  if (head === "copy") return stringAfter(list, "to");
  if (head === "export" || head === "import") return stringAfter(list, "database");
  if (head !== "attach") return null;
  const path = list.find(({ type }) => type === "string") ?? null;
  // in memory, or a server's address in its own words (`postgres:dbname=x`, `(type mysql)`)
  const at = list.findIndex((token) => word(token) === "type");
  const other = at >= 0 && !/^(duckdb|sqlite)$/i.test(list[at + 1]?.text ?? "");
  return path === null || other || path.text === "" || /^(:memory:|[a-z][a-z0-9+.-]+:)/i.test(path.text) ? null : path;
}

function stringAfter(list: Token[], before: string): Token | null {
  let depth = 0;
  for (const [i, { type, text }] of list.entries()) {
    if (type === "symbol" && text === "(") depth++;
    else if (type === "symbol" && text === ")") depth--;
    else if (type === "word" && depth === 0 && text.toLowerCase() === before) {
      const next = list[i + 1];
      if (next?.type === "string" || next?.type === "quoted") return next;
    }
  }
  return null;
}

function opens(before: Token | undefined, from: boolean): boolean {
  return from && isSourceStart(before);
}

function isSourceStart(before: Token | undefined): boolean {
  if (!before) return false;
  const lower = before.text.toLowerCase();
  return (
    (before.type === "word" && (lower === "from" || lower === "join" || lower === "lateral")) ||
    (before.type === "symbol" && (before.text === "," || before.text === "("))
  );
}

function definesCte(list: Token[], i: number): boolean {
  const before = list[i - 1]?.text.toLowerCase();
  if (before !== "with" && before !== "recursive" && before !== ",") return false;
  let next = i + 1;
  if (list[next]?.text === "(") {
    while (next < list.length && list[next]!.text !== ")") next++;
    next++;
  }
  if (list[next]?.text.toLowerCase() !== "as") return false;
  next++;
  if (list[next]?.text.toLowerCase() === "not") next++;
  if (list[next]?.text.toLowerCase() === "materialized") next++;
  return list[next]?.text === "(";
}

function isCallFrom(list: Token[], i: number): boolean {
  let depth = 0;
  for (let k = i - 1; k >= 0; k--) {
    const { text, type } = list[k]!;
    if (type === "symbol" && text === ")") depth++;
    else if (type === "symbol" && text === "(") {
      if (depth-- === 0) return /^(extract|substring|trim|overlay|position)$/i.test(list[k - 1]?.text ?? "");
    }
  }
  return false;
}
