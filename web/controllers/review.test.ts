import { expect, it } from "vitest";
import type { QueueView, ReviewItem } from "../../kernels/protocol/review.js";
import { answered, shownOf, skipped, undone } from "./review.js";

const item = (key: string, more: Partial<ReviewItem> = {}): ReviewItem => ({
  ...{ key, rev: 0, record: {}, reason: { kind: "random audit" as const, text: "" }, probability: null, from: { notebook: "", cell: "", batch: "" } },
  ...{ hasGuess: false, guess: null, skipped: false, answer: null, note: null, flagged: false, ...more },
});
const viewOf = (open: ReviewItem[], answers = 0, skips = 0): QueueView => ({
  queue: { answered: answers, skipped: skips } as QueueView["queue"],
  ...{ open, done: [] },
});
const late = { key: "1", label: "late", use: "use" as const };
const [a, b, c] = [item("a"), item("b"), item("c")];
const seen = (...args: Parameters<typeof shownOf>) => {
  const { open, answered: answers, skipped: skips } = shownOf(...args);
  return [open.map((one) => one.key).join(""), answers, skips];
};

it("shows the next item and the new count before anything is saved", () => {
  expect(seen(viewOf([a, b, c]), [], null)).toEqual(["abc", 0, 0]);
  expect(seen(viewOf([a, b, c]), [answered(a, late, "Ann")], "b")).toEqual(["bc", 1, 0]);
  expect(seen(viewOf([a, b, c]), [answered(a, late, "Ann"), skipped(b)], "c")).toEqual(["c", 1, 1]);
});

it("puts an item back on screen as soon as it is undone, so that the next key is about it", () => {
  const press = answered(a, late, "Ann");
  // nothing of it saved yet; the answer saved; both saved
  expect(seen(viewOf([a, b]), [press, undone(press)], "b")).toEqual(["ab", 0, 0]);
  expect(seen(viewOf([b], 1), [undone(press)], "a")).toEqual(["ab", 0, 0]);
  expect(seen(viewOf([a, b]), [], "a")).toEqual(["ab", 0, 0]);
});

it("counts an answer to a skipped item once, and its undo makes it skipped again", () => {
  const old = item("a", { skipped: true });
  const press = answered(old, late, "Ann");
  expect(seen(viewOf([b, old], 0, 1), [press], "b")).toEqual(["b", 1, 0]);
  expect(seen(viewOf([b], 1, 0), [undone(press)], "b")).toEqual(["ab", 0, 1]);
  // the server puts a skipped one last; here it stays on screen
  expect(seen(viewOf([b, old], 0, 1), [], "a")).toEqual(["ab", 0, 1]);
});
