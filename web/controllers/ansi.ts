/** Terminal text as the page shows it: colours by class, progress lines collapsed, repeated lines counted. Pure. */
export interface Span {
  text: string;
  /** "red bold", or "" */
  style: string;
}
const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** Applies `\r` (the line starts again) and `\b`, as a terminal would for plain progress bars. */
export function collapse(text: string): string {
  if (!text.includes("\r") && !text.includes("\b")) return text;
  return text
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => {
      let out = "";
      for (const part of line.split("\r")) out = part.length >= out.length ? part : part === "" ? out : part + out.slice(part.length);
      // eslint-disable-next-line no-control-regex
      while (/[^\x08]\x08/.test(out)) out = out.replace(/[^\x08]\x08/, "");
      return out.replaceAll("\b", "");
    })
    .join("\n");
}

/** Same line again and again becomes one line with its count. */
export function fold(lines: string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < lines.length;) {
    let n = 1;
    while (i + n < lines.length && lines[i + n] === lines[i]) n++;
    if (n > 2 && lines[i] !== "") out.push(`${lines[i]}  × ${n}`);
    else for (let k = 0; k < n; k++) out.push(lines[i]!);
    i += n;
  }
  return out;
}

/** SGR sequences become spans; every other escape sequence is dropped. */
export function ansi(text: string): Span[] {
  const spans: Span[] = [];
  let colour = "";
  let bold = false;
  let at = 0;
  const push = (piece: string) => {
    if (piece === "") return;
    const style = [colour, bold ? "bold" : ""].filter(Boolean).join(" ");
    const last = spans.at(-1);
    if (last?.style === style) last.text += piece;
    else spans.push({ text: piece, style });
  };
  // eslint-disable-next-line no-control-regex
  for (const match of text.matchAll(/\x1b(?:\[([0-9;?]*)([ -/]*[@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g)) {
    push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] !== "m") continue;
    const codes = (match[1] ?? "").split(";").map(Number);
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]!;
      if (code === 0) [colour, bold] = ["", false];
      else if (code === 1) bold = true;
      else if (code === 22) bold = false;
      else if (code >= 30 && code <= 37) colour = colours[code - 30]!;
      else if (code >= 90 && code <= 97) colour = colours[code - 90]!;
      else if (code === 39) colour = "";
      else if (code === 38 || code === 48) i += codes[i + 1] === 5 ? 2 : 4;
    }
  }
  push(text.slice(at));
  return spans;
}
