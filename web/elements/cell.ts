/** `touch-cell`: head (number, kind, name, state, actions), editor or form, output. Plain properties in, `cell-action` events out. */
import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { CellDefinition, ScopeName } from "../../kernels/protocol/cells.js";
import { blankCell } from "../../kernels/notebook/blank.js";
import type { Control } from "../../kernels/protocol/controls.js";
import type { Cell, CellState, KernelQuery, Question } from "../../kernels/protocol/document.js";
import type { CodeProblem } from "../../kernels/protocol/language.js";
import type { Output } from "../../kernels/protocol/output.js";
import { time } from "../controllers/format.js";
import { statusOf } from "../controllers/status.js";
import { define, TouchElement } from "./base.js";
import type { TouchEditor } from "./editor.js";
import { cellMenu } from "./cell-menu.js";
import { controlList } from "./controls.js";
import "./editor.js";
import "./form.js";
import type { Found } from "./found.js";
import { icon } from "./icon.js";
import "./markdown.js";
import "./output.js";
import { pairMark, type CellPair } from "./pair.js";
import "./question.js";
import { turn } from "./turn.js";
import { words } from "./words.js";

/** cells that are drawn with the page */
const atOnce = 12;

export type CellAction =
  | "run"
  | "stop"
  | "stop-keep"
  | "cancel"
  | "delete"
  | "duplicate"
  | "up"
  | "down"
  | "disable"
  | "lazy"
  | "cache"
  | "fresh"
  | "run-from"
  | "form"
  | "code"
  | "fold"
  | "unbound"
  | "select"
  | "edit"
  | "insert-below"
  | "keep-mine"
  | "take-theirs"
  | "keep-both"
  | { go: string }
  | { rename: { from: string; to: string } };

const kinds: Record<string, { icon: string; label: string }> = {
  code: { icon: "code", label: "Code" },
  sql: { icon: "database", label: "SQL" },
  markdown: { icon: "text", label: "Text" },
};

export class TouchCell extends TouchElement {
  static override properties = {
    cell: { attribute: false },
    state: { attribute: false },
    outputs: { attribute: false },
    more: { attribute: false },
    questions: { attribute: false },
    controls: { attribute: false },
    number: { attribute: false },
    definition: { attribute: false },
    scope: { attribute: false },
    selected: { attribute: false },
    editing: { attribute: false },
    form: { attribute: false },
    folded: { attribute: false },
    bounded: { attribute: false },
    writing: { attribute: false },
    from: { attribute: false },
    query: { attribute: false },
    notebook: { attribute: false },
    usedBy: { attribute: false },
    place: { attribute: false },
    hint: { attribute: false },
    code: { attribute: false },
    pair: { attribute: false },
    found: { attribute: false },
    numbers: { attribute: false },
    menu: { state: true },
    tick: { state: true },
  };
  declare cell: Cell;
  declare state: CellState | undefined;
  declare outputs: Output[];
  /** displays that only the server's disk has */
  declare more: number;
  /** what it asks, with `prompt()` */
  declare questions: readonly Question[];
  /** what its `view(...)` shows */
  declare controls: readonly Control[];
  declare number: number;
  declare definition: CellDefinition | null;
  declare scope: ScopeName[];
  declare selected: boolean;
  /** the caret is in it */
  declare editing: boolean;
  declare form: boolean;
  declare folded: boolean;
  declare bounded: boolean;
  declare writing: boolean;
  declare from: { at: number } | null;
  declare query: (query: KernelQuery) => Promise<unknown>;
  /** path, for downloads */
  declare notebook: string;
  declare usedBy: string[];
  /** in the queue, from 1 */
  declare place: number | null;
  declare hint: string;
  /** what the language service says about the source */
  declare code: readonly CodeProblem[];
  /** changed here and in the file */
  declare pair: CellPair | null;
  /** what find and replace marks in its source, which is shown while one of them is current */
  declare found: readonly Found[];
  /** its code has line numbers */
  declare numbers: boolean;
  /** its menu is open */
  declare menu: boolean;
  declare tick: number;
  /** question that has the focus while the cell is drawn */
  #asking: Element | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor() {
    super();
    this.outputs = [];
    this.more = 0;
    this.questions = [];
    this.controls = [];
    this.number = 1;
    this.definition = null;
    this.scope = [];
    this.selected = false;
    this.editing = false;
    this.form = true;
    this.folded = false;
    this.bounded = true;
    this.writing = true;
    this.from = null;
    this.notebook = "";
    this.usedBy = [];
    this.place = null;
    this.hint = "";
    this.code = [];
    this.pair = null;
    this.found = [];
    this.numbers = false;
    this.menu = false;
    this.tick = 0;
  }

  /** The first cells are drawn with the page, each further one in a task of its own: a large notebook does not hold the page. */
  protected override async scheduleUpdate(): Promise<void> {
    if (!this.hasUpdated && !this.selected && this.number > atOnce) {
      // what the cell is can be asked for, and gone to, before it is drawn
      this.#mark();
      await turn();
    }
    super.scheduleUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  get editor(): TouchEditor | null {
    return this.querySelector<TouchEditor>("touch-editor");
  }
  async revealFound(): Promise<void> {
    await this.updateComplete;
    await this.editor?.revealFound();
  }
  /** The element that has the focus in selected mode. */
  get card(): HTMLElement | null {
    return this.querySelector<HTMLElement>(":scope > article");
  }

  /** line of this cell that threw */
  get #errorLine(): number | null {
    const error = this.outputs.find((output) => output.kind === "error")?.error;
    return error?.line !== undefined && (error.cell === undefined || error.cell === this.cell.id) ? error.line : null;
  }

  #act(action: CellAction): void {
    this.emit("cell-action", { id: this.cell.id, action });
  }

  /** The host's attributes: styles, links and scripts go by them. */
  #mark(): void {
    const { status, result, stale, edited } = this.state ?? blankCell;
    this.id = `cell-${this.cell.id}`;
    Object.assign(this.dataset, { cell: this.cell.id, kind: this.cell.kind, status, result });
    this.toggleAttribute("data-stale", stale);
    this.toggleAttribute("data-pair", this.pair !== null);
    this.toggleAttribute("data-edited", edited);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const s = this.state ?? blankCell;
    if (changed.has("questions")) this.#asking = this.contains(document.activeElement) ? document.activeElement!.closest("touch-question") : null;
    if (changed.has("cell") || changed.has("state") || changed.has("pair")) {
      this.#mark();
      const running = s.status === "running";
      if (running && this.#timer === null) this.#timer = setInterval(() => this.tick++, 250);
      if (!running && this.#timer !== null) {
        clearInterval(this.#timer);
        this.#timer = null;
      }
    }
  }

  protected override updated(): void {
    // the field that had the focus is gone: answered, perhaps by somebody else
    if (this.#asking?.isConnected === false) this.card?.focus({ preventScroll: true });
    this.#asking = null;
  }

  #head(s: CellState) {
    const view = statusOf(this.cell, s, Date.now(), this.#errorLine, this.place, this.questions.length > 0);
    const kind =
      this.definition !== null
        ? { icon: this.definition.icon, label: this.definition.title }
        : (kinds[this.cell.kind] ?? { icon: "box", label: this.cell.kind });
    const name = s.form?.ok === true && s.form.result !== null ? s.form.result : s.defines.slice(0, 4).join(", ");
    const clash = s.problems.find((problem) => problem.type === "clash" && problem.name !== undefined);
    const running = s.status === "running";
    const label = `${this.cell.id}`;
    return html`<div class="cell-head" role="toolbar" aria-label="Cell ${this.number}">
      <span class="cell-title" id=${`t-${this.cell.id}`}
        ><span class="cell-number">${this.number}</span> ${icon(kind.icon)}
        <span class="kind">${kind.label}</span> ${name === "" ? nothing : html`<code class="name">${name}</code>`}<span class="sr">
          ${label}</span
        ></span
      >
      ${
        view.text === ""
          ? nothing
          : html`<span class="cell-status status-${view.name}" id=${`s-${this.cell.id}`}>
              ${icon(view.icon)}
              ${view.name === "clash" ? html`<span class="words">${clash === undefined ? "cannot run" : "name clash"}</span>` : view.link === null ? html`<span class="words">${words(view.text)}</span>` : html`<button class="link" @click=${() => this.#act({ go: view.link! })}>${words(view.text)}</button>`}
            </span>`
      }
      ${
        clash !== undefined && this.writing
          ? html`<button class="small" @click=${() => this.#act({ rename: { from: clash.name!, to: freeName(clash.name!, this.scope) } })}>
              Rename here
            </button>`
          : nothing
      }
      ${
        view.name === "ok" && s.cached && this.writing
          ? html`<button class="small" title="Forgets what is kept on disk and runs the cell" @click=${() => this.#act("fresh")}>
              Drop and run
            </button>`
          : nothing
      }
      ${view.name === "ok" && this.usedBy.length > 0 ? html`<span class="used hint">used by ${this.usedBy.slice(0, 3).join(", ")}${this.usedBy.length > 3 ? " …" : ""}</span>` : nothing}
      <span class="mode-word hint">${this.selected ? (this.editing ? "editing" : "selected") : ""}</span>
      <span class="cell-tools">
        ${
          this.definition !== null
            ? html`<span class="toggle" role="group" aria-label="Show as">
                <button class="tiny" aria-pressed=${String(this.form)} @click=${() => this.#act("form")}>form</button
                ><button class="tiny" aria-pressed=${String(!this.form)} @click=${() => this.#act("code")}>code</button>
              </span>`
            : nothing
        }
        ${
          running
            ? html`${this.definition?.costly === true ? html`<button class="small" @click=${() => this.#act("stop-keep")}>Stop and keep best</button>` : nothing}
                <button class="small stop" @click=${() => this.#act("stop")}>${icon("square")} Stop</button>`
            : s.status === "queued"
              ? html`<button class="small" @click=${() => this.#act("cancel")}>${icon("x")} Cancel</button>`
              : this.cell.kind === "markdown"
                ? this.editing || !this.writing
                  ? nothing
                  : html`<button class="small quiet" @click=${() => this.#act("edit")}>${icon("pencil")} Edit</button>`
                : html`<button class="small run" ?disabled=${!this.writing} aria-label="Run cell ${this.number}" @click=${() => this.#act("run")}>
                    ${icon("play")} Run
                  </button>`
        }
        ${cellMenu(this, s, (action) => this.#act(action))}
      </span>
    </div>`;
  }

  protected override render() {
    const s = this.state ?? blankCell;
    const { cell } = this;
    const view = statusOf(cell, s, Date.now(), this.#errorLine, this.place, this.questions.length > 0);
    const markdown = cell.kind === "markdown";
    const progress =
      s.status === "running" && s.progress !== null && s.progress.total !== null && s.progress.total > 0 ? s.progress.done / s.progress.total : null;
    const sought = this.found.some((one) => one.current);
    const showForm = this.definition !== null && this.form && !sought;
    const outputs = told(this.outputs, s);
    const read = markdown && !this.editing && !sought && cell.source.trim() !== "";
    const old = view.name === "stale" ? "from the last run" : view.name === "edited" ? "from the code before" : null;
    return html`<article
      class="cell ${this.selected ? "selected" : ""} ${this.editing ? "editing" : ""} state-${view.name} ${markdown ? "is-text" : ""}"
      tabindex=${this.selected ? "0" : "-1"}
      aria-labelledby=${`t-${cell.id}`}
      aria-describedby=${view.text === "" ? nothing : `s-${cell.id}`}
    >
      <div class="gutter" aria-hidden="true"></div>
      ${this.#head(s)}
      ${s.status === "running" ? html`<div class="head-bar ${progress === null ? "unknown" : ""}" aria-hidden="true"><div style="width:${progress === null ? 100 : progress * 100}%"></div></div>` : nothing}
      ${pairMark(this.pair, this.writing, (action) => this.#act(action))}
      ${s.problems.map(
        (problem) =>
          html`<p class="problem ${problem.severity}">
            ${icon(problem.severity === "error" ? "circle-x" : "triangle-alert")}
            <span>
              ${words(problem.message)}${problem.line === undefined ? "" : ` (line ${problem.line})`}
              ${(problem.cells ?? [])
                .filter((other) => other !== cell.id)
                .slice(0, 3)
                .map((other) => html` <button class="link" @click=${() => this.#act({ go: other })}>Go to ${other}</button>`)}
            </span>
          </p>`,
      )}
      ${
        read
          ? html`<touch-markdown .text=${cell.source} @dblclick=${() => this.#act("edit")}></touch-markdown>`
          : html`${showForm ? html`<touch-form .definition=${this.definition} .view=${s.form} .scope=${this.scope} .readonly=${!this.writing}></touch-form>` : nothing}
              <touch-editor
                ?hidden=${showForm}
                .value=${cell.source}
                .language=${markdown ? "markdown" : "typescript"}
                .readonly=${!this.writing}
                .label=${`Cell ${this.number}, ${cell.kind}`}
                .hint=${this.hint}
                .cell=${cell.id}
                .problems=${this.code}
                .found=${this.found}
                .numbers=${this.numbers}
              ></touch-editor>`
      }
      ${markdown ? nothing : controlList(this.controls, this.number, !this.writing || s.status === "disabled")}
      ${s.warnings.map(
        (warning) =>
          html`<p class="problem warning">
            ${icon("triangle-alert")} <span><span class="sr">Warning: </span>${words(warning)}</span>
          </p>`,
      )}
      ${
        outputs.length > 0 && !markdown
          ? this.folded
            ? html`<button class="fold-bar" @click=${() => this.#act("fold")}>Output folded: show</button>`
            : html`<section
                class="output ${["stale", "edited", "queued", "cancelled", "disabled"].includes(view.name) || (s.status === "running" && this.from !== null) ? "dim" : ""}"
                aria-label="Output of cell ${this.number}"
              >
                ${old !== null ? html`<p class="from">${old}${this.from === null ? "" : `, ${time(this.from.at)}`}</p>` : nothing}
                <touch-output
                  .outputs=${outputs}
                  .more=${this.more}
                  .query=${this.query}
                  .notebook=${this.notebook}
                  .cell=${cell.id}
                  .writing=${this.writing}
                  .running=${s.status === "running"}
                  .bounded=${this.bounded}
                  @unbound=${() => this.#act("unbound")}
                ></touch-output>
              </section>`
          : nothing
      }
      ${repeat(
        this.questions,
        ({ id }) => id,
        (question) => html`<touch-question .question=${question}></touch-question>`,
      )}
    </article>`;
  }
}
define("touch-cell", TouchCell);

/** Without the errors that stand as problems above the code already. */
function told(outputs: Output[], { problems }: CellState): Output[] {
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return outputs;
  return outputs.filter((output) => output.kind !== "error" || !errors.some(({ message }) => message === output.error.message));
}

/** x -> x2, x3 ... the first that no cell defines. */
export function freeName(name: string, scope: { name: string }[]): string {
  const taken = new Set(scope.map((other) => other.name));
  const base = name.replace(/\d+$/, "");
  for (let n = 2; ; n++) if (!taken.has(`${base}${n}`)) return `${base}${n}`;
}
