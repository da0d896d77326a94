/** `touch-packages`: the packages of the workspace as wanted, locked and installed, which cells use them, and npm at work. */
import { html, nothing } from "lit";
import type { PackageTask } from "../../../kernels/protocol/document.js";
import type { PackagesView, PackageView } from "../../../kernels/protocol/http.js";
import { api } from "../../controllers/api.js";
import { bytes, clock, plural } from "../../controllers/format.js";
import { Load } from "../../controllers/load.js";
import { define, TouchElement } from "../../elements/base.js";
import { addForm } from "../../elements/add-form.js";
import { icon } from "../../elements/icon.js";

export type PackageChange = Pick<PackageTask, "task" | "packages">;

/** "Installing d3, vega" */
export function taskWords({ task, packages }: PackageChange): string {
  if (task === "restore") return "Installing what package.json asks for";
  return `${task === "remove" ? "Removing" : "Installing"} ${packages.join(", ")}`;
}

/** What is to be said of a package, beside its version: the first that holds. */
export function packageTrouble({ wanted, installed, locked, own }: PackageView): string | null {
  if (installed === null) return own === null ? "not installed" : `not installed; npm: paths read Touchstone's own copy, ${own}`;
  if (wanted === null) return "not in package.json";
  if (locked === null) return "not in the lock";
  return installed === locked ? null : `the lock has ${locked}`;
}

export class TouchPackages extends TouchElement {
  static override properties = {
    path: { attribute: false },
    rev: { attribute: false },
    task: { attribute: false },
    writing: { attribute: false },
    number: { attribute: false },
    wrong: { state: true },
  };
  declare path: string;
  /** of the document: another one may import other packages */
  declare rev: number;
  declare task: PackageTask | null;
  declare writing: boolean;
  declare number: (cell: string) => number;
  declare wrong: string | null;
  #load = new Load<PackagesView>(
    this,
    () => api.get(`/api/ts/packages?path=${encodeURIComponent(this.path)}`),
    0,
    () => this.path,
  );
  #later: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    super();
    this.task = null;
    this.writing = false;
    this.number = () => 0;
    this.wrong = null;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    const was = changed.get("task") as PackageTask | null | undefined;
    if (changed.has("task") && was !== undefined) void this.#load.refresh();
    if (!changed.has("rev") || changed.get("rev") === undefined || this.#later !== null) return;
    // while a person types it is asked once in a while
    this.#later = setTimeout(() => {
      this.#later = null;
      void this.#load.refresh();
    }, 1500);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
  }

  #change(change: PackageChange): void {
    this.emit("packages-change", change);
  }
  #add(input: HTMLInputElement): void {
    // "d3@>=7 <8" is one, "d3 vega" and "d3, vega" are two
    const packages = input.value
      .trim()
      .split(/\s*,\s*|\s+(?=[@a-z])/)
      .filter((name) => name !== "");
    if (packages.length === 0) {
      this.wrong = "Type the name of a package of npm, such as d3 or d3@7.";
      return;
    }
    this.wrong = null;
    input.value = "";
    this.#change({ task: "install", packages });
  }

  #package(one: PackageView) {
    const trouble = packageTrouble(one);
    const off = !this.writing || this.task?.status === "running";
    return html`<li>
      <div class="package-line">
        <strong>${one.name}</strong> <span class="hint">${one.installed ?? ""}</span>
        ${
          one.installed === null && one.wanted === null
            ? html`<button
                class="small"
                ?disabled=${off}
                aria-label="Install ${one.name}"
                @click=${() => this.#change({ task: "install", packages: [one.name] })}
              >
                Install
              </button>`
            : one.wanted === null
              ? nothing
              : html`<button
                  class="icon-button small"
                  ?disabled=${off}
                  aria-label="Remove ${one.name}"
                  title="Remove ${one.name}"
                  @click=${() => this.#change({ task: "remove", packages: [one.name] })}
                >
                  ${icon("trash-2")}
                </button>`
        }
      </div>
      ${trouble === null ? nothing : html`<p class="package-trouble">${icon("triangle-alert")} ${trouble}</p>`}
      <p class="hint">
        ${[
          one.wanted === null ? null : `wanted ${one.wanted}${one.kind === "dependency" ? "" : ` (${one.kind})`}`,
          one.licence,
          one.bytes === null ? null : bytes(one.bytes),
        ]
          .filter((part) => part !== null)
          .join(" · ")}
      </p>
      ${one.description === null ? nothing : html`<p class="hint package-words">${one.description}</p>`}
      ${
        one.cells.length === 0
          ? html`<p class="hint">no cell ${one.others.length === 0 ? "" : "here "}imports it</p>`
          : html`<p class="hint">
              used by
              ${one.cells.slice(0, 8).map((cell, i) => html`${i > 0 ? ", " : ""}<button class="link" @click=${() => this.emit("go-cell", cell)}>cell ${this.number(cell)}</button>`)}${
                one.cells.length > 8 ? ` and ${one.cells.length - 8} more` : ""
              }
            </p>`
      }
      ${
        one.others.length === 0
          ? nothing
          : html`<p class="hint">
              also in
              ${one.others.slice(0, 5).map(({ path, href, cells }, i) => html`${i > 0 ? ", " : ""}<a href=${href}>${path.split("/").at(-1)}</a> (${plural(cells, "cell")})`)}${
                one.others.length > 5 ? ` and ${one.others.length - 5} more` : ""
              }
            </p>`
      }
    </li>`;
  }

  protected override render() {
    const { value, error } = this.#load;
    const running = this.task?.status === "running";
    const behind = value?.packages.some((one) => one.wanted !== null && packageTrouble(one) !== null);
    return html`${addForm({
      name: "package",
      label: "Add a package",
      placeholder: "name or name@version",
      sign: "plus",
      action: "Add",
      wrong: this.wrong,
      off: !this.writing,
      busy: running,
      submit: (input) => this.#add(input),
    })}
    ${error === null ? nothing : html`<p class="package-trouble" role="alert">${icon("circle-x")} ${error}</p>`}
    ${value?.broken == null ? nothing : html`<p class="package-trouble" role="alert">${icon("circle-x")} ${value.broken}</p>`}
    ${
      behind !== true
        ? nothing
        : html`<p>
            <button class="small" ?disabled=${!this.writing || running} @click=${() => this.#change({ task: "restore", packages: [] })}>
              ${icon("download")} Install what package.json asks for
            </button>
          </p>`
    }
    ${
      value === null
        ? html`<p class="hint" aria-busy="true">${error === null ? "Looking" : ""}</p>`
        : value.packages.length === 0
          ? html`<p class="hint">No packages yet. What a cell imports and is not there will be offered here and below the cell.</p>`
          : html`<ul class="packages" aria-label="Packages">
              ${value.packages.map((one) => this.#package(one))}
            </ul>`
    }
    ${value?.shared === true ? html`<p class="hint">The lock is that of the folder above, which lists this workspace.</p>` : nothing}
    ${
      value === null || value.log === ""
        ? nothing
        : html`<details class="package-log" ?open=${this.task?.status === "failed"}>
            <summary>npm's log</summary>
            <pre tabindex="0" aria-label="npm's log">${value.log}</pre>
          </details>`
    }`;
  }
}
define("touch-packages", TouchPackages);

/** `touch-package-task`: npm at work, under the toolbar: what, how long, its last line, a way out; then how it ended. */
export class TouchPackageTask extends TouchElement {
  static override properties = { task: { attribute: false }, writing: { attribute: false }, closed: { state: true }, since: { state: true } };
  declare task: PackageTask | null;
  declare writing: boolean;
  /** the task that a person closed, or that has been read */
  declare closed: PackageTask | null;
  declare since: number;
  #tick: ReturnType<typeof setInterval> | null = null;
  #gone: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    super();
    this.task = null;
    this.writing = false;
    this.closed = null;
    this.since = 0;
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
  }
  #stop(): void {
    if (this.#tick !== null) clearInterval(this.#tick);
    if (this.#gone !== null) clearTimeout(this.#gone);
    this.#tick = this.#gone = null;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("task")) return;
    const { task } = this;
    const was = changed.get("task") as PackageTask | null | undefined;
    if (was === undefined && task?.status !== "running") {
      // over before this page was opened
      this.closed = task;
      return;
    }
    if (task?.status === "running") {
      if (was?.status !== "running") this.since = Date.now();
      this.#tick ??= setInterval(() => this.requestUpdate(), 500);
      return;
    }
    this.#stop();
    if (task?.status === "done") this.#gone = setTimeout(() => (this.closed = task), 8000);
  }

  protected override render() {
    const { task } = this;
    if (task === null || task === this.closed) return nothing;
    const log = html`<button class="small" @click=${() => this.emit("packages-show")}>Show packages</button>`;
    if (task.status === "running")
      return html`<div class="task-line" data-task="running">
        ${icon("download")} <span role="status">${taskWords(task)}</span> <span class="hint">${clock(Date.now() - this.since)}</span>
        <span class="hint task-said">${task.said}</span>
        ${log} <button class="small" ?disabled=${!this.writing} @click=${() => this.emit("packages-cancel")}>Cancel</button>
      </div>`;
    const failed = task.status === "failed";
    return html`<div class="task-line ${failed ? "failed" : ""}" data-task=${task.status}>
      ${icon(failed ? "circle-x" : task.status === "done" ? "circle-check" : "circle-slash")}
      <span class="words" role=${failed ? "alert" : "status"}>${task.said}</span>
      ${log} <button class="small" @click=${() => (this.closed = task)}>Close</button>
    </div>`;
  }
}
define("touch-package-task", TouchPackageTask);
