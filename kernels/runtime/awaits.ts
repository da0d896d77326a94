/** `$$w` and `$$wi`: the awaits of a cell, which never continue once its run was stopped. */

export interface Awaits {
  wait(value: unknown, file: string, offset: number): Promise<unknown>;
  waitEach(iterable: unknown, file: string, offset: number): AsyncIterable<unknown>;
  /** does code of this file wait for something? */
  waiting(file: string): boolean;
  /** where a cell was waiting for what failed with this: the stack of such an error does not lead to the cell */
  place(thrown: object): { file: string; offset: number } | undefined;
}

const never = new Promise<never>(() => {});

/** `current`: number of the run under way, 0 = none. */
export function createAwaits(current: () => number, isStopped: (number: number) => boolean): Awaits {
  const open = new Map<string, number>();
  const count = (file: string, by: number) => {
    const now = (open.get(file) ?? 0) + by;
    if (now > 0) open.set(file, now);
    else open.delete(file);
  };
  const places = new WeakMap<object, { file: string; offset: number }>();

  const wait = (value: unknown, file: string, offset: number): Promise<unknown> => {
    const number = current();
    if (number !== 0 && isStopped(number)) return never;
    return new Promise((resolve, reject) => {
      count(file, 1);
      Promise.resolve(value).then(
        (result) => {
          count(file, -1);
          if (!isStopped(number)) resolve(result);
        },
        (error: unknown) => {
          count(file, -1);
          if (isStopped(number)) return;
          if (typeof error === "object" && error !== null && !places.has(error)) places.set(error, { file, offset });
          reject(error as Error);
        },
      );
    });
  };
  const unwrapped = async (iterator: AsyncIterator<unknown>, file: string, offset: number) => {
    const step = (await wait(iterator.next(), file, offset)) as IteratorResult<unknown>;
    return step.done ? step : { done: false, value: await wait(step.value, file, offset) };
  };
  return {
    wait,
    waitEach: (iterable, file, offset) => ({
      [Symbol.asyncIterator]() {
        const source = iterable as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
        const iterator = (source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.()) as AsyncIterator<unknown> | undefined;
        if (!iterator) throw new TypeError("the value after `of` is not iterable");
        const sync = !source[Symbol.asyncIterator];
        return {
          next: () => (sync ? unwrapped(iterator, file, offset) : wait(iterator.next(), file, offset)) as Promise<IteratorResult<unknown>>,
          return: (value) => wait(iterator.return?.(value) ?? { done: true, value }, file, offset) as Promise<IteratorResult<unknown>>,
        };
      },
    }),
    waiting: (file) => open.has(file),
    place: (thrown) => places.get(thrown),
  };
}
