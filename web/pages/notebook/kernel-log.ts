/** `touch-kernel-log`: what the notebook's kernels have printed by themselves, and what happened to them, to read and to download. */
import { html } from "lit";
import { api } from "../../controllers/api.js";
import { define, TouchElement } from "../../elements/base.js";
import { icon } from "../../elements/icon.js";

export class TouchKernelLog extends TouchElement {
  static override properties = { path: { attribute: false }, text: { state: true }, failure: { state: true } };
  /** of the notebook, from the root */
  declare path: string;
  declare text: string | null;
  declare failure: string | null;

  constructor() {
    super();
    this.text = null;
    this.failure = null;
  }

  /** Opens the dialog with the log as it is now, at its end. */
  async open(): Promise<void> {
    this.text = this.failure = null;
    this.querySelector("dialog")!.showModal();
    try {
      // a text of digits alone would come as a number
      this.text = String((await api.get<unknown>(`/api/ts/notebooks/log?path=${encodeURIComponent(this.path)}`)) ?? "");
    } catch (error) {
      this.failure = (error as Error).message;
    }
    await this.updateComplete;
    const list = this.querySelector("pre");
    if (list !== null) list.scrollTop = list.scrollHeight;
  }

  protected override render() {
    return html`<dialog class="kernel-log" aria-labelledby="kernel-log-title">
      <h2 id="kernel-log-title">Kernel log</h2>
      <p class="hint">
        What the kernels of this notebook printed outside of its cells, and what happened to them. Secrets are masked; the newest lines are kept.
      </p>
      ${
        this.failure !== null
          ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>`
          : html`<pre tabindex="0" aria-label="Log" aria-busy=${String(this.text === null)}>
${this.text === null ? "Loading" : this.text === "" ? "No kernel has run yet." : this.text}</pre>`
      }
      <form method="dialog" class="row">
        <button class="primary" autofocus>Close</button>
        <a class="button" href="/api/ts/notebooks/log?path=${encodeURIComponent(this.path)}&download" download>${icon("download")} Download</a>
      </form>
    </dialog>`;
  }
}
define("touch-kernel-log", TouchKernelLog);
