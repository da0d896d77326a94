/** `touch-text`: a stream of text: colours, progress lines, the last lines first, the whole by download. */
import { html, nothing } from "lit";
import { ansi, collapse, fold } from "../controllers/ansi.js";
import { bytes, integer } from "../controllers/format.js";
import { download } from "../controllers/download.js";
import { define, TouchElement } from "./base.js";

const shown = 200;

export class TouchText extends TouchElement {
  static override properties = { text: { attribute: false }, name: { attribute: false }, href: { attribute: false }, all: { state: true } };
  declare text: string;
  declare name: string;
  /** the whole text on the server; "" when the page has it all */
  declare href: string;
  declare all: boolean;
  #stick = true;

  constructor() {
    super();
    this.text = "";
    this.name = "stdout";
    this.href = "";
    this.all = false;
  }

  protected override updated(): void {
    const box = this.querySelector(".text-box");
    if (box !== null && this.#stick && !this.all) box.scrollTop = box.scrollHeight;
  }

  protected override render() {
    // a long log is cut before any work is done on it
    const tail = this.all ? this.text : this.text.slice(-200_000);
    const lines = fold(collapse(tail).replace(/\n$/, "").split("\n"));
    const cut = this.all ? [] : lines.slice(0, Math.max(0, lines.length - shown));
    const view = this.all ? lines : lines.slice(-shown);
    const more = cut.length > 0 || tail.length < this.text.length;
    return html`${
        more
          ? html`<div class="cut">
              ${tail.length < this.text.length ? "Earlier lines are folded." : `${integer(cut.length)} earlier lines are folded.`}
              <button class="link" @click=${() => (this.all = true)}>Show all</button>
              ${
                this.href === ""
                  ? html`<button class="link" @click=${() => download(`${this.name}.txt`, "text/plain", this.text)}>
                      Download (${bytes(this.text.length)})
                    </button>`
                  : html`<a href=${this.href} download>Download</a>`
              }
            </div>`
          : nothing
      }
      <pre
        class="text-box ${this.name}"
        tabindex="0"
        aria-label=${this.name === "stderr" ? "messages" : "printed text"}
        @scroll=${(event: Event) => {
          const box = event.target as HTMLElement;
          this.#stick = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
        }}
      >
${ansi(view.join("\n")).map((span) =>
          span.style === ""
            ? span.text
            : html`<span
                class=${span.style
                  .split(" ")
                  .map((s) => `ansi-${s}`)
                  .join(" ")}
                >${span.text}</span
              >`,
        )}</pre>`;
  }
}
define("touch-text", TouchText);
