/** Front matter: commented `key: value` lines between two `// ---` lines at the very start of the file. */
import type { FrontMatter, Problem } from "../protocol/document.js";

const fence = /^\/\/ ---[ \t]*$/;

/** `lines` are the file's lines; `taken` is how many of them are front matter (0 when there is none). */
export function parseFront(lines: readonly string[]): { front: FrontMatter; taken: number; problems: Problem[] } {
  const problems: Problem[] = [];
  if (!fence.test(lines[0] ?? "")) return { front: {}, taken: 0, problems };
  let close = 1;
  while (close < lines.length && lines[close]!.startsWith("//") && !fence.test(lines[close]!) && !/^\/\/ %%([\s[]|$)/.test(lines[close]!)) close++;
  if (close >= lines.length || !fence.test(lines[close]!)) return { front: {}, taken: 0, problems };
  const front: FrontMatter = {};
  const rest: string[] = [];
  for (let i = 1; i < close; i++) {
    const [, key, text] = /^\/\/ (title|seed|mode):[ \t]*(.*?)[ \t\r]*$/su.exec(lines[i]!) ?? [];
    const seed = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text ?? "") ? Number(text) : NaN;
    if (key === "title" && front.title === undefined) front.title = unquote(text!);
    else if (key === "seed" && front.seed === undefined && Number.isFinite(seed)) front.seed = seed;
    else if (key === "mode" && front.mode === undefined && (text === "auto" || text === "lazy")) front.mode = text;
    else {
      rest.push(lines[i]!);
      if (key !== undefined)
        problems.push({ type: "syntax", severity: "warning", line: i + 1, message: `Front matter line ${i + 1} is not used: ${lines[i]!.slice(3)}` });
    }
  }
  if (rest.length > 0) front.rest = rest;
  return { front, taken: close + 1, problems };
}

/** Empty text when there is nothing to say. */
export function printFront(front: FrontMatter): string {
  const lines: string[] = [];
  if (front.title !== undefined) lines.push(`// title: ${quote(front.title)}`);
  if (front.seed !== undefined) lines.push(`// seed: ${front.seed}`);
  if (front.mode !== undefined) lines.push(`// mode: ${front.mode}`);
  lines.push(...(front.rest ?? []));
  return lines.length === 0 ? "" : ["// ---", ...lines, "// ---", ""].join("\n");
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : text;
  } catch {
    return text;
  }
}

/** Plain where plain reads back the same, else a JSON string. */
function quote(title: string): string {
  return /[\n\r\u2028\u2029]/.test(title) || title !== title.trim() || unquote(title) !== title || title === "" ? JSON.stringify(title) : title;
}
