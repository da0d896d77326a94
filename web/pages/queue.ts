/** `touch-queue`: one item at a time. One key answers and moves on; the next item is on screen before the answer is saved. */
import { html, nothing, type PropertyValues } from "lit";
import type { QueueView, ReviewChoice, ReviewItem } from "../../kernels/protocol/review.js";
import { api, ApiError } from "../controllers/api.js";
import { plural } from "../controllers/format.js";
import { answered, shownOf, skipped, undone, type Press } from "../controllers/review.js";
import { define, TouchElement } from "../elements/base.js";
import { icon } from "../elements/icon.js";
import { words } from "../elements/words.js";

export class TouchQueue extends TouchElement {
  static override properties = {
    workspace: { attribute: false },
    queue: { attribute: false },
    view: { state: true },
    open: { state: true },
    guess: { state: true },
    failure: { state: true },
    pending: { state: true },
    guide: { state: true },
    noting: { state: true },
  };
  declare workspace: string;
  declare queue: string;
  /** as the server has it */
  declare view: QueueView | null;
  declare guess: boolean;
  declare failure: string | null;
  /** pressed here, not yet saved */
  declare pending: Press[];
  declare guide: boolean;
  /** the note of the item on screen is being written */
  declare noting: boolean;
  #saving: Promise<void> = Promise.resolve();
  /** what `u` takes back, newest last; survives nothing: after a reload the newest answer is taken */
  #past: Pick<Press, "from" | "to">[] = [];
  /** revisions as this page's own presses left them; another window's press makes them old, which the server then says */
  #revs = new Map<string, number>();
  #kept: string | null = null;
  #shownAt = 0;
  /** when "g" was pressed last, in milliseconds of the page; a page younger than the window has none */
  #leader = -Infinity;

  constructor() {
    super();
    this.view = null;
    this.guess = false;
    this.failure = null;
    this.pending = [];
    this.guide = false;
    this.noting = false;
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
      this.#revs.clear();
      void this.#load();
    }
  }

  /** What is on screen: the first of what is open. */
  get #item(): ReviewItem | undefined {
    return this.view === null ? undefined : shownOf(this.view, this.pending, this.#kept).open[0];
  }
  /** After anything that may have brought another item on screen: the clock of its answer starts. */
  #settle(): void {
    const key = this.#item?.key ?? null;
    if (key === this.#kept) return;
    this.#kept = key;
    this.noting = false;
    this.#shownAt = performance.now();
  }

  /** `saved`: a press that the view then holds; until then it stays applied, or its item would come back for a moment and take the next key. */
  async #load(saved?: Press): Promise<void> {
    try {
      this.view = await api.get<QueueView>(`${this.#url}${this.guess ? "?guess=shown" : ""}`);
    } catch (error) {
      this.failure = (error as Error).message;
    }
    this.pending = this.pending.filter((one) => one !== saved);
    this.#settle();
  }

  /** Shows what follows from a press at once; it is saved behind that, one press after the other. */
  #press(press: Press, more: object = {}): void {
    const { key, rev } = press.from;
    this.failure = null;
    this.pending = [...this.pending, press];
    if (press.act !== "undo") this.#past.push(press);
    this.#settle();
    this.#focus();
    this.#then(async () => {
      try {
        // an answer is about what was seen; an undo about what was done here
        const known = press.act === "undo" ? (this.#revs.get(key) ?? rev) : Math.max(rev, this.#revs.get(key) ?? 0);
        await api.post<QueueView>(`${this.#url}/${press.act}`, { key, rev: known, by: this.#by, ...more });
        this.#revs.set(key, known + 1);
        if (press.act === "undo") this.emit("say", { text: "Taken back" });
      } catch (error) {
        // what was refused has not happened: `u` is not about it, and may be pressed again for what it could not take back
        const reached = error instanceof ApiError && error.status >= 400 && error.status < 500;
        if (reached) this.#revs.delete(key);
        if (press.act !== "undo") this.#past = this.#past.filter((one) => one !== press);
        else if (!reached) this.#past.push({ from: press.to, to: press.from });
        throw error;
      }
    }, press);
  }
  #answer(choice: ReviewChoice): void {
    const item = this.#item;
    if (item === undefined) return;
    const { use, label } = choice;
    const ms = Math.round(performance.now() - this.#shownAt);
    this.#press(answered(item, choice, this.#by), { use, label, guessSeen: this.guess && item.hasGuess, ms });
  }
  #skip(): void {
    const item = this.#item;
    if (item !== undefined) this.#press(skipped(item));
  }
  #undo(): void {
    const gone = new Set(this.pending.filter(({ act }) => act === "undo").map(({ from }) => from.key));
    const last = this.view?.done.find((item) => !gone.has(item.key));
    const press = this.#past.pop() ?? (last === undefined ? undefined : { from: { ...last, answer: null }, to: last });
    if (press !== undefined) this.#press(undone(press));
  }
  #remark(what: "note" | "flag", more: object): void {
    const key = this.#item?.key;
    if (key !== undefined) this.#then(() => api.post(`${this.#url}/${what}`, { key, by: this.#by, ...more }));
  }
  #flag(): void {
    const item = this.#item;
    if (item === undefined) return;
    this.#remark("flag", { flagged: !item.flagged });
    this.emit("say", { text: item.flagged ? "Flag taken off" : "Flagged" });
  }
  #note(): void {
    this.noting = true;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("#note")?.focus());
  }
  #keepNote(text: string): void {
    if (text.trim() !== (this.#item?.note ?? "")) this.#remark("note", { text });
    this.noting = false;
    this.#focus();
  }

  #then(work: () => Promise<unknown>, press?: Press): void {
    this.#saving = this.#saving.then(async () => {
      try {
        await work();
      } catch (error) {
        this.failure = (error as Error).message;
      }
      await this.#load(press);
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
    this.#leader = event.key === "g" ? now : -Infinity;
    if (led || event.key === "g") return;
    if (event.key === "Enter" && active?.closest("button, a") != null) return;
    const choice = this.view?.queue.choices.find((one) => one.key === event.key);
    if (undo || event.key === "u") this.#undo();
    else if (event.key === "s") this.#skip();
    else if (event.key === "n") this.#note();
    else if (event.key === "f") this.#flag();
    else if (event.key === "i") this.guide = !this.guide;
    else if (event.key === "Enter") {
      const guessed = this.#guessed(this.#item);
      if (guessed === undefined) return;
      this.#answer(guessed);
    } else if (choice !== undefined) this.#answer(choice);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** The choice that the shown guess names. */
  #guessed(item: ReviewItem | undefined): ReviewChoice | undefined {
    if (!this.guess || item === undefined || item.guess === null) return undefined;
    return this.view?.queue.choices.find((choice) => choice.use === "use" && choice.label === String(item.guess));
  }

  #progress(answers: number, skips: number) {
    const { queue } = this.view!;
    const left = queue.total - answers;
    const minutes = queue.msEach === null ? null : Math.ceil((queue.msEach * left) / 60_000);
    return html`<p class="review-progress">
        <strong>${answers} of ${queue.total}${skips > 0 ? `, ${skips} skipped` : ""}</strong>
        ${minutes === null || left === 0 ? nothing : html`<span class="hint">${Math.max(1, Math.round(queue.msEach! / 1000))} s each · about ${minutes} min left</span>`}
        ${queue.reasons.filter((one) => one.waiting > 0).map((one) => html`<span class="chip">${one.kind} ${one.waiting}</span>`)}
        ${queue.flagged > 0 ? html`<span class="chip">${icon("flag")} ${queue.flagged} flagged</span>` : nothing}
      </p>
      <progress max=${Math.max(1, queue.total)} value=${answers} aria-label="Answered"></progress>`;
  }

  #guideCard() {
    const { choices } = this.view!.queue;
    const keys: [string, string][] = [
      ...choices.map(({ key, label, use }): [string, string] => [
        key,
        `${label}: ${{ use: "goes to training", unusable: "the row cannot be used", unsure: "you cannot tell" }[use]}`,
      ]),
      ["Enter", "accept the guess, while it is shown"],
      ["s", "skip: the item comes again at the end"],
      ["u", "undo the last answer or skip; so does Ctrl+Z"],
      ["n", "write a note beside the item"],
      ["f", "flag the item for somebody else"],
      ["i", "show or hide this guide"],
    ];
    return html`<section class="card review-guide" aria-labelledby="h-guide">
      <h2 id="h-guide">Guide</h2>
      <dl>
        ${keys.map(
          ([key, text]) =>
            html`<div>
              <dt><kbd>${key}</kbd></dt>
              <dd>${text}</dd>
            </div>`,
        )}
      </dl>
    </section>`;
  }

  #card(item: ReviewItem) {
    const { choices } = this.view!.queue;
    const guessed = this.#guessed(item);
    const button = (key: string, label: unknown, run: () => void) =>
      html`<button @click=${run} aria-keyshortcuts=${key}><kbd>${key}</kbd> ${label}</button>`;
    const value = (given: unknown) => (typeof given === "object" ? JSON.stringify(given) : String(given));
    return html`<article class="card review-item" tabindex="-1" aria-label="Item to review" data-key=${item.key}>
        <p class="hint">
          ${item.reason.kind}:
          ${words(item.reason.text)}${item.skipped ? " · skipped before" : ""}${item.probability === null ? "" : ` · chosen with probability ${Number(item.probability.toPrecision(3))}`}
        </p>
        <dl class="facts">
          ${Object.entries(item.record).map(
            ([name, field]) =>
              html`<div>
                <dt>${name}</dt>
                <dd>${field === null ? html`<span class="hint">NULL</span>` : value(field)}</dd>
              </div>`,
          )}
        </dl>
        ${item.hasGuess && this.guess ? html`<p>The model's guess: <strong>${value(item.guess)}</strong> <span class="hint">an answer after it is marked as influenced</span></p>` : nothing}
        ${item.flagged ? html`<p class="status-warn">${icon("flag")} Flagged</p>` : nothing}
        ${
          this.noting
            ? html`<label class="review-note"
                >Note
                <textarea
                  id="note"
                  rows="2"
                  maxlength="2000"
                  .value=${item.note ?? ""}
                  @keydown=${(event: KeyboardEvent) => {
                    if (event.key === "Escape") this.noting = false;
                    else if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
                    else this.#keepNote((event.target as HTMLTextAreaElement).value);
                    event.preventDefault();
                    if (event.key === "Escape") this.#focus();
                  }}
                ></textarea>
                <span class="hint">Enter keeps it, Esc leaves it as it was</span></label
              >`
            : item.note !== null
              ? html`<p class="review-note">Note: ${item.note}</p>`
              : nothing
        }
      </article>
      <div class="review-choices" role="group" aria-label="Answers">
        ${choices.map((choice) => button(choice.key, choice.label, () => this.#answer(choice)))}
        ${guessed === undefined ? nothing : button("Enter", `accept ${guessed.label}`, () => this.#answer(guessed))}
        ${button("s", "skip", () => this.#skip())} ${button("u", "undo", () => this.#undo())} ${button("n", "note", () => this.#note())}
        ${button("f", item.flagged ? "take the flag off" : "flag", () => this.#flag())}
      </div>`;
  }

  protected override render() {
    const { view } = this;
    if (view === null)
      return html`<div class="page">
        <h1>${this.queue}</h1>
        ${this.failure === null ? html`<p class="hint" aria-busy="true">Loading</p>` : html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>`}
      </div>`;
    const shown = shownOf(view, this.pending, this.#kept);
    const item = shown.open[0];
    const { queue } = view;
    return html`<div class="page review">
      <div class="section-head">
        <h1>${queue.title}</h1>
        <label class="check"
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
        <button aria-expanded=${this.guide} aria-keyshortcuts="i" @click=${() => (this.guide = !this.guide)}><kbd>i</kbd> guide</button>
      </div>
      ${this.#progress(shown.answered, shown.skipped)} ${queue.warnings.map((text) => html`<p class="warning">${icon("triangle-alert")} ${text}</p>`)}
      ${this.failure !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${this.failure}</p>` : nothing}
      ${this.guide ? this.#guideCard() : nothing}
      ${
        item !== undefined
          ? this.#card(item)
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
