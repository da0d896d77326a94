/**
 * Finds the end of a cell: a small tokenizer of TypeScript, enough to tell a `// %%` line from the same characters inside a template literal,
 * a comment or a string. It never fails: what it cannot read it steps over, one line at most.
 */

/** What was still open at the end of the text. */
export interface Open {
  what: "template literal" | "comment" | "string";
  /** offset of its first character */
  at: number;
}
export interface Scan {
  /** offset of the next marker line, or the length of the text */
  stop: number;
  /** set when the text ended inside a literal or comment */
  open: Open | null;
}

const marker = /\/\/ %%(?=[\s[]|$)/y;
const word = /[\p{ID_Start}$_\\#][\p{ID_Continue}$\\]*/uy;
const number = /\.?[0-9](?:[eE][+-]|[\w.])*/y;
const beforeRegex = new Set(
  "return typeof instanceof in of new delete void throw case do else await yield extends if while for with default".split(" "),
);
const heads = new Set(["if", "while", "for", "with"]);

/** Is there a marker line at this offset? It must be the start of a line. */
export function isMarker(text: string, at: number): boolean {
  marker.lastIndex = at;
  return (at === 0 || text[at - 1] === "\n") && marker.test(text);
}

/**
 * Reads code from `start` (the start of a line) to the next marker line or the end. `see` is told of each token: a word or sign as it is,
 * a literal as its first character; and of a template's hole as "${" and "}".
 */
export function scanCode(text: string, start = 0, see?: (token: string, at: number) => void): Scan {
  const end = text.length;
  /** open brackets: "(" and whether a statement head stood before it; "{" and whether it is an expression; "${" and where its template began */
  const stack: { open: "(" | "[" | "{" | "${"; head: boolean; at: number }[] = [];
  let templates = 0;
  let at = start;
  /** would a "/" here start a regular expression? */
  let regex = true;
  let last = "";
  let after: number;

  /** Reads a template's text from `at`; true when it ended or a hole began, false at the end of the file. */
  const template = (began: number): boolean => {
    while (at < end) {
      const c = text[at]!;
      if (c === "\\") at += 2;
      else if (c === "`") {
        at++;
        regex = false;
        last = "`";
        return true;
      } else if (c === "$" && text[at + 1] === "{") {
        at += 2;
        stack.push({ open: "${", head: false, at: began });
        templates++;
        see?.("${", at - 2);
        regex = true;
        last = "{";
        return true;
      } else at++;
    }
    return false;
  };

  while (at < end) {
    const c = text[at]!;
    if (c === "/" && text[at + 1] === "/") {
      if (templates === 0 && isMarker(text, at)) return { stop: at, open: null };
      while (at < end && !/[\n\r\u2028\u2029]/.test(text[at]!)) at++;
    } else if (c === "/" && text[at + 1] === "*") {
      const close = text.indexOf("*/", at + 2);
      if (close < 0) return { stop: end, open: { what: "comment", at } };
      at = close + 2;
    } else if (c === "`") {
      const began = at++;
      see?.("`", began);
      if (!template(began)) return { stop: end, open: { what: "template literal", at: began } };
    } else if (c === '"' || c === "'") {
      const began = at;
      const next = skipString(text, at);
      if (next === null) return { stop: end, open: { what: "string", at: began } };
      at = next;
      see?.(c, began);
      regex = false;
      last = c;
    } else if (c === "/" && regex && (after = skipRegex(text, at)) > 0) {
      see?.("0", at);
      at = after;
      regex = false;
      last = "/";
    } else if (/\s/.test(c)) at++;
    else if (((word.lastIndex = at), word.test(text))) {
      const name = text.slice(at, word.lastIndex);
      see?.(name, at);
      at = word.lastIndex;
      regex = last !== "." && beforeRegex.has(name);
      last = last === "." ? "property" : name;
    } else if (((number.lastIndex = at), number.test(text))) {
      see?.("0", at);
      at = number.lastIndex;
      regex = false;
      last = "0";
    } else {
      see?.(c, at);
      at++;
      if (c === "(" || c === "[") {
        stack.push({ open: c, head: heads.has(last), at });
        regex = true;
      } else if (c === "{") {
        // an object literal stands where a value is expected; after `=>` and in statement position it is a block
        stack.push({ open: "{", head: regex && !["", ";", "{", "}", "=>", "else", "do"].includes(last), at });
        regex = true;
      } else if (c === ")" || c === "]") {
        const open = pop(stack, c === ")" ? "(" : "[");
        regex = c === ")" && open?.head === true;
      } else if (c === "}") {
        const top = stack.at(-1);
        if (top?.open === "${") {
          stack.pop();
          templates--;
          if (!template(top.at)) return { stop: end, open: { what: "template literal", at: top.at } };
          continue;
        }
        const open = pop(stack, "{");
        regex = open?.head !== true;
      } else if ((c === "+" || c === "-") && text[at] === c) {
        at++; // `x++ / 2` divides, `++/re/` does not occur
      } else if (c === "=" && text[at] === ">") {
        at++;
        regex = true;
        last = "=>";
        continue;
      } else regex = c !== "." || regex;
      last = c;
    }
  }
  const hole = stack.find((one) => one.open === "${");
  return { stop: end, open: hole ? { what: "template literal", at: hole.at } : null };
}

/** Closes the nearest bracket of this sort, but never one outside a template's hole. */
function pop(stack: { open: string; head: boolean }[], sort: string): { head: boolean } | undefined {
  for (let i = stack.length - 1; i >= 0 && stack[i]!.open !== "${"; i--) {
    if (stack[i]!.open === sort) {
      const found = stack[i]!;
      stack.length = i;
      return found;
    }
  }
  return undefined;
}

/** Offset after a string; at the end of the line when it is not closed; null when the text ends right after a backslash. */
function skipString(text: string, at: number): number | null {
  const quote = text[at]!;
  let i = at + 1;
  while (i < text.length) {
    const c = text[i]!;
    if (c === "\\") {
      if (i + 1 >= text.length) return null;
      i += text[i + 1] === "\r" && text[i + 2] === "\n" ? 3 : 2;
    } else if (c === quote) return i + 1;
    else if (c === "\n" || c === "\r") return i;
    else i++;
  }
  return i;
}

/** Offset after a regular expression with its flags, or -1 when the line ends first (then the slash divides). */
function skipRegex(text: string, at: number): number {
  let inClass = false;
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i]!;
    if (/[\n\r\u2028\u2029]/.test(c)) return -1;
    if (c === "\\") {
      if (/[\n\r\u2028\u2029]/.test(text[i + 1] ?? "\n")) return -1;
      i++;
    } else if (c === "[") inClass = true;
    else if (c === "]") inClass = false;
    else if (c === "/" && !inClass) {
      let after = i + 1;
      while (after < text.length && /[a-z]/i.test(text[after]!)) after++;
      return after;
    }
  }
  return -1;
}
