/** The notebook's toolbar: title, ways to run, stop, mode, badge, memory, panels, menu (ui 3.3). */
import { html, nothing } from "lit";
import { isMoved } from "../../../kernels/protocol/controls.js";
import { memory, time } from "../../controllers/format.js";
import { badgeText } from "../../controllers/session.js";
import { icon } from "../../elements/icon.js";
import { spark } from "../../elements/spark.js";
import { words } from "../../elements/words.js";
import type { NotebookCommands } from "./commands.js";
import { cleanRun } from "./clean.js";
import { queueMenu } from "./queue.js";

export function toolbar(page: NotebookCommands) {
  const session = page.session!;
  const state = session.state!;
  // what "run stale" runs: stale, edited, failed and never run, but nothing that is switched off
  const stale =
    state.badge.state === "same"
      ? 0
      : page.cells.filter((cell) => {
          const s = state.cells[cell.id];
          return s !== undefined && cell.kind !== "markdown" && cell.options.disabled !== true && (s.stale || s.edited || s.result !== "ok");
        }).length;
  const badge = badgeText(state.badge, page.number);
  const used = state.kernel.memory.at(-1) ?? 0;
  const moved = Object.values(state.controls).some((controls) => controls.some(isMoved));
  const busy = page.busy || state.kernel.state === "stopping";
  const item = (label: string, run: () => void, off = false) =>
    html`<button
      class="menu-item"
      ?disabled=${off}
      @click=${(event: Event) => {
        (event.target as HTMLElement).closest("details")!.open = false;
        run();
      }}
    >
      ${label}
    </button>`;
  const writing = session.writing;
  return html`<div class="toolbar" role="toolbar" aria-label="Notebook">
    <div class="toolbar-title">
      <h1>${state.source.front.title ?? session.doc?.source.front.title ?? page.path.replace(/\.nb\.ts$/, "")}</h1>
      <span class="hint saved"
        >${session.unsent ? (session.link === "open" ? "saving" : "kept here") : state.savedAt === null ? "" : `saved ${time(state.savedAt)}`}</span
      >
    </div>
    <div class="split-button">
      <button
        class="primary"
        ?disabled=${!writing}
        @click=${() => (stale > 0 && state.badge.state !== "unchecked" ? page.runStale() : page.runAll())}
      >
        ${icon("play")} ${stale > 0 && state.badge.state !== "unchecked" ? `Run stale ${stale}` : "Run all"}
      </button>
      <details class="menu" @focusout=${blur}>
        <summary class="primary" aria-label="More ways to run">${icon("chevron-down")}</summary>
        <div class="menu-list">
          ${item("Run all", () => page.runAll(), !writing)} ${item("Run stale", () => page.runStale(), !writing)}
          ${item("Run above", () => page.runAbove(), !writing)} ${item("Run from here", () => page.runBelow(), !writing)}
          ${item("Restart and run all", () => page.do({ do: "restart", then: "all" }), !writing)}
          ${item("Clear outputs", () => page.clearOutputs(), !writing)}
        </div>
      </details>
    </div>
    ${busy ? html`<button class="stop" @click=${() => page.interrupt()}>${icon("square")} Stop</button>` : nothing} ${queueMenu(page, state, blur)}
    <button
      class="quiet mode"
      title="Auto: what depends on a change runs by itself. Lazy: it is marked stale."
      ?disabled=${!writing}
      @click=${() => page.toggleMode()}
    >
      mode: ${state.mode === "auto" ? "Auto" : "Lazy"}
    </button>
    <details class="menu badge badge-${state.badge.state}" @focusout=${blur}>
      <summary>${icon(badge.icon)} <span>${badge.text}</span></summary>
      <div class="menu-list">
        ${
          state.badge.state === "same"
            ? html`<p class="hint">Every cell ran with the code and the inputs that it has now.</p>`
            : html`${state.badge.state === "unchecked" ? html`<p class="hint">${words(state.badge.why)}</p>` : nothing}
              ${state.badge.cells.map((cell) => item(`cell ${page.number(cell)} ${state.cells[cell]?.defines[0] ?? cell}`, () => page.go(cell)))}
              ${state.badge.more === undefined ? nothing : html`<p class="hint">and ${state.badge.more} more</p>`}`
        }
        ${moved ? item("Reset controls", () => page.resetControls(), !writing) : nothing} ${cleanRun(page, state)}
        ${item("Run clean and compare", () => page.compare(), !writing || busy || state.clean?.status === "running")}
      </div>
    </details>
    <span class="meter" title="Memory of the kernel and its limit"
      >${
        state.kernel.state === "none"
          ? html`<span class="hint">no kernel</span>`
          : html`${used > 0 ? memory(used) : ""}
            ${used > 0.8 * state.kernel.memoryLimit && state.kernel.memoryLimit > 0 ? html`<strong class="high">high</strong>` : nothing}
            ${spark(state.kernel.memory, state.kernel.memoryLimit)}`
      }</span
    >
    ${people(page)}
    <span class="hint kernel-state">${state.kernel.state === "none" ? "" : state.kernel.state}</span>
    <button class="quiet panel-toggle" aria-pressed=${String(page.left)} @click=${() => page.togglePanel("left")}>
      ${icon("list-tree")} <span class="words">Outline</span>
    </button>
    <button class="quiet panel-toggle" aria-pressed=${String(page.right)} @click=${() => page.togglePanel("right")}>
      ${icon("table-2")} <span class="words">Variables</span>
    </button>
    <details class="menu more" @focusout=${blur}>
      <summary aria-label="More">${icon("ellipsis")}</summary>
      <div class="menu-list">
        ${item(state.mode === "auto" ? "Mode: Auto, switch to Lazy" : "Mode: Lazy, switch to Auto", () => page.toggleMode(), !writing)}
        ${item("Restart the kernel", () => page.restart())} ${item("Shut down the kernel", () => page.shutdown())}
        ${item("Kernel log", () => page.showLog())} ${item("History", () => page.showLeft("history"))}
        ${item("Export HTML", () => void page.exportHtml())} ${item("Packages", () => page.showLeft("packages"))}
        ${item("Save now", () => page.save())} ${item("Take over writing", () => page.takeOver(), writing)}
        ${item("Copy link", () => void navigator.clipboard?.writeText(location.href.split("#")[0]!))}
      </div>
    </details>
  </div>`;
}

/** A menu closes when the focus leaves it. */
function blur(event: FocusEvent): void {
  const menu = event.currentTarget as HTMLDetailsElement;
  if (!menu.contains(event.relatedTarget as Node | null)) menu.open = false;
}

/** Who is here, when somebody else is: a count, with the names and the writer in its list. */
function people(page: NotebookCommands) {
  const session = page.session!;
  const { clients, writer } = session.state!;
  if (clients.length < 2) return nothing;
  return html`<details class="menu people" @focusout=${blur}>
    <summary>${icon("users")} <span>${clients.length} here</span></summary>
    <div class="menu-list">
      ${clients.map(
        ({ client, name }) =>
          html`<p class="hint">
            ${client === session.client ? `${name} (this window)` : name}${client === writer?.client ? html`, <strong>writing</strong>` : nothing}
          </p>`,
      )}
      ${session.writing ? nothing : html`<button class="menu-item" @click=${() => page.takeOver()}>Take over writing</button>`}
    </div>
  </details>`;
}
