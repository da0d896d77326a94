import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Ahead, pause } from "./grid-ahead.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("asks for the column that is rested on, and for none that is passed over", () => {
  const asked: string[] = [];
  const ahead = new Ahead(
    (column) => void asked.push(column),
    () => void asked.push("dropped"),
  );
  ahead.rest("a", pause.key);
  vi.advanceTimersByTime(pause.key - 1);
  ahead.rest("b", pause.key);
  vi.advanceTimersByTime(pause.key);
  expect(asked).toEqual(["b"]);
  // the order that it asked for is on show: the next press turns it round
  ahead.pressed();
  vi.advanceTimersByTime(pause.pressed);
  expect(asked).toEqual(["b", "b"]);
  ahead.rest(null, 0);
  ahead.pressed();
  ahead.rest("c", pause.pointer);
  ahead.stop();
  vi.runAllTimers();
  expect(asked).toEqual(["b", "b", "dropped"]);
});
