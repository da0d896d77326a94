/** What running cells ask the people at their pages: `prompt()`. A question stands until it is answered, or its run is over. */
import type { Question } from "../../kernels/protocol/document.js";
import type { ServerCalls } from "../../kernels/protocol/serving.js";
import type { Step } from "./step.js";

/** open at a time; a loop that asks without waiting fills no page */
const most = 20;
/** characters of a question */
const longest = 2000;

/** Shows a question of the cell that runs; of any other it is not shown. */
export function ask(step: Step, question: Question): void {
  if (step.state.running?.run !== question.run || step.doc.questions.length >= most) return;
  step.emit({ type: "questions", questions: [...step.doc.questions, question] });
}

/** They are answered (null: they will not be), and go from the pages. */
export function close(step: Step, questions: readonly Question[], value: string | null): void {
  if (questions.length === 0) return;
  step.emit({ type: "questions", questions: step.doc.questions.filter((other) => !questions.includes(other)) });
  for (const question of questions) step.act({ do: "answer", question, value });
}

/** The run is over, or the kernel gone. */
export const closeAll = (step: Step): void => close(step, step.doc.questions, null);

/** The promises of a session's questions. */
export class Questions {
  readonly #waiting = new Map<string, (value: string | null) => void>();
  #last = 0;

  /** `show` makes it one of the document's; false: it is not shown. */
  async ask({ run, cell, question, password }: ServerCalls["prompt"]["params"], show: (question: Question) => boolean): Promise<string> {
    const id = `q${++this.#last}`;
    const text = question.length > longest ? `${question.slice(0, longest)}…` : question;
    const answered = new Promise<string | null>((resolve) => this.#waiting.set(id, resolve));
    if (!show({ id, cell, run, text, password })) {
      this.#waiting.delete(id);
      throw new Error(`prompt() can ask while its cell runs, ${most} questions at a time; write \`await prompt()\``);
    }
    const value = await answered;
    if (value === null) throw new Error(`the question ${JSON.stringify(text)} was not answered`);
    return value;
  }

  answer({ id }: Question, value: string | null): void {
    this.#waiting.get(id)?.(value);
    this.#waiting.delete(id);
  }
}
