/** `touch-queue`: one item at a time. One key answers and moves on; the next item is on screen before the answer is saved. */
import { html, nothing, type PropertyValues } from "lit";
import type { QueueView, ReviewChoice, ReviewItem } from "../../kernels/protocol/review.js";
import { api } from "../controllers/api.js";
import { plural } from "../controllers/format.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";
import { words } from "../elements/words.js";

type Act = { do: "answer"; choice: ReviewChoice } | { do: "skip" };

export class TouchQueue extends TouchElement {
  static override properties = {
    workspace: { attribute: false },
    queue: { attribute: false },
    view: { state: true },
    open: { state: true },
    guess: { state: true },
    failure: { state: true },
    pending: { state: true },
  };
  declare workspace: string;
  declare queue: string;
  /** as the server has it */
  declare view: QueueView | null;
  /** what is still to be shown: the server's list without what was answered here meanwhile */
  declare open: ReviewItem[];
  declare guess: boolean;
  declare failure: string | null;
  /** answered here, not yet saved */
  declare pending: { key: string; act: Act }[];
  #saving: Promise<void> = Promise.resolve();
  /** what `u` takes back, newest last; survives nothing: after a reload the newest answer is taken */
  #past: string[] = [];
  #shownAt = 0;
  #leader = 0;

  constructor() {
    super();
    this.view = null;
    this.open = [];
    this.guess = false;
    this.failure = null;
    this.pending = [];
  }

  get #url(): string {
    return `/api/ts/review/${encodeURIComponent(this.workspace)}/${encodeURIComponent(this.queue)}`;
  }
  get #by(): string {
    return localStorage.getItem("touchstone.name") ?? "reviewer";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#onKey, true);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onKey, true);
  }
  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("workspace") || changed.has("queue")) {
      document.title = `${this.queue} · Review · Touchstone`;
      this.view = null;
      this.#past = [];
      void this.#load();
    }
  }

  async #load(): Promise<void> {
    try {
      this.#take(await api.get<QueueView>(`${this.#url}${this.guess ? "?guess=shown" : ""}`));
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }
  #take(view: QueueView): void {
    const before = this.open[0]?.key;
    this.view = view;
    const gone = new Set(this.pending.map(({ key }) => key));
    this.open = view.open.filter((item) => !gone.has(item.key));
    if (this.open[0]?.key !== before) this.#shownAt = performance.now();
  }

  /** Shows the next item at once; what was pressed is saved behind it, one after the other. */
  #act(act: Act): void {
    const item = this.open[0];
    if (item === undefined) return;
    const ms = Math.round(performance.now() - this.#shownAt);
    this.#past.push(item.key);
    this.pending = [...this.pending, { key: item.key, act }];
    this.open = this.open.slice(1);
    this.#shownAt = performance.now();
    this.failure = null;
    this.#focus();
    const body =
      act.do === "skip"
        ? { key: item.key, rev: item.rev, by: this.#by }
        : { key: item.key, rev: item.rev, by: this.#by, use: act.choice.use, label: act.choice.label, guessSeen: this.guess && item.hasGuess, ms };
    this.#then(async () => {
      await api.post<QueueView>(`${this.#url}/${act.do}`, body).finally(() => (this.pending = this.pending.filter(({ key }) => key !== item.key)));
    });
  }

  #undo(): void {
    this.#then(async () => {
      const key = this.#past.pop() ?? this.view?.done[0]?.key;
      const item = [...(this.view?.done ?? []), ...(this.view?.open ?? [])].find((one) => one.key === key);
      if (item === undefined) return;
      await api.post<QueueView>(`${this.#url}/undo`, { key: item.key, rev: item.rev, by: this.#by });
      this.emit("say", { text: "Taken back" });
    });
  }

  #then(work: () => Promise<void>): void {
    this.#saving = this.#saving.then(async () => {
      try {
        await work();
      } catch (error) {
        this.failure = (error as Error).message;
      }
      await this.#load();
    });
  }

  #focus(): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(".review-item")?.focus({ preventScroll: true }));
  }

  #onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector("dialog[open]") !== null) return;
    const active = document.activeElement;
    if (active !== null && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName) && (active as HTMLInputElement).type !== "checkbox") return;
    const undo = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey);
    if (!undo && (event.ctrlKey || event.metaKey)) return;
    const now = performance.now();
    // "g s" goes to the settings
    const led = now - this.#leader < 1000;
    this.#leader = event.key === "g" ? now : 0;
    if (led || event.key === "g") return;
    if (event.key === "Enter" && active?.closest("button, a") != null) return;
    const choice = this.view?.queue.choices.find((one) => one.key === event.key);
    if (undo || event.key === "u") this.#undo();
    else if (event.key === "s") this.#act({ do: "skip" });
    else if (event.key === "Enter") {
      const guessed = this.#guessed(this.open[0]);
      if (guessed === undefined) return;
      this.#act({ do: "answer", choice: guessed });
    } else if (choice !== undefined) this.#act({ do: "answer", choice });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** The choice that the shown guess names. */
  #guessed(item: ReviewItem | undefined): ReviewChoice | undefined {
    if (!this.guess || item === undefined || item.guess === null) return undefined;
    return this.view?.queue.choices.find((choice) => choice.use === "use" && choice.label === String(item.guess));
  }

  #progress() {
    const { queue } = this.view!;
    const answers = this.pending.filter(({ act }) => act.do === "answer").length;
    const skips = this.pending.length - answers;
    const [answered, skipped] = [queue.answered + answers, queue.skipped + skips];
    const left = queue.total - answered;
    const minutes = queue.msEach === null ? null : Math.ceil((queue.msEach * left) / 60_000);
    return html`<p class="review-progress">
        <strong>${answered} of ${queue.total}${skipped > 0 ? `, ${skipped} skipped` : ""}</strong>
        ${minutes === null || left === 0 ? nothing : html`<span class="hint">${Math.max(1, Math.round(queue.msEach! / 1000))} s each · about ${minutes} min left</span>`}
        ${queue.reasons.filter((one) => one.waiting > 0).map((one) => html`<span class="chip">${one.kind} ${one.waiting}</span>`)}
      </p>
      <progress max=${Math.max(1, queue.total)} value=${answered} aria-label="Answered"></progress>`;
  }

  #item(item: ReviewItem) {
    const { choices } = this.view!.queue;
    const guessed = this.#guessed(item);
    const button = (key: string, label: unknown, run: () => void) =>
      html`<button @click=${run} aria-keyshortcuts=${key}><kbd>${key}</kbd> ${label}</button>`;
    return html`<article class="card review-item" tabindex="-1" aria-label="Item to review" data-key=${item.key}>
        <p class="hint">
          ${item.reason.kind}:
          ${words(item.reason.text)}${item.skipped ? " · skipped before" : ""}${item.probability === null ? "" : ` · chosen with probability ${Number(item.probability.toPrecision(3))}`}
        </p>
        <dl class="facts">
          ${Object.entries(item.record).map(
            ([name, value]) =>
              html`<div>
                <dt>${name}</dt>
                <dd>${value === null ? html`<span class="hint">NULL</span>` : typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
              </div>`,
          )}
        </dl>
        ${item.hasGuess && this.guess ? html`<p>The model's guess: <strong>${JSON.stringify(item.guess)}</strong> <span class="hint">an answer after it is marked as influenced</span></p>` : nothing}
      </article>
      <div class="review-choices" role="group" aria-label="Answers">
        ${choices.map((choice) => button(choice.key, choice.label, () => this.#act({ do: "answer", choice })))}
        ${button("s", "skip", () => this.#act({ do: "skip" }))} ${button("u", "undo", () => this.#undo())}
        ${guessed === undefined ? nothing : button("Enter", `accept ${guessed.label}`, () => this.#act({ do: "answer", choice: guessed }))}
      </div>`;
  }

  protected override render() {
    const { view } = this;
    if (view === null)
      return html`<div class="page">
        <h1>${this.queue}</h1>
        ${this.failure === null ? html`<p class="hint" aria-busy="true">Loading</p>` : html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>`}
      </div>`;
    const item = this.open[0];
    const { queue } = view;
    return html`<div class="page review">
      <div class="section-head">
        <h1>${queue.title}</h1>
        <label
          ><input
            type="checkbox"
            .checked=${this.guess}
            @change=${(event: Event) => {
              this.guess = (event.target as HTMLInputElement).checked;
              void this.#load();
              this.#focus();
            }}
          />
          show guess</label
        >
      </div>
      ${this.#progress()} ${queue.warnings.map((text) => html`<p class="warning">${icon("triangle-alert")} ${text}</p>`)}
      ${this.failure !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>` : nothing}
      ${
        item !== undefined
          ? this.#item(item)
          : html`<section class="card">
              <p>${queue.total === 0 ? "No items wait." : this.pending.length > 0 ? "Saving" : `All ${plural(queue.total, "item")} answered.`}</p>
              <div class="row">
                <a class="button" href="/review">All queues</a>
                ${queue.answered > 0 ? html`<button @click=${() => this.#undo()}><kbd>u</kbd> undo</button>` : nothing}
              </div>
            </section>`
      }
      <p class="hint">
        Answers are lines of <code>${queue.file}</code> in workspace ${queue.workspace}; a SQL cell reads them:
        <code>select * from '${queue.file}' where type = 'answer'</code>
      </p>
      ${
        view.done.length === 0
          ? nothing
          : html`<section aria-labelledby="h-done">
              <h2 id="h-done">Answered last</h2>
              <ul class="review-done">
                ${view.done.slice(0, 8).map(
                  (done) =>
                    html`<li>
                      <strong>${done.answer!.label}</strong>
                      <span class="hint"
                        >${Object.values(done.record)
                          .map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value)))
                          .join(" · ")
                          .slice(0, 120)}</span
                      >
                    </li>`,
                )}
              </ul>
            </section>`
      }
    </div>`;
  }
}
define("touch-queue", TouchQueue);
