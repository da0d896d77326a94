/** The cells that wait to run, in order, each with a way out. Nothing where none waits. */
import { html, nothing } from "lit";
import type { NotebookState } from "../../../kernels/protocol/document.js";
import { ordinal, plural } from "../../controllers/format.js";
import { icon } from "../../elements/icon.js";
import type { NotebookCommands } from "./commands.js";

export function queueMenu(page: NotebookCommands, state: NotebookState, blur: (event: FocusEvent) => void) {
  if (state.queue.length === 0) return nothing;
  const writing = page.session?.writing === true;
  const name = (id: string) => state.cells[id]?.defines[0] ?? id;
  const running = page.cells.find((cell) => state.cells[cell.id]?.status === "running");
  return html`<details class="menu queue" @focusout=${blur}>
    <summary>${icon("clock")} <span>${state.queue.length} queued</span></summary>
    <div class="menu-list">
      ${
        running === undefined
          ? nothing
          : html`<p class="hint">
              running: <button class="link" @click=${() => page.go(running.id)}>cell ${page.number(running.id)} ${name(running.id)}</button>
            </p>`
      }
      <ol aria-label="Cells that wait">
        ${state.queue.map(
          (id, i) =>
            html`<li>
              <button class="link" @click=${() => page.go(id)}>cell ${page.number(id)} <code>${name(id)}</code></button>
              <span class="hint">${ordinal(i + 1)}</span>
              <button
                class="icon-button small"
                ?disabled=${!writing}
                aria-label="Cancel cell ${page.number(id)} and what depends on it"
                title="Cancel it and what depends on it"
                @click=${() => page.do({ do: "cancel", cell: id })}
              >
                ${icon("x")}
              </button>
            </li>`,
        )}
      </ol>
      <button class="menu-item" ?disabled=${!writing} @click=${() => page.do({ do: "cancel", cell: null })}>
        Cancel ${state.queue.length === 1 ? "it" : `all ${plural(state.queue.length, "cell")}`}
      </button>
    </div>
  </details>`;
}
