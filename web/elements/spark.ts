import { svg, html, type TemplateResult } from "lit";

/** A small line of the last samples (few of them fill half of it at least) with the limit as a tick on top; its meaning stands beside it in words. */
export function spark(samples: number[], limit: number): TemplateResult {
  const width = 60;
  const height = 16;
  const top = Math.max(limit, ...samples, 1);
  const step = width / Math.min(59, Math.max(2 * (samples.length - 1), 1));
  const points = samples
    .slice(-60)
    .map((value, i, all) => `${(width - (all.length - 1 - i) * step).toFixed(1)},${(height - (value / top) * (height - 2) - 1).toFixed(1)}`);
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" width=${width} height=${height} aria-hidden="true">
    ${svg`<line x1="0" x2=${width} y1=${height - (limit / top) * (height - 2) - 1} y2=${height - (limit / top) * (height - 2) - 1} class="limit" />`}
    ${svg`<polyline points=${points.join(" ")} />`}
  </svg>`;
}
