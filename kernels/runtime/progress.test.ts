import { expect, it } from "vitest";
import type { Progress } from "../protocol/output.js";
import { createProgress } from "./progress.js";

function reporter() {
  let now = 0;
  const sent: (Progress | null)[] = [];
  const progress = createProgress(
    (each) => void sent.push(each),
    () => now,
  );
  return { sent, progress, wait: (ms: number) => void (now += ms) };
}

it("tells the time left once three steps are known, by the mean pace so far", () => {
  const { sent, progress, wait } = reporter();
  for (const done of [1, 2, 3, 4]) {
    wait(1500);
    progress.step("epoch", done, 10);
  }
  expect(sent.map((each) => each!.eta)).toEqual([null, null, 10.5, 9]);
  wait(30_000);
  progress.step("epoch", 5, 10);
  expect(sent.at(-1)).toEqual({ label: "epoch", done: 5, total: 10, eta: 36 });
  progress.step("more than all", 12, 10);
  expect(sent.at(-1)!.eta).toBe(0);
});

it("has no time left where the end is not known", () => {
  const { sent, progress, wait } = reporter();
  for (let i = 1; i <= 4; i++) {
    wait(200);
    progress.step("rows", i * 1000, null);
  }
  expect(sent.map((each) => each!.eta)).toEqual([null, null, null, null]);
});

it("sends at most ten a second, and the last one always", () => {
  const { sent, progress, wait } = reporter();
  for (let i = 1; i <= 1000; i++) {
    wait(1);
    progress.step("rows", i, 1000);
  }
  expect(sent.length).toBeLessThanOrEqual(12);
  expect(sent.at(-1)!.done).toBe(1000);
  progress.send(null);
  expect(sent.at(-1)).toBe(null);
});
