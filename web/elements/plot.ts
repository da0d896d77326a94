/**
 * `touch-plot`: a Plotly figure drawn when it is seen, with our own named buttons; its numbers as a table beside. Where a figure has parts its bars are buttons,
 * by mouse and by keyboard, and the chosen one's own figures stand below.
 */
import { html, nothing, type PropertyValues } from "lit";
import type { PlotlySpec } from "../../kernels/protocol/output.js";
import { download } from "../controllers/download.js";
import { figureTable } from "../controllers/figure-table.js";
import { loadPlotly, themed, type Plotly } from "../controllers/plotly.js";
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
    chosen: { state: true },
  };
  declare spec: PlotlySpec;
  /** spoken instead of the picture */
  declare label: string;
  declare table: boolean;
  declare failure: string | null;
  declare full: boolean;
  /** name of the part that is shown */
  declare chosen: string | null;
  #plotly: Plotly | null = null;
  #seen: IntersectionObserver | null = null;
  #size: ResizeObserver | null = null;
  #near = false;
  #drawn = false;
  #frame = 0;
  /** the one bar that Tab reaches; arrows go to the others */
  #tab = 0;
  #heard: HTMLElement | null = null;

  constructor() {
    super();
    this.label = "";
    this.table = false;
    this.failure = null;
    this.full = false;
    this.chosen = null;
  }

  get #host(): HTMLElement | null {
    return this.querySelector<HTMLElement>(":scope > figure > .plot-host");
  }
  get #part(): number {
    return this.spec.parts?.findIndex((part) => part.name === this.chosen) ?? -1;
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
    const host = this.#host;
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
      const host = this.#host;
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
      if (this.spec.parts !== undefined) this.#listen(host);
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

  /** Plotly draws its bars anew with each figure: they are made buttons again each time. */
  #listen(host: HTMLElement): void {
    const mark = (): void => this.#mark();
    if (this.#heard !== host) {
      this.#heard = host;
      const plot = host as HTMLElement & { on(event: string, heard: (event: { points?: { pointNumber: number }[] }) => void): void };
      plot.on("plotly_click", (event) => {
        const point = event.points?.[0]?.pointNumber;
        if (point !== undefined) this.#choose(point);
      });
      plot.on("plotly_afterplot", mark);
    }
    mark();
  }

  #bars(): SVGElement[] {
    const trace = this.#host?.querySelector(".trace.bars, .scatterlayer .trace");
    return [...(trace?.querySelectorAll<SVGElement>(".point > path, path.point") ?? [])].slice(0, this.spec.parts?.length ?? 0);
  }

  #mark(): void {
    const chosen = this.#part;
    const bars = this.#bars();
    this.#tab = Math.min(this.#tab, Math.max(0, bars.length - 1));
    bars.forEach((bar, i) => {
      bar.setAttribute("role", "button");
      bar.setAttribute("aria-label", this.spec.parts![i]!.label);
      bar.setAttribute("aria-pressed", String(i === chosen));
      bar.setAttribute("tabindex", i === this.#tab ? "0" : "-1");
    });
  }

  #choose(at: number): void {
    const part = this.spec.parts?.[at];
    if (part === undefined) return;
    this.#tab = at;
    this.chosen = this.chosen === part.name ? null : part.name;
    this.emit("say", { text: this.chosen === null ? `${part.name}: closed` : `${part.label}. ${part.summary}` });
  }

  #onBar = (event: KeyboardEvent | MouseEvent): void => {
    const bars = this.#bars();
    const at = bars.indexOf(event.target as SVGElement);
    if (at < 0) return;
    if (event instanceof KeyboardEvent) {
      const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: bars.length - 1 }[event.key];
      if (to !== undefined) {
        this.#tab = Math.max(0, Math.min(bars.length - 1, to));
        this.#mark();
        bars[this.#tab]!.focus();
      } else if (event.key === "Enter" || event.key === " ") this.#choose(at);
      else return;
      event.preventDefault();
      event.stopPropagation();
    } else this.#choose(at);
  };

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("chosen") && this.#drawn) this.#mark();
    if (changed.has("spec") || changed.has("table") || changed.has("full")) this.#draw();
  }

  #relayout(change: Record<string, unknown>): void {
    const host = this.#host;
    if (host !== null) void this.#plotly?.relayout(host, change);
  }

  async #image(format: "png" | "svg"): Promise<void> {
    const host = this.#host;
    if (host === null || this.#plotly === null) return;
    const url = await this.#plotly.toImage(host, { format, width: host.clientWidth, height: host.clientHeight, scale: 2 });
    const link = document.createElement("a");
    link.href = url;
    link.download = `${this.#name.replace(/[^\w.-]+/g, "-")}.${format}`;
    link.click();
  }

  protected override render() {
    const numbers = figureTable(this.spec.data);
    const { parts } = this.spec;
    const part = parts?.[this.#part];
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
          : html`<div
              class="plot-host"
              role=${parts === undefined ? "img" : "group"}
              aria-label=${this.#name}
              @keydown=${parts === undefined ? nothing : this.#onBar}
              @click=${parts === undefined ? nothing : this.#onBar}
            ></div>`
      }
      ${parts === undefined || this.table ? nothing : html`<p class="hint plot-hint">Choose a bar for its figures: click, or Tab, arrows and Enter.</p>`}
      ${this.failure !== null ? html`<p class="inline-error">${this.failure}</p>` : nothing}
      <div class="plot-tools" role="toolbar" aria-label="Figure">
        ${this.table ? nothing : html`${button("search", "Zoom", () => this.#relayout({ dragmode: "zoom" }))} ${button("undo-2", "Reset", () => this.#relayout({ "xaxis.autorange": true, "yaxis.autorange": upright(this.spec) }))}`}
        ${button("table-2", "As table", () => (this.table = !this.table), this.table)}
        ${this.table ? nothing : html`${button("image", "PNG", () => void this.#image("png"))} ${button("image", "SVG", () => void this.#image("svg"))}`}
        ${button("download", "CSV", () => download(`${this.#name.replace(/[^\w.-]+/g, "-")}.csv`, "text/csv", csv(numbers.columns, numbers.rows)))}
        ${button("maximize", this.full ? "Close" : "Full screen", () => (this.full = !this.full))}
      </div>
      ${
        part === undefined
          ? nothing
          : html`<section class="plot-detail" aria-label=${part.label}>
              ${part.figures.map((spec) => html`<touch-plot .spec=${spec} .label=${part.summary}></touch-plot>`)}
            </section>`
      }
    </figure>`;
  }
}
/** How the figure's own y axis runs when nothing was zoomed. */
const upright = (spec: PlotlySpec): unknown => (spec.layout?.["yaxis"] as { autorange?: unknown } | undefined)?.autorange ?? true;
define("touch-plot", TouchPlot);
