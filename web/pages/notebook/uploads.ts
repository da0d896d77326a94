/** Files dropped on the notebook: a line each with its progress, then a cell that reads it. */
import { html, nothing, type TemplateResult } from "lit";
import { bytes } from "../../controllers/format.js";
import type { Uploads } from "../../controllers/upload.js";
import { icon } from "../../elements/icon.js";

export function uploadsView(uploads: Uploads): TemplateResult | typeof nothing {
  if (uploads.list.length === 0) return nothing;
  return html`<ul class="uploads" aria-label="Uploads">
    ${uploads.list.map((upload) => {
      const share = upload.bytes === 0 ? 100 : Math.round((100 * upload.sent) / upload.bytes);
      return html`<li>
        ${
          upload.failure === null
            ? html`${icon("upload")} <span>${upload.name}</span>
                <div
                  class="progress-bar"
                  role="progressbar"
                  aria-label="Uploading ${upload.name}"
                  aria-valuemin="0"
                  aria-valuemax="100"
                  aria-valuenow=${share}
                >
                  <div style="width:${share}%"></div>
                </div>
                <span class="hint">${bytes(upload.sent)} of ${bytes(upload.bytes)}</span>
                <button class="small" @click=${() => upload.cancel()}>Cancel</button>`
            : html`${icon("triangle-alert")} <span role="alert">${upload.failure}</span>
                <button class="small" @click=${() => uploads.forget(upload)}>Close</button>`
        }
      </li>`;
    })}
  </ul>`;
}

/** Is something of the computer's files over the page? */
export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
