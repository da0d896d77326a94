/** A list of tabs: one Tab stop, arrows between them, as the pattern for tabs says. */
import { html, type TemplateResult } from "lit";

/** `name`: prefix of the ids; the panel has the id `NAME-panel`. */
export function tabList<T extends string>(name: string, tabs: readonly [T, string][], chosen: T, choose: (tab: T) => void): TemplateResult {
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.findIndex(([tab]) => tab === chosen);
    const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : step === undefined ? -1 : (at + step + tabs.length) % tabs.length;
    if (to < 0) return;
    event.preventDefault();
    event.stopPropagation();
    choose(tabs[to]![0]);
    (event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=tab]")[to]!.focus();
  };
  return html`<div class="tabs" role="tablist" @keydown=${key}>
    ${tabs.map(
      ([tab, word]) =>
        html`<button
          role="tab"
          id="${name}-tab-${tab}"
          tabindex=${tab === chosen ? 0 : -1}
          aria-selected=${String(tab === chosen)}
          aria-controls="${name}-panel"
          @click=${() => choose(tab)}
        >
          ${word}
        </button>`,
    )}
  </div>`;
}
