/** HTML as text, for a file that stands alone: what is put into a template is escaped, unless it was made by one. Pure. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type Part = Markup | string | number | null | undefined | readonly Part[];

/** Text of a page or of an attribute in double quotes. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`)
    .replace(
      // no file may hold them
      // eslint-disable-next-line no-control-regex
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g,
      "\ufffd",
    );

export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((all, text, i) => all + text + (i < parts.length ? put(parts[i]) : ""), ""));
}

function put(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (part === null || part === undefined) return "";
  if (typeof part === "object") return (part as readonly Part[]).map(put).join("");
  return escapeHtml(String(part));
}
