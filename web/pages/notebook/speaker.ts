/** State changes in words for the live region; nothing for cells under 300 ms. */
import type { Cell, NotebookState } from "../../../kernels/protocol/document.js";

export class Speaker {
  #spoken = new Map<string, string>();
  /** questions told */
  #asked = new Set<string>();
  #say: (text: string, urgent: boolean) => void;
  constructor(say: (text: string, urgent: boolean) => void) {
    this.#say = say;
  }

  tell(cells: readonly Cell[], state: NotebookState, number: (cell: string) => number): void {
    for (const { id, cell, text } of state.questions) if (!this.#asked.has(id)) this.#say(`Cell ${number(cell)} asks: ${text}`, false);
    this.#asked = new Set(state.questions.map(({ id }) => id));
    for (const cell of cells) {
      const s = state.cells[cell.id];
      if (s === undefined) continue;
      const word = `${s.status} ${s.result}`;
      const before = this.#spoken.get(cell.id);
      this.#spoken.set(cell.id, word);
      if (before === undefined || before === word || s.status !== "idle" || !before.startsWith("running")) continue;
      if (s.result === "ok" && (s.elapsedMs ?? 0) < 300) continue;
      const finding = (state.outputs[cell.id] ?? [])
        .flatMap((output) => (output.kind === "display" ? [output.data["application/vnd.touchstone.finding+json"]] : []))
        .find(Boolean) as { sentence: string } | undefined;
      this.#say(`Cell ${number(cell.id)}, ${cell.kind}: ${s.result}. ${finding?.sentence ?? ""}`, s.result === "error");
    }
  }
}
