/** `touch-toasts`: short notices in a corner, four at the most; each goes by itself or is closed. */
import { html, nothing } from "lit";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";

export interface Toast {
  level: "info" | "warning" | "error";
  text: string;
  href?: string;
  /** word of a button that does `run` */
  action?: string;
  run?: () => void;
}

const shape = (text: string): string => text.replaceAll(/\d+(\.\d+)?/g, "#");

export class TouchToasts extends TouchElement {
  static override properties = { toasts: { state: true } };
  declare toasts: Toast[];

  constructor() {
    super();
    this.toasts = [];
  }

  show(toast: Toast): void {
    const own = { ...toast };
    // the same again, with other numbers, takes the place of the last
    const others = this.toasts.filter(({ text }) => shape(text) !== shape(own.text));
    this.toasts = [...others.slice(-3), own];
    setTimeout(() => this.#drop(own), toast.level === "info" ? 8000 : 15_000);
  }
  #drop(toast: Toast): void {
    this.toasts = this.toasts.filter((other) => other !== toast);
  }

  #toast(toast: Toast) {
    const act = (): void => {
      this.#drop(toast);
      toast.run?.();
    };
    return html`<div class="toast ${toast.level}" role=${toast.level === "error" ? "alert" : "status"}>
      <span>${toast.text}</span>
      ${toast.href !== undefined ? html`<a class="button small" href=${toast.href}>Open</a>` : nothing}
      ${toast.action !== undefined ? html`<button class="small" @click=${act}>${toast.action}</button>` : nothing}
      <button class="icon-button small" aria-label="Close" @click=${() => this.#drop(toast)}>${icon("x")}</button>
    </div>`;
  }

  protected override render() {
    return html`<div class="toasts">${this.toasts.map((toast) => this.#toast(toast))}</div>`;
  }
}
define("touch-toasts", TouchToasts);
