/** `touch-text`: a stream of text: colours, progress lines, the last lines while it runs, the whole by download. */
import { html, nothing, type PropertyValues } from "lit";
import { ansi, collapse, fold } from "../controllers/ansi.js";
import { bytes, integer, plural } from "../controllers/format.js";
import { download } from "../controllers/download.js";
import { define, TouchElement } from "./base.js";

const shown = 200;
/** characters looked at for the last lines: a long log costs as much as a short one */
const tailLength = 64_000;

export class TouchText extends TouchElement {
  static override properties = {
    text: { attribute: false },
    name: { attribute: false },
    href: { attribute: false },
    cut: { attribute: false },
    running: { attribute: false },
    all: { state: true },
    fresh: { state: true },
  };
  declare text: string;
  declare name: string;
  /** the whole text on the server; "" when the page has it all */
  declare href: string;
  /** characters before `text` that only the server has */
  declare cut: number;
  /** more may come */
  declare running: boolean;
  declare all: boolean;
  /** lines that came while the person read further up */
  declare fresh: number;
  #stick = true;

  constructor() {
    super();
    this.text = "";
    this.name = "stdout";
    this.href = "";
    this.cut = 0;
    this.running = false;
    this.all = false;
    this.fresh = 0;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("text")) return;
    const before = changed.get("text") as string | undefined;
    if (before === undefined || this.#stick) this.fresh = 0;
    else {
      const grown = this.text.startsWith(before.slice(-200), Math.max(0, before.length - 200))
        ? this.text.slice(before.length)
        : this.text.slice(-tailLength);
      this.fresh += grown.split("\n").length - 1;
    }
  }

  protected override updated(): void {
    const box = this.querySelector(".text-box");
    if (box !== null && this.#stick && this.running) box.scrollTop = box.scrollHeight;
  }

  #toEnd = (): void => {
    const box = this.querySelector(".text-box");
    this.#stick = true;
    this.fresh = 0;
    if (box !== null) box.scrollTop = box.scrollHeight;
  };

  protected override render() {
    // a long log is cut before any work is done on it
    const tail = this.all ? this.text : this.text.slice(-tailLength);
    const lines = fold(collapse(tail).replace(/\n$/, "").split("\n"));
    const view = this.all ? lines : lines.slice(-shown);
    const earlier = lines.length - view.length;
    const more = earlier > 0 || tail.length < this.text.length || this.cut > 0;
    const size = this.cut + this.text.length;
    return html`${
        more
          ? html`<div class="cut">
              <span>
                ${
                  this.all
                    ? this.cut > 0
                      ? `The first ${bytes(this.cut)} are in the download.`
                      : ""
                    : tail.length < this.text.length || this.cut > 0
                      ? "Earlier lines are folded."
                      : `${integer(earlier)} earlier lines are folded.`
                }
              </span>
              ${this.all ? nothing : html`<button class="link" @click=${() => (this.all = true)}>Show ${this.cut > 0 ? `the last ${bytes(this.text.length)}` : "all"}</button>`}
              ${
                this.href === ""
                  ? html`<button class="link" @click=${() => download(`${this.name}.txt`, "text/plain", this.text)}>
                      Download (${bytes(size)})
                    </button>`
                  : html`<a href=${this.href} download>Download (${bytes(size)})</a>`
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
          if (this.#stick) this.fresh = 0;
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
        )}</pre>
      ${this.fresh > 0 ? html`<button class="small fresh" @click=${this.#toEnd}>${plural(this.fresh, "new line")} ↓</button>` : nothing}`;
  }
}
define("touch-text", TouchText);
