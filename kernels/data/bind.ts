/** How a statement is bound to the relations that its tables mean now: running the other cell again must not change what this one holds. Pure. */
import { isReserved, quote } from "./names.js";
import type { Sources, Token } from "./tokens.js";

export interface Edit {
  at: number;
  end: number;
  insert: () => string;
}

/** Statements that a WITH may stand before. */
const queries = /^(select|from|with|values|pivot|pivot_wider|pivot_longer|unpivot|table)$/;
/** Statements whose table takes no alias. */
const bareTables = /^(summarize|describe|desc|show|copy)$/i;

/** What is written into the statement; `named`: name in lower case -> the relation. */
export function bindTables(list: readonly Token[], tables: Sources["tables"], named: ReadonlyMap<string, { readonly name: string }>): Edit[] {
  const first = list[0]!;
  const head = first.text.toLowerCase();
  const made = namesMade(list);
  const whole = first.text === "(" || (first.type === "word" && queries.test(head));
  const early = [...named].filter(([name]) => whole && !made.has(name));
  const edits: Edit[] = [];
  if (early.length > 0) {
    const bindings = (): string => early.map(([name, relation]) => `${quote(name)} as not materialized (from ${relation.name})`).join(", ");
    const after = list[1]?.text.toLowerCase() === "recursive" ? list[1]! : first;
    if (head === "with") edits.push({ at: after.end, end: after.end, insert: () => ` ${bindings()},` });
    else edits.push({ at: first.at, end: first.at, insert: () => `with ${bindings()} ` });
  }
  // where no WITH may stand, or one makes the same name: the relation's own name at each place
  const before = new Set(early.map(([name]) => name));
  for (const { name, token } of tables) {
    const relation = named.get(name);
    if (!relation || before.has(name)) continue;
    const at = list.indexOf(token);
    const alias = bareTables.test(list[at - 1]?.text ?? "") || hasAlias(list[at + 1]) ? "" : ` as ${quote(token.text)}`;
    edits.push({ at: token.at, end: token.end, insert: () => relation.name + alias });
  }
  return edits;
}

/** Names that the statement's own WITHs make. */
function namesMade(list: readonly Token[]): Set<string> {
  const names = new Set<string>();
  for (const [i, token] of list.entries()) {
    if (token.type !== "word" && token.type !== "quoted") continue;
    let next = i + 1;
    if (list[next]?.text === "(") next = list.findIndex((each, k) => k > next && each.text === ")") + 1 || list.length;
    if (list[next]?.text.toLowerCase() !== "as") continue;
    while (/^(as|not|materialized)$/i.test(list[next]?.text ?? "")) next++;
    if (list[next]?.text === "(") names.add(token.text.toLowerCase());
  }
  return names;
}

function hasAlias(next: Token | undefined): boolean {
  if (next?.type === "quoted") return true;
  return next?.type === "word" && (next.text.toLowerCase() === "as" || !isReserved(next.text));
}
