/** When the list of variables is told: at most some times a second, as the whole list after each of a thousand cells would be a million entries. */

/** ms between two lists, and how many times as long as the making of one: a list of a thousand names takes as long as ten small cells */
const every = 200;
const share = 40;

export interface Listing {
  /** Tells the list now, or as soon as it is time. */
  ask(): void;
  /** A cell begins: its own end will ask. */
  hold(): void;
}

export function createListing(own: <T>(work: () => T) => T, tell: () => void): Listing {
  /** when the next list may be told */
  let next = -Infinity;
  let timer: NodeJS.Timeout | null = null;
  const hold = () => {
    if (timer) clearTimeout(timer);
    timer = null;
  };
  const ask = () => {
    const now = performance.now();
    if (next > now) {
      timer ??= setTimeout(() => own(ask), next - now);
      return;
    }
    hold();
    tell();
    const done = performance.now();
    next = done + Math.max(every, (done - now) * share);
  };
  return { ask, hold };
}
