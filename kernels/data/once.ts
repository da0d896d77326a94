/** Promises that are made once, in a process where a strike may drop what they wait for. */

let strikes = 0;

/** A strike at this thread has emptied its queue of microtasks: what is not settled may never be. */
export function struck(): void {
  strikes++;
}

/** Gives the same promise each time; makes another where the last one failed, or has not settled since before a strike. */
export class Once<T> {
  #made: { promise: Promise<T>; strikes: number; settled: boolean } | null = null;

  /** Was it asked for? */
  get begun(): boolean {
    return this.#made !== null;
  }

  get(make: () => Promise<T>): Promise<T> {
    const known = this.#made;
    if (known && (known.settled || known.strikes === strikes)) return known.promise;
    const made = { promise: make(), strikes, settled: false };
    this.#made = made;
    made.promise.then(
      () => (made.settled = true),
      () => {
        if (this.#made === made) this.#made = null;
      },
    );
    return made.promise;
  }
}
