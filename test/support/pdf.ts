/** The text of each page of a PDF that Chromium printed: enough of the format to read what Skia writes, and no more. */
import { inflateSync } from "node:zlib";

/** One string a page, without spaces: where words begin is a matter of places, not of text. */
export function pdfPages(bytes: Buffer): string[] {
  const text = bytes.toString("latin1");
  const objects = new Map<string, { head: string; stream: string | null }>();
  for (const match of text.matchAll(/(?:^|\n)(\d+) 0 obj\s([\s\S]*?)endobj/g)) {
    const [head = "", body] = match[2]!.split(/stream\r?\n/);
    let stream: string | null = null;
    if (body !== undefined) {
      const start = match.index + match[0].indexOf("stream") + 6;
      const from = start + /^\r?\n/.exec(text.slice(start, start + 2))![0].length;
      const length = Number(/\/Length (\d+)/.exec(head)?.[1]);
      const raw = bytes.subarray(from, from + length);
      stream = head.includes("/FlateDecode") ? inflateSync(raw).toString("latin1") : raw.toString("latin1");
    }
    objects.set(match[1]!, { head, stream });
  }
  const at = (reference: string | undefined) => objects.get(reference ?? "");
  const fonts = new Map<string, Map<string, string>>();
  const pages = [...objects.values()].filter(({ head }) => /\/Type \/Page\b/.test(head));
  return pages.map(({ head }) => {
    const named = new Map([...head.matchAll(/\/(F\d+) (\d+) 0 R/g)].map((match) => [match[1]!, match[2]!]));
    const glyphs = (name: string) => {
      const object = named.get(name) ?? "";
      if (!fonts.has(object)) fonts.set(object, unicode(at(/\/ToUnicode (\d+) 0 R/.exec(at(object)?.head ?? "")?.[1])?.stream ?? ""));
      return fonts.get(object)!;
    };
    const content = at(/\/Contents (\d+) 0 R/.exec(head)?.[1])?.stream ?? "";
    let font = "";
    let out = "";
    for (const match of content.matchAll(/\/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>/g)) {
      if (match[1] !== undefined) font = match[1];
      else for (const glyph of match[2]!.match(/.{4}/g) ?? []) out += glyphs(font).get(glyph.toUpperCase()) ?? "";
    }
    return out.replace(/\s/g, "");
  });
}

function unicode(map: string): Map<string, string> {
  const found = new Map<string, string>();
  const hex = (n: number) => n.toString(16).toUpperCase().padStart(4, "0");
  const text = (code: string) => String.fromCharCode(...(code.match(/.{4}/g) ?? []).map((unit) => parseInt(unit, 16)));
  for (const [, block] of map.matchAll(/beginbfchar([\s\S]*?)endbfchar/g))
    for (const [, from, to] of block!.matchAll(/<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>/g)) found.set(from!.toUpperCase(), text(to!));
  for (const [, block] of map.matchAll(/beginbfrange([\s\S]*?)endbfrange/g))
    for (const [, from, until, to] of block!.matchAll(/<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})>/g))
      for (let code = parseInt(from!, 16), i = 0; code <= parseInt(until!, 16); code++, i++)
        found.set(hex(code), String.fromCharCode(parseInt(to!, 16) + i));
  return found;
}
