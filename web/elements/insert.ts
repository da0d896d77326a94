/** `touch-insert`: the menu of cell kinds: search first, then code and the five steps. */
import { html, nothing } from "lit";
import type { CellDefinition } from "../../kernels/protocol/cells.js";
import type { CellKind } from "../../kernels/protocol/document.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";

interface Entry {
  kind: CellKind;
  title: string;
  icon: string;
  question: string;
  group: string;
}
const steps = ["", "1 Baseline", "2 Ship early", "3 Test", "4 Latency", "5 Maintenance"];

export class TouchInsert extends TouchElement {
  static override properties = { definitions: { attribute: false }, query: { state: true }, at: { state: true } };
  declare definitions: CellDefinition[];
  declare query: string;
  declare at: number;

  constructor() {
    super();
    this.definitions = [];
    this.query = "";
    this.at = 0;
  }

  get #entries(): Entry[] {
    const plain: Entry[] = [
      { kind: "code", title: "Code", icon: "code", question: "TypeScript, with every name of the notebook", group: "Cells" },
      { kind: "sql", title: "SQL", icon: "database", question: "A query over files and tables", group: "Cells" },
      { kind: "markdown", title: "Text", icon: "text", question: "Words, headings, links", group: "Cells" },
    ];
    const builtin = this.definitions.map((d): Entry => ({
      kind: d.kind,
      title: d.title,
      icon: d.icon,
      question: d.question,
      group: steps[d.step] ?? "",
    }));
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    return [...plain, ...builtin].filter((entry) =>
      words.every((word) => `${entry.title} ${entry.kind} ${entry.question}`.toLowerCase().includes(word)),
    );
  }

  protected override firstUpdated(): void {
    this.querySelector("input")?.focus();
  }

  #choose(entry: Entry | undefined): void {
    if (entry !== undefined) this.emit("insert-kind", entry.kind);
  }

  #key = (event: KeyboardEvent): void => {
    const entries = this.#entries;
    event.stopPropagation();
    if (event.key === "ArrowDown") this.at = Math.min(entries.length - 1, this.at + 1);
    else if (event.key === "ArrowUp") this.at = Math.max(0, this.at - 1);
    else if (event.key === "Enter") this.#choose(entries[this.at]);
    else if (event.key === "Escape") this.emit("insert-close");
    else return;
    event.preventDefault();
    void this.updateComplete.then(() => this.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }));
  };

  protected override render() {
    const entries = this.#entries;
    let group = "";
    return html`<div
      class="insert-menu"
      @keydown=${this.#key}
      @focusout=${(event: FocusEvent) => {
        if (event.relatedTarget !== null && !this.contains(event.relatedTarget as Node)) this.emit("insert-close");
      }}
    >
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="insert-list"
        aria-activedescendant=${entries.length > 0 ? `insert-${this.at}` : nothing}
        aria-label="Insert a cell"
        placeholder="Insert: type to search"
        .value=${this.query}
        @input=${(event: Event) => {
          this.query = (event.target as HTMLInputElement).value;
          this.at = 0;
        }}
      />
      <ul id="insert-list" role="listbox" aria-label="Kinds of cells">
        ${entries.map((entry, i) => {
          const heading = entry.group === group ? nothing : html`<li class="group" role="presentation">${entry.group}</li>`;
          group = entry.group;
          return html`${heading}
            <li
              id="insert-${i}"
              role="option"
              aria-selected=${String(i === this.at)}
              @pointermove=${() => (this.at = i)}
              @click=${() => this.#choose(entry)}
            >
              ${icon(entry.icon)} <strong>${entry.title}</strong> <span class="hint">${entry.question}</span>
            </li>`;
        })}
        ${entries.length === 0 ? html`<li class="hint" role="presentation">Nothing is called so.</li>` : nothing}
      </ul>
      <button class="small" @click=${() => this.emit("insert-close")}>Close</button>
    </div>`;
  }
}
define("touch-insert", TouchInsert);
