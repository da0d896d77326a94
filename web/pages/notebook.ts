/** `touch-notebook`: one notebook over one connection. Holds the selection and the modes; the document is the session's. */
import { html, nothing } from "lit";
import { bytes } from "../controllers/format.js";
import { define } from "../elements/base.js";
import { tabList } from "../elements/tabs.js";
import { bannerOf, bannerView, type BannerActions } from "./banners.js";
import { leftPanel } from "./notebook/left.js";
import { cellList } from "./notebook/cells.js";
import { NotebookCommands } from "./notebook/commands.js";
import { cellEvents } from "./notebook/events.js";
import { findBar } from "./notebook/find.js";
import { comparison } from "./notebook/history.js";
import { toolbar } from "./notebook/toolbar.js";
import { hasFiles, uploadsView } from "./notebook/uploads.js";
import { problemsOf, problemsPanel, variablesPanel } from "./panels.js";

export class TouchNotebook extends NotebookCommands {
  #events = cellEvents(this);
  #act: BannerActions = {
    retry: () => this.session?.retryNow(),
    takeOver: () => this.takeOver(),
    restart: (then) => this.do({ do: "restart", then }),
    raise: (bytes, then) => this.do({ do: "limit", bytes, ...(then !== undefined && { then }) }),
    log: () => this.showLog(),
    runAll: () => this.runAll(),
    go: (cell) => this.go(cell),
    putBack: (aside) => void this.putBack(aside),
    copyAside: (aside) =>
      void navigator.clipboard?.writeText(aside.text).then(
        () => this.emit("toast", { level: "info", text: "Copied" }),
        () => this.emit("toast", { level: "warning", text: "The browser did not allow to copy." }),
      ),
    forget: (aside) => this.session?.forget(aside),
    dismiss: (name) => this.close(name),
    variables: () => {
      this.right = true;
      this.tab = "variables";
    },
    restartNow: () => this.restartNow(),
    keepWaiting: () => this.keepWaiting(),
    decide: (decision) => this.decide(decision),
    history: () => this.showLeft("history"),
    refuseOutside: () => this.refuseOutside(),
  };

  protected override render() {
    const { session } = this;
    if (session === null) return nothing;
    if (session.failure !== null)
      return html`<section class="empty">
        <h1>This notebook cannot be opened</h1>
        <p>${session.failure}</p>
        <a class="button" href="/">Home</a>
      </section>`;
    const { state } = session;
    if (state === null)
      return html`<section class="empty" aria-busy="true">
        <p class="hint">${session.link === "lost" ? "The server does not answer. Trying again." : "Opening the notebook"}</p>
      </section>`;
    const problems = problemsOf(this.cells, state);
    const largest = [...state.variables]
      .sort((a, b) => (b.size ?? 0) - (a.size ?? 0))
      .slice(0, 3)
      .filter((v) => (v.size ?? 0) > 0)
      .map((v) => `${v.name} ${bytes(v.size!)}`);
    const restartIn = this.stuck?.restartAt == null ? null : Math.max(0, this.stuck.restartAt - Date.now());
    const banner = bannerOf(
      { session, now: Date.now(), closed: this.closed, number: this.number, largest, restartIn, reopened: this.reopened },
      this.#act,
    );
    return html`
      ${this.left ? html`<a class="skip" href="#outline">To outline</a>` : nothing} ${toolbar(this)} ${bannerView(banner, this.#act)}
      ${findBar(this, this.finder)}
      <touch-kernel-log .path=${state.path}></touch-kernel-log> ${uploadsView(this.uploads)}
      <touch-package-task
        .task=${state.packages}
        .writing=${session.writing}
        @packages-show=${() => this.showLeft("packages")}
        @packages-cancel=${() => this.cancelPackages()}
      ></touch-package-task>
      <div
        class="notebook-body ${this.left ? `with-left left-${this.leftTab}` : ""} ${this.right ? "with-right" : ""} ${this.compared === null ? "" : "comparing"}"
        @dragover=${(event: DragEvent) => hasFiles(event) && event.preventDefault()}
        @drop=${(event: DragEvent) => {
          if (!hasFiles(event)) return;
          // else the browser would leave the page for the file
          event.preventDefault();
          void this.addFiles([...(event.dataTransfer?.files ?? [])]);
        }}
      >
        ${this.left ? leftPanel(this, state) : nothing} ${this.compared === null ? nothing : comparison(this, this.compared)}
        ${cellList(this, state, this.#events)}
        ${
          this.right
            ? html`<aside class="panel right" aria-label="Variables and problems">
                ${tabList(
                  "right",
                  [
                    ["variables", "Variables"],
                    ["problems", `Problems ${problems.length > 0 ? problems.length : ""}`],
                  ],
                  this.tab,
                  (tab) => (this.tab = tab),
                )}
                <div role="tabpanel" id="right-panel" aria-labelledby="right-tab-${this.tab}">
                  ${this.tab === "variables" ? variablesPanel(state, (cell) => this.go(cell)) : problemsPanel(problems, state.language, this.number, (cell, line, column) => (line === undefined ? this.go(cell) : this.goToLine(cell, line, column ?? 1)))}
                </div>
              </aside>`
            : nothing
        }
      </div>
      <touch-places></touch-places>
    `;
  }
}
define("touch-notebook", TouchNotebook);
