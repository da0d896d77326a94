/** What a reviewer sees between a press and its saving: the server's queue with the presses that are on their way applied. Pure. */
import type { QueueView, ReviewChoice, ReviewItem } from "../../kernels/protocol/review.js";

/** A press that is not saved yet: the item before and after it. */
export interface Press {
  act: "answer" | "skip" | "undo";
  from: ReviewItem;
  to: ReviewItem;
}

export const answered = (item: ReviewItem, { use, label }: ReviewChoice, by: string): Press => ({
  act: "answer",
  from: item,
  to: { ...item, skipped: false, answer: { use, label, by, at: "", guessSeen: false } },
});
export const skipped = (item: ReviewItem): Press => ({ act: "skip", from: item, to: { ...item, skipped: true } });
export const undone = ({ from, to }: Pick<Press, "from" | "to">): Press => ({ act: "undo", from: to, to: from });

export interface Shown {
  open: ReviewItem[];
  answered: number;
  skipped: number;
}

/** `kept`: key of the item on screen, which stays there while it is open, wherever the server would put it. */
export function shownOf(view: QueueView, presses: Press[], kept: string | null): Shown {
  const front = view.open.find((item) => item.key === kept);
  let open = front === undefined ? view.open : [front, ...view.open.filter((item) => item !== front)];
  let [answers, skips] = [view.queue.answered, view.queue.skipped];
  for (const { act, from, to } of presses) {
    open = open.filter((item) => item.key !== to.key);
    if (act === "undo") open = [to, ...open];
    answers += Number(to.answer !== null) - Number(from.answer !== null);
    skips += Number(to.skipped) - Number(from.skipped);
  }
  return { open, answered: answers, skipped: skips };
}
