import { expect, it } from "vitest";
import type { LanguageQuestion, ToLanguage } from "../protocol/language.js";
import { beats, type Ask } from "./work.js";

const ask = (question: Partial<LanguageQuestion>, id = 1, client = "x", notebook = "n"): Ask => ({
  type: "ask",
  id,
  client,
  notebook,
  question: { cell: "a", at: 0, ...question } as LanguageQuestion,
});
const ops = (notebook: string): ToLanguage => ({ type: "ops", notebook, rev: 2, ops: [] });

/** [what came, what TypeScript is at work on (null: findings of "n"), what becomes of it] */
const cases: [string, ToLanguage, Ask | null, ReturnType<typeof beats>][] = [
  ["a completion cuts findings", ask({ ask: "complete" }), null, "later"],
  ["also one in another notebook", ask({ ask: "complete" }, 2, "x", "other"), null, "later"],
  ["any question of a person cuts findings", ask({ ask: "hover" }), null, "later"],
  ["findings do not cut findings", ask({ ask: "problems" }), null, null],
  ["an edit of the notebook makes its findings old", ops("n"), null, "later"],
  ["an edit of another one does not", ops("other"), null, null],
  ["a completion goes before a search", ask({ ask: "complete" }, 2), ask({ ask: "references" }), "later"],
  ["signature help too", ask({ ask: "signature" }, 2, "y"), ask({ ask: "rename", to: "b" }), "later"],
  ["a newer question of the kind takes the place of the older", ask({ ask: "hover" }, 2), ask({ ask: "hover" }), "superseded"],
  ["also a completion's", ask({ ask: "complete" }, 2), ask({ ask: "complete" }), "superseded"],
  ["not that of another client", ask({ ask: "complete" }, 2, "y"), ask({ ask: "complete" }), null],
  ["not that of another notebook", ask({ ask: "hover" }, 2, "x", "other"), ask({ ask: "hover" }), null],
  ["a hover waits for a search", ask({ ask: "hover" }, 2), ask({ ask: "references" }), null],
  ["signature help waits for a completion", ask({ ask: "signature" }, 2), ask({ ask: "complete" }), null],
  ["what is taken back stops", { type: "cancel", id: 1 }, ask({ ask: "references" }), "superseded"],
  ["what is taken back stops nothing else", { type: "cancel", id: 2 }, ask({ ask: "references" }), null],
  ["an edit leaves a question to who asked it", ops("n"), ask({ ask: "references" }), null],
  ["a closed notebook has no questions", { type: "close", notebook: "n" }, ask({ ask: "references" }), "superseded"],
];
for (const [name, message, work, becomes] of cases) it(name, () => expect(beats(message, { notebook: "n", ask: work })).toBe(becomes));
