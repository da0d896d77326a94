/** Draws formulas with KaTeX; loaded with the first formula. What KaTeX returns is safe to show: no links, no classes, no macros without end. */
import katex from "katex";
import "katex/dist/katex.min.css";
import { escapeHtml } from "../report/html.js";
import type { Formula } from "./math.js";

/** `alone`: for a file that has no fonts: MathML, which the browser itself draws. A formula with a mistake stands as it was written. */
export function drawFormula({ tex, display }: Formula, alone = false): string {
  try {
    return katex.renderToString(tex, {
      displayMode: display,
      output: alone ? "mathml" : "htmlAndMathml",
      throwOnError: true,
      strict: "ignore",
      trust: false,
      maxSize: 40,
      maxExpand: 500,
    });
  } catch (error) {
    const why = (error as Error).message.replace(/^KaTeX parse error: /, "");
    const sign = display ? "$$" : "$";
    return `<code class="math-error">${escapeHtml(`${sign}${tex}${sign}`)}</code> <span class="math-why">${escapeHtml(why)}</span>`;
  }
}
