/** `touch-control`: one control of a cell's `view(...)`. What is typed or moved here stays in place while the cell runs; Escape takes back what has not counted yet. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { accepts, isMoved, valuesText, valueText, type Control, type ControlValue } from "../../kernels/protocol/controls.js";
import { Moves } from "../controllers/moves.js";
import { define, TouchElement } from "./base.js";
import { choices, listed } from "./choices.js";
import { icon } from "./icon.js";

export interface Moved {
  key: string;
  value: ControlValue;
  /** told when the server has answered: has it taken the value? */
  over(taken: boolean): void;
}

export class TouchControl extends TouchElement {
  static override properties = { control: { attribute: false }, off: { attribute: false }, draft: { state: true } };
  declare control: Control;
  declare off: boolean;
  /** what is typed and is no value yet */
  declare draft: string | null;
  readonly #id = `control${++made}`;
  readonly #moves = new Moves({
    send: (value) =>
      new Promise((resolve) => {
        const over = (taken: boolean) => {
          if (!taken) this.draft = null;
          resolve(taken);
        };
        this.emit("control-move", { key: this.control.key, value, over } satisfies Moved);
      }),
    changed: () => this.requestUpdate(),
  });

  constructor() {
    super();
    this.off = false;
    this.draft = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#moves.commit();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("control");
    if (before !== undefined && before.spec.type !== this.control.spec.type) this.draft = null;
  }

  get #value(): ControlValue {
    const { spec, value } = this.control;
    // what is on its way may be none of its values any more
    const mine = this.#moves.mine?.value;
    return mine !== undefined && accepts(spec, mine) ? mine : value;
  }

  #move(value: ControlValue, debounce: boolean | number = this.control.spec.debounce): void {
    this.#moves.move(value, debounce);
  }

  /** Typed text as it stands, in a field whose text may be no value. */
  #typed(text: string): void {
    const { spec } = this.control;
    const value = spec.type === "date" ? text || null : text.trim() === "" ? null : Number(text);
    this.draft = text;
    if (accepts(spec, value)) this.#move(value);
    else this.#moves.drop();
  }
  /** It counts, also where it waits for rest. */
  #commit = (): void => {
    this.#moves.commit();
    if (this.draft !== null && !this.#wrong) this.draft = null;
  };

  get #wrong(): boolean {
    const { spec } = this.control;
    if (this.draft === null) return false;
    const text = this.draft.trim();
    return !accepts(spec, spec.type === "date" ? text || null : text === "" ? null : Number(text));
  }

  #keys = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && (this.draft !== null || this.#moves.mine !== null)) {
      event.preventDefault();
      event.stopPropagation();
      this.draft = null;
      this.#moves.drop();
    }
    // before the page runs the cell
    if (event.key === "Enter") this.#commit();
  };

  #field(value: ControlValue): TemplateResult {
    const { spec } = this.control;
    const { off } = this;
    const id = this.#id;
    const text = (event: Event) => this.#move((event.target as HTMLInputElement).value);
    const number = (label: string | typeof nothing, own: string | typeof nothing) =>
      spec.type !== "number" && spec.type !== "range"
        ? nothing
        : html`<input
            id=${own}
            type="number"
            aria-label=${label}
            min=${spec.min ?? nothing}
            max=${spec.max ?? nothing}
            step=${spec.step ?? "any"}
            ?disabled=${off}
            aria-invalid=${this.#wrong ? "true" : nothing}
            aria-describedby=${this.#wrong ? `${id}-wrong` : nothing}
            .value=${live(this.draft ?? String(value))}
            @input=${(event: Event) => this.#typed((event.target as HTMLInputElement).value)}
            @change=${this.#commit}
          />`;
    switch (spec.type) {
      case "range":
        return html`<input
            id=${id}
            type="range"
            min=${spec.min}
            max=${spec.max}
            step=${spec.step}
            ?disabled=${off}
            .value=${live(String(value))}
            @input=${(event: Event) => {
              this.draft = null;
              this.#move(Number((event.target as HTMLInputElement).value));
            }}
            @change=${this.#commit}
          />
          ${number(`${spec.label}, as a number`, nothing)}`;
      case "number":
        return html`${number(nothing, id)}`;
      case "date":
        return html`<input
          id=${id}
          type="date"
          min=${spec.min ?? nothing}
          max=${spec.max ?? nothing}
          ?required=${spec.value !== null}
          ?disabled=${off}
          aria-invalid=${this.#wrong ? "true" : nothing}
          aria-describedby=${this.#wrong ? `${id}-wrong` : nothing}
          .value=${live(this.draft ?? (value as string | null) ?? "")}
          @input=${(event: Event) => this.#typed((event.target as HTMLInputElement).value)}
          @change=${this.#commit}
        />`;
      case "text":
        return html`<input
          id=${id}
          type="text"
          autocomplete="off"
          spellcheck="false"
          placeholder=${spec.placeholder}
          ?disabled=${off}
          .value=${live(value as string)}
          @input=${text}
          @change=${this.#commit}
        />`;
      case "textarea":
        return html`<textarea
          id=${id}
          rows=${spec.rows}
          spellcheck="false"
          placeholder=${spec.placeholder}
          ?disabled=${off}
          .value=${live(value as string)}
          @input=${text}
          @change=${this.#commit}
        ></textarea>`;
      case "checkbox":
      case "toggle":
        return html`<input
          id=${id}
          type="checkbox"
          role=${spec.type === "toggle" ? "switch" : nothing}
          ?disabled=${off}
          .checked=${live(value as boolean)}
          @change=${(event: Event) => this.#move((event.target as HTMLInputElement).checked)}
        />`;
      case "button":
        return html`<button id=${id} class="small" ?disabled=${off} @click=${() => this.#move((value as number) + 1)}>${spec.label}</button>
          <span class="hint">${valueText(spec, value)}</span>`;
      case "select":
      case "multiple":
      case "radio":
        return choices(id, spec, value, off, (chosen) => this.#move(chosen));
    }
  }

  protected override render() {
    const { spec, key } = this.control;
    const value = this.#value;
    const moved = isMoved({ key, spec, value });
    const standard = valueText(spec, spec.value);
    const body = html`<div class="control-field control-${spec.type}">
        ${this.#field(value)}
        ${
          moved && !this.off
            ? html`<button
                class="small quiet icon-button"
                title="Default: ${standard}"
                aria-label="Reset ${spec.label} to ${standard}"
                @click=${() => {
                  this.draft = null;
                  this.#move(spec.value, false);
                  this.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
                }}
              >
                ${icon("undo-2")}
              </button>`
            : nothing
        }
      </div>
      ${this.#wrong ? html`<p class="inline-error" id="${this.#id}-wrong">${icon("triangle-alert")} Give ${valuesText(spec)}</p>` : nothing}`;
    // several inputs under one name
    if (spec.type === "radio" || (spec.type === "multiple" && spec.options.length <= listed))
      return html`<fieldset class="control" @keydown=${this.#keys} @focusout=${this.#commit}>
        <legend>${spec.label}</legend>
        ${body}
      </fieldset>`;
    return html`<div class="control" @keydown=${this.#keys} @focusout=${this.#commit}>
      ${spec.type === "button" ? html`<span></span>` : html`<label for=${this.#id}>${spec.label}</label>`} ${body}
    </div>`;
  }
}
let made = 0;
define("touch-control", TouchControl);
