/** Rows that wait for a person, and what the person said of them (contracts 6, "Review"). */
import type { WireValue } from "./output.js";

/** Only "use" flows on to training; the reviewer may also say that the row cannot be used, or that they cannot tell. */
export type ReviewUse = "use" | "unusable" | "unsure";

/** One answer that a queue offers, on a key of its own. */
export interface ReviewChoice {
  /** a digit or letter */
  key: string;
  label: string;
  use: ReviewUse;
}

export const reasonKinds = ["low confidence", "drift segment", "complaint", "canary disagreement", "random audit"] as const;

/** Why a row is asked about. */
export interface ReviewReason {
  kind: (typeof reasonKinds)[number];
  /** "`delay` 30 to 52 in `june`, more frequent than in the reference" */
  text: string;
}

/** Where rows come from. */
export interface ReviewSource {
  /** path from ROOT */
  notebook: string;
  cell: string;
  /** names the rows sent together: the same data always give the same one */
  batch: string;
}

export interface ReviewAnswer {
  use: ReviewUse;
  /** the label that was chosen; of a queue without labels the use itself */
  label: string;
  by: string;
  at: string;
  /** the model's guess was visible before the answer: such answers are biased */
  guessSeen: boolean;
}

/** One line of `data/review/QUEUE.ndjson`, which is only ever appended to. */
export type ReviewLine =
  /** title and choices; the last one holds */
  | { type: "queue"; at: string; title: string; choices: ReviewChoice[] }
  | {
      type: "item";
      at: string;
      key: string;
      record: Record<string, WireValue>;
      reason: ReviewReason;
      /** that a row of where it was drawn from was chosen: training weighs by its inverse; null = not known */
      probability: number | null;
      guess: WireValue;
      from: ReviewSource;
    }
  | ({ type: "answer"; key: string; /** from shown to answered */ ms: number | null } & ReviewAnswer)
  | { type: "skip"; at: string; key: string; by: string }
  /** takes back the newest answer or skip of the item */
  | { type: "undo"; at: string; key: string; by: string }
  /** what a person wrote beside the item; the last one holds, an empty one removes it */
  | { type: "note"; at: string; key: string; by: string; text: string }
  /** for somebody else to look at; the last one holds */
  | { type: "flag"; at: string; key: string; by: string; flagged: boolean };

export interface ReviewItem {
  key: string;
  /** number of answers, skips and undos of it: a command that carries another is refused */
  rev: number;
  record: Record<string, WireValue>;
  reason: ReviewReason;
  probability: number | null;
  from: ReviewSource;
  /** there is a guess; `guess` itself is null as long as it is hidden */
  hasGuess: boolean;
  guess: WireValue;
  skipped: boolean;
  answer: ReviewAnswer | null;
  note: string | null;
  flagged: boolean;
}

export interface QueueSummary {
  workspace: string;
  name: string;
  href: string;
  title: string;
  /** from the workspace, for SQL: "data/review/late.ndjson" */
  file: string;
  total: number;
  answered: number;
  skipped: number;
  /** not answered, skipped ones too */
  waiting: number;
  /** marked for somebody else to look at, answered or not */
  flagged: number;
  /** when the longest waiting one came */
  oldest: string | null;
  reasons: { kind: ReviewReason["kind"]; total: number; waiting: number }[];
  batches: { id: string; rows: number }[];
  choices: ReviewChoice[];
  /** middle of the times from shown to answered; null before the third answer */
  msEach: number | null;
  /** lines of the file that cannot be read, as sentences */
  warnings: string[];
}

/** GET /api/ts/review */
export interface ReviewView {
  queues: QueueSummary[];
}

/** GET /api/ts/review/WORKSPACE/QUEUE, and the answer to each command on it */
export interface QueueView {
  queue: QueueSummary;
  /** what comes next, skipped ones last; at most 50 */
  open: ReviewItem[];
  /** answered, newest first; at most 50 */
  done: ReviewItem[];
}

/** POST /api/ts/review/send */
export interface ReviewSent {
  workspace: string;
  queue: string;
  href: string;
  /** new ones: the queue has grown by so many */
  added: number;
  /** rows that were in the queue already */
  already: number;
  waiting: number;
}

/** Keys that the review page needs itself. */
const own = new Set(["s", "u", "n", "f", "i", "g", "h", "v", "?"]);
const spare = "123456789xyzwqabcdejklmoprt".split("").filter((key) => !own.has(key));

/** Choices of a queue: its labels on 1, 2, 3 ..., single letters and digits on themselves, then what can be said of a row that has no label. */
export function choicesOf(labels: string[]): ReviewChoice[] {
  const taken = new Set<string>();
  const choices: ReviewChoice[] = [];
  const own_ = labels.length > 0 && labels.every((label) => /^[0-9]$/.test(label));
  const add = (label: string, use: ReviewUse, wanted: string | undefined): void => {
    const key = wanted ?? spare.find((one) => !taken.has(one)) ?? "";
    taken.add(key);
    choices.push({ key, label, use });
  };
  for (const label of labels) add(label, "use", own_ ? label : undefined);
  if (labels.length === 0) add("use", "use", undefined);
  add("unusable", "unusable", undefined);
  add("unsure", "unsure", undefined);
  return choices;
}
