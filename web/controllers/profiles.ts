/** What the columns of a grid hold under its present filters: asked for a few columns at a time, kept until the filters change. */
import type { ColumnProfile, Filter } from "../../kernels/protocol/document.js";
import { isGone, type RowSource } from "./rows.js";

export class Profiles {
  /** rows that pass the filters, and how many of them were looked at */
  rows = 0;
  looked = 0;
  /** percent, of a look that takes long */
  working: number | null = null;
  /** a person has stopped it */
  stopped = false;
  failure: string | null = null;
  readonly #source: RowSource;
  readonly #changed: () => void;
  #where: Filter[] = [];
  #known = new Map<string, ColumnProfile>();
  #asked = new Set<string>();
  #stop = new AbortController();

  constructor(source: RowSource, changed: () => void) {
    this.#source = source;
    this.#changed = changed;
  }

  get sampled(): boolean {
    return this.looked < this.rows;
  }
  of(column: string): ColumnProfile | null {
    return this.#known.get(column) ?? null;
  }

  /** Other filters: what is known holds no more. */
  filter(where: Filter[]): void {
    if (JSON.stringify(where) === JSON.stringify(this.#where)) return;
    this.#where = where;
    this.#forget();
  }

  /** Asks for the columns that are not known yet. */
  async want(columns: readonly string[]): Promise<void> {
    const missing = columns.filter((column) => !this.#known.has(column) && !this.#asked.has(column));
    if (this.#source.profile === undefined || this.stopped || missing.length === 0) return;
    const { signal } = this.#stop;
    for (const column of missing) this.#asked.add(column);
    this.failure = null;
    try {
      const found = await this.#source.profile(missing, this.#where, {
        signal,
        working: (percent) => {
          if (signal.aborted) return;
          this.working = percent;
          this.#changed();
        },
      });
      if (signal.aborted) return;
      this.rows = found.rows;
      this.looked = found.looked;
      for (const column of found.columns) this.#known.set(column.name, column);
    } catch (error) {
      if (signal.aborted) return;
      // the grid says it of all its rows
      if (isGone(error)) this.stopped = true;
      else this.failure = (error as Error).message;
    }
    this.working = null;
    for (const column of missing) this.#asked.delete(column);
    this.#changed();
  }

  /** A person stops the look; what is known stays. */
  cancel(): void {
    this.pause();
    this.stopped = true;
    this.#changed();
  }
  /** Nobody looks at present. */
  pause(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#asked.clear();
    this.working = null;
  }
  /** Looks again after a stop or a failure. */
  resume(): void {
    this.stopped = false;
    this.failure = null;
    this.#changed();
  }

  #forget(): void {
    this.pause();
    this.#known.clear();
    this.stopped = false;
    this.failure = null;
  }
}
