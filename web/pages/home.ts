/** `touch-home`: what goes on here, every row one line and a link. */
import { html, nothing } from "lit";
import type { HomeView, NotebookView } from "../../kernels/protocol/http.js";
import { api } from "../controllers/api.js";
import { ago, clock, duration, figure, memory, percent, plural, time } from "../controllers/format.js";
import { Load } from "../controllers/load.js";
import { define, TouchElement } from "../elements/base.js";
import { idleWords } from "./notebook/kernel-banners.js";
import { icon } from "../elements/icon.js";
import { newDialog } from "../elements/new-dialog.js";
import { spark } from "../elements/spark.js";

export class TouchHome extends TouchElement {
  static override properties = { filter: { state: true }, opening: { state: true }, creating: { state: true }, failure: { state: true } };
  declare filter: string;
  declare opening: string | null;
  declare creating: boolean;
  declare failure: string | null;
  #home = new Load<HomeView>(this, () => api.get("/api/ts/home"), 2000);

  constructor() {
    super();
    this.filter = "";
    this.opening = null;
    this.creating = false;
    this.failure = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Touchstone";
  }

  async #open(name: string): Promise<void> {
    this.opening = name;
    this.failure = null;
    try {
      const { href } = await api.post<{ href: string }>(`/api/ts/examples/${encodeURIComponent(name)}/open`);
      this.emit("go", href);
    } catch (error) {
      this.failure = (error as Error).message;
    }
    this.opening = null;
  }

  async #create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    try {
      const made = await api.post<{ href: string }>("/api/ts/notebooks", {
        workspace: String(data.get("workspace")),
        ...(String(data.get("name")) !== "" && { name: String(data.get("name")) }),
      });
      this.querySelector("dialog")?.close();
      this.emit("go", made.href);
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }

  /** Opens the form for a new notebook. */
  startNew(): void {
    this.creating = true;
    this.failure = null;
    void this.updateComplete.then(() => {
      const dialog = this.querySelector<HTMLDialogElement>(".new-dialog");
      if (dialog?.open === false) dialog.showModal();
      dialog?.querySelector<HTMLInputElement>("input[name=name]")?.focus();
    });
  }

  async #shutdown(path: string): Promise<void> {
    try {
      await api.post("/api/ts/notebooks/shutdown", { path });
    } catch (error) {
      this.failure = (error as Error).message;
    }
    void this.#home.refresh();
  }

  #result(notebook: NotebookView) {
    if (notebook.running !== null) {
      const { done, of, since } = notebook.running;
      return html`<span class="status-running"
        >${icon("loader-circle")} running cell ${Math.min(done + 1, of)} of ${of} · ${clock(Date.now() - since)}</span
      >`;
    }
    const last = notebook.lastRun;
    if (last === null) return html`<span class="hint">not run</span>`;
    if (last.result === "ok") return html`<span class="status-ok">${icon("circle-check")} ok</span>`;
    return html`<span class="status-error">${icon("circle-x")} ${last.result}${last.cell === null ? "" : ` in ${last.cell}`}</span>`;
  }

  #badge(notebook: NotebookView) {
    const { badge } = notebook;
    if (badge === null || notebook.running !== null) return nothing;
    if (badge.state === "same") return html`${icon("equal")} same`;
    if (badge.state === "stale")
      return html`<span class="status-stale">${icon("refresh-cw")} ${plural(badge.cells.length + (badge.more ?? 0), "cell")} stale</span>`;
    if (badge.state === "error") return html`<span class="status-error">${icon("circle-x")} error</span>`;
    return html`<span class="hint">not checked</span>`;
  }

  #workspaces(home: HomeView) {
    const words = this.filter.toLowerCase();
    const rows = home.workspaces.flatMap((workspace) =>
      workspace.notebooks
        .filter((notebook) => `${workspace.name} ${notebook.name} ${notebook.title}`.toLowerCase().includes(words))
        .map((notebook) => ({ workspace, notebook })),
    );
    const all = home.workspaces.reduce((n, workspace) => n + workspace.notebooks.length, 0);
    return html`<section aria-labelledby="h-notebooks">
      <div class="section-head">
        <h2 id="h-notebooks">Notebooks</h2>
        <button class="primary" @click=${() => this.startNew()}>${icon("plus")} New notebook</button>
        ${all > 5 ? html`<label class="filter">Filter <input type="search" .value=${this.filter} @input=${(event: Event) => (this.filter = (event.target as HTMLInputElement).value)} /></label>` : nothing}
      </div>
      ${
        rows.length === 0
          ? html`<p class="hint">${all === 0 ? "No notebook yet." : "No notebook is called so."}</p>`
          : html`<div class="table-scroll">
              <table class="rows">
                <thead>
                  <tr>
                    <th scope="col">Notebook</th>
                    <th scope="col">Workspace</th>
                    <th scope="col">Last run</th>
                    <th scope="col">Result</th>
                    <th scope="col">Clean run</th>
                    <th scope="col">Kernel</th>
                    <th scope="col"><span class="sr">Actions</span></th>
                  </tr>
                </thead>
                <tbody>
                  ${rows.map(({ workspace, notebook }) => {
                    const { kernel } = notebook;
                    const used = kernel?.memory.at(-1) ?? 0;
                    const alive = kernel !== null && !["none", "dead"].includes(kernel.state);
                    return html`<tr class="row-link">
                      <th scope="row"><a href=${notebook.href}>${notebook.title}</a> <span class="hint file">${notebook.name}</span></th>
                      <td>${workspace.name}</td>
                      <td class="nowrap">
                        ${notebook.lastRun === null ? html`<span class="hint">edited ${ago(notebook.modifiedAt, Date.now())}</span>` : html`${ago(notebook.lastRun.at, Date.now())} <span class="hint">${duration(notebook.lastRun.elapsedMs)}</span>`}
                      </td>
                      <td class="nowrap">${this.#result(notebook)}</td>
                      <td class="nowrap">${this.#badge(notebook)}</td>
                      <td class="nowrap kernel">
                        ${alive ? html`${kernel.state} ${used > 0 ? html`<span class="number">${memory(used)}</span> ${used > 0.8 * kernel.memoryLimit ? html`<strong class="high">high</strong>` : nothing} ${spark(kernel.memory, kernel.memoryLimit)}` : nothing}` : kernel?.state === "dead" ? html`<span class="status-error">stopped</span>` : kernel?.culled ? html`<span class="hint">shut down after ${idleWords(kernel.culled.idleMs)} idle</span>` : nothing}
                      </td>
                      <td>
                        ${alive ? html`<button class="small" @click=${() => void this.#shutdown(notebook.path)} aria-label="Shut down ${notebook.title}">Shut down</button>` : nothing}
                      </td>
                    </tr>`;
                  })}
                </tbody>
              </table>
            </div>`
      }
    </section>`;
  }

  #examples(home: HomeView) {
    return html`<section aria-labelledby="h-examples">
      <div class="section-head"><h2 id="h-examples">Examples</h2></div>
      <ul class="examples">
        ${home.examples.map(
          (example) =>
            html`<li class="card example">
              <h3>${example.title}</h3>
              <p class="hint">${about[example.name] ?? example.path}</p>
              <button
                class="primary"
                ?disabled=${this.opening !== null}
                aria-label="Open ${example.title}"
                @click=${() => void this.#open(example.name)}
              >
                ${this.opening === example.name ? "Opening" : "Open"}
              </button>
            </li>`,
        )}
      </ul>
    </section>`;
  }

  #models(home: HomeView) {
    return html`<section aria-labelledby="h-models">
      <div class="section-head"><h2 id="h-models">Models</h2></div>
      ${
        home.models.length === 0
          ? html`<p class="hint">Nothing promoted yet. A model comes here from a promote cell.</p>`
          : html`<div class="table-scroll">
              <table class="rows">
                <tbody>
                  ${home.models.map((model) => {
                    const version = model.versions.find((v) => v.version === model.champion);
                    return html`<tr class="row-link">
                      <th scope="row">
                        <a href="/models/${encodeURIComponent(model.name)}/live">${model.name}</a>
                        ${model.champion === null ? nothing : html`<span class="champion">${icon("trophy")} v${model.champion}</span>`}
                      </th>
                      ${
                        version === undefined
                          ? html`<td colspan="2"><span class="hint">no champion</span></td>`
                          : html`<td class="nowrap">${version.metric} <strong class="number">${figure(version.value)}</strong></td>
                              <td class="nowrap">
                                <span class="gold">${icon("ruler")} ${figure(version.baseline.value)}</span> ${version.baseline.label}
                                <span class="number">${percent(version.value, version.baseline.value)}</span>
                              </td>`
                      }
                      <td class="nowrap">${model.traffic.p99 === null ? "" : `p99 ${figure(model.traffic.p99)} ms`}</td>
                      <td class="nowrap">
                        ${plural(model.traffic.requests, "request")}${model.traffic.errors > 0 ? `, ${plural(model.traffic.errors, "error")}` : ""}
                      </td>
                    </tr>`;
                  })}
                </tbody>
              </table>
            </div>`
      }
    </section>`;
  }

  protected override render() {
    const { value: home, error } = this.#home;
    if (home === null)
      return html`<div class="page">
        <h1>Home</h1>
        ${error === null ? html`<p class="hint" aria-busy="true">Loading</p>` : html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>`}
      </div>`;
    const running = home.workspaces.flatMap((w) => w.notebooks).filter((notebook) => notebook.running !== null);
    const recent = home.workspaces
      .flatMap((w) => w.notebooks)
      .filter((notebook) => notebook.lastRun !== null && notebook.running === null)
      .sort((a, b) => b.lastRun!.at - a.lastRun!.at)
      .slice(0, 2);
    // examples come first only until something has run
    const used = running.length + recent.length > 0;
    return html`<div class="page home">
      <h1 class="sr">Home</h1>
      ${error !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${error}</p>` : nothing}
      ${this.failure !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>` : nothing}
      ${
        used
          ? html`<section class="continue" aria-labelledby="h-continue">
              <h2 id="h-continue">Continue</h2>
              <div class="continue-row">
                ${[...running, ...recent].slice(0, 3).map(
                  (notebook) =>
                    html`<a class="card" href=${notebook.href}
                      ><strong>${notebook.title}</strong>
                      <span class="hint"
                        >${notebook.running === null ? `${ago(notebook.lastRun!.at, Date.now())}, ${time(notebook.lastRun!.at)}` : nothing}</span
                      >
                      ${this.#result(notebook)}</a
                    >`,
                )}
              </div>
            </section>`
          : html`<section class="intro">
              <p class="lead">Touchstone is a notebook in which no model reaches users before it has been rubbed against its baseline.</p>
              <p>
                Load data with SQL, train in TypeScript, and take the model through five steps to production: a baseline first, an early release, a
                simulated test, a budget for speed and size, and a watch on drift.
              </p>
              <p>Open an example to see it all on real data, or start with an empty notebook.</p>
            </section>`
      }
      ${used ? html`${this.#workspaces(home)} ${this.#models(home)} ${this.#examples(home)}` : html`${this.#examples(home)} ${this.#workspaces(home)} ${this.#models(home)}`}
      ${newDialog({
        id: "new-title",
        title: "New notebook",
        fields: html`<label>Name <input name="name" placeholder="notebook" maxlength="80" autocomplete="off" /></label>
          <label
            >Workspace
            <input
              name="workspace"
              list="workspaces"
              .value=${home.workspaces.find((w) => !["flights", "digits", "ridership", "."].includes(w.name))?.name ?? "notes"}
              required
            />
            <datalist id="workspaces">${home.workspaces.map((w) => html`<option value=${w.name}></option>`)}</datalist>
          </label>`,
        failure: this.failure,
        create: this.#create,
        closed: () => (this.creating = false),
      })}
    </div>`;
  }
}

const about: Record<string, string> = {
  flights: "3,000,000 real flights: lateness, a baseline by hour, a model, a simulated test, drift by month.",
  digits: "Handwritten digits: a big teacher, a small student that keeps the budget, errors with intervals.",
  ridership: "Fifteen years of daily riders: naive forecasts are hard to beat; the baseline is served first.",
};
define("touch-home", TouchHome);
