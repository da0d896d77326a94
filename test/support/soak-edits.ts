/** Chance, the words that are looked for, and the edits of the soak's pages. */
import { conflictOf } from "../../kernels/notebook/conflict.js";
import type { Cell, NotebookSource, Operation } from "../../kernels/protocol/document.js";
import { deletion, disabling, inverse, merging, moving, pasting, splitting } from "../../web/pages/notebook/changes.js";

/** mulberry32 */
export function chance(seed: number): () => number {
  let at = seed >>> 0;
  return () => {
    at = (at + 0x6d2b79f5) >>> 0;
    let x = Math.imul(at ^ (at >>> 15), at | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Dice {
  readonly random: () => number;
  constructor(seed: number) {
    this.random = chance(seed);
  }
  int(below: number): number {
    return Math.floor(this.random() * below);
  }
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.int(list.length)];
  }
  likely(p: number): boolean {
    return this.random() < p;
  }
  id(prefix: string): string {
    return `${prefix}${this.int(1e9).toString(36)}`;
  }
}

export const textsOf = (source: NotebookSource): string => source.cells.map((cell) => cell.source).join("\0");
export function wordsOf(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [word] of text.matchAll(/T\d+_/g)) found.set(word, (found.get(word) ?? 0) + 1);
  return found;
}

/** Words that were typed once, each its own; those that somebody removes or doubles on purpose are not looked for any more. */
export class Words {
  count = 0;
  readonly strict = new Set<string>();
  readonly #dice: Dice;
  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** A line with a new word, and now and then what makes a file hard to read. */
  line(): string {
    const word = `T${++this.count}_`;
    this.strict.add(word);
    const odd = ["", "", "", "", "`", "/*", '// %% id="x"', "<<<<<<< ours", "%% x", "die", "fail", "wait", "\u2028é𝒳"];
    return `print ${word}\n${this.#dice.pick(odd)!}`;
  }
  /** Somebody turned one text into the other: words that are gone, doubled, or back after they were gone. */
  turned(before: string, after: string): void {
    const [was, is] = [wordsOf(before), wordsOf(after)];
    for (const [word, n] of was) if ((is.get(word) ?? 0) !== n) this.strict.delete(word);
    for (const [word, n] of is) if (n !== 1 || (!was.has(word) && this.#stood.has(word))) this.strict.delete(word);
    for (const word of is.keys()) this.#stood.add(word);
  }
  readonly #stood = new Set<string>();
  /** these were changed on more than one side */
  free(cells: readonly ({ source: string } | null | undefined)[]): void {
    for (const cell of cells) for (const word of wordsOf(cell?.source ?? "").keys()) this.strict.delete(word);
  }
}

/** What a page keeps for itself. */
export interface Hands {
  undo: Operation[][];
  clipboard: Cell[];
}

/** What a person does next; null: nothing that changes the document. */
export function randomEdit(dice: Dice, words: Words, cells: readonly Cell[], hands: Hands): { ops: Operation[]; undo: Operation[] } | null {
  const plain = (ops: Operation[]) => ({ ops, undo: inverse(cells, ops) });
  if (cells.length > 20) {
    const some = cells.slice(dice.int(10)).filter((one) => conflictOf(one) !== null || dice.likely(0.3));
    return plain(some.map(({ id }) => ({ op: "delete", id })));
  }
  const cell = dice.pick(cells);
  const what = dice.int(14);
  if (cell === undefined || what === 0) {
    const after = dice.pick([null, ...cells.map((one) => one.id)]) ?? null;
    const kind = dice.likely(0.2) ? "markdown" : "code";
    return plain([{ op: "insert", cell: { id: dice.id("c"), kind, source: words.line(), options: {} }, after }]);
  }
  const at = dice.int(cell.source.length + 1);
  switch (what) {
    case 1:
      return cells.length > 4 ? deletion(cells, [cell.id]) : null;
    case 2:
      return moving(cells, cells.indexOf(cell), dice.likely(0.5) ? 1 : -1);
    case 3:
      hands.clipboard = [{ ...cell, source: cell.source.replace(/T\d+_/g, "") }];
      return null;
    case 4:
      if (cells.length > 14) return null;
      return pasting(
        cells,
        hands.clipboard.map((one) => ({ ...one, source: `${one.source}\n${words.line()}` })),
        cell.id,
      );
    case 5:
      return splitting(cells, cell, between(cell.source, at));
    case 6: {
      const next = cells[cells.indexOf(cell) + 1];
      return next === undefined ? null : merging([cell, next]);
    }
    case 7:
      return disabling(cell);
    case 8:
      return plain([{ op: "edit", id: cell.id, at, remove: Math.min(dice.int(12), cell.source.length - at), insert: "" }]);
    case 9: {
      const ops = hands.undo.pop();
      return ops === undefined ? null : plain(ops);
    }
    default:
      return plain([{ op: "edit", id: cell.id, at: between(cell.source, at), remove: 0, insert: words.line() }]);
  }
}

/** Not in the middle of a word. */
function between(text: string, at: number): number {
  for (const match of text.matchAll(/T\d+_/g)) if (at > match.index && at < match.index + match[0].length) return match.index;
  return at;
}
