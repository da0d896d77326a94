import { afterEach, expect, it, vi } from "vitest";
import type { ControlValue } from "../../kernels/protocol/controls.js";
import { Moves } from "./moves.js";

afterEach(() => void vi.useRealTimers());

function start() {
  const sent: ControlValue[] = [];
  const answers: ((taken: boolean) => void)[] = [];
  let changes = 0;
  const moves = new Moves({
    send(value) {
      sent.push(value);
      return new Promise((resolve) => answers.push(resolve));
    },
    changed: () => changes++,
  });
  const answer = async (taken = true) => {
    answers.shift()!(taken);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { moves, sent, answer, changes: () => changes };
}

it("sends one at a time, then the newest", async () => {
  const { moves, sent, answer, changes } = start();
  for (const value of [1, 2, 3]) moves.move(value, false);
  expect([sent, moves.mine]).toEqual([[1], { value: 3 }]);
  await answer();
  expect([sent, moves.mine]).toEqual([[1, 3], { value: 3 }]);
  await answer();
  expect([sent, moves.mine]).toEqual([[1, 3], null]);
  expect(changes()).toBe(4);
});

it("counts on release, or after a rest", async () => {
  vi.useFakeTimers();
  const { moves, sent, answer } = start();
  moves.move("a", true);
  moves.move("ab", true);
  expect([sent, moves.mine]).toEqual([[], { value: "ab" }]);
  moves.commit();
  // typed on while the first is on its way: does not count before it is released
  moves.move("abc", true);
  await answer();
  expect([sent, moves.mine]).toEqual([["ab"], { value: "abc" }]);
  moves.drop();
  expect(moves.mine).toBe(null);

  moves.move("x", 300);
  vi.advanceTimersByTime(200);
  moves.move("xy", 300);
  vi.advanceTimersByTime(299);
  expect(sent).toEqual(["ab"]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(["ab", "xy"]);
  moves.commit();
  expect(sent).toEqual(["ab", "xy"]);
});

it("goes back to the server's value when it is refused", async () => {
  const { moves, sent, answer } = start();
  moves.move(1, false);
  moves.move(2, false);
  await answer(false);
  expect([sent, moves.mine]).toEqual([[1], null]);
  moves.move(3, false);
  moves.move(4, true);
  moves.drop();
  expect(moves.mine).toEqual({ value: 3 });
  await answer();
  expect([sent, moves.mine]).toEqual([[1, 3], null]);
});
