/** A queue is a fold over its lines. Pure. */
import {
  choicesOf,
  type QueueSummary,
  type ReviewAnswer,
  type ReviewChoice,
  type ReviewItem,
  type ReviewLine,
} from "../../kernels/protocol/review.js";

type Item = Extract<ReviewLine, { type: "item" }>;

interface Entry {
  item: Item;
  rev: number;
  note: string | null;
  flagged: boolean;
  /** newest last; an undo takes the last one away */
  acts: ({ type: "skip" } | { type: "answer"; answer: ReviewAnswer; ms: number | null; order: number })[];
}

export interface QueueState {
  title: string;
  choices: ReviewChoice[];
  entries: Map<string, Entry>;
  /** counts lines, so that answers have an order whatever their clocks say */
  order: number;
}

export const emptyQueue = (title: string): QueueState => ({ title, choices: choicesOf([]), entries: new Map(), order: 0 });

/** Applies a line in place. False when it says nothing new: an item that is there, something done to an item that is not. */
export function apply(queue: QueueState, line: ReviewLine): boolean {
  queue.order++;
  if (line.type === "queue") {
    queue.title = line.title === "" ? queue.title : line.title;
    queue.choices = line.choices;
    return true;
  }
  const entry = queue.entries.get(line.key);
  if (line.type === "item") {
    if (entry !== undefined) return false;
    queue.entries.set(line.key, { item: line, rev: 0, note: null, flagged: false, acts: [] });
    return true;
  }
  if (entry === undefined) return false;
  if (line.type === "note") {
    entry.note = line.text === "" ? null : line.text;
    return true;
  }
  if (line.type === "flag") {
    entry.flagged = line.flagged;
    return true;
  }
  entry.rev++;
  if (line.type === "undo") entry.acts.pop();
  else if (line.type === "skip") entry.acts.push({ type: "skip" });
  else {
    const { use, label, by, at, guessSeen } = line;
    entry.acts.push({ type: "answer", answer: { use, label, by, at, guessSeen }, ms: line.ms, order: queue.order });
  }
  return true;
}

export const answerOf = (entry: Entry): ReviewAnswer | null => {
  const last = entry.acts.at(-1);
  return last?.type === "answer" ? last.answer : null;
};
const isSkipped = (entry: Entry): boolean => entry.acts.at(-1)?.type === "skip";

/** The guess of an item is not sent before the answer, unless it is asked for. */
export function itemView(entry: Entry, guess: boolean): ReviewItem {
  const { key, record, reason, probability, from } = entry.item;
  const answer = answerOf(entry);
  const hasGuess = entry.item.guess !== null && entry.item.guess !== undefined;
  return {
    ...{ key, rev: entry.rev, record, reason, probability, from, hasGuess, answer, note: entry.note, flagged: entry.flagged },
    guess: hasGuess && (guess || answer !== null) ? entry.item.guess : null,
    skipped: isSkipped(entry),
  };
}

const most = 50;

export function openItems(queue: QueueState, guess: boolean): ReviewItem[] {
  const open = [...queue.entries.values()].filter((entry) => answerOf(entry) === null);
  // skipped ones come again at the end
  return [...open.filter((entry) => !isSkipped(entry)), ...open.filter(isSkipped)].slice(0, most).map((entry) => itemView(entry, guess));
}

export function doneItems(queue: QueueState): ReviewItem[] {
  const order = (entry: Entry): number => {
    const last = entry.acts.at(-1);
    return last?.type === "answer" ? last.order : 0;
  };
  return [...queue.entries.values()]
    .filter((entry) => answerOf(entry) !== null)
    .sort((a, b) => order(b) - order(a))
    .slice(0, most)
    .map((entry) => itemView(entry, true));
}

export function summaryOf(
  queue: QueueState,
  place: { workspace: string; name: string; href: string; file: string; warnings: string[] },
): QueueSummary {
  const entries = [...queue.entries.values()];
  const waits = entries.filter((entry) => answerOf(entry) === null);
  const reasons = new Map<string, QueueSummary["reasons"][number]>();
  const batches = new Map<string, number>();
  for (const { item } of entries) {
    const one = reasons.get(item.reason.kind) ?? { kind: item.reason.kind, total: 0, waiting: 0 };
    one.total++;
    reasons.set(item.reason.kind, one);
    batches.set(item.from.batch, (batches.get(item.from.batch) ?? 0) + 1);
  }
  for (const { item } of waits) reasons.get(item.reason.kind)!.waiting++;
  const times = entries
    .flatMap((entry) => {
      const last = entry.acts.at(-1);
      return last?.type === "answer" && last.ms !== null ? [last.ms] : [];
    })
    .sort((a, b) => a - b);
  return {
    ...place,
    title: queue.title,
    choices: queue.choices,
    total: entries.length,
    answered: entries.length - waits.length,
    skipped: waits.filter(isSkipped).length,
    waiting: waits.length,
    flagged: entries.filter((entry) => entry.flagged).length,
    oldest: waits.reduce<string | null>((oldest, { item }) => (oldest === null || item.at < oldest ? item.at : oldest), null),
    reasons: [...reasons.values()],
    batches: [...batches].map(([id, rows]) => ({ id, rows })),
    msEach: times.length < 3 ? null : times[Math.floor(times.length / 2)]!,
  };
}
