/** How deep a source is nested, before a parser sees it: parsers recurse, and a native one ends the whole process when the stack is full. */
import { scanCode } from "../notebook/scan.js";

/** Sources nested deeper than this are not parsed; the parser was seen to crash from about 3,000 on. */
export const deepest = 1500;

const heads = new Set(["if", "while", "for", "with"]);
const prefixes = new Set("new await typeof void delete yield async return throw case do else if while for with".split(" "));
const joins = new Set(["else", "instanceof", "in", "of", "as", "satisfies", "catch", "finally", "while"]);

/**
 * An upper estimate: open brackets, and in each of them the operators, prefixes and calls since the last comma or statement, all summed.
 * A list of a million numbers is flat; ten thousand `!` or `else if` are not.
 */
export function nesting(source: string): number {
  let most = 0;
  let sum = 0;
  const levels = [0];
  const isHead: boolean[] = [];
  let last = ";";
  let end = 0;
  const add = () => {
    levels[levels.length - 1]!++;
    sum++;
    if (sum > most) most = sum;
  };
  const reset = () => {
    sum -= levels.at(-1)!;
    levels[levels.length - 1] = 0;
  };
  const see = (token: string, at: number) => {
    const word = /^[\p{ID_Start}$_#]/u.test(token);
    if (word && !joins.has(token)) {
      // a new statement: after `;` or a block, or on a new line after a value
      if (last === ";" || last === "}" || (/[\w\])`"'$]$/.test(last) && last !== "head)" && !prefixes.has(last) && /\n/.test(source.slice(end, at))))
        reset();
    }
    if (token === "${") {
      // side by side holes are flat: each counts while it is open
      levels.push(0);
      isHead.push(false);
      add();
    } else if (token === "(" || token === "[" || token === "{") {
      add();
      levels.push(0);
      isHead.push(token === "(" && heads.has(last));
    } else if (token === ")" || token === "]" || token === "}") {
      if (levels.length > 1) {
        reset();
        levels.pop();
        if (isHead.pop() && token === ")") {
          last = "head)";
          end = at + 1;
          return;
        }
      }
    } else if (token === ",") reset();
    else if (word ? prefixes.has(token) : !/^[;0"'`]/.test(token)) add();
    last = token;
    end = at + token.length;
  };
  // a marker line inside a cell is a comment here
  for (let at = 0; at < source.length;) {
    const { stop } = scanCode(source, at, see);
    const eol = source.indexOf("\n", stop);
    at = eol < 0 ? source.length : eol + 1;
  }
  return most;
}
