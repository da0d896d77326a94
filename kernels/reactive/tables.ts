/** Tables that a SQL text reads, by its words: names after FROM and JOIN and after a comma in a FROM list, without the names that WITH makes. */

type Token = { kind: "word" | "quoted" | "mark" | "value"; text: string };

/** One parenthesis level of the text. */
interface Level {
  /** a FROM may begin a clause here (not the one of `extract(year from d)`) */
  clause: boolean;
  inFrom: boolean;
  expect: boolean;
  /** names made by WITH so far; `naming` = the next word is such a name */
  ctes: Set<string>;
  naming: boolean;
  recursive: boolean;
  pending: string | null;
  tokens: number;
}

const ends = new Set(
  "where group order having limit offset union intersect except window qualify select sample returning pivot unpivot set".split(" "),
);
const lookers = new Set(["pivot", "unpivot", "pivot_wider", "pivot_longer", "summarize", "describe", "desc", "table", "show"]);
const skipped = new Set(["lateral", "only"]);

/** Names as written, quotes removed, in order of first use. `sql` has a value in place of each `${}`. */
export function sqlTables(sql: string): string[] {
  const tokens = tokenize(sql);
  const found = new Set<string>();
  const stack: Level[] = [level(true, false)];
  const known = (name: string) => stack.some((one) => one.ctes.has(name.toLowerCase()));

  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const here = stack.at(-1)!;
    const key = token.kind === "word" ? token.text.toLowerCase() : token.kind === "mark" ? token.text : "";
    const first = here.tokens++ === 0;
    if (key === "(" || key === "[" || key === "{") {
      const inner = level(key === "(", here.expect && key === "(");
      stack.push(inner);
      here.expect = false;
      if (here.pending !== null && here.recursive) here.ctes.add(here.pending);
    } else if (key === ")" || key === "]" || key === "}") {
      if (stack.length > 1) stack.pop();
      const outer = stack.at(-1)!;
      outer.expect = false;
      // the body of a common table expression ends here: from now on its name is known
      if (outer.pending !== null && tokens[i + 1]?.text.toLowerCase() !== "as" && !outer.naming) {
        outer.ctes.add(outer.pending);
        outer.pending = null;
        if (tokens[i + 1]?.text === ",") {
          outer.naming = true;
          i++;
        }
      }
    } else if (key === ";") stack.splice(0, stack.length, level(true, false));
    else if (key === ",") here.expect = here.inFrom;
    else if (here.naming && (token.kind === "word" || token.kind === "quoted")) {
      if (key === "recursive" && tokens[i + 1]?.text.toLowerCase() !== "as") here.recursive = true;
      else {
        here.pending = token.text.toLowerCase();
        here.naming = false;
      }
    } else if (
      here.expect &&
      (token.kind === "quoted" || (token.kind === "word" && !ends.has(key) && !["values", "with", "from", "join"].includes(key)))
    ) {
      if (skipped.has(key)) continue;
      const parts = [token.text];
      while (tokens[i + 1]?.text === "." && (tokens[i + 2]?.kind === "word" || tokens[i + 2]?.kind === "quoted")) {
        parts.push(tokens[i + 2]!.text);
        i += 2;
      }
      here.expect = false;
      // a function, or a table of another schema, is no cell's name
      const name = parts.at(-1)!;
      const ours = parts.length === 1 || (parts.length === 2 && parts[0]!.toLowerCase() === "nb");
      if (tokens[i + 1]?.text !== "(" && ours && !(parts.length === 1 && known(name))) found.add(name);
    } else if (token.kind === "word") {
      if (key === "with") here.naming = here.clause = first || here.clause || here.inFrom;
      else if (key === "from") {
        const distinct = tokens[i - 1]?.text.toLowerCase() === "distinct" && /^(is|not)$/i.test(tokens[i - 2]?.text ?? "");
        if (!distinct && (here.clause || first)) here.inFrom = here.expect = true;
      } else if (key === "join") {
        if (here.inFrom) here.expect = true;
      } else if (first && lookers.has(key)) here.inFrom = here.expect = true;
      else if (ends.has(key)) {
        here.inFrom = here.expect = false;
        if (["select", "union", "intersect", "except"].includes(key)) here.clause = true;
      } else here.expect = false;
    } else here.expect = false;
  }
  return [...found];
}

function level(group: boolean, table: boolean): Level {
  // in a parenthesis where a table is expected a join may stand: `from (a join b)`
  return { clause: !group ? false : table, inFrom: table, expect: table, ctes: new Set(), naming: false, recursive: false, pending: null, tokens: 0 };
}

const token = new RegExp(
  [
    String.raw`(?<skip>\s+|--[^\n]*|/\*[\s\S]*?(?:\*/|$))`,
    String.raw`(?<value>[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$)|\d[\w.]*|[$?]\w*)`,
    String.raw`(?<quoted>"(?:[^"]|"")*(?:"|$))`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{N}_$]*)`,
    String.raw`(?<mark>[\s\S])`,
  ].join("|"),
  "uy",
);

function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(sql); match; match = token.exec(sql)) {
    const { value, quoted, word, mark } = match.groups!;
    if (value !== undefined) tokens.push({ kind: "value", text: "?" });
    else if (quoted !== undefined)
      tokens.push({ kind: "quoted", text: quoted.slice(1, quoted.endsWith('"') ? -1 : undefined).replaceAll('""', '"') });
    else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else if (mark !== undefined) tokens.push({ kind: "mark", text: mark });
    if (token.lastIndex >= sql.length) break;
  }
  return tokens;
}
