/** A map that is never changed in place; a new one with one entry changed shares all but a shelf of it with the old one, so that a thousand runs in a notebook of a thousand cells do not copy a million entries. */
const shelves = 64;

const shelfOf = (key: string): number => {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) | 0;
  return hash & (shelves - 1);
};

const none = new Map<string, never>();

export class PersistentMap<T> {
  readonly #shelves: readonly ReadonlyMap<string, T>[];
  readonly size: number;

  private constructor(all: readonly ReadonlyMap<string, T>[], size: number) {
    this.#shelves = all;
    this.size = size;
  }

  static empty<T>(): PersistentMap<T> {
    return new PersistentMap<T>(new Array<ReadonlyMap<string, T>>(shelves).fill(none), 0);
  }

  static of<T>(entries: Iterable<readonly [string, T]>): PersistentMap<T> {
    const all = Array.from({ length: shelves }, () => new Map<string, T>());
    for (const [key, value] of entries) all[shelfOf(key)]!.set(key, value);
    return new PersistentMap(
      all,
      all.reduce((size, shelf) => size + shelf.size, 0),
    );
  }

  get(key: string): T | undefined {
    return this.#shelves[shelfOf(key)]!.get(key);
  }

  has(key: string): boolean {
    return this.#shelves[shelfOf(key)]!.has(key);
  }

  /** This map with the entry. */
  with(key: string, value: T): PersistentMap<T> {
    const at = shelfOf(key);
    const old = this.#shelves[at]!;
    const shelf = new Map(old).set(key, value);
    return new PersistentMap(this.#shelves.with(at, shelf), this.size + shelf.size - old.size);
  }

  /** This map without the key; the same one when it has none. */
  without(key: string): PersistentMap<T> {
    if (!this.has(key)) return this;
    const at = shelfOf(key);
    const shelf = new Map(this.#shelves[at]);
    shelf.delete(key);
    return new PersistentMap(this.#shelves.with(at, shelf), this.size - 1);
  }

  /** The entries whose keys fit; the same map when all do. */
  only(fits: (key: string) => boolean): PersistentMap<T> {
    const kept = [...this].filter(([key]) => fits(key));
    return kept.length === this.size ? this : PersistentMap.of(kept);
  }

  *[Symbol.iterator](): Iterator<[string, T]> {
    for (const shelf of this.#shelves) yield* shelf;
  }
}
