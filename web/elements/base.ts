import { LitElement } from "lit";

/**
 * Every element of the page. No shadow roots: one stylesheet, ids that labels can point at, the browser's own search, and
 * Monaco's styles work without copies. What is foreign (HTML of a cell) lives in sandboxed frames instead.
 */
export class TouchElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Sends an event that bubbles to the page. */
  emit(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Registers a tag once. */
export function define(tag: string, element: CustomElementConstructor): void {
  if (customElements.get(tag) === undefined) customElements.define(tag, element);
}
