/** The menu of a cell. */
import { html, nothing, type TemplateResult } from "lit";
import type { CellState } from "../../kernels/protocol/document.js";
import type { CellAction, TouchCell } from "./cell.js";
import { icon } from "./icon.js";

/** The rarer actions. */
export function cellMenu(on: TouchCell, s: CellState, act: (action: CellAction) => void) {
  const item = (action: CellAction, name: string, label: string, off = false) =>
    html`<button
      class="menu-item"
      ?disabled=${off}
      @click=${(event: Event) => {
        (event.target as HTMLElement).closest("details")!.open = false;
        act(action);
      }}
    >
      ${icon(name)} ${label}
    </button>`;
  // hundreds of cells, and one menu at a time is looked at
  return html`<details
    class="menu"
    @toggle=${(event: Event) => (on.menu = (event.currentTarget as HTMLDetailsElement).open)}
    @focusout=${(event: FocusEvent) => {
      const menu = event.currentTarget as HTMLDetailsElement;
      if (!menu.contains(event.relatedTarget as Node | null)) menu.open = false;
    }}
  >
    <summary aria-label="More for cell ${on.number}">${icon("ellipsis")}</summary>
    ${on.menu ? html`<div class="menu-list">${items(on, s, item)}</div>` : nothing}
  </details>`;
}

type Item = (action: CellAction, name: string, label: string, off?: boolean) => TemplateResult;

function items(on: TouchCell, s: CellState, item: Item) {
  const lazy = on.cell.options.lazy ?? on.definition?.costly === true;
  return html`${item("insert-below", "plus", "Insert below", !on.writing)} ${item("up", "arrow-up", "Move up", !on.writing)}
  ${item("down", "arrow-down", "Move down", !on.writing)} ${item("duplicate", "copy", "Duplicate", !on.writing)}
  ${
    on.cell.kind === "markdown"
      ? nothing
      : html`${item("run-from", "play", "Run from here", !on.writing)}
        ${
          on.cell.kind === "promote"
            ? nothing
            : html`${item("lazy", "clock", lazy ? "Run when an input changes" : "Run only when asked (lazy)", !on.writing)}
              ${item("cache", "database", on.cell.options.cache === true ? "Do not keep the result on disk" : "Keep the result on disk (cache)", !on.writing)}`
        }`
  }
  ${on.definition === null ? nothing : on.form ? item("code", "code", "Show as code") : item("form", "list-tree", "Show as form")}
  ${item("disable", "ban", on.cell.options.disabled === true ? "Enable" : "Disable", !on.writing)}
  ${on.outputs.length > 0 ? item("fold", "chevron-down", on.folded ? "Show output" : "Fold output") : nothing}
  ${s.status === "running" && on.definition?.costly === true ? item("stop-keep", "square", "Stop and keep the best") : nothing}
  ${item("delete", "trash-2", "Delete", !on.writing)}`;
}
