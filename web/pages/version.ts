/** `touch-version`: card, gates, lineage, signature, files of one immutable version. */
import { html, nothing } from "lit";
import type { VersionView } from "../../kernels/protocol/http.js";
import type { PlotlySpec } from "../../kernels/protocol/output.js";
import type { VersionCard } from "../../kernels/protocol/serving.js";
import { api } from "../controllers/api.js";
import { bytes, figure, integer, percent, plural } from "../controllers/format.js";
import { Load } from "../controllers/load.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";
import { gatesView } from "../elements/result.js";
import { words } from "../elements/words.js";
import "../elements/plot.js";
import { modelHref, origin, range } from "./models.js";

const tabs = ["card", "gates", "lineage", "signature", "files"] as const;
type Tab = (typeof tabs)[number];

export class TouchVersion extends TouchElement {
  static override properties = { name: { attribute: false }, version: { attribute: false }, tab: { state: true } };
  declare name: string;
  declare version: number;
  declare tab: Tab;
  #load = new Load<VersionView>(
    this,
    () => api.get(`/api/ts/models/${encodeURIComponent(this.name)}/versions/${this.version}`),
    0,
    () => `${this.name}/${this.version}`,
  );
  #curve: PlotlySpec | null = null;

  constructor() {
    super();
    this.tab = "card";
  }

  protected override willUpdate(): void {
    document.title = `${this.name} v${this.version} · Touchstone`;
  }

  #card(view: VersionView) {
    const { card } = view;
    const { against } = card.baseline;
    const line = (name: string, value: unknown) =>
      html`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`;
    if (card.history !== undefined && this.#curve === null) {
      const x = card.history.loss.map((_, i) => i + 1);
      this.#curve = {
        title: `Training of ${this.name} v${this.version}`,
        data: [
          { type: "scatter", mode: "lines", name: "training loss", x, y: card.history.loss },
          { type: "scatter", mode: "lines", name: "validation loss", x, y: card.history.valLoss },
        ],
        layout: { title: { text: "Loss by epoch" }, xaxis: { title: "epoch" }, height: 280 },
      };
    }
    return html`<div class="card">
        <dl class="facts">
          ${line("Model", card.label)}
          ${line("Metric", html`${card.metric} <strong>${figure(card.value)}</strong> ${range(card.ci)} on ${integer(card.n)} rows, ${card.better} is better`)}
          ${line("Baseline", html`<span class="gold">${icon("ruler")} ${figure(card.baseline.value)}</span> ${range(card.baseline.ci)} ${card.baseline.label}`)}
          ${line("Difference", html`${figure(against.diff)} ${range(against.ci)} (${percent(card.value, card.baseline.value)}), ${against.method}, p = ${figure(against.p)}`)}
          ${line("Split", html`by ${card.split.by} of <code>${card.split.key}</code>, id <code>${card.split.id}</code>`)}
          ${card.classes === undefined ? nothing : line("Classes", card.classes.join(", "))}
          ${line("Parameters", `${integer(view.manifest.params)}, ${bytes(view.manifest.bytes)}`)}
          ${view.proposal.latency === null ? nothing : line("Latency", `p50 ${figure(view.proposal.latency.p50)} ms, p99 ${figure(view.proposal.latency.p99)} ms ${range(view.proposal.latency.p99ci)}`)}
          ${line("Machine", machineWords(card.machine))} ${line("Made by", card.createdBy)}
        </dl>
      </div>
      ${this.#curve === null ? nothing : html`<div class="card"><touch-plot .spec=${this.#curve}></touch-plot></div>`}`;
  }

  #lineage(view: VersionView) {
    const { provenance, runtime } = view.manifest;
    const steps: [string, unknown][] = [
      ["Data", html`<code>${provenance.data}</code>`],
      ["Split", provenance.split === undefined ? "none" : html`<code>${provenance.split}</code>`],
      [
        "Notebook",
        html`<a href=${origin(view.card.notebook, view.card.cell)}>${view.card.notebook}#${view.card.cell}</a> <code>${provenance.sources}</code>`,
      ],
      ["Seed and back end", `seed ${provenance.seed}, ${provenance.backend}`],
      ["Packages", html`<code>${provenance.packages}</code>`],
      ["Runtime", `Touchstone ${runtime.touchstone}, TensorFlow.js ${runtime.tfjs}, Node ${runtime.node}`],
      ["Version", html`<a href=${modelHref(this.name)}>${this.name}</a> v${this.version}`],
      ["Served by", html`<a href=${modelHref(this.name, "/live")}>live page</a>`],
    ];
    return html`<ol class="lineage card">
      ${steps.map(([name, value]) => html`<li><strong>${name}</strong> <span>${value}</span></li>`)}
    </ol>`;
  }

  #signature(view: VersionView) {
    const { inputs, output } = view.signature;
    return html`<div class="table-scroll">
        <table class="rows">
          <caption class="sr">
            Inputs
          </caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Type</th>
              <th scope="col">May be missing</th>
              <th scope="col">Seen in training</th>
            </tr>
          </thead>
          <tbody>
            ${inputs.map(
              (field) =>
                html`<tr>
                  <th scope="row"><code>${field.name}</code></th>
                  <td>${field.type}</td>
                  <td>${field.nullable ? "yes" : "no"}</td>
                  <td>
                    ${field.range !== undefined ? range(field.range) : field.seen !== undefined ? `${field.seen.slice(0, 8).join(", ")}${field.seen.length > 8 ? ` and ${field.seen.length - 8} more` : ""}` : ""}
                  </td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <p>Answer: <code>${output.name}</code>, ${output.kind}${output.classes === undefined ? "" : ` of ${output.classes.join(", ")}`}.</p>`;
  }

  #files(view: VersionView) {
    return html`<div class="table-scroll">
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col" class="number">Size</th>
            <th scope="col">sha256</th>
          </tr>
        </thead>
        <tbody>
          ${view.files.map(
            (file) =>
              html`<tr>
                <th scope="row"><code>${file.name}</code></th>
                <td class="number">${bytes(file.bytes)}</td>
                <td><code class="hash">${view.manifest.files[file.name] ?? ""}</code></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  protected override render() {
    const { value: view, error } = this.#load;
    if (view === null)
      return html`<div class="page">
        <h1>${this.name} v${this.version}</h1>
        ${error === null ? html`<p class="hint" aria-busy="true">Loading</p>` : html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>`}
      </div>`;
    const body = {
      card: () => this.#card(view),
      gates: () => html`<div class="card proposal">${gatesView(view.proposal.gates)}</div>`,
      lineage: () => this.#lineage(view),
      signature: () => this.#signature(view),
      files: () => this.#files(view),
    };
    return html`<div class="page">
      <div class="section-head">
        <h1>${this.name} v${this.version}</h1>
        <a class="button" href=${modelHref(this.name, "/live")}>${icon("activity")} Live</a>
      </div>
      <p class="lead">${words(view.proposal.sentence)}</p>
      <div
        class="tabs page-tabs"
        role="tablist"
        aria-label="About this version"
        @keydown=${(event: KeyboardEvent) => {
          const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
          if (step === 0) return;
          this.tab = tabs[(tabs.indexOf(this.tab) + step + tabs.length) % tabs.length]!;
          void this.updateComplete.then(() => this.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus());
        }}
      >
        ${tabs.map((tab) => html`<button role="tab" id="tab-${tab}" tabindex=${tab === this.tab ? 0 : -1} aria-selected=${String(tab === this.tab)} aria-controls="version-panel" @click=${() => (this.tab = tab)}>${tab[0]!.toUpperCase()}${tab.slice(1)}</button>`)}
      </div>
      <div role="tabpanel" id="version-panel" aria-labelledby="tab-${this.tab}" class="stack">${body[this.tab]()}</div>
    </div>`;
  }
}
/** AMD EPYC · 2 cores · 24 GB · Node 20.20.2 */
const machineWords = ({ cpu, cores, memoryGb, node, backend }: VersionCard["machine"]): string =>
  [cpu, cores && plural(Number(cores), "core"), memoryGb && `${memoryGb} GB`, node && `Node ${node}`, backend === "none" ? null : backend]
    .filter(Boolean)
    .join(" · ");
define("touch-version", TouchVersion);
