/** Three-way merge by cell, for a file that was changed outside while its document was open (contracts 8). */
import type { Cell, FrontMatter, NotebookSource } from "../protocol/document.js";
import { conflictCopy } from "./conflict.js";
import { contentId } from "./parse.js";

export interface Merged {
  source: NotebookSource;
  /** cells changed on both sides: `id` keeps the document's text, `other` is a new cell with the file's */
  conflicts: { id: string; other: string }[];
}

/** `base` is the text last written, `ours` the document now, `theirs` the file now. Nothing that either side wrote is lost. */
export function mergeExternal(base: NotebookSource, ours: NotebookSource, theirs: NotebookSource): Merged {
  const b = byId(base);
  const o = byId(ours);
  const file = matchIds(b, theirs.cells);
  const t = new Map(file.map((cell) => [cell.id, cell]));
  const conflicts: Merged["conflicts"] = [];
  const taken = new Set([...b.keys(), ...o.keys(), ...t.keys()]);

  /** what becomes of each id: nothing, one cell, or two */
  const result = new Map<string, Cell[]>();
  for (const id of taken) {
    const [before, mine, other] = [b.get(id), o.get(id), t.get(id)];
    if (!mine || !other) {
      const left = mine ?? other;
      // gone on one side: stays gone unless the other side changed it
      if (left && !(before && equal(before, left))) result.set(id, [left]);
    } else if (equal(mine, other) || (before && equal(before, other))) result.set(id, [mine]);
    else if (before && equal(before, mine)) result.set(id, [other]);
    else {
      const merged = before && mergeParts(before, mine, other);
      if (merged) result.set(id, [merged]);
      else {
        let copy = `${id}-file`;
        for (let n = 2; taken.has(copy); n++) copy = `${id}-file-${n}`;
        taken.add(copy);
        conflicts.push({ id, other: copy });
        result.set(id, [mine, conflictCopy(other, id, copy)]);
      }
    }
  }

  const order = mergeOrder(base.cells.map(key), ours.cells.map(key), file.map(key));
  const front = mergeFront(base.front, ours.front, theirs.front);
  const { crlf, bom } = theirs;
  return { source: { front, cells: order.flatMap((id) => result.get(id) ?? []), ...(crlf && { crlf }), ...(bom && { bom }) }, conflicts };
}

const key = (cell: Cell) => cell.id;
const byId = (source: NotebookSource) => new Map(source.cells.map((cell) => [cell.id, cell]));
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const equal = (a: Cell, b: Cell) => a.kind === b.kind && a.source === b.source && sameOptions(a, b);
const sameOptions = ({ options: a }: Cell, { options: b }: Cell) =>
  a.lazy === b.lazy && a.cache === b.cache && a.disabled === b.disabled && same(a.rest ?? [], b.rest ?? []);

/** Source changed on one side and options on the other: both hold. Null when the same part changed on both. */
function mergeParts(before: Cell, mine: Cell, other: Cell): Cell | null {
  const source = pick(before.source, mine.source, other.source);
  const kind = pick(before.kind, mine.kind, other.kind);
  if (source === null || kind === null) return null;
  return { id: mine.id, kind, source, options: sameOptions(before, mine) ? other.options : mine.options };
}
function pick<T>(before: T, mine: T, other: T): T | null {
  return mine === other || other === before ? mine : mine === before ? other : null;
}

/** By key; one that both sides changed stays as it is here, and lines that we do not know are kept from both. */
function mergeFront(before: FrontMatter, mine: FrontMatter, other: FrontMatter): FrontMatter {
  const one = <K extends keyof FrontMatter>(key: K): FrontMatter[K] => (same(before[key], mine[key]) ? other[key] : mine[key]);
  const [title, seed, mode, rest] = [one("title"), one("seed"), one("mode"), one("rest")];
  const both = !same(before.rest, mine.rest) && !same(before.rest, other.rest);
  const lines = both ? [...(mine.rest ?? []), ...(other.rest ?? []).filter((line) => !mine.rest?.includes(line))] : rest;
  return {
    ...(title !== undefined && { title }),
    ...(seed !== undefined && { seed }),
    ...(mode !== undefined && { mode }),
    ...(lines !== undefined && lines.length > 0 && { rest: lines }),
  };
}

/** An editor that drops the ids makes new cells of old ones: a new cell with the text of a missing one is that one. */
function matchIds(base: Map<string, Cell>, cells: readonly Cell[]): Cell[] {
  const present = new Set(cells.map(key));
  const missing = [...base.values()].filter((cell) => !present.has(cell.id));
  return cells.map((cell) => {
    if (base.has(cell.id) || !cell.id.startsWith(contentId(`${cell.kind}\n${cell.source}`))) return cell;
    const i = missing.findIndex((old) => old.kind === cell.kind && old.source === cell.source);
    return i < 0 ? cell : { ...cell, id: missing.splice(i, 1)[0]!.id };
  });
}

/** The order of the side that moved cells; new cells of the other side follow the cell that they followed there. */
function mergeOrder(base: string[], ours: string[], theirs: string[]): string[] {
  const common = (order: string[], other: string[]) => order.filter((id) => base.includes(id) && other.includes(id));
  const moved = common(base, ours).join("\0") !== common(ours, base).join("\0");
  const [first, second] = moved ? [ours, theirs] : [theirs, ours];
  const order = [...first];
  for (const [i, id] of second.entries()) {
    if (order.includes(id)) continue;
    let place = 0;
    for (let j = i - 1; j >= 0; j--) {
      const at = order.indexOf(second[j]!);
      if (at >= 0) {
        place = at + 1;
        break;
      }
    }
    order.splice(place, 0, id);
  }
  return order;
}
