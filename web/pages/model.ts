/** `touch-model`: one endpoint: the metric over its versions with the dashed baseline, the versions, the history. */
import { html, nothing } from "lit";
import type { ModelView } from "../../kernels/protocol/http.js";
import type { PlotlySpec } from "../../kernels/protocol/output.js";
import type { HistoryLine, ModelSummary } from "../../kernels/protocol/serving.js";
import { api } from "../controllers/api.js";
import { ago, figure } from "../controllers/format.js";
import { Load } from "../controllers/load.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";
import "../elements/plot.js";
import { modelHref, versionHead, versionRow } from "./models.js";

/** One line for the model with its intervals, one dashed line for the baseline, aliases as flags. */
export function versionsFigure(model: ModelSummary): PlotlySpec {
  const versions = [...model.versions].sort((a, b) => a.version - b.version);
  const metric = versions.at(-1)?.metric ?? "metric";
  const same = versions.filter((version) => version.metric === metric);
  const x = same.map((version) => `v${version.version}`);
  return {
    title: `${metric} over the versions of ${model.name}`,
    data: [
      {
        type: "scatter",
        mode: "lines+markers",
        name: model.name,
        x,
        y: same.map((version) => version.value),
        error_y: { type: "data", symmetric: false, array: same.map((v) => v.ci[1] - v.value), arrayminus: same.map((v) => v.value - v.ci[0]) },
      },
      {
        type: "scatter",
        name: "baseline",
        x,
        y: same.map((version) => version.baseline.value),
        // one version has no line to draw: a dash stands for it
        ...(same.length === 1 ? { mode: "markers", marker: { symbol: "line-ew-open", size: 60, line: { width: 2 } } } : { mode: "lines" }),
      },
    ],
    layout: {
      title: { text: `${metric} by version, ${same.at(-1)?.better === "higher" ? "higher" : "lower"} is better` },
      height: 280,
      xaxis: { type: "category" },
      yaxis: { title: metric },
      annotations: same
        .filter((version) => version.version === model.champion || version.version === model.challenger)
        .map((version) => ({
          x: `v${version.version}`,
          y: version.value,
          text: version.version === model.champion ? "champion" : "challenger",
          ay: -36,
          ax: 0,
          showarrow: true,
        })),
    },
  };
}

/** One line of the history as a sentence. */
export function historyText(line: HistoryLine): string {
  switch (line.type) {
    case "promote":
      return `v${line.version} promoted as ${line.alias}: ${line.metric} ${figure(line.value)} against ${figure(line.baseline.value)} (${line.baseline.label})${line.incumbent === null ? "" : `, the champion before had ${figure(line.incumbent)}`}`;
    case "alias":
      return line.version === null ? `no ${line.alias} any more: ${line.why}` : `v${line.version} is ${line.alias}: ${line.why}`;
    case "rollback":
      return `rolled back from v${line.from} to v${line.to}: ${line.why}`;
    case "arms":
      return `traffic ${line.arms.map((arm) => `v${arm.version} ${Math.round(arm.share * 1000) / 10} %`).join(", ")}: ${line.why}`;
    case "retire":
      return `retired: ${line.why}`;
  }
}

export const historyView = (history: HistoryLine[]) =>
  history.length === 0
    ? html`<p class="hint">No entry yet.</p>`
    : html`<div class="table-scroll">
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">By</th>
            </tr>
          </thead>
          <tbody>
            ${history.map(
              (line) =>
                html`<tr>
                  <td class="nowrap" title=${line.at}>${ago(Date.parse(line.at), Date.now())}</td>
                  <td>${historyText(line)}</td>
                  <td>${line.by}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`;

export class TouchModel extends TouchElement {
  static override properties = { name: { attribute: false } };
  declare name: string;
  #load = new Load<ModelView>(
    this,
    () => api.get(`/api/ts/models/${encodeURIComponent(this.name)}`),
    4000,
    () => this.name,
  );
  #figure: { key: string; spec: PlotlySpec } | null = null;

  protected override willUpdate(): void {
    document.title = `${this.name} · Touchstone`;
  }

  protected override render() {
    const { value, error } = this.#load;
    if (value === null)
      return html`<div class="page">
        <h1>${this.name}</h1>
        ${error === null ? html`<p class="hint" aria-busy="true">Loading</p>` : html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>`}
      </div>`;
    const { model, history } = value;
    // the same figure is not drawn again at each look
    const key = JSON.stringify([model.versions, model.champion, model.challenger]);
    if (this.#figure?.key !== key) this.#figure = { key, spec: versionsFigure(model) };
    return html`<div class="page wide">
      <div class="section-head">
        <h1>${model.name}</h1>
        ${model.champion === null ? html`<span class="hint">no champion</span>` : html`<span class="champion">${icon("trophy")} champion v${model.champion}</span>`}
        <a class="button" href=${modelHref(model.name, "/live")}>${icon("activity")} Live</a>
      </div>
      ${error !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>` : nothing}
      ${model.versions.length > 0 ? html`<section class="card" aria-label="Metric over versions"><touch-plot .spec=${this.#figure.spec} .label=${this.#figure.spec.title ?? ""}></touch-plot></section>` : nothing}
      <section aria-labelledby="h-versions">
        <h2 id="h-versions">Versions</h2>
        <div class="table-scroll">
          <table class="rows">
            ${versionHead}
            <tbody>
              ${[...model.versions].sort((a, b) => b.version - a.version).map((version) => versionRow(model, version))}
            </tbody>
          </table>
        </div>
      </section>
      <section aria-labelledby="h-history">
        <h2 id="h-history">History</h2>
        ${historyView(history)}
      </section>
    </div>`;
  }
}
define("touch-model", TouchModel);
