/** `touch-output`: what a cell shows, the richest form of each display that the page knows. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { KernelQuery } from "../../kernels/protocol/document.js";
import {
  mime,
  type FindingView,
  type MimeBundle,
  type Output,
  type PlotlySpec,
  type Progress,
  type TableView,
  type ValueView,
} from "../../kernels/protocol/output.js";
import { api } from "../controllers/api.js";
import { bytes, integer, plural } from "../controllers/format.js";
import { relationRows, type RowSource } from "../controllers/rows.js";
import type { QueryOptions } from "../controllers/session.js";
import { define, TouchElement } from "./base.js";
import { progressView } from "./progress.js";
import { svgSource } from "./markdown.js";
import "./error.js";
import "./grid.js";
import "./plot.js";
import "./result.js";
import "./text.js";
import "./value.js";

const step = 50;
/** characters of an error's message, above which it is boxed like other text */
const longError = 2000;
/** px: a box is cut to 480 only where that saves some */
const boxed = 560;

export class TouchOutput extends TouchElement {
  static override properties = {
    outputs: { attribute: false },
    query: { attribute: false },
    notebook: { attribute: false },
    cell: { attribute: false },
    writing: { attribute: false },
    running: { attribute: false },
    bounded: { attribute: false },
    more: { attribute: false },
    shown: { state: true },
    loaded: { state: true },
    failure: { state: true },
    tall: { state: true },
  };
  declare outputs: Output[];
  declare query: (query: KernelQuery, how?: QueryOptions) => Promise<unknown>;
  /** path and cell id, for downloads */
  declare notebook: string;
  declare cell: string;
  declare writing: boolean;
  declare running: boolean;
  /** false = the whole height */
  declare bounded: boolean;
  /** displays that only the server's disk has */
  declare more: number;
  declare shown: number;
  /** those of them that were asked for */
  declare loaded: Output[];
  declare failure: string | null;
  declare tall: number;
  #rows = new WeakMap<object, RowSource>();
  #size: ResizeObserver | null = null;

  constructor() {
    super();
    this.outputs = [];
    this.notebook = "";
    this.cell = "";
    this.writing = true;
    this.running = false;
    this.bounded = true;
    this.more = 0;
    this.shown = step;
    this.loaded = [];
    this.failure = null;
    this.tall = 0;
  }

  #source(view: TableView): RowSource {
    let source = this.#rows.get(view);
    if (source === undefined) this.#rows.set(view, (source = relationRows(view, (query, how) => this.query(query, how), this.notebook)));
    return source;
  }

  #bundle(data: MimeBundle): TemplateResult {
    if (mime.finding in data) return html`<touch-result .finding=${data[mime.finding] as FindingView} .running=${this.running}></touch-result>`;
    if (mime.table in data)
      return html`<touch-grid
        .source=${this.#source(data[mime.table] as TableView)}
        .label=${`table, ${(data[mime.table] as TableView).relation}`}
      ></touch-grid>`;
    if (mime.plotly in data)
      return html`<touch-plot .spec=${data[mime.plotly] as PlotlySpec} .label=${String(data[mime.text] ?? "figure")}></touch-plot>`;
    if (mime.progress in data) return progressView(data[mime.progress] as Progress);
    if (mime.markdown in data) return html`<touch-markdown .text=${String(data[mime.markdown])}></touch-markdown>`;
    const picture = [mime.png, mime.jpeg, mime.gif, mime.webp].find((type) => type in data);
    if (picture !== undefined)
      return html`<img class="picture" src="data:${picture};base64,${String(data[picture])}" alt=${String(data[mime.text] ?? "picture")} />`;
    if (mime.svg in data) return html`<img class="picture" src=${svgSource(String(data[mime.svg]))} alt=${String(data[mime.text] ?? "picture")} />`;
    if (mime.html in data) return html`<touch-frame .content=${String(data[mime.html])}></touch-frame>`;
    const view = data[mime.value] as ValueView | undefined;
    if (view !== undefined && view.length === undefined)
      return html`<touch-value .view=${view} .text=${String(data[mime.text])} .query=${this.query}></touch-value>`;
    if (view?.length !== undefined) {
      const text = String(data[mime.text]);
      const href = `/api/ts/values/text?path=${encodeURIComponent(this.notebook)}&handle=${encodeURIComponent(view.handle)}`;
      return html`<div class="cut">
          <span>The first ${integer(text.length)} of ${integer(view.length)} characters.</span>
          <a href=${href} download>Download (${bytes(view.length)})</a>
        </div>
        <touch-text .text=${text} .name=${"value"}></touch-text>`;
    }
    const text = data[mime.text];
    return html`<touch-text .text=${text === undefined ? JSON.stringify(data, null, 2) : String(text)} .name=${"value"}></touch-text>`;
  }

  #one(output: Output): TemplateResult {
    const href = `/api/ts/outputs/text?path=${encodeURIComponent(this.notebook)}&cell=${encodeURIComponent(this.cell)}`;
    switch (output.kind) {
      case "stream":
        return html`<touch-text
          .text=${output.text}
          .name=${output.name}
          .cut=${output.cut ?? 0}
          .running=${this.running}
          .href=${href}
        ></touch-text>`;
      case "error":
        return html`<touch-error .error=${output.error} .href=${`${href}&of=errors`} .writing=${this.writing}></touch-error>`;
      case "display":
        return this.#bundle(output.data);
    }
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // fewer than were loaded: they are of another run
    if (changed.has("more") && this.more < this.loaded.length) this.loaded = [];
  }

  async #load(): Promise<void> {
    const query = new URLSearchParams({ path: this.notebook, cell: this.cell, offset: String(this.loaded.length), limit: String(step) });
    try {
      const { outputs } = await api.get<{ outputs: Output[] }>(`/api/ts/outputs/more?${query}`);
      this.loaded = [...this.loaded, ...outputs];
      this.failure = null;
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }

  protected override firstUpdated(): void {
    const inner = this.querySelector(".output-inner");
    if (inner === null) return;
    this.#size = new ResizeObserver(() => (this.tall = Math.round(inner.getBoundingClientRect().height)));
    this.#size.observe(inner);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#size?.disconnect();
  }

  protected override render() {
    const all = this.loaded.length > 0 ? [...this.outputs, ...this.loaded] : this.outputs;
    const view = all.slice(0, this.shown + this.loaded.length);
    const here = all.length - view.length;
    const more = here > 0 ? here : this.more - this.loaded.length;
    // results, grids and figures have their own bounds; long lists of text and pictures get a box
    const own = this.outputs.every(
      (output) =>
        (output.kind === "error" && output.error.message.length <= longError) ||
        (output.kind === "display" && [mime.finding, mime.table, mime.plotly].some((type) => type in output.data)),
    );
    const cut = this.bounded && !own && this.tall > boxed;
    return html`<div
        class="output-box ${cut ? "bounded" : ""}"
        role=${cut ? "region" : nothing}
        aria-label=${cut ? "output, scrolls" : nothing}
        tabindex=${cut ? "0" : nothing}
      >
        <div class="output-inner">
          ${repeat(
            view,
            (output, i) => (output.kind === "display" ? `d${output.id}` : `${output.kind}${i}`),
            (output) => this.#one(output),
          )}
          ${
            more > 0
              ? html`<button class="link" @click=${() => (here > 0 ? (this.shown += step) : void this.#load())}>
                  ${plural(more, "more display")}: show ${integer(Math.min(step, more))}
                </button>`
              : nothing
          }
          ${this.failure !== null ? html`<p class="inline-error" role="alert">${this.failure}</p>` : nothing}
        </div>
      </div>
      ${cut ? html`<button class="fold-bar" @click=${() => this.emit("unbound")}>Show all (${integer(this.tall)} px)</button>` : nothing}`;
  }
}
define("touch-output", TouchOutput);
