/** What goes before what: a key before a look at the code, what is asked now before what was asked earlier. */
import type { ToLanguage } from "../protocol/language.js";

export type Ask = Extract<ToLanguage, { type: "ask" }>;

/** What TypeScript is at work on: a question, or (null) the findings of a notebook. */
export interface Work {
  notebook: string;
  ask: Ask | null;
  /** `performance.now()` after which nobody waits for it */
  until: number;
  /** why it is to stop: it is not wanted any more, is to be done later, takes too long */
  cut: "superseded" | "later" | "late" | null;
}

/** What a person waits for with a finger on the key goes before what he may read later. */
export const urgent = ({ question }: Ask): boolean => question.ask === "complete" || question.ask === "signature";

/** A client asks one question of a kind at a time. */
export const same = (one: Ask, other: Ask): boolean =>
  one.client === other.client && one.notebook === other.notebook && one.question.ask === other.question.ask;

/** What a message that came meanwhile makes of the work. */
export function beats(message: ToLanguage, { notebook, ask }: Pick<Work, "notebook" | "ask">): "superseded" | "later" | null {
  if (message.type === "cancel") return message.id === ask?.id ? "superseded" : null;
  if (message.type === "ask") {
    if (message.question.ask === "problems") return null;
    if (ask === null) return "later";
    if (same(message, ask)) return "superseded";
    return urgent(message) && !urgent(ask) ? "later" : null;
  }
  if (message.notebook !== notebook) return null;
  if (message.type === "close") return "superseded";
  // whether an answer about the text before is wanted is said by who asked
  return ask === null ? "later" : null;
}
