/**
 * A small tokeniser for cells before (and inside) Monaco: TypeScript with SQL in sql`...`, SQL, Markdown.
 * Line by line with a state, so that Monaco can use it as its token provider and both look the same.
 */
export type TokenType = "keyword" | "string" | "number" | "type" | "comment" | "text";
export interface Token {
  start: number;
  type: TokenType;
}
export type Language = "typescript" | "markdown";

/** Modes from the outermost: "ts", "tpl" (template), "sql" (SQL template), "block" (comment), "md", "fence". `ts:N` counts open braces. */
export type State = readonly string[];

export const startState = (language: Language): State => (language === "markdown" ? ["md"] : ["ts:0"]);

const ts = new Set(
  "abstract as async await break case catch class const continue debugger declare default delete do else enum export extends false finally for from function get if implements import in infer instanceof interface is keyof let namespace new null of readonly return satisfies set static super switch this throw true try type typeof undefined unique using var void while yield".split(
    " ",
  ),
);
const sql = new Set(
  "all and any as asc between by case cast count create cross desc describe distinct drop else end except exists extract false first from full group having in inner insert into intersect interval is isnull join last lateral left like limit not null nulls offset on or order outer over partition pivot qualify replace right row rows sample select set sum avg min max table then timestamp true union unnest update using values view when where window with within".split(
    " ",
  ),
);

/** Tokens of one line and the state in which the next one starts. */
export function tokenizeLine(line: string, state: State): { tokens: Token[]; state: State } {
  const stack = [...state];
  const tokens: Token[] = [];
  let at = 0;
  const emit = (type: TokenType, length: number) => {
    if (length <= 0) return;
    if (tokens.at(-1)?.type !== type) tokens.push({ start: at, type });
    at += length;
  };
  const rest = () => line.slice(at);
  const take = (pattern: RegExp, type: TokenType): boolean => {
    const match = pattern.exec(rest());
    if (match === null) return false;
    emit(type, match[0].length);
    return true;
  };

  if (stack[0] === "md" && stack.length === 1) {
    if (/^\s*(?:\/\/ ?)?```/.test(line)) return { tokens: [{ start: 0, type: "type" }], state: ["md", "fence"] };
    if (/^(?:\/\/ ?)?#{1,6}\s/.test(line)) return { tokens: [{ start: 0, type: "keyword" }], state };
    while (at < line.length) {
      if (take(/^`[^`]+`/, "string") || take(/^\*\*[^*]+\*\*|^\*[^*\s][^*]*\*/, "type") || take(/^\[[^\]]*\]\([^)]*\)/, "keyword")) continue;
      if (at === 0 && take(/^\s*(?:\/\/)?\s*(?:[-*+]|\d+\.|>)\s/, "comment")) continue;
      emit("text", 1);
    }
    return { tokens, state };
  }
  if (stack.at(-1) === "fence") {
    const end = /^\s*(?:\/\/ ?)?```\s*$/.test(line);
    return { tokens: line === "" ? [] : [{ start: 0, type: end ? "type" : "string" }], state: end ? ["md"] : state };
  }

  while (at < line.length) {
    const mode = stack.at(-1)!;
    if (mode === "block") {
      const end = line.indexOf("*/", at);
      if (end < 0) emit("comment", line.length - at);
      else {
        emit("comment", end + 2 - at);
        stack.pop();
      }
    } else if (mode === "tpl") {
      if (rest().startsWith("`")) {
        emit("string", 1);
        stack.pop();
      } else if (rest().startsWith("${")) {
        emit("keyword", 2);
        stack.push("ts:0");
      } else if (!take(/^(?:\\.|[^`\\$]|\\$|\$(?!\{))+/, "string")) emit("string", 1);
    } else if (mode === "sql") {
      if (rest().startsWith("`")) {
        emit("string", 1);
        stack.pop();
      } else if (rest().startsWith("${")) {
        emit("keyword", 2);
        stack.push("ts:0");
      } else if (take(/^--[^`]*/, "comment") || take(/^'(?:[^'`]|'')*'?/, "string") || take(/^"[^"`]*"?/, "text") || take(/^\d[\d_.eE]*/, "number")) {
        continue;
      } else {
        const word = /^[A-Za-z_]\w*/.exec(rest());
        if (word) emit(sql.has(word[0].toLowerCase()) ? "keyword" : "text", word[0].length);
        else emit("text", 1);
      }
    } else {
      const depth = Number(mode.slice(3));
      const char = line[at]!;
      if (take(/^\/\/.*/, "comment")) continue;
      if (rest().startsWith("/*")) {
        stack.push("block");
        emit("comment", 2);
      } else if (take(/^"(?:\\.|[^"\\])*"?|^'(?:\\.|[^'\\])*'?/, "string")) {
        continue;
      } else if (char === "`") {
        const before = line.slice(0, at).trimEnd();
        stack.push(/(?:^|[^\w$.])sql(?:<[^`]*>)?$/.test(before) ? "sql" : "tpl");
        emit("string", 1);
      } else if (take(/^(?:0[xX][\da-fA-F_]+|0[bB][01_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)n?/, "number")) {
        continue;
      } else if (char === "{") {
        stack[stack.length - 1] = `ts:${depth + 1}`;
        emit("text", 1);
      } else if (char === "}") {
        if (depth === 0 && stack.length > 1) {
          stack.pop();
          emit("keyword", 1);
        } else {
          stack[stack.length - 1] = `ts:${Math.max(0, depth - 1)}`;
          emit("text", 1);
        }
      } else {
        const word = /^[A-Za-z_$][\w$]*/.exec(rest());
        if (word) emit(ts.has(word[0]) && line[at - 1] !== "." ? "keyword" : /^[A-Z]\w*[a-z]/.test(word[0]) ? "type" : "text", word[0].length);
        else emit("text", 1);
      }
    }
  }
  return { tokens, state: stack };
}

/** A whole source as lines of spans. */
export function highlight(source: string, language: Language): { text: string; type: TokenType }[][] {
  let state = startState(language);
  return source.split("\n").map((line) => {
    const result = tokenizeLine(line, state);
    state = result.state;
    return result.tokens.map((token, i) => ({ text: line.slice(token.start, result.tokens[i + 1]?.start ?? line.length), type: token.type }));
  });
}
