/** SQL texts as they stand in a cell. */
import type { Reading, Template } from "./virtual.js";

/** The text of a template with each hole as a value of the same length, so that offsets are those of the cell less `template.from`. */
export function textOf(source: string, template: Pick<Template, "from" | "to" | "holes">): string {
  let text = source.slice(template.from, template.to);
  for (const { from, to } of template.holes) {
    // `${` before and `}` after the expression, perhaps with blanks
    const start = source.lastIndexOf("${", from) - template.from;
    const end = source.indexOf("}", to) + 1 - template.from;
    text = text.slice(0, start) + `0${" ".repeat(end - start - 1)}` + text.slice(end);
  }
  return text;
}

/** The template around a place. In a cell that does not parse (a quote is missing while it is typed) the text after the nearest tag is taken. */
export function templateAt(reading: Reading, at: number): Template | null {
  const found = reading.templates.find((template) => at >= template.from && at <= template.to);
  if (found !== undefined) return found.holes.some((hole) => at >= hole.from && at <= hole.to) ? null : found;
  if (!reading.broken) return null;
  const { source } = reading.cell;
  const before = source.slice(0, at);
  const tag = /\bsql(?:<[^`]*>)?`[^`]*$/.exec(before);
  if (tag === null || /\$\{[^}]*$/.test(tag[0])) return null;
  const from = before.indexOf("`", tag.index) + 1;
  const close = source.indexOf("`", at);
  const to = close < 0 ? source.length : close;
  const text = source.slice(from, to);
  const holes = [...text.matchAll(/\$\{([^}]*)\}/g)].map((match) => ({ from: from + match.index + 2, to: from + match.index + match[0].length - 1 }));
  return { name: null, tagEnd: tag.index + 3, from, to, typed: true, pieces: [text], starts: [from], holes };
}
