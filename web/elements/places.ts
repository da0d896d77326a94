/** `touch-places`: where a name is defined or used. Places in cells are buttons, one outside of the notebook is shown to be read. */
import { html, nothing } from "lit";
import { highlight } from "../controllers/tokens.js";
import { define, TouchElement } from "./base.js";

/** One line of a cell, or a piece of a file. */
export type ShownPlace = { label: string; code: string; go(): void } | { file: string; line: number; first: number; text: string };

export class TouchPlaces extends TouchElement {
  static override properties = { heading: { state: true }, places: { state: true } };
  declare heading: string;
  declare places: readonly ShownPlace[];

  constructor() {
    super();
    this.heading = "";
    this.places = [];
  }

  open(heading: string, places: readonly ShownPlace[]): void {
    this.heading = heading;
    this.places = places;
    void this.updateComplete.then(() => {
      const dialog = this.querySelector("dialog");
      if (dialog?.open === false) dialog.showModal();
      this.querySelector(".here")?.scrollIntoView({ block: "center" });
    });
  }

  #go(place: Extract<ShownPlace, { go(): void }>): void {
    this.querySelector("dialog")?.close();
    place.go();
  }

  protected override render() {
    return html`<dialog class="places" aria-labelledby="places-title" @close=${() => (this.places = [])}>
      <h2 id="places-title">${this.heading}</h2>
      ${
        this.places.some((place) => "go" in place)
          ? html`<ul>
              ${this.places.map((place) =>
                "go" in place
                  ? html`<li>
                      <button class="place" @click=${() => this.#go(place)}><span>${place.label}</span> <code>${line(place.code)}</code></button>
                    </li>`
                  : nothing,
              )}
            </ul>`
          : nothing
      }
      ${this.places.map((place) => ("go" in place ? nothing : piece(place)))}
      <form method="dialog"><button class="primary">Close</button></form>
    </dialog>`;
  }
}
define("touch-places", TouchPlaces);

const line = (code: string) => spans(highlight(code, "typescript")[0] ?? []);
const spans = (list: ReturnType<typeof highlight>[number]) =>
  list.map((span) => (span.type === "text" ? span.text : html`<span class=${`tok-${span.type}`}>${span.text}</span>`));

function piece({ file, line: here, first, text }: Extract<ShownPlace, { file: string }>) {
  return html`<p class="hint">${file}, line ${here}. Read only.</p>
    <pre
      class="static-code"
      tabindex="0"
      role="group"
      aria-label="${file}, read only"
    ><code>${highlight(text, "typescript").map((one, i) => html`<span class=${first + i === here ? "line here" : "line"}>${spans(one)}${"\n"}</span>`)}</code></pre>`;
}
