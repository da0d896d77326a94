/** `touch-palette`: commands, cells, names, notebooks and models by a few letters. */
import { html, nothing } from "lit";
import { isMac, keyText } from "../app/keys.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";

export interface PaletteEntry {
  label: string;
  /** "command", "cell", "variable", "model" */
  group: string;
  icon: string;
  keys?: string;
  run(): void;
}

/** Each letter of the query in order; words that start with it come first. Lower is better, null = no match. */
export function score(label: string, query: string): number | null {
  const text = label.toLowerCase();
  const words = query.toLowerCase().trim().split(/\s+/).filter(Boolean);
  let total = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at >= 0) total += at === 0 || /\W/.test(text[at - 1]!) ? at / 100 : 1 + at / 100;
    else {
      let from = 0;
      let gaps = 0;
      for (const letter of word) {
        const next = text.indexOf(letter, from);
        if (next < 0) return null;
        gaps += next - from;
        from = next + 1;
      }
      total += 5 + gaps / 10;
    }
  }
  return total + label.length / 1000;
}

export class TouchPalette extends TouchElement {
  static override properties = { entries: { attribute: false }, query: { state: true }, at: { state: true } };
  declare entries: PaletteEntry[];
  declare query: string;
  declare at: number;

  constructor() {
    super();
    this.entries = [];
    this.query = "";
    this.at = 0;
  }

  /** Opens with what was typed before the list was there. */
  open(query = ""): void {
    this.query = query;
    this.at = 0;
    const dialog = this.querySelector("dialog");
    if (dialog?.open === false) dialog.showModal();
    this.querySelector<HTMLInputElement>("input")?.select();
  }

  get #found(): PaletteEntry[] {
    if (this.query.trim() === "") return this.entries.slice(0, 60);
    return this.entries
      .map((entry) => ({ entry, score: score(entry.label, this.query) }))
      .filter((found): found is { entry: PaletteEntry; score: number } => found.score !== null)
      .sort((a, b) => a.score - b.score)
      .slice(0, 60)
      .map(({ entry }) => entry);
  }

  #choose(entry: PaletteEntry | undefined): void {
    if (entry === undefined) return;
    this.querySelector("dialog")?.close();
    // the dialog gives the focus back first
    setTimeout(() => entry.run());
  }

  #key = (event: KeyboardEvent): void => {
    const found = this.#found;
    if (event.key === "ArrowDown") this.at = Math.min(found.length - 1, this.at + 1);
    else if (event.key === "ArrowUp") this.at = Math.max(0, this.at - 1);
    else if (event.key === "Enter") this.#choose(found[this.at]);
    else if (event.key === "Escape") {
      event.stopPropagation();
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
    void this.updateComplete.then(() => this.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }));
  };

  protected override render() {
    const found = this.#found;
    return html`<dialog
      class="palette"
      aria-label="Search or run a command"
      @click=${(event: Event) => {
        if (event.target === event.currentTarget) (event.currentTarget as HTMLDialogElement).close();
      }}
    >
      <div class="palette-box" @keydown=${this.#key}>
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant=${found.length > 0 ? `palette-${this.at}` : nothing}
          aria-label="Search or run a command"
          placeholder="Search or run a command"
          autocomplete="off"
          spellcheck="false"
          .value=${this.query}
          @input=${(event: Event) => {
            this.query = (event.target as HTMLInputElement).value;
            this.at = 0;
          }}
        />
        <ul id="palette-list" role="listbox" aria-label="Commands and places">
          ${found.map(
            (entry, i) =>
              html`<li
                id="palette-${i}"
                role="option"
                aria-selected=${String(i === this.at)}
                @pointermove=${() => (this.at = i)}
                @click=${() => this.#choose(entry)}
              >
                ${icon(entry.icon)} <span class="label">${entry.label}</span>
                ${entry.group === "command" ? nothing : html`<span class="hint">${entry.group}</span>`}
                ${entry.keys === undefined ? nothing : html`<kbd>${keyText(entry.keys, isMac())}</kbd>`}
              </li>`,
          )}
          ${found.length === 0 ? html`<li class="hint" role="presentation">Nothing found.</li>` : nothing}
        </ul>
      </div>
    </dialog>`;
  }
}
define("touch-palette", TouchPalette);
