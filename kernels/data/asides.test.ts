import type { DuckDBConnection } from "@duckdb/node-api";
import { expect, it } from "vitest";
import { Asides } from "./asides.js";

/** A connection whose work ends when it is interrupted, or let go. */
function fake(): { connection: DuckDBConnection; work(): Promise<void>; go(): void; interrupts: number } {
  let settle: { go(): void; stop(error: Error): void } | null = null;
  const one = {
    interrupts: 0,
    work: () => new Promise<void>((resolve, reject) => (settle = { go: resolve, stop: reject })),
    go: () => settle!.go(),
    connection: {
      interrupt: () => {
        one.interrupts++;
        settle?.stop(new Error("interrupted"));
      },
    } as unknown as DuckDBConnection,
  };
  return one;
}

it("gives way to a page, begins again after it, and goes on once somebody waits for it", async () => {
  const { connection, work, go } = fake();
  const asides = new Asides((lent) => lent(connection));
  let begun = 0;
  const starts: (() => void)[] = [];
  const started = (): Promise<void> => new Promise((resolve) => starts.push(resolve));
  let wanted = false;
  const over = new Promise<void>((resolve, reject) =>
    asides.later("a", async (_, me) => {
      begun++;
      me.wanted = wanted;
      starts.shift()?.();
      try {
        await work();
        resolve();
      } catch (error) {
        if (me.wanted) reject(error as Error);
        throw error;
      }
    }),
  );
  await started();
  const done = asides.giveWay();
  const again = started();
  wanted = true;
  done();
  await again;
  // it is waited for now: no page stops it
  asides.giveWay()();
  go();
  await over;
  expect(begun).toBe(2);
  asides.close();
});

it("does the newest first, of one key the last alone, and nothing after its end", async () => {
  const { connection } = fake();
  const asides = new Asides((lent) => lent(connection));
  const done: string[] = [];
  const last = new Promise<void>((resolve) => {
    asides.later("base", async () => {
      done.push("base");
      resolve();
    });
    asides.later("top", async () => void done.push("by a"));
    asides.later("top", async () => void done.push("by b"));
  });
  await last;
  expect(done).toEqual(["by b", "base"]);
  asides.close();
  asides.later("late", async () => void done.push("late"));
  const idle = new Asides((lent) => lent(connection));
  await new Promise<void>((resolve) => idle.later("x", async () => resolve()));
  expect(done).toEqual(["by b", "base"]);
});
