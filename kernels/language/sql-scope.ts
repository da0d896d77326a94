/** Which tables and columns may be named at a place of a SQL text. Pure: words in, names out. */
import { sourcesOf, tokens, type Token } from "../data/tokens.js";

/** What stands in a FROM list. */
export interface Source {
  /** as a qualifier: the alias, else the table's own name */
  alias: string;
  /** text of the source itself: a name, 'a file', a call or (a query) */
  text: string;
  kind: "name" | "file" | "query";
}

export type SqlContext =
  /** a table is expected */
  | { expects: "table"; from: number; prefix: string; with: string; ctes: string[] }
  /** inside the quotes of a file */
  | { expects: "file"; from: number; prefix: string }
  /** after `alias.` */
  | { expects: "member"; of: string; from: number; prefix: string; sources: Source[]; with: string }
  /** an expression */
  | { expects: "value"; from: number; prefix: string; sources: Source[]; with: string; ctes: string[] }
  | { expects: "nothing" };

const clauseEnds = new Set("where group having window qualify order limit offset union intersect except select using sample returning".split(" "));
const joins = new Set("join left right full inner outer cross natural semi anti asof positional on".split(" "));
const lower = (token: Token | undefined) => (token?.type === "word" ? token.text.toLowerCase() : (token?.text ?? ""));

/** `at` is an offset in `sql`. */
export function contextAt(sql: string, at: number): SqlContext {
  const before = sql.slice(0, at);
  const head = tokens(before);
  if (head.open === "comment") return { expects: "nothing" };
  const prefix = /[\p{L}_][\p{L}\p{N}_$]*$/u.exec(before)?.[0] ?? "";
  if (head.open === "string") {
    const start = before.indexOf("'", head.tokens.at(-1)?.end ?? 0);
    // a string that is closed later in the text tells by its place what it is; here by what stands before it
    const probe = tokens(`${before}'`).tokens;
    return sourcesOf(probe).files.some((token) => token.at === start)
      ? { expects: "file", from: start + 1, prefix: before.slice(start + 1) }
      : { expects: "nothing" };
  }
  const from = head.open === "quoted" ? before.lastIndexOf('"') + 1 : at - prefix.length;
  const typed = head.open === "quoted" ? before.slice(from) : prefix;
  // a quote that nothing closes yet would swallow the rest: it ends at the caret
  const whole = head.open === "quoted" && tokens(sql).open === "quoted" ? `${before}"${sql.slice(at)}` : sql;
  const list = tokens(whole).tokens;
  const done = head.tokens.filter((token) => token.end <= from);
  const last = done.at(-1);
  const { sources, ctes, withText } = scopeAt(list, whole, at);
  if (last?.text === "." && done.length >= 2) return { expects: "member", of: done.at(-2)!.text, from, prefix: typed, sources, with: withText };
  const word = lower(last);
  // after FROM and JOIN and a comma of a FROM list, where the probe word would be read as a table
  const probe = tokens(`${sql.slice(0, from)} probe_ `).tokens;
  const table = word === "from" || word === "join" || sourcesOf(probe).tables.some(({ token }) => token.text === "probe_");
  if (table && isFrom(done)) return { expects: "table", from, prefix: typed, with: withText, ctes };
  return { expects: "value", from, prefix: typed, sources, with: withText, ctes };
}

/** Not the FROM of `extract(year from d)`. */
function isFrom(done: Token[]): boolean {
  return sourcesOf([...done, { type: "word", text: "probe_", at: 0, end: 0 }]).tables.some(({ token }) => token.text === "probe_");
}

/** FROM lists of the query around a place and of the queries around that one, and the WITH in front. */
function scopeAt(list: readonly Token[], sql: string, at: number): { sources: Source[]; ctes: string[]; withText: string } {
  const sources: Source[] = [];
  for (const [from, to] of groups(list, at)) sources.push(...fromList(segment(list, from, to, at), sql));
  const { text, names } = withOf(list, sql);
  return { sources, ctes: names, withText: text };
}

/** Token ranges of the parentheses around a place, innermost first, and the whole. */
function groups(list: readonly Token[], at: number): [number, number][] {
  const open: number[] = [];
  const found: [number, number][] = [];
  list.forEach((token, i) => {
    if (token.type !== "symbol") return;
    if (token.text === "(") open.push(i);
    else if (token.text === ")") {
      const start = open.pop();
      if (start !== undefined && list[start]!.end <= at && token.at >= at) found.push([start + 1, i]);
    }
  });
  // not closed yet
  for (const start of open.reverse()) if (list[start]!.end <= at) found.push([start + 1, list.length]);
  return [...found.sort((a, b) => b[0] - a[0]), [0, list.length]];
}

/** The tokens of the group's own level, of the SELECT between two UNIONs that the place is in. */
function segment(list: readonly Token[], from: number, to: number, at: number): { token: Token; close: Token | null }[] {
  let own: { token: Token; close: Token | null }[] = [];
  for (let i = from; i < to; i++) {
    const token = list[i]!;
    if (token.type === "symbol" && (token.text === "(" || token.text === "[")) {
      let depth = 1;
      let end = i + 1;
      for (; end < to && depth > 0; end++) {
        if (list[end]!.type !== "symbol") continue;
        if (list[end]!.text === "(" || list[end]!.text === "[") depth++;
        else if (list[end]!.text === ")" || list[end]!.text === "]") depth--;
      }
      own.push({ token, close: list[end - 1] ?? token });
      i = end - 1;
      continue;
    }
    if (token.type === "word" && /^(union|intersect|except)$/i.test(token.text)) {
      if (token.at >= at) break;
      own = [];
      continue;
    }
    own.push({ token, close: null });
  }
  return own;
}

function fromList(own: { token: Token; close: Token | null }[], sql: string): Source[] {
  const found: Source[] = [];
  let inside = false;
  for (let i = 0; i < own.length; i++) {
    const { token } = own[i]!;
    const word = lower(token);
    if (token.type === "word" && clauseEnds.has(word)) {
      inside = false;
      continue;
    }
    const starts = token.type === "word" && (word === "from" || word === "join");
    if (starts) inside = true;
    if (!inside || !(starts || token.text === ",")) continue;
    let next = own[i + 1];
    if (lower(next?.token) === "lateral") next = own[++i + 1];
    if (next === undefined) break;
    i++;
    const { at } = next.token;
    let end = (next.close ?? next.token).end;
    let kind: Source["kind"] = next.close !== null ? "query" : next.token.type === "string" ? "file" : "name";
    let alias = kind === "name" ? next.token.text : kind === "file" ? stem(next.token.text) : "";
    while (own[i + 1]?.token.text === "." && own[i + 2] !== undefined) {
      alias = own[i + 2]!.token.text;
      end = own[i + 2]!.token.end;
      i += 2;
    }
    if (own[i + 1]?.close != null && own[i + 1]!.token.text === "(" && kind === "name") {
      end = own[i + 1]!.close!.end;
      kind = "query";
      i++;
    }
    if (lower(own[i + 1]?.token) === "as") i++;
    const named = own[i + 1]?.token;
    if (
      named !== undefined &&
      (named.type === "quoted" || (named.type === "word" && !clauseEnds.has(lower(named)) && !joins.has(lower(named)) && lower(named) !== "from"))
    ) {
      alias = named.text;
      i++;
    }
    found.push({ alias, text: sql.slice(at, end), kind });
  }
  return found;
}

const stem = (path: string) =>
  path
    .split("/")
    .pop()!
    .replace(/\.[^.]*$/, "");

/** `with a as (...), b as (...)` at the beginning of the text. */
function withOf(list: readonly Token[], sql: string): { text: string; names: string[] } {
  if (lower(list[0]) !== "with") return { text: "", names: [] };
  const names: string[] = [];
  let i = lower(list[1]) === "recursive" ? 2 : 1;
  let end = 0;
  while (i < list.length) {
    const name = list[i]!;
    let next = i + 1;
    const skip = () => {
      let depth = 0;
      do {
        if (list[next]?.text === "(") depth++;
        else if (list[next]?.text === ")") depth--;
        next++;
      } while (depth > 0 && next < list.length);
      return depth === 0;
    };
    if (list[next]?.text === "(") skip();
    while (["as", "not", "materialized"].includes(lower(list[next]))) next++;
    if (list[next]?.text !== "(" || !skip()) break;
    names.push(name.text);
    end = list[next - 1]!.end;
    if (list[next]?.text !== ",") break;
    i = next + 1;
  }
  return { text: names.length === 0 ? "" : sql.slice(0, end), names };
}
