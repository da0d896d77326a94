/** The left panel: outline, packages, history. */
import { html } from "lit";
import type { NotebookState } from "../../../kernels/protocol/document.js";
import { icon } from "../../elements/icon.js";
import { tabList } from "../../elements/tabs.js";
import { outlinePanel } from "../panels.js";
import type { LeftTab } from "./base.js";
import type { NotebookCommands } from "./commands.js";
import type { PackageChange } from "./packages.js";
import type { Compared } from "./history.js";
import "./history.js";
import "./packages.js";

const titles: [LeftTab, string][] = [
  ["outline", "Outline"],
  ["packages", "Packages"],
  ["history", "History"],
];

export function leftPanel(page: NotebookCommands, state: NotebookState) {
  return html`<aside class="panel left" id="outline" aria-label="Outline, packages, history">
    <button class="quiet small drawer-close" @click=${() => page.togglePanel("left")}>${icon("x")} Close</button>
    ${tabList("left", titles, page.leftTab, (tab) => (page.leftTab = tab))}
    <div role="tabpanel" id="left-panel" aria-labelledby="left-tab-${page.leftTab}">${content(page, state)}</div>
  </aside>`;
}

function content(page: NotebookCommands, state: NotebookState) {
  switch (page.leftTab) {
    case "outline":
      return outlinePanel(page.cells, state, page.current, (cell) => page.go(cell));
    case "history":
      return html`<touch-history
        .path=${state.path}
        .saved=${state.savedAt}
        .busy=${state.kernel.state === "busy"}
        .chosen=${page.compared?.point.id ?? null}
        @history-compare=${(event: CustomEvent<Compared>) => page.showComparison(event.detail)}
      ></touch-history>`;
    case "packages":
      return html`<touch-packages
        .path=${state.path}
        .rev=${state.rev}
        .task=${state.packages}
        .writing=${page.session?.writing === true}
        .number=${page.number}
        @packages-change=${(event: CustomEvent<PackageChange>) => void page.changePackages(event.detail)}
        @go-cell=${(event: CustomEvent<string>) => page.go(event.detail)}
      ></touch-packages>`;
  }
}
