import { html, nothing, type TemplateResult } from "lit";
import type { Progress } from "../../kernels/protocol/output.js";
import { clock } from "../controllers/format.js";

/** "epoch 4 of 20 · 12,800 rows/s · about 0:24 left" */
export function progressText(progress: Progress): string {
  return [progress.label, progress.rate, progress.eta === null ? null : `about ${clock(progress.eta * 1000)} left`]
    .filter((part): part is string => part !== null && part !== undefined && part !== "")
    .join(" · ");
}

export function progressView(progress: Progress): TemplateResult {
  const share = progress.total === null || progress.total <= 0 ? null : Math.min(1, progress.done / progress.total);
  return html`<div class="progress">
    <div
      class="progress-bar ${share === null ? "unknown" : ""}"
      role="progressbar"
      aria-label="progress"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${share === null ? nothing : Math.round(share * 100)}
      aria-valuetext=${progressText(progress)}
    >
      <div style="width:${share === null ? 100 : share * 100}%"></div>
    </div>
    <span class="progress-text">${progressText(progress)}</span>
  </div>`;
}
