/** `touch-result`: the one layout of every built-in result: verdict, sentence, figure, tables, method, next steps; gates when it proposes. */
import { html, nothing } from "lit";
import type { FindingView, NextStep } from "../../kernels/protocol/output.js";
import type { ReviewSent } from "../../kernels/protocol/review.js";
import type { Gate, Proposal } from "../../kernels/protocol/serving.js";
import type { VersionView } from "../../kernels/protocol/http.js";
import { api } from "../controllers/api.js";
import { callOf, curl } from "../controllers/calls.js";
import { copy } from "../controllers/download.js";
import { figure, plural } from "../controllers/format.js";
import { localRows } from "../controllers/rows.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";
import { words } from "./words.js";
import "./grid.js";
import "./plot.js";

export const verdictIcon = { good: "circle-check", bad: "circle-x", unsure: "circle-help" } as const;
const gateIcon = { pass: "circle-check", fail: "circle-x", unsure: "circle-help", skip: "circle-slash" } as const;

/** One line a gate: name, measured, limit, margin, verdict. */
export function gatesView(gates: Gate[]) {
  const number = (value: number | null, unit: string) =>
    value === null ? "" : `${unit === "bytes" ? bytesOf(value) : figure(value)}${unit === "" || unit === "bytes" ? "" : ` ${unit}`}`;
  return html`<table class="gates">
    <caption class="sr">
      Gates
    </caption>
    <thead>
      <tr>
        <th scope="col">Gate</th>
        <th scope="col">Verdict</th>
        <th scope="col" class="number">Measured</th>
        <th scope="col" class="number">Limit</th>
        <th scope="col">Why</th>
      </tr>
    </thead>
    <tbody>
      ${gates.map(
        (gate) =>
          html`<tr data-verdict=${gate.verdict}>
            <th scope="row">${gate.name}</th>
            <td class="verdict-${gate.verdict}">${icon(gateIcon[gate.verdict])} ${gate.verdict}</td>
            <td class="number">${number(gate.measured, gate.unit)}</td>
            <td class="number">${number(gate.limit, gate.unit)}</td>
            <td>${words(gate.sentence)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
const bytesOf = (value: number): string => (value >= 1e6 ? `${(value / 1e6).toFixed(2)} MB` : `${(value / 1e3).toFixed(1)} kB`);

/** "100 rows added to queue late, 4 were there already: 130 wait". */
const sentText = ({ added, already, queue, waiting }: ReviewSent): string =>
  `${plural(added, "row")} added to queue ${queue}${already > 0 ? `, ${already} ${already === 1 ? "was" : "were"} there already` : ""}: ${plural(waiting, "row")} wait`;

export class TouchResult extends TouchElement {
  static override properties = {
    finding: { attribute: false },
    running: { attribute: false },
    committed: { state: true },
    failure: { state: true },
    busy: { state: true },
    copied: { state: true },
    sent: { state: true },
  };
  declare finding: FindingView;
  declare running: boolean;
  declare committed: Proposal | null;
  declare failure: string | null;
  declare busy: boolean;
  declare copied: string | null;
  /** what became of rows that were sent to review, by batch */
  declare sent: Record<string, ReviewSent>;

  constructor() {
    super();
    this.running = false;
    this.committed = null;
    this.failure = null;
    this.busy = false;
    this.copied = null;
    this.sent = {};
  }

  async #send(step: Extract<NextStep, { type: "review" }>): Promise<void> {
    const cell = this.closest<HTMLElement>("touch-cell");
    const path = this.closest<HTMLElement & { notebook?: string }>("touch-output")?.notebook ?? "";
    this.busy = true;
    this.failure = null;
    try {
      const sent = await api.post<ReviewSent>("/api/ts/review/send", { path, cell: cell?.dataset["cell"], batch: step.batch });
      this.sent = { ...this.sent, [step.batch]: sent };
      this.emit("say", { text: sentText(sent) });
    } catch (error) {
      this.failure = (error as Error).message;
    }
    this.busy = false;
  }

  async #promote(proposal: Proposal): Promise<void> {
    this.busy = true;
    this.failure = null;
    try {
      this.committed = await api.post<Proposal>(`/api/ts/proposals/${encodeURIComponent(proposal.id)}/commit`);
      this.emit("toast", {
        level: "info",
        text: `Live: ${proposal.name} v${this.committed.version}`,
        href: `/models/${encodeURIComponent(proposal.name)}/live`,
      });
    } catch (error) {
      this.failure = (error as Error).message;
    }
    this.busy = false;
  }

  async #copy(text: string): Promise<void> {
    this.copied = (await copy(text)) ? text : null;
  }

  /** The request of the first sample row, which the notebook has answered itself. */
  async #curl(proposal: Proposal): Promise<void> {
    try {
      const view = await api.get<VersionView>(`/api/ts/models/${encodeURIComponent(proposal.name)}/versions/${proposal.version}`);
      await this.#copy(curl(callOf(location.origin, proposal.name, view.sample[0]?.record ?? {})));
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }

  #next(step: NextStep) {
    if (step.type === "open") return html`<a class="button" href=${step.href}>${step.label}</a>`;
    if (step.type === "copy")
      return html`<button @click=${() => void this.#copy(step.text)}>${icon("copy")} ${this.copied === step.text ? "Copied" : step.label}</button>`;
    if (step.type === "review") {
      const sent = this.sent[step.batch];
      return sent === undefined
        ? html`<button ?disabled=${this.busy || this.running} @click=${() => void this.#send(step)}>${icon("inbox")} ${words(step.label)}</button>`
        : html`<span class="sent">${icon("circle-check")} ${sentText(sent)} <a class="button" href=${sent.href}>Open queue</a></span>`;
    }
    return html`<button @click=${() => this.emit("insert-step", step)}>${icon("plus")} ${step.label}</button>`;
  }

  #proposal(given: Proposal) {
    const proposal = this.committed?.id === given.id ? this.committed : given;
    const live = proposal.version !== null;
    const url = proposal.url === null ? `${location.origin}/v1/models/${proposal.name}:predict` : new URL(proposal.url, location.origin).href;
    return html`<section class="proposal" aria-label="Promotion">
      ${gatesView(proposal.gates)}
      ${
        live
          ? html`<p class="live-line">
              ${icon("trophy")} <strong>${proposal.name} v${proposal.version}</strong> is live at <code>${url}</code>
              <a class="button small" href="/models/${encodeURIComponent(proposal.name)}/live">Open the live page</a>
              <button class="small" @click=${() => void this.#curl(proposal)}>
                ${icon("copy")} ${this.copied?.startsWith("curl") === true ? "Copied" : "Copy curl"}
              </button>
            </p>`
          : proposal.passed
            ? html`<p class="live-line">
                <button class="primary" ?disabled=${this.busy || this.running} @click=${() => void this.#promote(proposal)}>
                  ${icon("rocket")} ${this.busy ? "Promoting" : `Promote ${proposal.name} to champion`}
                </button>
                <span class="hint">Nothing is served before you press it. The version that serves now stays warm for a roll back.</span>
              </p>`
            : html`<p class="live-line"><strong>Not promoted.</strong> Nothing was changed.</p>`
      }
      ${this.failure !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>` : nothing}
    </section>`;
  }

  protected override render() {
    const { finding } = this;
    return html`<article class="result" data-verdict=${finding.verdict}>
      <p class="headline">
        <span class="verdict verdict-${finding.verdict}">${icon(verdictIcon[finding.verdict])} ${finding.word}</span>
        <span class="sentence">${words(finding.sentence)}</span>
      </p>
      ${finding.warnings.map((warning) => html`<p class="warning">${icon("triangle-alert")} ${words(warning)}</p>`)}
      ${finding.proposal !== undefined ? this.#proposal(finding.proposal) : nothing}
      ${
        finding.figures.length > 0
          ? html`<div class="figures ${finding.figures.length > 1 ? "two" : ""}">
              ${finding.figures.map((spec) => html`<touch-plot .spec=${spec} .label=${finding.sentence}></touch-plot>`)}
            </div>`
          : nothing
      }
      ${finding.tables
        .filter((table) => finding.proposal === undefined || table.title !== "Gates")
        .map(
          (table) =>
            html`<section class="result-table">
              <p class="table-title">${table.title}</p>
              <touch-grid .source=${this.#rows(table)} .label=${table.title}></touch-grid>
            </section>`,
        )}
      ${
        this.failure !== null && finding.proposal === undefined
          ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>`
          : nothing
      }
      <p class="method">Method: ${finding.method}${finding.footer === "" ? "" : ` · ${finding.footer}`}</p>
      ${finding.next.length > 0 ? html`<div class="next" role="group" aria-label="Next steps">${finding.next.map((step) => this.#next(step))}</div>` : nothing}
    </article>`;
  }

  #sources = new WeakMap<object, ReturnType<typeof localRows>>();
  /** one source a table, so that a new picture of the page does not reset its sort */
  #rows(table: FindingView["tables"][number]): ReturnType<typeof localRows> {
    let rows = this.#sources.get(table);
    if (rows === undefined) this.#sources.set(table, (rows = localRows(table.title, table.columns, table.rows)));
    return rows;
  }
}
define("touch-result", TouchResult);
