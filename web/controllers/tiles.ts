/**
 * The values of a table as a grid needs them: tiles of rows and columns of one view (sort and filters).
 * While a newer view is on its way the older one stays on show, and comes back when the newer one is stopped or fails;
 * an answer to a view that is no longer wanted is never shown.
 */
import type { Filter, SortKey } from "../../kernels/protocol/document.js";
import { tileColumns, wideTable, type WireValue } from "../../kernels/protocol/output.js";
import { isGone, type RowSource } from "./rows.js";

export const tileRows = 200;
/** Rows that a sorted view begins with, which fill a window: of millions of rows they are found sooner than a tile. */
export const firstRows = 25;
/** Of fewer rows nothing is asked ahead. */
const many = 100_000;
/** Tiles that are kept; those farthest from the last one go first. */
const most = 80;

/** What takes long, in words, and how far it is. */
export interface Working {
  doing: string;
  percent: number;
}

interface View {
  readonly sort: SortKey[];
  readonly where: Filter[];
  readonly tiles: Map<string, WireValue[][]>;
  readonly asked: Set<string>;
  /** stops what is asked for this view */
  stop: AbortController;
  /** a person has stopped it: nothing more is asked until they go on */
  stopped: boolean;
  total: number | null;
  counting: boolean;
}

export interface TilesHost {
  /** something that is drawn has changed */
  changed(): void;
  /** another view is on show now: it begins at the top */
  switched(): void;
}

export class Tiles {
  readonly source: RowSource;
  /** why the last question failed */
  failure: string | null = null;
  /** the kernel that held the table has ended: what is here stays, and nothing more is asked */
  gone = false;
  readonly #host: TilesHost;
  #view: View;
  /** on show while `#view` is on its way */
  #before: View | null = null;
  /** asked for before anybody wanted it, as the pointer is on its way; what becomes of it is told once it is wanted */
  #ahead: View | null = null;
  /** the columns looked at last: a new view begins with them */
  #columns: [from: number, to: number] = [0, 1];
  readonly #working = new Map<object, Working>();

  constructor(source: RowSource, host: TilesHost) {
    this.source = source;
    this.#host = host;
    this.#view = view([], []);
    this.#view.total = source.total;
    this.#seed(this.#view);
    if (source.total === null) void this.#count(this.#view);
  }

  /** What is wanted, though perhaps not on show yet. */
  get sort(): SortKey[] {
    return this.#view.sort;
  }
  get where(): Filter[] {
    return this.#view.where;
  }
  /** Rows of an older view are on show. */
  get pending(): boolean {
    return this.#before !== null;
  }
  get #shown(): View {
    return this.#before ?? this.#view;
  }
  /** rows of what is on show; null: not counted yet */
  get total(): number | null {
    return this.#shown.total;
  }
  /** a person has stopped the count or the rows of what is on show */
  get stopped(): boolean {
    return this.#shown.stopped;
  }
  get working(): Working | null {
    return this.#working.values().next().value ?? null;
  }

  /** The table has been counted. */
  recounted(total: number | null): void {
    const plain = this.#before ?? this.#view;
    if (plain.where.length === 0 && total !== null) plain.total = total;
  }

  /** undefined: it is not here yet */
  value(row: number, column: number): WireValue | undefined {
    const width = this.#width;
    const tile = this.#shown.tiles.get(key(Math.floor(row / tileRows), Math.floor(column / width)));
    return tile?.[row % tileRows]?.[column % width];
  }

  /** Asks for what is missing of these rows and columns; ends are not included. */
  need(top: number, bottom: number, left: number, right: number): void {
    this.#columns = [left, right];
    const of = this.#shown;
    if (of.stopped || this.gone) return;
    this.#ask(of, top, Math.min(bottom, of.total ?? Infinity));
  }

  /** Another sort or filter: asked for now, on show when its first rows are here. */
  set(sort: SortKey[], where: Filter[]): void {
    if (this.gone) return;
    this.failure = null;
    // the one on its way was never shown
    if (this.#before !== null) this.#view.stop.abort();
    else this.#before = this.#view;
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead && is(ahead, sort, where)) {
      this.#view = ahead;
      if (ahead.tiles.size > 0) return this.#switch();
      if (ahead.asked.size > 0) return this.#host.changed();
    }
    ahead?.stop.abort();
    this.#view = this.#fresh(sort, where);
    if (sort.length === 0 && where.length === 0) {
      this.#seed(this.#view);
      if (this.#view.total === null) void this.#count(this.#view);
      if (this.#view.tiles.size > 0) return this.#switch();
    }
    this.#ask(this.#view, 0, 1);
    this.#host.changed();
  }

  /** The first rows of a view that may be wanted next: nothing of it is shown until it is. */
  expect(sort: SortKey[], where: Filter[]): void {
    if (this.gone || sort.length === 0 || (this.source.total ?? Infinity) < many || this.pending) return;
    if (this.#ahead && is(this.#ahead, sort, where)) return;
    this.#ahead?.stop.abort();
    this.#ahead = this.#fresh(sort, where);
    this.#ask(this.#ahead, 0, 1);
  }
  /** It is not wanted after all: what is not here yet is stopped. */
  unexpect(): void {
    if (this.#ahead === null || this.#ahead.asked.size === 0) return;
    this.#ahead.stop.abort();
    this.#ahead = null;
  }

  #fresh(sort: SortKey[], where: Filter[]): View {
    const fresh = view(sort, where);
    if (where.length === 0) fresh.total = this.source.total;
    return fresh;
  }

  /** A person stops what is on its way: the view on show stays, or comes back. */
  cancel(): void {
    const back = this.pending;
    this.pause();
    if (!back) this.#view.stopped = true;
    this.#host.changed();
  }

  /** Nobody looks at present: nothing more is asked until `resume`. */
  pause(): void {
    this.#ahead?.stop.abort();
    this.#ahead = null;
    this.#view.stop.abort();
    this.#view = this.#before ?? this.#view;
    this.#before = null;
    const of = this.#view;
    of.stop.abort();
    of.stop = new AbortController();
    of.asked.clear();
    of.counting = false;
  }

  /** Goes on after a stop. */
  resume(): void {
    const of = this.#shown;
    of.stopped = false;
    if (of.total === null && !of.counting) void this.#count(of);
    this.#host.changed();
  }

  /** The number of rows, counted now if need be. */
  async counted(): Promise<number | null> {
    const of = this.#shown;
    if (of.total === null && !this.gone) await this.#count(of);
    return of.total;
  }

  get #width(): number {
    const { length } = this.source.columns;
    return length > wideTable ? tileColumns : Math.max(1, length);
  }

  /** The rows that came with the table. */
  #seed(of: View): void {
    const { first } = this.source;
    for (let from = 0; from < first.length; from += tileRows) of.tiles.set(key(from / tileRows, 0), first.slice(from, from + tileRows));
  }

  /** Is the tile here, as far as row `last` of it? The first rows that came with the table are less than a tile. */
  #has(of: View, row: number, column: number, last: number): boolean {
    const tile = of.tiles.get(key(row, column));
    return tile !== undefined && (tile.length > last || tile.length === tileRows || row * tileRows + tile.length >= (of.total ?? Infinity));
  }

  #ask(of: View, top: number, bottom: number): void {
    const width = this.#width;
    const [left, right] = this.#columns;
    for (let row = Math.floor(top / tileRows); row <= Math.floor(Math.max(top, bottom - 1) / tileRows); row++)
      for (let column = Math.floor(left / width); column <= Math.floor(Math.max(left, right - 1) / width); column++) {
        const last = Math.min(tileRows, bottom - row * tileRows) - 1;
        if (!of.asked.has(key(row, column)) && !this.#has(of, row, column, last)) void this.#tile(of, row, column, width, last);
      }
  }

  async #tile(of: View, row: number, column: number, width: number, last: number): Promise<void> {
    const at = key(row, column);
    of.asked.add(at);
    const { columns } = this.source;
    const only = columns.length > width ? columns.slice(column * width, (column + 1) * width).map(({ name }) => name) : undefined;
    const limit = of.sort.length > 0 && row === 0 && last < firstRows && of.tiles.size === 0 ? firstRows : tileRows;
    const words = this.pending && of === this.#view ? doing(of, this.#before!) : "loading rows";
    await this.#work(of, words, async (how) => {
      const { rows, total } = await this.source.page(row * tileRows, limit, of.sort, of.where, only, how);
      if (how.signal.aborted) return;
      of.tiles.set(at, rows);
      this.#trim(of, row, column);
      if (total !== null) of.total ??= total;
      else if (rows.length < limit && (rows.length > 0 || row === 0)) of.total ??= row * tileRows + rows.length;
      if (of === this.#view && this.#before !== null) this.#switch();
      if (of.total === null && !of.counting && of !== this.#ahead) void this.#count(of);
    });
    of.asked.delete(at);
  }

  #trim(of: View, row: number, column: number): void {
    if (of.tiles.size <= most) return;
    const far = (at: string): number => {
      const [r, c] = at.split(",").map(Number) as [number, number];
      return Math.abs(r - row) + Math.abs(c - column);
    };
    for (const old of [...of.tiles.keys()].sort((a, b) => far(b) - far(a)).slice(0, most / 2)) of.tiles.delete(old);
  }

  async #count(of: View): Promise<void> {
    of.counting = true;
    await this.#work(of, "counting rows", async (how) => {
      const total = await this.source.count(of.where, how);
      if (!how.signal.aborted) of.total = total;
    });
    of.counting = false;
  }

  #switch(): void {
    this.#before?.stop.abort();
    this.#before = null;
    this.#host.switched();
  }

  /** One question of a view: it says how far it is, ends with its view, and its failure is told if the view is still wanted. */
  async #work(of: View, words: string, ask: (how: { signal: AbortSignal; working(percent: number): void }) => Promise<void>): Promise<void> {
    const { signal } = of.stop;
    const me = {};
    const over = (): void => void this.#working.delete(me);
    signal.addEventListener("abort", over, { once: true });
    try {
      await ask({
        signal,
        working: (percent) => {
          if (signal.aborted || of === this.#ahead) return;
          this.#working.set(me, { doing: words, percent });
          this.#host.changed();
        },
      });
    } catch (error) {
      if (!signal.aborted) this.#fail(of, error);
    }
    over();
    signal.removeEventListener("abort", over);
    if (!signal.aborted) this.#host.changed();
  }

  #fail(of: View, error: unknown): void {
    if (of === this.#ahead) {
      this.#ahead = null;
      return;
    }
    if (isGone(error)) this.gone = true;
    else this.failure = (error as Error).message;
    if (of !== this.#view || this.#before === null) return;
    // what cannot be sorted or filtered so is shown as it was
    of.stop.abort();
    this.#view = this.#before;
    this.#before = null;
    this.#host.changed();
  }
}

const key = (row: number, column: number): string => `${row},${column}`;
const view = (sort: SortKey[], where: Filter[]): View => ({
  sort,
  where,
  tiles: new Map(),
  asked: new Set(),
  stop: new AbortController(),
  stopped: false,
  total: null,
  counting: false,
});

const is = (of: View, sort: SortKey[], where: Filter[]): boolean => JSON.stringify([of.sort, of.where]) === JSON.stringify([sort, where]);

/** What the step from one view to the next is called. */
function doing(next: View, before: View): string {
  if (JSON.stringify(next.where) === JSON.stringify(before.where)) return "sorting";
  return next.where.some((filter) => filter.op === "search" && !before.where.includes(filter)) ? "searching" : "filtering";
}
