import { parseNotebook, type Parsed } from "./parse.js";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The text of a notebook's file. `lossy`: the bytes are not UTF-8, so that writing the text back would not give them again. */
export function decodeNotebook(bytes: Uint8Array): { text: string; lossy: boolean } {
  const text = decoder.decode(bytes);
  const again = encoder.encode(text);
  return { text, lossy: again.length !== bytes.length || again.some((byte, at) => byte !== bytes[at]) };
}

/** A notebook from its file's bytes. What is not UTF-8 is shown as well as it can be, and is broken: the file must not be written. */
export function parseBytes(bytes: Uint8Array): Parsed & { text: string } {
  const { text, lossy } = decodeNotebook(bytes);
  if (!lossy) return { ...parseNotebook(text), text };
  const line = text.slice(0, text.indexOf("\uFFFD")).split("\n").length;
  const broken = `line ${line}: the file is not UTF-8 text; save it as UTF-8 in an editor`;
  return { source: { front: {}, cells: [{ id: "file", kind: "code", source: text, options: {} }] }, problems: [], broken, text };
}
