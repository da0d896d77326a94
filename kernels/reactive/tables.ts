/** Tables that a SQL text reads, by its words: names after FROM and JOIN and after a comma in a FROM list, without the names that WITH makes. */
import { tokens, type Token } from "./sql-tokens.js";

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
  /** a statement of one table (`pivot t on a, b`): a comma brings no other */
  single: boolean;
  tokens: number;
}

/** A place where a table is expected: its name or the string of a file. */
export interface SourceToken {
  token: Token;
  /** `schema.name`; the token is the name */
  qualified: boolean;
  /** a name of the notebook's own schema: `name` or `nb.name` */
  ours: boolean;
}

const ends = new Set("where group order having limit offset union intersect except window qualify select sample returning set".split(" "));
const pivots = new Set(["pivot", "unpivot"]);
const lookers = new Set(["pivot", "unpivot", "pivot_wider", "pivot_longer", "summarize", "describe", "desc", "table", "show", "copy"]);
const skipped = new Set(["lateral", "only"]);
const noTable = new Set(["values", "with", "from", "join"]);

/** Names as written, quotes removed, in order of first use. `sql` has a value in place of each `${}`. */
export function sqlTables(sql: string): string[] {
  const found = sourceTokens(tokens(sql).tokens).filter(({ token, ours }) => ours && token.type !== "string");
  return [...new Set(found.map(({ token }) => token.text))];
}

const changers = new Set("create insert update delete drop alter attach detach truncate merge set reset import".split(" "));

/** Is this a statement that leaves more behind than its own result? */
export function changesTables(sql: string): boolean {
  const [first] = tokens(sql).tokens;
  return first?.type === "word" && changers.has(first.text.toLowerCase());
}

/** Does a statement that changes tables leave the same each time it runs? */
export function remakesTable(sql: string): boolean {
  const [create, or, replace] = tokens(sql).tokens.map(({ type, text }) => (type === "word" ? text.toLowerCase() : ""));
  return create === "create" && or === "or" && replace === "replace";
}

/** Each place where a table or a file is named, but for functions and names that WITH makes. */
export function sourceTokens(list: readonly Token[]): SourceToken[] {
  const found: SourceToken[] = [];
  const stack: Level[] = [whole()];
  const known = (name: string) => stack.some((one) => one.ctes.has(name.toLowerCase()));
  const isName = (token: Token | undefined) => token?.type === "word" || token?.type === "quoted";

  for (let i = 0; i < list.length; i++) {
    const token = list[i]!;
    const here = stack.at(-1)!;
    const key = token.type === "word" ? token.text.toLowerCase() : token.type === "symbol" ? token.text : "";
    const first = here.tokens++ === 0;
    const next = list[i + 1]?.type === "quoted" ? "" : (list[i + 1]?.text.toLowerCase() ?? "");
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
      if (outer.pending !== null && next !== "as" && next !== "using" && !outer.naming) {
        outer.ctes.add(outer.pending);
        outer.pending = null;
        if (next === ",") {
          outer.naming = true;
          i++;
        }
      }
    } else if (key === ";") stack.splice(0, stack.length, whole());
    else if (key === ",") here.expect = here.inFrom && !here.single;
    else if (here.naming && isName(token)) {
      if (key === "recursive" && next !== "as") here.recursive = true;
      else {
        here.pending = token.text.toLowerCase();
        here.naming = false;
      }
    } else if (here.expect && token.type === "string") {
      here.expect = false;
      found.push({ token, qualified: false, ours: false });
    } else if (
      here.expect &&
      (token.type === "quoted" ||
        (token.type === "word" && !ends.has(key) && !noTable.has(key) && !(first && isName(list[i + 1]) && lookers.has(key))))
    ) {
      if (skipped.has(key)) continue;
      const parts = [token];
      while (list[i + 1]?.text === "." && list[i + 1]!.type === "symbol" && isName(list[i + 2])) {
        parts.push(list[i + 2]!);
        i += 2;
      }
      here.expect = false;
      const name = parts.at(-1)!;
      const qualified = parts.length > 1;
      const ours = !qualified || (parts.length === 2 && parts[0]!.text.toLowerCase() === "nb");
      const call = list[i + 1]?.text === "(" && list[i + 1]!.type === "symbol";
      if (!call && (qualified || !known(name.text))) found.push({ token: name, qualified, ours });
    } else if (token.type === "word") {
      if (key === "with") here.naming = here.clause = first || here.clause || here.inFrom;
      else if (key === "from") {
        const distinct = list[i - 1]?.text.toLowerCase() === "distinct" && /^(is|not)$/i.test(list[i - 2]?.text ?? "");
        if (!distinct && (here.clause || first)) here.inFrom = here.expect = true;
      } else if (key === "join") here.inFrom = here.expect = true;
      else if (first && lookers.has(key)) here.inFrom = here.expect = here.single = true;
      else if (pivots.has(key)) here.expect = false;
      // commas part rows from here on, and strings are values
      else if (key === "values" && here.expect) here.inFrom = here.expect = false;
      else if (ends.has(key)) {
        here.inFrom = here.expect = false;
        if (["select", "union", "intersect", "except"].includes(key)) here.clause = true;
      } else here.expect = false;
    } else here.expect = false;
  }
  return found;
}

/** The level of a whole statement: whatever it is, its FROM begins a clause. */
const whole = (): Level => ({ ...level(true, false), clause: true });

function level(group: boolean, table: boolean): Level {
  // in a parenthesis where a table is expected a join may stand: `from (a join b)`
  return {
    ...{ clause: !group ? false : table, inFrom: table, expect: table, ctes: new Set<string>() },
    ...{ naming: false, recursive: false, pending: null, single: false, tokens: 0 },
  };
}
