/** Saved points of one notebook, each as what differs from the one before: appended to one file, thinned with age. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname } from "node:path";
import { differingCells } from "../../kernels/notebook/difference.js";
import type { Cell, FrontMatter, NotebookSource } from "../../kernels/protocol/document.js";
import type { PointReason, PointView } from "../../kernels/protocol/history.js";
import { decodeLines, encodeLine } from "./journal.js";

export interface Point {
  id: number;
  at: number;
  why: Exclude<PointReason, "commit">;
  name?: string;
  source: NotebookSource;
}

/** A line of the file: `order` and `front` where they differ, and the cells that do. */
interface Line extends Omit<Point, "source"> {
  order?: string[];
  front?: FrontMatter;
  cells: Cell[];
}

const mostPoints = 300;
const mostBytes = 8 * 2 ** 20;
const hour = 3_600_000;

export interface History {
  /** null: nothing differs from the last point */
  add(why: Point["why"], source: NotebookSource, more?: { name?: string; at?: number }): Point | null;
  /** oldest first */
  points(): readonly Point[];
  /** everything added so far has been handed to the disk */
  flush(): Promise<void>;
}

/** Opens the history of a file, which is read when it is first needed. `failed`: told once that nothing more is kept. */
export function openHistory(file: string, now: () => number, failed: (error: Error) => void): History {
  let known: Point[] | null = null;
  let bytes = 0;
  let work: Promise<void> = Promise.resolve();
  let broken = false;
  const fail = (error: unknown) => {
    if (!broken) failed(error as Error);
    broken = true;
  };
  const load = (): Point[] => {
    if (known !== null) return known;
    let text: Buffer = Buffer.alloc(0);
    try {
      text = readFileSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") fail(error);
    }
    const { records, good } = decodeLines<Line>(text);
    bytes = good;
    known = decode(records);
    // a torn end would hide all that is appended behind it
    if (good < text.length) rewrite(known);
    return known;
  };
  const rewrite = (points: readonly Point[]) => {
    const text = encode(points);
    bytes = Buffer.byteLength(text);
    work = work.then(() => {
      try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        writeFileSync(`${file}.new`, text, { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        fail(error);
      }
    });
  };
  return {
    points: load,
    add(why, source, { name, at = now() } = {}) {
      const points = load();
      const last = points.at(-1);
      if (last !== undefined && name === undefined && lineOf(last.source, source) === null) return null;
      const point: Point = { id: (last?.id ?? 0) + 1, at, why, ...(name !== undefined && { name }), source };
      points.push(point);
      if (points.length > mostPoints || bytes > mostBytes) {
        known = thin(points, now(), bytes > mostBytes ? points.length >> 1 : mostPoints - 50);
        rewrite(known);
        return point;
      }
      const line = encodeLine(toLine(point, last?.source ?? null));
      bytes += Buffer.byteLength(line);
      work = work.then(async () => {
        try {
          mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
          await appendFile(file, line, { mode: 0o600 });
        } catch (error) {
          fail(error);
        }
      });
      return point;
    },
    flush: () => work,
  };
}

/**
 * At most `most` points. Of those without a name all of the last hour stay, then the last of each ten minutes for a day, of each hour for a week,
 * of each day before; then the oldest go, those with a name at the very last.
 */
export function thin(points: readonly Point[], now: number, most: number): Point[] {
  const step = (age: number) => (age < hour ? 0 : age < 24 * hour ? hour / 6 : age < 7 * 24 * hour ? hour : 24 * hour);
  const kept = points.filter((point, i) => {
    const next = points[i + 1];
    const width = step(now - point.at);
    if (next === undefined || point.why === "named" || width === 0) return true;
    return Math.floor(point.at / width) !== Math.floor(next.at / width);
  });
  let over = kept.length - most;
  const drop = (which: (point: Point) => boolean) => {
    for (let i = 0; over > 0 && i < kept.length - 1;)
      if (which(kept[i]!)) {
        kept.splice(i, 1);
        over--;
      } else i++;
  };
  drop((point) => point.why !== "named");
  drop(() => true);
  return kept;
}

/** Each point with what differs from the one before it, newest first. */
export function viewPoints(points: readonly Point[]): PointView[] {
  return points.map(({ source, id, ...point }, i) => ({ ...point, id: String(id), ...counts(points[i - 1]?.source ?? null, source) })).reverse();
}

export function counts(before: NotebookSource | null, after: NotebookSource): Pick<PointView, "added" | "changed" | "removed"> {
  const differing = differingCells(before ?? { front: {}, cells: [] }, after);
  const of = (which: (one: (typeof differing)[number]) => boolean) => differing.filter(which).length;
  return {
    added: of((one) => one.before === null),
    changed: of((one) => one.before !== null && one.after !== null),
    removed: of((one) => one.after === null),
  };
}

/** What a line has to say of `after`; null: nothing. */
function lineOf(before: NotebookSource | null, after: NotebookSource): Pick<Line, "order" | "front" | "cells"> | null {
  const was = before ?? { front: {}, cells: [] };
  const cells = differingCells(was, after).flatMap((one) => one.after ?? []);
  const order = after.cells.map((cell) => cell.id);
  const moved = before === null || order.join("\0") !== before.cells.map((cell) => cell.id).join("\0");
  const head = before === null || JSON.stringify(was.front) !== JSON.stringify(after.front);
  return cells.length === 0 && !moved && !head ? null : { cells, ...(moved && { order }), ...(head && { front: after.front }) };
}

const toLine = ({ source, ...point }: Point, before: NotebookSource | null): Line => ({ ...point, cells: [], ...lineOf(before, source) });

const encode = (points: readonly Point[]): string => points.map((point, i) => encodeLine(toLine(point, points[i - 1]?.source ?? null))).join("");

function decode(lines: readonly Line[]): Point[] {
  let source: NotebookSource = { front: {}, cells: [] };
  return lines.map(({ order, front, cells, ...point }) => {
    const now = new Map([...source.cells, ...cells].map((cell) => [cell.id, cell]));
    const ids = order ?? source.cells.map((cell) => cell.id);
    source = { front: front ?? source.front, cells: ids.flatMap((id) => now.get(id) ?? []) };
    return { ...point, source };
  });
}
