import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { NotebookEvent, NotebookState, ServerMessage } from "../../kernels/protocol/document.js";
import { Ring } from "./ring.js";
import { Viewer } from "./viewer.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const printed = (seq: number, size: number): NotebookEvent => ({
  seq,
  type: "outputs",
  cell: "a",
  run: "r",
  clear: false,
  outputs: [{ kind: "stream", name: "stdout", text: "x".repeat(size) }],
});

it("holds a bounded part for a client that does not read, and gives it the state once it has caught up", async () => {
  let seq = 0;
  let taken = 0;
  const sent: string[] = [];
  const wire = {
    send: (text: string) => void sent.push(text),
    get pending() {
      return sent.slice(taken).reduce((sum, text) => sum + text.length, 0);
    },
    close() {},
  };
  const viewer = new Viewer("slow", "Slow", wire, () => ({ type: "snapshot", state: { seq } as NotebookState, applied: null }));
  // a hundred megabytes while nothing is read
  for (let i = 0; i < 1000; i++) {
    viewer.event(printed(++seq, 100_000));
    await Promise.resolve();
  }
  expect(wire.pending).toBeLessThan(5 * 2 ** 20);
  viewer.message({ type: "pong", id: 7 });
  await Promise.resolve();
  vi.advanceTimersByTime(1000);
  expect((JSON.parse(sent.at(-1)!) as ServerMessage).type).toBe("pong");
  taken = sent.length;
  vi.advanceTimersByTime(50);
  await Promise.resolve();
  expect(JSON.parse(sent.at(-1)!)).toMatchObject({ type: "snapshot", state: { seq: 1000 } });
  viewer.event(printed(++seq, 10));
  await Promise.resolve();
  expect(JSON.parse(sent.at(-1)!)).toMatchObject({ type: "events", events: [{ seq: 1001 }] });
});

it("keeps the newest events up to a size", () => {
  const ring = new Ring();
  for (let seq = 1; seq <= 2000; seq++) ring.push(printed(seq, 100_000));
  expect(ring.length).toBeLessThan(200);
  expect(ring.last(2).map((event) => event.seq)).toEqual([1999, 2000]);
  for (let seq = 2001; seq <= 30_000; seq++) ring.push({ seq, type: "saved", at: 0, rev: 1 });
  expect(ring.length).toBe(10_000);
  expect(ring.last(ring.length)[0]!.seq).toBe(20_001);
});

it("gathers the events of a rush, and tells them in order with whatever else is said", async () => {
  const sent: unknown[] = [];
  const wire = { send: (text: string) => void sent.push(JSON.parse(text)), pending: 0, close() {} };
  const viewer = new Viewer("a", "A", wire, () => ({ type: "pong", id: 0 }));
  viewer.event(printed(1, 1), true);
  viewer.event(printed(2, 1), true);
  await Promise.resolve();
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(20);
  expect(sent).toMatchObject([{ events: [{ seq: 1 }, { seq: 2 }] }]);
  viewer.event(printed(3, 1), true);
  viewer.event(printed(4, 1));
  viewer.message({ type: "pong", id: 1 });
  await Promise.resolve();
  expect(sent.slice(1)).toMatchObject([{ events: [{ seq: 3 }, { seq: 4 }] }, { type: "pong", id: 1 }]);
  vi.advanceTimersByTime(1000);
  expect(sent.length).toBe(3);
});
