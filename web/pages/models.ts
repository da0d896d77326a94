/** `touch-models`: what is served, each champion beside the number that it beats. */
import { html, nothing } from "lit";
import type { ModelsView } from "../../kernels/protocol/http.js";
import type { ModelSummary } from "../../kernels/protocol/serving.js";
import { api } from "../controllers/api.js";
import { ago, bytes, figure, percent, plural } from "../controllers/format.js";
import { Load } from "../controllers/load.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";
import { spark } from "../elements/spark.js";

export const modelHref = (name: string, rest = ""): string => `/models/${encodeURIComponent(name)}${rest}`;

/** "−25 %" in the good direction, or the words that say otherwise. */
export function against(version: ModelSummary["versions"][number]) {
  const better = version.better === "lower" ? version.value < version.baseline.value : version.value > version.baseline.value;
  const same = version.value === version.baseline.value;
  return same
    ? html`<span class="hint">is the baseline</span>`
    : better
      ? html`<span class="status-ok">${icon("circle-check")} ${percent(version.value, version.baseline.value)}</span>`
      : html`<span class="status-error">${icon("circle-x")} below baseline</span>`;
}

export const range = ([low, high]: [number, number]): string => `[${figure(low)}, ${figure(high)}]`;

/** The row of ui 2: alias, metric with interval, baseline, incumbent, gates, p99, bytes, age, origin. */
export function versionRow(model: ModelSummary, version: ModelSummary["versions"][number]) {
  const passed = version.gates.filter((gate) => gate.verdict === "pass").length;
  const judged = version.gates.filter((gate) => gate.verdict !== "skip").length;
  const alias = version.version === model.champion ? "champion" : version.version === model.challenger ? "challenger" : null;
  return html`<tr class="row-link">
    <th scope="row" class="nowrap">
      <a href=${modelHref(model.name, `/v/${version.version}`)}>v${version.version}</a>
      ${alias === null ? nothing : html`<span class=${alias}>${alias === "champion" ? icon("trophy") : icon("split")} ${alias}</span>`}
      <div class="hint">${version.label}</div>
    </th>
    <td class="nowrap">
      ${version.metric} <strong class="number">${figure(version.value)}</strong> <span class="hint number">${range(version.ci)}</span>
    </td>
    <td class="nowrap">
      <span class="gold">${icon("ruler")} ${figure(version.baseline.value)}</span> <span class="hint">${version.baseline.label}</span>
    </td>
    <td class="nowrap">${against(version)}</td>
    <td class="nowrap">
      ${version.incumbent === null ? html`<span class="hint">none</span>` : html`v${version.incumbent.version} <span class="number">${figure(version.incumbent.value)}</span>`}
    </td>
    <td class="nowrap">${passed} of ${judged}</td>
    <td class="nowrap number">${version.p99 === null ? "" : `${figure(version.p99)} ms`}</td>
    <td class="nowrap number">${bytes(version.bytes)}</td>
    <td class="nowrap">
      ${ago(Date.parse(version.at), Date.now())}<br /><a class="hint" href=${origin(version.notebook, version.cell)}
        >${version.notebook.split("/").at(-1)}#${version.cell}</a
      >
    </td>
  </tr>`;
}

/** Where a version was made. */
export function origin(notebook: string, cell: string): string {
  const parts = notebook.replace(/^.*?workspaces\//, "").split("/");
  return `/w/${encodeURIComponent(parts[0]!)}/n/${parts.slice(1).map(encodeURIComponent).join("/")}#cell=${encodeURIComponent(cell)}`;
}

export const versionHead = html`<thead>
  <tr>
    <th scope="col">Version</th>
    <th scope="col">Metric</th>
    <th scope="col">Baseline</th>
    <th scope="col">Against it</th>
    <th scope="col">Incumbent</th>
    <th scope="col">Gates</th>
    <th scope="col">p99</th>
    <th scope="col">Size</th>
    <th scope="col">Promoted</th>
  </tr>
</thead>`;

export class TouchModels extends TouchElement {
  #load = new Load<ModelsView>(this, () => api.get("/api/ts/models"), 3000);

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Models · Touchstone";
  }

  protected override render() {
    const { value, error } = this.#load;
    return html`<div class="page wide">
      <h1>Models</h1>
      ${error !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>` : nothing}
      ${value === null && error === null ? html`<p class="hint" aria-busy="true">Loading</p>` : nothing}
      ${
        value?.models.length === 0
          ? html`<section class="card">
              <p>Nothing promoted yet. A model comes here from a promote cell.</p>
              <p class="row"><a class="button primary" href="/">Open an example</a></p>
            </section>`
          : nothing
      }
      ${value?.models.map(
        (model) =>
          html`<section aria-label=${model.name}>
            <div class="section-head">
              <h2><a href=${modelHref(model.name)}>${model.name}</a></h2>
              <span class="hint"
                >${plural(model.traffic.requests, "request")}${model.traffic.errors > 0 ? `, ${plural(model.traffic.errors, "error")}` : ""}</span
              >
              ${spark(model.traffic.perSecond, 0)}
              <a class="button small" href=${modelHref(model.name, "/live")}>${icon("activity")} Live</a>
            </div>
            <div class="table-scroll">
              <table class="rows">
                ${versionHead}
                <tbody>
                  ${[...model.versions]
                    .sort((a, b) => b.version - a.version)
                    .slice(0, 3)
                    .map((version) => versionRow(model, version))}
                </tbody>
              </table>
            </div>
          </section>`,
      )}
    </div>`;
  }
}
define("touch-models", TouchModels);
