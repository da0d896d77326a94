/** `touch-markdown` and `touch-frame`: written text, cleaned; foreign HTML, in a frame without scripts or origin. */
import { html, nothing, type PropertyValues } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { download } from "../controllers/download.js";
import { bytes } from "../controllers/format.js";
import { token } from "../controllers/theme.js";
import { define, TouchElement } from "./base.js";

export interface Writer {
  /** Markdown as HTML; `alone`: for a file that has no fonts */
  render(text: string, alone?: boolean): Promise<string>;
  /** HTML of a cell without anything that runs, is asked for from elsewhere, or reaches out of its box */
  cleanForeign(text: string): string;
  cleanSvg(text: string): string;
}
let tools: Promise<Writer> | null = null;
export const loadWriter = (): Promise<Writer> =>
  (tools ??= Promise.all([import("markdown-it"), import("dompurify"), import("../controllers/math.js")]).then(([markdown, purify, math]) => {
    const write = math.withMath(new markdown.default({ html: false, linkify: true, typographer: false }));
    purify.default.addHook("afterSanitizeAttributes", (node) => {
      if (node.tagName === "A" && /^https?:/.test(node.getAttribute("href") ?? "")) {
        node.setAttribute("target", "_blank");
        node.setAttribute("rel", "noopener noreferrer");
      }
    });
    const clean = (text: string) => purify.default.sanitize(text, { FORBID_TAGS: ["style", "form", "input", "iframe"] });
    return {
      async render(text, alone = false) {
        const { html, formulas } = write(text);
        const cleaned = clean(html);
        if (formulas.length === 0) return cleaned;
        const { drawFormula } = await import("../controllers/katex.js");
        return math.fillMath(cleaned, formulas, (formula) => drawFormula(formula, alone));
      },
      cleanForeign: clean,
      cleanSvg: (text) => purify.default.sanitize(text, { USE_PROFILES: { svg: true, svgFilters: true } }),
    };
  }));

/** characters set at first: a text that a program wrote without end would hold the page for many seconds */
const most = 40_000;

/** The beginning of a long text, up to an empty line where there is one. */
function beginning(text: string): string {
  if (text.length <= most) return text;
  const paragraph = text.lastIndexOf("\n\n", most);
  return text.slice(0, paragraph > most / 2 ? paragraph : most);
}

export class TouchMarkdown extends TouchElement {
  static override properties = { text: { attribute: false }, clean: { state: true }, all: { state: true } };
  declare text: string;
  declare clean: string | null;
  /** also what comes after the first `most` characters */
  declare all: boolean;

  constructor() {
    super();
    this.text = "";
    this.clean = null;
    this.all = false;
  }

  get #view(): string {
    return this.all ? this.text : beginning(this.text);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("text") && !changed.has("all")) return;
    const view = this.#view;
    void loadWriter()
      .then(({ render }) => render(view))
      .then((clean) => {
        if (view === this.#view) this.clean = clean;
      });
  }

  protected override render() {
    const view = this.#view;
    const cut = view.length < this.text.length;
    return html`${
        cut
          ? html`<div class="cut">
              <span>The first ${bytes(view.length)} of this text.</span>
              <button class="link" @click=${() => (this.all = true)}>Show all</button>
              <button class="link" @click=${() => download("text.md", "text/markdown", this.text)}>Download (${bytes(this.text.length)})</button>
            </div>`
          : nothing
      }
      <div class="prose">${this.clean === null ? html`<pre class="plain">${view}</pre>` : unsafeHTML(this.clean)}</div>`;
  }
}
define("touch-markdown", TouchMarkdown);

/** Pictures as SVG text are shown through an image: scripts in them never run. */
export const svgSource = (text: string): string => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;

/** Foreign HTML: an origin of its own, no network, no way here but its height. */
export class TouchFrame extends TouchElement {
  static override properties = { content: { attribute: false }, height: { state: true } };
  declare content: string;
  declare height: number;

  constructor() {
    super();
    this.content = "";
    this.height = 80;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("message", this.#onMessage);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("message", this.#onMessage);
  }

  #onMessage = (event: MessageEvent): void => {
    const frame = this.querySelector("iframe");
    if (frame === null || event.source !== frame.contentWindow) return;
    const data = event.data as { ready?: boolean; height?: number } | null;
    if (data?.ready === true) {
      const style = `<meta charset="utf-8"><style>body{margin:8px;font:14px/20px system-ui,sans-serif;color:${token("text")};background:${token("surface")}}table{border-collapse:collapse}td,th{padding:2px 8px;border:1px solid #8888}</style>`;
      frame.contentWindow!.postMessage({ html: `<!doctype html>${style}${this.content}` }, "*");
    }
    if (typeof data?.height === "number") this.height = Math.min(480, Math.max(24, Math.ceil(data.height)));
  };

  protected override updated(changed: PropertyValues<this>): void {
    // a new text needs a new frame: its page writes itself once
    if (changed.has("content") && changed.get("content") !== undefined) {
      const frame = this.querySelector("iframe");
      frame?.setAttribute("src", "/api/ts/frame");
    }
  }

  protected override render() {
    return html`<iframe
      sandbox="allow-scripts"
      src="/api/ts/frame"
      title="HTML output"
      referrerpolicy="no-referrer"
      style="height:${this.height}px"
    ></iframe>`;
  }
}
define("touch-frame", TouchFrame);
