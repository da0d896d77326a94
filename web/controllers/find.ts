/** Find and replace over the sources of all cells, without effects. */
import type { Cell, Operation } from "../../kernels/protocol/document.js";

export interface FindQuery {
  text: string;
  /** capitals matter */
  exact: boolean;
  /** whole words alone */
  word: boolean;
  regex: boolean;
}

/** A place in a cell's source. */
export interface Match {
  cell: string;
  from: number;
  to: number;
  /** what a regular expression captured */
  groups: readonly (string | undefined)[];
  named: Readonly<Record<string, string | undefined>>;
}

/** Matches looked for at most: one letter in a large notebook is not walked through one by one. */
export const mostMatches = 10_000;

/** The query as a regular expression; null: nothing is looked for. Throws a SyntaxError whose message is for people. */
export function pattern({ text, exact, word, regex }: FindQuery): RegExp | null {
  if (text === "") return null;
  const body = regex ? text : text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  const edge = "[\\p{L}\\p{N}_$]";
  const flags = `gm${exact ? "" : "i"}`;
  try {
    return new RegExp(word ? `(?<!${edge})(?:${body})(?!${edge})` : body, `${flags}u`);
  } catch (error) {
    // what only stands without Unicode: `\-`, a lone brace
    try {
      return new RegExp(word ? `(?<![\\w$])(?:${body})(?![\\w$])` : body, flags);
    } catch {
      throw new SyntaxError((error as Error).message.replace(/^Invalid regular expression: (\/.*\/\w*: )?/s, ""));
    }
  }
}

/** Every match in the order of the document; empty ones (`a*`) are none. */
export function findAll(cells: readonly Cell[], looked: RegExp): Match[] {
  const found: Match[] = [];
  for (const cell of cells)
    for (const match of cell.source.matchAll(looked)) {
      if (match[0] === "") continue;
      if (found.length >= mostMatches) return found;
      found.push({ cell: cell.id, from: match.index, to: match.index + match[0].length, groups: [...match], named: match.groups ?? {} });
    }
  return found;
}

/** The text that takes a match's place: as it stands, or with `$1`, `$<name>`, `$&`, `$$`, `\n` and `\t` of a regular expression. */
export function replacement({ groups, named }: Match, insert: string, regex: boolean): string {
  if (!regex) return insert;
  return insert.replace(/\$(\$|&|\d{1,2}|<([^>]*)>)|\\([nt\\])/g, (whole: string, sign?: string, name?: string, escape?: string) => {
    if (escape !== undefined) return escape === "n" ? "\n" : escape === "t" ? "\t" : "\\";
    if (sign === "$") return "$";
    if (sign === "&") return groups[0]!;
    if (name !== undefined) return name in named ? (named[name] ?? "") : whole;
    const digits = sign!;
    if (Number(digits) > 0 && Number(digits) < groups.length) return groups[Number(digits)] ?? "";
    // `$12` with one group: the first one and a 2
    const first = Number(digits[0]);
    return digits.length > 1 && first > 0 && first < groups.length ? (groups[first] ?? "") + digits[1]! : whole;
  });
}

/** Edits that replace the matches, the last of a cell first, so that each can be applied as it stands. */
export function replacing(matches: readonly Match[], insert: string, regex: boolean): Operation[] {
  return matches
    .map((match): Operation => {
      const { cell: id, from, to } = match;
      return { op: "edit", id, at: from, remove: to - from, insert: replacement(match, insert, regex) };
    })
    .reverse();
}

/** The first match at or behind a place of the document, else the first of all; -1 when there is none. */
export function nearest(matches: readonly Match[], cells: readonly Cell[], cell: string | null, at = 0): number {
  const order = new Map(cells.map(({ id }, i) => [id, i]));
  const here = (cell === null ? undefined : order.get(cell)) ?? 0;
  const found = matches.findIndex((match) => {
    const there = order.get(match.cell)!;
    return there > here || (there === here && match.from >= at);
  });
  return found < 0 ? Math.min(matches.length, 1) - 1 : found;
}
