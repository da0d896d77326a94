/** `touch-review`: the queues of every workspace, with what waits in each and why. */
import { html, nothing } from "lit";
import type { QueueView, ReviewView } from "../../kernels/protocol/review.js";
import { api } from "../controllers/api.js";
import { ago, plural } from "../controllers/format.js";
import { Load } from "../controllers/load.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";
import { newDialog } from "../elements/new-dialog.js";

export class TouchReview extends TouchElement {
  static override properties = { failure: { state: true } };
  declare failure: string | null;
  #load = new Load<ReviewView>(this, () => api.get("/api/ts/review"), 3000);

  constructor() {
    super();
    this.failure = null;
  }
  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Review · Touchstone";
  }

  #create = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const value = (name: string): string => String(given.get(name) ?? "").trim();
    const labels = value("labels")
      .split(",")
      .map((label) => label.trim())
      .filter(Boolean);
    this.failure = null;
    try {
      const { queue } = await api.post<QueueView>("/api/ts/review", { workspace: value("workspace"), name: value("name"), labels });
      this.emit("go", queue.href);
    } catch (error) {
      this.failure = (error as Error).message;
    }
  };

  protected override render() {
    const { value, error } = this.#load;
    const queues = value?.queues ?? [];
    return html`<div class="page">
      <div class="section-head">
        <h1>Review</h1>
        ${value === null ? nothing : html`<button class=${queues.length === 0 ? "primary" : ""} @click=${() => this.querySelector("dialog")?.showModal()}>${icon("plus")} Create a queue</button>`}
      </div>
      ${error !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>` : nothing}
      ${value === null && error === null ? html`<p class="hint" aria-busy="true">Loading</p>` : nothing}
      ${
        value !== null && queues.length === 0
          ? html`<section class="card">
              <p>No items wait. Rows come here from a drift cell: run one, then press "Send drifted segment to review".</p>
            </section>`
          : nothing
      }
      ${
        queues.length === 0
          ? nothing
          : html`<div class="table-scroll">
              <table class="rows queues">
                <thead>
                  <tr>
                    <th scope="col">Queue</th>
                    <th scope="col">Workspace</th>
                    <th scope="col" class="number">Wait</th>
                    <th scope="col">Answered</th>
                    <th scope="col">Why they wait</th>
                    <th scope="col">Oldest</th>
                  </tr>
                </thead>
                <tbody>
                  ${queues.map(
                    (queue) =>
                      html`<tr class="row-link">
                        <th scope="row"><a href=${queue.href}>${queue.title}</a></th>
                        <td>${queue.workspace}</td>
                        <td class="number"><strong>${queue.waiting}</strong></td>
                        <td class="nowrap">${queue.answered} of ${queue.total}${queue.skipped > 0 ? `, ${queue.skipped} skipped` : ""}</td>
                        <td class="why">
                          ${queue.reasons.filter((reason) => reason.waiting > 0).map((reason) => html`<span class="chip">${reason.kind} ${reason.waiting}</span> `)}
                          ${queue.flagged > 0 ? html`<span class="chip">${icon("flag")} ${queue.flagged} flagged</span>` : nothing}
                          ${queue.warnings.length > 0 ? html`<span class="status-warn">${icon("triangle-alert")} ${plural(queue.warnings.length, "line")} unread</span>` : nothing}
                        </td>
                        <td class="nowrap">${queue.oldest === null ? "" : ago(Date.parse(queue.oldest), Date.now())}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }
      ${newDialog({
        id: "queue-title",
        title: "Create a queue",
        fields: html`<label>Name <input name="name" required maxlength="63" pattern="[A-Za-z0-9_][A-Za-z0-9_\\-]*" autocomplete="off" /></label>
          <label>Workspace <input name="workspace" required autocomplete="off" /></label>
          <label>Labels, with commas <input name="labels" placeholder="late, on time" autocomplete="off" /></label>`,
        failure: this.failure,
        create: (event) => void this.#create(event),
      })}
    </div>`;
  }
}
define("touch-review", TouchReview);
