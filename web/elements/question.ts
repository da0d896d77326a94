/** `touch-question`: the field of a cell that asks for input with `prompt()`. Enter sends, Escape cancels; any connected page may answer. */
import { html } from "lit";
import { ref } from "lit/directives/ref.js";
import type { Question } from "../../kernels/protocol/document.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";

export interface Answered {
  question: string;
  /** null: cancelled */
  value: string | null;
}

export class TouchQuestion extends TouchElement {
  static override properties = { question: { attribute: false } };
  declare question: Question;
  #field: HTMLInputElement | null = null;
  #sent = false;

  /** The field takes the focus, unless somebody writes somewhere else. */
  protected override firstUpdated(): void {
    const at = document.activeElement;
    const here = this.closest("touch-cell")?.contains(at) === true;
    if (document.querySelector("dialog[open]") === null && (here || at?.closest("input, textarea, select, touch-editor, [contenteditable]") == null))
      this.#field?.focus();
  }

  /** The answer did not arrive. */
  again(): void {
    this.#sent = false;
  }

  #answer(value: string | null): void {
    if (this.#sent) return;
    this.#sent = true;
    this.emit("answer", { question: this.question.id, value } satisfies Answered);
  }

  protected override render() {
    const { id, text, password } = this.question;
    return html`<form
      class="question"
      @submit=${(event: Event) => {
        event.preventDefault();
        this.#answer(this.#field?.value ?? "");
      }}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        this.#answer(null);
      }}
    >
      <label for=${`question-${id}`}>${icon("circle-help")} <span>${text.trim() === "" ? "The cell asks for a line" : text}</span></label>
      <span class="question-row">
        <input
          id=${`question-${id}`}
          type=${password ? "password" : "text"}
          autocomplete="off"
          spellcheck="false"
          ${ref((element) => (this.#field = (element as HTMLInputElement | undefined) ?? null))}
        />
        <button class="small">Send</button>
        <button class="small quiet" type="button" @click=${() => this.#answer(null)}>Cancel</button>
      </span>
    </form>`;
  }
}
define("touch-question", TouchQuestion);
