/** `touch-history`: saved points and commits, newest first; `comparison`: what differs between one of them and the notebook, cell by cell. */
import { html, nothing } from "lit";
import { differingCells } from "../../../kernels/notebook/difference.js";
import type { Cell, NotebookSource } from "../../../kernels/protocol/document.js";
import type { HistoryView, PointSource, PointView } from "../../../kernels/protocol/history.js";
import { api } from "../../controllers/api.js";
import { plural, time } from "../../controllers/format.js";
import { diffLines, folded } from "../../controllers/lines.js";
import { Load } from "../../controllers/load.js";
import { define, TouchElement } from "../../elements/base.js";
import { addForm } from "../../elements/add-form.js";
import { icon } from "../../elements/icon.js";
import type { NotebookCommands } from "./commands.js";

/** A point that the notebook is compared with. */
export interface Compared {
  point: PointView;
  source: NotebookSource;
}

const reasons: Record<PointView["why"], [string, string]> = {
  open: ["folder", "opened"],
  edit: ["pencil", "edited"],
  outside: ["file-text", "changed outside"],
  run: ["play", "run all"],
  named: ["flag", "named"],
  commit: ["git-branch", "commit"],
};

/** "2 changed, 1 added" */
export function pointWords({ added, changed, removed }: Pick<PointView, "added" | "changed" | "removed">): string {
  const parts = [
    [changed, "changed"],
    [added, "added"],
    [removed, "removed"],
  ] as const;
  const said = parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
  return said.length === 0 ? "no cell differs" : said.join(", ");
}

const day = (at: number) => new Date(at).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const label = (point: PointView): string => point.name ?? reasons[point.why][1];

export class TouchHistory extends TouchElement {
  static override properties = {
    path: { attribute: false },
    saved: { attribute: false },
    busy: { attribute: false },
    chosen: { attribute: false },
    wrong: { state: true },
  };
  declare path: string;
  /** when the file was last written: there is a new point */
  declare saved: number | null;
  /** the kernel runs: when it ends, running all may have made a point */
  declare busy: boolean;
  /** id of the point that is compared */
  declare chosen: string | null;
  declare wrong: string | null;
  #load = new Load<HistoryView>(
    this,
    () => api.get(`/api/ts/history?path=${encodeURIComponent(this.path)}`),
    0,
    () => this.path,
  );

  constructor() {
    super();
    this.saved = null;
    this.busy = false;
    this.chosen = null;
    this.wrong = null;
  }
  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (this.hasUpdated && (changed.has("saved") || (changed.has("busy") && !this.busy))) void this.#load.refresh();
  }

  async #name(input: HTMLInputElement): Promise<void> {
    if (input.value.trim() === "") {
      this.wrong = "Type a few words by which you will know this point.";
      return;
    }
    try {
      await api.post("/api/ts/history", { path: this.path, name: input.value });
      this.wrong = null;
      input.value = "";
    } catch (error) {
      this.wrong = (error as Error).message;
    }
    await this.#load.refresh();
  }

  async #choose(point: PointView): Promise<void> {
    try {
      const { source } = await api.get<PointSource>(`/api/ts/history/point?path=${encodeURIComponent(this.path)}&id=${encodeURIComponent(point.id)}`);
      this.wrong = null;
      this.emit("history-compare", { point, source } satisfies Compared);
    } catch (error) {
      this.wrong = (error as Error).message;
    }
  }

  /** Up and down go through the points, as in a list. */
  #key = (event: KeyboardEvent): void => {
    const buttons = [...this.querySelectorAll<HTMLElement>(".point")];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[Math.max(0, Math.min(buttons.length - 1, to))]!.focus();
  };

  #point(point: PointView) {
    const [sign, word] = reasons[point.why];
    return html`<li>
      <button class="point" data-point=${point.id} aria-pressed=${String(point.id === this.chosen)} @click=${() => void this.#choose(point)}>
        <span class="point-line"
          >${icon(sign)} <time datetime=${new Date(point.at).toISOString()}>${time(point.at)}</time> <strong>${label(point)}</strong></span
        >
        <span class="hint"
          >${[point.name === undefined ? null : word, point.author, point.why === "commit" ? point.id.slice(4, 12) : null, pointWords(point)]
            .filter((part) => part != null)
            .join(" · ")}</span
        >
      </button>
    </li>`;
  }

  protected override render() {
    const { value, error } = this.#load;
    const days = new Map<string, PointView[]>();
    for (const point of value?.points ?? []) days.set(day(point.at), [...(days.get(day(point.at)) ?? []), point]);
    return html`${addForm({
      name: "point",
      label: "Name this point",
      placeholder: "before the clean-up",
      most: 200,
      sign: "flag",
      action: "Save",
      wrong: this.wrong,
      submit: (input) => void this.#name(input),
    })}
    ${error === null ? nothing : html`<p class="package-trouble" role="alert">${icon("circle-x")} ${error}</p>`}
    ${value?.git == null ? nothing : html`<p class="package-trouble">${icon("triangle-alert")} ${value.git}</p>`}
    ${
      value === null
        ? html`<p class="hint" aria-busy="true">${error === null ? "Looking" : ""}</p>`
        : value.points.length === 0
          ? html`<p class="hint">A point is kept each time the file is written. Choose one to see what differs, and to go back.</p>`
          : html`<div @keydown=${this.#key}>
              ${[...days].map(
                ([name, points]) =>
                  html`<h2>${name}</h2>
                    <ul class="points" aria-label=${name}>
                      ${points.map((point) => this.#point(point))}
                    </ul>`,
              )}
            </div>`
    }`;
  }
}
define("touch-history", TouchHistory);

/** In the place of the cells: the point on the left of each difference, the notebook as it is now on the right of it. */
export function comparison(page: NotebookCommands, { point, source }: Compared) {
  const now = page.session!.doc!.source;
  const differing = differingCells(source, now);
  const writing = page.session!.writing;
  const order = source.cells.filter((cell) => now.cells.some((other) => other.id === cell.id)).map((cell) => cell.id);
  const moved =
    order.join("\0") !==
    now.cells
      .filter((cell) => order.includes(cell.id))
      .map((cell) => cell.id)
      .join("\0");
  const head = JSON.stringify(source.front) !== JSON.stringify(now.front);
  const same = differing.length === 0 && !moved && !head;
  return html`<section
    class="comparison"
    aria-labelledby="comparison-title"
    @keydown=${(event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      page.closeComparison();
    }}
  >
    <header>
      <h2 id="comparison-title" tabindex="-1">Since ${time(point.at)}, ${label(point)}</h2>
      <p role="status">
        ${
          same
            ? "The notebook is as it was then."
            : `${differing.length === 0 ? "" : `${plural(differing.length, "cell")} ${differing.length === 1 ? "differs" : "differ"}`}${
                moved ? `${differing.length === 0 ? "The" : "; the"} order of the cells differs` : ""
              }${head ? `${differing.length === 0 && !moved ? "The" : "; the"} head of the file differs` : ""}.`
        }
      </p>
      <button class="primary" ?disabled=${!writing || same} @click=${() => page.restorePoint({ point, source })}>
        ${icon("undo-2")} Restore all as it was
      </button>
      <button @click=${() => page.closeComparison()}>${icon("x")} Close</button>
    </header>
    ${differing.map(({ id, before, after }) => {
      const word = before === null ? "added since" : after === null ? "removed since" : "changed since";
      const place = after === null ? "" : `cell ${page.number(id)} `;
      return html`<article class="difference" aria-label=${`${place}${id}, ${word}`}>
        <header>
          <strong>${place}<code>${id}</code></strong> <span class="hint">${word}${other(before, after)}</span>
          <button class="small" ?disabled=${!writing} @click=${() => page.restorePoint({ point, source }, id)}>
            ${before === null ? "Remove it" : after === null ? "Put it back" : "Restore this cell"}
          </button>
        </header>
        <pre tabindex="0" aria-label="Lines of ${id}">
${folded(diffLines(before?.source ?? "", after?.source ?? "")).map((line) =>
            "skipped" in line
              ? html`<span class="line-skip">${plural(line.skipped, "same line")}</span>`
              : html`<span class=${{ " ": "line-same", "-": "line-gone", "+": "line-new" }[line.sign]}>
                  ${line.sign === " " ? nothing : html`<span class="sr">${line.sign === "-" ? "then: " : "now: "}</span>`}
                  <span class="line-text">${line.sign} ${line.text}</span>
                </span>`,
          )}</pre>
      </article>`;
    })}
  </section>`;
}

/** What differs beside the text. */
function other(before: Cell | null, after: Cell | null): string {
  if (before === null || after === null) return "";
  return `${before.kind === after.kind ? "" : `, it was ${before.kind}`}${JSON.stringify(before.options) === JSON.stringify(after.options) ? "" : ", its options too"}`;
}
