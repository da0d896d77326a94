/** `touch-plot`: a Plotly figure drawn when it is seen, with our own named buttons; its numbers as a table beside. */
import { html, nothing, type PropertyValues } from "lit";
import type { PlotlySpec } from "../../kernels/protocol/output.js";
import { download } from "../controllers/download.js";
import { figureTable, loadPlotly, themed, type Plotly } from "../controllers/plotly.js";
import { csv, localRows } from "../controllers/rows.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";
import "./grid.js";

export class TouchPlot extends TouchElement {
  static override properties = {
    spec: { attribute: false },
    label: { attribute: false },
    table: { state: true },
    failure: { state: true },
    full: { state: true },
  };
  declare spec: PlotlySpec;
  /** spoken instead of the picture */
  declare label: string;
  declare table: boolean;
  declare failure: string | null;
  declare full: boolean;
  #plotly: Plotly | null = null;
  #seen: IntersectionObserver | null = null;
  #size: ResizeObserver | null = null;
  #near = false;
  #drawn = false;
  #frame = 0;

  constructor() {
    super();
    this.label = "";
    this.table = false;
    this.failure = null;
    this.full = false;
  }

  get #name(): string {
    const title = this.spec.layout?.["title"];
    return this.spec.title ?? (typeof title === "string" ? title : ((title as { text?: string } | undefined)?.text ?? this.label)) ?? "figure";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#seen = new IntersectionObserver(
      (entries) => {
        this.#near = entries.at(-1)!.isIntersecting;
        if (this.#near) this.#draw();
        else this.#purge();
      },
      { rootMargin: "100% 0px" },
    );
    this.#seen.observe(this);
    addEventListener("touch-theme", this.#draw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#seen?.disconnect();
    this.#size?.disconnect();
    removeEventListener("touch-theme", this.#draw);
    this.#purge();
  }

  #purge(): void {
    const host = this.querySelector<HTMLElement>(".plot-host");
    if (host !== null && this.#drawn) {
      host.style.minHeight = `${host.clientHeight}px`;
      this.#plotly?.purge(host);
    }
    this.#drawn = false;
  }

  #draw = (): void => {
    if (!this.#near || this.table) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => void this.#paint());
  };

  async #paint(): Promise<void> {
    try {
      this.#plotly ??= await loadPlotly();
      const host = this.querySelector<HTMLElement>(".plot-host");
      if (host === null || !this.isConnected) return;
      // Plotly writes into what it is given: the state must stay as it came
      const copy = structuredClone(this.spec);
      const { data, layout } = themed(copy.data, copy.layout ?? {});
      // a narrow figure would cut its title
      const { title } = layout as { title?: { font?: { size?: number } } };
      if (host.clientWidth < 480 && title?.font !== undefined) title.font.size = 12;
      await this.#plotly.react(host, data, this.full ? { ...layout, height: innerHeight - 120 } : layout, {
        displayModeBar: false,
        responsive: false,
        scrollZoom: false,
        doubleClick: "reset",
      });
      this.#drawn = true;
      host.style.minHeight = "";
      if (this.#size === null) {
        let width = host.clientWidth;
        this.#size = new ResizeObserver(() => {
          if (host.clientWidth === width || host.clientWidth === 0) return;
          width = host.clientWidth;
          if (this.#drawn) this.#plotly?.Plots.resize(host);
        });
        this.#size.observe(host);
      }
    } catch (error) {
      this.failure = `The figure cannot be drawn: ${(error as Error).message}`;
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("spec") || changed.has("table") || changed.has("full")) this.#draw();
  }

  #relayout(change: Record<string, unknown>): void {
    const host = this.querySelector<HTMLElement>(".plot-host");
    if (host !== null) void this.#plotly?.relayout(host, change);
  }

  async #image(format: "png" | "svg"): Promise<void> {
    const host = this.querySelector<HTMLElement>(".plot-host");
    if (host === null || this.#plotly === null) return;
    const url = await this.#plotly.toImage(host, { format, width: host.clientWidth, height: host.clientHeight, scale: 2 });
    const link = document.createElement("a");
    link.href = url;
    link.download = `${this.#name.replace(/[^\w.-]+/g, "-")}.${format}`;
    link.click();
  }

  protected override render() {
    const numbers = figureTable(this.spec.data);
    const button = (name: string, label: string, run: () => void, pressed?: boolean) =>
      html`<button class="small quiet" aria-pressed=${pressed === undefined ? nothing : String(pressed)} @click=${run}>
        ${icon(name)} ${label}
      </button>`;
    return html`<figure
      class=${this.full ? "plot full" : "plot"}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === "Escape" && this.full) {
          this.full = false;
          event.stopPropagation();
        }
      }}
    >
      ${
        this.table
          ? html`<touch-grid .source=${localRows(this.#name, numbers.columns, numbers.rows)} .label=${`${this.#name}, as table`}></touch-grid>`
          : html`<div class="plot-host" role="img" aria-label=${this.#name}></div>`
      }
      ${this.failure !== null ? html`<p class="inline-error">${this.failure}</p>` : nothing}
      <div class="plot-tools" role="toolbar" aria-label="Figure">
        ${this.table ? nothing : html`${button("search", "Zoom", () => this.#relayout({ dragmode: "zoom" }))} ${button("undo-2", "Reset", () => this.#relayout({ "xaxis.autorange": true, "yaxis.autorange": true }))}`}
        ${button("table-2", "As table", () => (this.table = !this.table), this.table)}
        ${this.table ? nothing : html`${button("image", "PNG", () => void this.#image("png"))} ${button("image", "SVG", () => void this.#image("svg"))}`}
        ${button("download", "CSV", () => download(`${this.#name.replace(/[^\w.-]+/g, "-")}.csv`, "text/csv", csv(numbers.columns, numbers.rows)))}
        ${button("maximize", this.full ? "Close" : "Full screen", () => (this.full = !this.full))}
      </div>
    </figure>`;
  }
}
define("touch-plot", TouchPlot);
