/** Words of an SQL text, enough to find strings, comments and what stands after FROM. Pure. */

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
