/** `touch-error`: what was wrong, where in the person's own code, and what to do. */
import { html, nothing } from "lit";
import type { CellError } from "../../kernels/protocol/output.js";
import { errorText } from "../../kernels/notebook/shown.js";
import { copy } from "../controllers/download.js";
import { bytes, integer } from "../controllers/format.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";
import { words } from "./words.js";

/** How much of a message is missing, and where it is. */
const cut = ({ length, message }: CellError, href: string) =>
  length === undefined
    ? nothing
    : html`<div class="cut">
        <span>The first ${integer(message.length)} of ${integer(length)} characters.</span>
        <a href=${href} download>Download (${bytes(length)})</a>
      </div>`;

export class TouchError extends TouchElement {
  static override properties = { error: { attribute: false }, href: { attribute: false }, writing: { attribute: false } };
  declare error: CellError;
  /** the whole text on the server, where the message is cut */
  declare href: string;
  declare writing: boolean;

  constructor() {
    super();
    this.href = "";
    this.writing = true;
  }

  protected override render() {
    const { error } = this;
    const own = error.frames.filter((frame) => frame.cell !== undefined);
    const others = error.frames.filter((frame) => frame.cell === undefined);
    const { suggestion } = error;
    return html`<div class="error-block" role="group" aria-label="Error">
      ${cut(error, this.href)}
      <p class="error-line">${icon("circle-x")}<strong>${error.name}:</strong> <span>${words(error.message)}</span></p>
      ${
        error.line !== undefined
          ? html`<p class="error-at">
              <button class="link" @click=${() => this.emit("go-line", { cell: error.cell ?? null, line: error.line, column: error.column ?? 1 })}>
                ${error.cell === undefined ? "" : `cell ${error.cell} `}line ${error.line}
              </button>
            </p>`
          : nothing
      }
      ${
        error.code !== undefined && error.code !== ""
          ? html`<pre class="error-code" tabindex="0" aria-label="The line">
${error.code}${error.column !== undefined ? `\n${" ".repeat(Math.max(0, error.column - 1))}^` : ""}</pre>`
          : nothing
      }
      ${
        suggestion !== undefined
          ? html`<p>
              <button
                class="small"
                ?disabled=${suggestion.action.type === "replace" && !this.writing}
                @click=${() => this.emit("suggestion", suggestion)}
              >
                ${suggestion.label}
              </button>
            </p>`
          : nothing
      }
      ${
        own.length > 1
          ? html`<ul class="frames">
              ${own.map(
                (frame) =>
                  html`<li>
                    <button class="link" @click=${() => this.emit("go-line", { cell: frame.cell, line: frame.line, column: frame.column })}>
                      cell ${frame.cell} line ${frame.line}
                    </button>
                    ${frame.name ?? ""}
                  </li>`,
              )}
            </ul>`
          : nothing
      }
      ${
        others.length > 0
          ? html`<details>
              <summary>${others.length} ${others.length === 1 ? "frame" : "frames"} of packages</summary>
              <ul class="frames">
                ${others.map((frame) => html`<li>${frame.name ?? ""} ${frame.file}:${frame.line}</li>`)}
              </ul>
            </details>`
          : nothing
      }
      ${
        error.cause !== undefined
          ? html`<p class="error-cause">Cause: ${error.cause.name}: ${error.cause.message}</p>
              ${cut(error.cause, this.href)}`
          : nothing
      }
      <button class="link" @click=${() => void copy(errorText(error))}>Copy as text</button>
    </div>`;
  }
}
define("touch-error", TouchError);
