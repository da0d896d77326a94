/** Statements that would leave the notebook's connections in a state that other cells do not expect. Pure. */
import type { Token } from "./tokens.js";

/** What a person is told, and where in the text; null when the statement may run. `isResult`: is this, in lower case, the result of a cell? */
export function refusedStatement(list: readonly Token[], isResult: (name: string) => boolean): { message: string; at: number } | null {
  const word = (at: number): string => (list[at]?.type === "word" ? list[at]!.text.toLowerCase() : "");
  const say = (message: string, at = 0) => ({ message, at: list[at]!.at });
  const head = word(0);
  const second = word(1);
  if (/^(commit|rollback|abort)$/.test(head) || (/^(begin|start|end)$/.test(head) && /^(transaction|work|read|)$/.test(second)))
    return say(`Each SQL cell runs on its own, so a transaction over several of them is not possible: leave ${head.toUpperCase()} out.`);
  if (head === "use")
    return say("Each SQL cell runs on its own and does not keep USE: write the schema or database before the table's name, `name.table`.");
  if (head === "set" || head === "reset") {
    const at = /^(session|local|global)$/.test(second) ? 2 : 1;
    if (/^(search_path|schema|errors_as_json)$/.test(word(at)))
      return say(`\`${word(at)}\` belongs to Touchstone: write the schema before the table's name, \`name.table\`.`, at);
    if (/^(timezone|calendar)$/.test(word(at)))
      return say("Times are UTC in every SQL cell: write `x at time zone 'Europe/Berlin'` in the query.", at);
  }
  if (!/^(create|drop|alter)$/.test(head)) return null;
  let at = 1;
  while (/^(or|replace|persistent|recursive)$/.test(word(at))) at++;
  if (head === "create" && /^(temp|temporary|local)$/.test(word(at)))
    return say("What is temporary is seen by one connection alone, and a notebook has several: leave TEMP out.", at);
  const kind = word(at++);
  while (/^(if|not|exists)$/.test(word(at))) at++;
  if (word(at) === "nb" && kind === "schema") return say("The schema `nb` holds the results of the cells.", at);
  if (kind !== "table" && kind !== "view") return null;
  if (word(at) === "nb" && list[at + 1]?.text === ".") at += 2;
  const target = list[at];
  if (target && list[at + 1]?.text !== "." && isResult(target.text.toLowerCase()))
    return say(`\`${target.text}\` is the result of a cell: edit that cell, or take another name here.`, at);
  return null;
}
