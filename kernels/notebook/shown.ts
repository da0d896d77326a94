/** What a cell shows after more outputs came: bounded in text and in pieces, whatever a cell prints. Pure. */
import type { CellError, Output } from "../protocol/output.js";

/** Characters of printed text that a cell keeps on show; the whole is on the server's disk. */
export const shownText = 256_000;
/** Displays of one run, and as many errors, that the state carries; the rest is on the server's disk, read in pages. */
export const shownItems = 50;
/** Characters of an error's message on show; the whole is on the server's disk. */
export const shownError = 20_000;
/** Pieces of text on show; stdout and stderr that alternate make many. */
const shownPieces = 400;

type Stream = Extract<Output, { kind: "stream" }>;

/** Text of one stream joins, a display of a known id takes the old one's place, long text loses its beginning. A piece that says `cut` has lost what came before it. */
export function addOutputs(shown: readonly Output[], more: readonly Output[]): Output[] {
  const all = [...shown];
  const places = new Map(all.flatMap((output, i) => (output.kind === "display" ? [[output.id, i] as const] : [])));
  let text = 0;
  let pieces = 0;
  for (const output of all) {
    if (output.kind !== "stream") continue;
    text += output.text.length;
    pieces++;
  }
  for (const output of more) {
    const last = all.at(-1);
    if (output.kind === "stream") {
      text += output.text.length;
      if (last?.kind === "stream" && last.name === output.name) {
        all[all.length - 1] = joined(last, output);
        if (output.cut !== undefined) text -= last.text.length;
      } else {
        all.push(output);
        pieces++;
      }
      if (text > shownText * 2 || pieces > shownPieces) {
        ({ text, pieces } = cutText(all, text, pieces));
        places.clear();
        for (const [i, each] of all.entries()) if (each.kind === "display") places.set(each.id, i);
      }
    } else if (output.kind === "display") {
      const at = places.get(output.id);
      if (at !== undefined) all[at] = output;
      else {
        places.set(output.id, all.length);
        all.push(output);
      }
    } else all.push(output);
  }
  return all;
}

/** Two pieces of one stream as one. */
export function joined(first: Stream, second: Stream): Stream {
  if (second.cut === undefined) return { ...first, text: first.text + second.text };
  return { ...first, text: second.text, cut: (first.cut ?? 0) + first.text.length + second.cut };
}

/** The end of a piece, from a line's start where there is one. */
export function shortened(output: Stream, length: number): Stream {
  const surplus = output.text.length - length;
  if (surplus <= 0) return output;
  const eol = output.text.indexOf("\n", surplus);
  const from = eol < 0 || eol + 1 >= output.text.length ? surplus : eol + 1;
  // the slice is copied, or it would keep the whole text in memory
  return { ...output, text: structuredClone(output.text.slice(from)), cut: (output.cut ?? 0) + from };
}

/** An error with the beginnings of its messages; the same one when none is long. */
export function shortError(error: CellError): CellError {
  const { message, cause } = error;
  const short = cause === undefined ? undefined : shortError(cause);
  if (message.length <= shownError && short === cause) return error;
  const cut = message.length > shownError && { message: structuredClone(message.slice(0, shownError)), length: message.length };
  return { ...error, ...cut, ...(short !== undefined && { cause: short }) };
}

/** All that an error says, as text. */
export function errorText({ name, message, frames, cause }: CellError): string {
  const at = frames.map(
    (frame) => `  at ${frame.name ?? ""} ${frame.cell === undefined ? frame.file : `cell ${frame.cell}`}:${frame.line}:${frame.column}`,
  );
  return [`${name}: ${message}`, ...at, ...(cause === undefined ? [] : [`Cause: ${errorText(cause)}`])].join("\n");
}

/** Drops and shortens the oldest text until half of each limit is left. */
function cutText(all: Output[], text: number, pieces: number): { text: number; pieces: number } {
  let lost = 0;
  const kept: Output[] = [];
  for (const output of all) {
    if (output.kind !== "stream") {
      kept.push(output);
      continue;
    }
    if (pieces > 1 && (text - output.text.length >= shownText || pieces > shownPieces / 2)) {
      lost += (output.cut ?? 0) + output.text.length;
      text -= output.text.length;
      pieces--;
      continue;
    }
    const short = shortened(output, output.text.length - Math.max(0, text - shownText));
    text -= output.text.length - short.text.length;
    kept.push(lost > 0 ? { ...short, cut: (short.cut ?? 0) + lost } : short);
    lost = 0;
  }
  all.splice(0, all.length, ...kept);
  return { text, pieces };
}
