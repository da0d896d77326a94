/** `touch-announcer`: the live regions of a screen reader. What is not urgent is gathered to one message a second. */
import { html } from "lit";
import { define, TouchElement } from "./base.js";

export interface Said {
  text: string;
  urgent?: boolean;
}

export class TouchAnnouncer extends TouchElement {
  #spokenAt = 0;
  #waiting: string[] = [];

  say({ text, urgent }: Said): void {
    if (urgent === true) {
      this.querySelector("#urgent")!.textContent = text;
      return;
    }
    this.#waiting.push(text);
    if (this.#waiting.length > 1) return;
    setTimeout(
      () => {
        this.#spokenAt = Date.now();
        this.querySelector("#polite")!.textContent = this.#waiting.join(". ");
        this.#waiting = [];
      },
      Math.max(0, 1000 - (Date.now() - this.#spokenAt)),
    );
  }

  protected override render() {
    return html`<div id="polite" class="sr" role="status" aria-live="polite"></div>
      <div id="urgent" class="sr" role="alert" aria-live="assertive"></div>`;
  }
}
define("touch-announcer", TouchAnnouncer);
