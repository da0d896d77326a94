/** The chip of the top bar: on what the kernel computes, what it holds there, and why better back ends were passed over. */
import { html, nothing, type TemplateResult } from "lit";
import type { KernelState } from "../../kernels/protocol/document.js";
import { bytes, integer } from "../controllers/format.js";
import { icon } from "../elements/icon.js";

/** "12 tensors, 3.4 MB" */
export function holding(tensors: KernelState["tensors"]): string {
  if (!tensors) return "";
  return `${integer(tensors.count)} ${tensors.count === 1 ? "tensor" : "tensors"}, ${bytes(tensors.bytes)}`;
}

export function backendChip({ backend, device, skipped = [], tensors }: KernelState): TemplateResult | typeof nothing {
  if (backend === null) return nothing;
  return html`<details class="backend">
    <summary aria-label="TensorFlow back end ${backend}, ${holding(tensors)}">
      ${icon("cpu")} ${backend} ${tensors ? html`<span class="words">· ${holding(tensors)}</span>` : nothing}
    </summary>
    <div class="backend-about">
      <p>TensorFlow.js computes on <strong>${device ?? backend}</strong>${tensors ? html` and holds ${holding(tensors)} there` : nothing}.</p>
      ${
        skipped.length === 0
          ? nothing
          : html`<p>Passed over:</p>
              <dl>
                ${skipped.map(
                  ({ name, why }) =>
                    html`<dt>${name}</dt>
                      <dd>${why}</dd>`,
                )}
              </dl>`
      }
    </div>
  </details>`;
}
