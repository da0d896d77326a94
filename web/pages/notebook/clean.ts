/** How the notebook compares with a clean run in a second process: under way, or each output that differs. */
import { html, nothing } from "lit";
import { isMoved, valueText } from "../../../kernels/protocol/controls.js";
import type { NotebookState } from "../../../kernels/protocol/document.js";
import { plural, time } from "../../controllers/format.js";
import type { NotebookCommands } from "./commands.js";

export function cleanRun(page: NotebookCommands, { clean, rev, controls }: NotebookState) {
  if (clean === null) return nothing;
  if (clean.status === "running") return html`<p class="hint" role="status">Clean run in a second kernel: ${clean.done} of ${clean.total} cells</p>`;
  if (clean.status === "failed") return html`<p class="hint" role="status">No clean run at ${time(clean.at)}: ${clean.why}</p>`;
  const older = clean.rev === rev ? "" : ", before the last edit";
  if (clean.differences.length === 0) return html`<p class="hint" role="status">A clean run at ${time(clean.at)} gave the same outputs${older}.</p>`;
  const moved = Object.values(controls).flatMap((list) => list.filter(isMoved).map(({ key, spec }) => `${key} was ${valueText(spec, spec.value)}`));
  return html`<p class="hint" role="status">
      A clean run at ${time(clean.at)} gave other outputs in
      ${plural(clean.differences.length, "cell")}${older}${moved.length === 0 ? "" : `; there ${moved.slice(0, 3).join(", ")}${moved.length > 3 ? " and others" : ""}`}:
    </p>
    <ul class="differences" aria-label="Outputs that differ">
      ${clean.differences.map(
        (one) =>
          html`<li>
            <button class="link" @click=${() => page.go(one.cell)}>cell ${page.number(one.cell)} <code>${one.cell}</code></button>
            <span class="hint">here</span> <code>${one.here}</code> <span class="hint">clean</span> <code>${one.clean}</code>
          </li>`,
      )}
    </ul>`;
}
