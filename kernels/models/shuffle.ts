/** The rows of one epoch in random order, with no more of them in memory than a window. */
import { permutation } from "../tensors/seeds.js";
import { blockRows, isStored, type Vectors } from "./vectors.js";

/** Some rows, and the order to take them in. */
export interface Shuffled {
  x: Float32Array;
  /** rows of `x` in the order to take them */
  local: Uint32Array;
  /** the same rows as numbered in the whole */
  global: Uint32Array;
}

/** bytes of a window; two are in memory, one in use and one being read */
const windowBytes = 2 ** 25;

/**
 * In memory: one window, a permutation of all rows. From a file: blocks of about a megabyte in random order fill a window, whose rows are shuffled; the next
 * window is read meanwhile. Rows of all windows but the last are a multiple of `batch`: what is left over goes into the next.
 */
export async function* shuffled(
  x: Vectors,
  rows: number,
  width: number,
  batch: number,
  order: () => number,
  bytes = windowBytes,
): AsyncGenerator<Shuffled> {
  if (!isStored(x)) {
    const index = permutation(rows, order);
    yield { x, local: index, global: index };
    return;
  }
  // many blocks a window, so that neighbours in the file are seldom neighbours in a batch
  const step = Math.max(1, Math.min(blockRows(width), Math.floor(bytes / (64 * 4 * width))));
  const blocks = permutation(Math.ceil(rows / step), order);
  const room = Math.max(step, Math.floor(bytes / (4 * width) / step) * step);
  const fresh = () => ({ x: new Float32Array((room + batch) * width), global: new Uint32Array(room + batch), rows: 0 });
  let next = 0;
  /** fills a window behind its first `kept` rows */
  const fill = async (window: ReturnType<typeof fresh>, kept: number): Promise<void> => {
    let at = kept;
    const loads: Promise<void>[] = [];
    for (; next < blocks.length && at - kept + step <= room; next++) {
      const from = blocks[next]! * step;
      const to = Math.min(rows, from + step);
      loads.push(x.load(from, to, window.x.subarray(at * width, (at + to - from) * width)));
      for (let row = from; row < to; row++) window.global[at++] = row;
    }
    window.rows = at;
    await Promise.all(loads);
  };
  let current = fresh();
  let ahead = fresh();
  await fill(current, batch - 1);
  // the first `batch - 1` places are for rows left over; the first window has none
  let start = batch - 1;
  for (;;) {
    const more = next < blocks.length;
    const reading = more ? fill(ahead, batch - 1) : null;
    reading?.catch(() => undefined);
    const n = current.rows - start;
    const local = permutation(n, order);
    for (let i = 0; i < n; i++) local[i]! += start;
    const use = more ? n - (n % batch) : n;
    const taken = local.subarray(0, use);
    yield { x: current.x, local: taken, global: taken.map((row) => current.global[row]!) };
    if (!reading) return;
    await reading;
    start = batch - 1;
    for (const row of local.subarray(use)) {
      start--;
      ahead.x.set(current.x.subarray(row * width, (row + 1) * width), start * width);
      ahead.global[start] = current.global[row]!;
    }
    [current, ahead] = [ahead, current];
  }
}
