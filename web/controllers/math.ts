/** Formulas in Markdown, by Pandoc's rules: `$x$` in a line, `$$x$$` or `\begin{align} … \end{align}` by itself. Prices stay text. Pure. */
import type { MarkdownIt } from "markdown-it";

export interface Formula {
  tex: string;
  display: boolean;
}

/** What stands in the HTML in a formula's place until it is drawn; it survives the sanitiser. */
const mark = (n: number): string => `<span data-math="${n}"></span>`;
const marks = /<span data-math="(\d+)"><\/span>/g;

/** Where the `$` that ends a formula stands, or -1: the next one decides. A space before it or a digit after it: "$5 and $6" has no formula. */
function closing(text: string, from: number, most: number): number {
  for (let at = from; at < most; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "$") return at === from || /\s/.test(text[at - 1]!) || /[\d$]/.test(text[at + 1] ?? "") ? -1 : at;
  }
  return -1;
}

/** Where the `$$` that ends a formula in a line stands, or -1. */
function closingTwo(text: string, from: number, most: number): number {
  for (let at = from; at < most - 1; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "$" && text[at + 1] === "$") return text.slice(from, at).trim() === "" ? -1 : at;
  }
  return -1;
}

/** Adds formulas to a Markdown reader. `render` returns HTML with marks, and the formulas that they stand for. */
export function withMath(markdown: MarkdownIt): (text: string) => { html: string; formulas: Formula[] } {
  markdown.inline.ruler.before("escape", "math", (state, silent) => {
    const { src, pos, posMax } = state;
    if (src[pos] !== "$") return false;
    const two = src[pos + 1] === "$";
    const from = pos + (two ? 2 : 1);
    if (!two && /\s/.test(src[from] ?? " ")) return false;
    const end = two ? closingTwo(src, from, posMax) : closing(src, from, posMax);
    if (end < 0) return false;
    if (!silent) {
      const token = state.push("math", "", 0);
      token.content = src.slice(from, end);
      token.meta = { display: two };
    }
    state.pos = end + (two ? 2 : 1);
    return true;
  });
  markdown.block.ruler.before(
    "fence",
    "math_block",
    (state, start, most, silent) => {
      if (state.sCount[start]! - state.blkIndent >= 4) return false;
      const line = (n: number): string => state.src.slice(state.bMarks[n]! + state.tShift[n]!, state.eMarks[n]!).trimEnd();
      const first = line(start);
      const environment = /^\\begin\{(equation|align|alignat|gather|multline|eqnarray|CD)(\*?)\}/.exec(first);
      if (environment === null && !first.startsWith("$$")) return false;
      const end = environment === null ? "$$" : `\\end{${environment[1]}${environment[2]}}`;
      const whole = environment === null && first.length > 4 && first.endsWith("$$") && !first.slice(2, -2).includes("$$");
      let last = start;
      if (!whole && (environment === null || !first.includes(end))) {
        // text after a closing mark is a line with a formula in it, not a formula by itself
        if (environment === null && first.slice(2).includes("$$")) return false;
        do last++;
        while (last < most && !line(last).endsWith(end) && state.sCount[last]! >= state.blkIndent);
        if (last >= most || !line(last).endsWith(end)) return false;
      }
      if (silent) return true;
      const text = Array.from({ length: last - start + 1 }, (_, i) => line(start + i)).join("\n");
      const token = state.push("math", "", 0);
      token.block = true;
      token.content = environment === null ? text.slice(2, -2) : text;
      token.map = [start, last + 1];
      token.meta = { display: true };
      state.line = last + 1;
      return true;
    },
    { alt: ["paragraph", "reference", "blockquote", "list"] },
  );
  markdown.renderer.rules["math"] = (tokens, at, _options, env) => {
    const { content, meta, block } = tokens[at]!;
    const n = (env as unknown as { formulas: Formula[] }).formulas.push({ tex: content.trim(), display: (meta as { display: boolean }).display }) - 1;
    return block ? `<p>${mark(n)}</p>\n` : mark(n);
  };
  return (text) => {
    const env: { formulas: Formula[] } = { formulas: [] };
    return { html: markdown.render(text, env), formulas: env.formulas };
  };
}

/** The HTML with each mark replaced by what `draw` makes of its formula. */
export const fillMath = (html: string, formulas: readonly Formula[], draw: (formula: Formula) => string): string =>
  html.replace(marks, (_, n: string) => (formulas[Number(n)] === undefined ? "" : draw(formulas[Number(n)]!)));
