/** Find and replace over all cells (`f`): the bar, and where it stands among the matches. */
import { html, nothing } from "lit";
import { findAll, mostMatches, nearest, pattern, replacement, replacing, type FindQuery, type Match } from "../../controllers/find.js";
import { integer, plural } from "../../controllers/format.js";
import type { Found } from "../../elements/found.js";
import { icon } from "../../elements/icon.js";
import type { NotebookBase } from "./base.js";
import { inverse } from "./changes.js";

const none: Found[] = [];
interface Result {
  matches: readonly Match[];
  /** what is wrong with the regular expression */
  wrong: string | null;
}

export class Finder {
  isOpen = false;
  query: FindQuery = { text: "", exact: false, word: false, regex: false };
  insert = "";
  /** where the person is: a match, or where one was */
  #place: { cell: string; from: number } | null = null;
  #seen: { cells: unknown; query: FindQuery; result: Result; found: Map<string, Found[]> } | null = null;
  #drawn: { match: Match; list: Found[] } | null = null;
  readonly #page: NotebookBase;

  constructor(page: NotebookBase) {
    this.#page = page;
  }

  get #look() {
    const { cells } = this.#page;
    if (this.#seen?.cells === cells && this.#seen.query === this.query) return this.#seen;
    let result: Result;
    try {
      const looked = pattern(this.query);
      result = { matches: looked === null ? [] : findAll(cells, looked), wrong: null };
    } catch (error) {
      result = { matches: [], wrong: (error as Error).message };
    }
    const found = new Map<string, Found[]>();
    for (const { cell, from, to } of result.matches) {
      const list = found.get(cell) ?? [];
      if (list.push({ from, to, current: false }) === 1) found.set(cell, list);
    }
    return (this.#seen = { cells, query: this.query, result, found });
  }
  get result(): Result {
    return this.#look.result;
  }
  /** of the match where the person is; -1: between matches */
  get index(): number {
    const place = this.#place;
    return place === null ? -1 : this.result.matches.findIndex(({ cell, from }) => cell === place.cell && from === place.from);
  }
  /** What is to be marked in a cell; one list as long as nothing changes, so that cells are not drawn again for nothing. */
  found(cell: string): Found[] {
    if (!this.isOpen) return none;
    const match = this.result.matches[this.index];
    const list = this.#look.found.get(cell) ?? none;
    if (match?.cell !== cell) return list;
    if (this.#drawn?.match !== match) this.#drawn = { match, list: list.map((one) => ({ ...one, current: one.from === match.from })) };
    return this.#drawn.list;
  }

  open(): void {
    const picked = getSelection();
    const text = picked?.anchorNode?.parentElement?.closest(".cells") == null ? "" : picked.toString();
    if (text !== "" && !text.includes("\n")) this.query = { ...this.query, text };
    this.isOpen = true;
    this.#begin();
    void this.#page.updateComplete.then(() => this.#page.querySelector<HTMLInputElement>(".find input")?.select());
  }
  close(): void {
    this.isOpen = false;
    const { current } = this.#page;
    if (current === null) this.#page.version++;
    else this.#page.show(current);
  }
  set(part: Partial<FindQuery>): void {
    this.query = { ...this.query, ...part };
    this.#begin();
  }
  /** From where the person is on, also when letters are added. */
  #begin(): void {
    const { cells, current } = this.#page;
    this.#to(nearest(this.result.matches, cells, this.#place?.cell ?? current, this.#place?.from));
  }
  step(delta: 1 | -1): void {
    const { matches } = this.result;
    const { index } = this;
    const near = nearest(matches, this.#page.cells, this.#place?.cell ?? null, this.#place?.from);
    const next = index >= 0 ? index + delta : delta > 0 ? near : near - 1;
    this.#to(matches.length === 0 ? -1 : (next + matches.length) % matches.length);
  }
  #to(index: number): void {
    const page = this.#page;
    const match = this.result.matches[index];
    if (match !== undefined) {
      this.#place = { cell: match.cell, from: match.from };
      page.current = page.anchor = match.cell;
      page.editing = null;
      void page.updateComplete.then(() => page.element(match.cell)?.revealFound());
    }
    page.version++;
  }

  replaceOne(): void {
    const match = this.result.matches[this.index];
    if (match === undefined) return this.step(1);
    const ops = replacing([match], this.insert, this.query.regex);
    if (!this.#page.change({ ops, undo: inverse(this.#page.cells, ops) })) return;
    this.#place = { cell: match.cell, from: match.from + replacement(match, this.insert, this.query.regex).length };
    this.#begin();
  }
  replaceAll(): void {
    const { matches } = this.result;
    if (matches.length === 0) return;
    const ops = replacing(matches, this.insert, this.query.regex);
    const cells = new Set(matches.map(({ cell }) => cell)).size;
    if (!this.#page.change({ ops, undo: inverse(this.#page.cells, ops) })) return;
    this.#begin();
    const text = `${plural(matches.length, "match", "matches")} replaced in ${plural(cells, "cell")}`;
    this.#page.emit("toast", { level: "info", text, action: "Undo", run: () => this.#page.undo() });
  }
}

/** "3 of 17" */
function count({ query, result: { matches, wrong }, index }: Finder): string {
  if (wrong !== null) return wrong;
  if (query.text === "") return "";
  if (matches.length === 0) return "No matches";
  const all = `${integer(matches.length)}${matches.length === mostMatches ? " or more" : ""}`;
  return index < 0 ? `${all} ${matches.length === 1 ? "match" : "matches"}` : `${integer(index + 1)} of ${all}`;
}

export function findBar(page: NotebookBase, finder: Finder) {
  if (!finder.isOpen) return nothing;
  const { query, result, index } = finder;
  const match = result.matches[index];
  const writing = page.session?.writing === true;
  const toggle = (name: "exact" | "word" | "regex", label: string, title: string) =>
    html`<button class="small" aria-pressed=${String(query[name])} title=${title} @click=${() => finder.set({ [name]: !query[name] })}>
      ${label}
    </button>`;
  const keys = (event: KeyboardEvent, enter: () => void): void => {
    if (event.key !== "Enter" || event.isComposing || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    enter();
  };
  return html`<search
    class="find"
    aria-label="Find and replace in all cells"
    @keydown=${(event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      finder.close();
    }}
  >
    <div class="find-row">
      <input
        type="text"
        aria-label="Find"
        placeholder="Find in all cells"
        autocomplete="off"
        spellcheck="false"
        aria-invalid=${String(result.wrong !== null)}
        aria-describedby="find-count"
        .value=${query.text}
        @input=${(event: Event) => finder.set({ text: (event.target as HTMLInputElement).value })}
        @keydown=${(event: KeyboardEvent) => keys(event, () => finder.step(event.shiftKey ? -1 : 1))}
      />
      <span class="toggle" role="group" aria-label="How to look">
        ${toggle("exact", "Case", "Capitals matter")}${toggle("word", "Word", "Whole words alone")}${toggle("regex", "Regex", "A regular expression")}
      </span>
      <span class="find-count ${result.wrong === null ? "" : "wrong"}" id="find-count" role="status"
        >${result.wrong === null ? nothing : icon("circle-x")}
        ${count(finder)}${match === undefined ? nothing : html`<span class="sr">, cell ${page.number(match.cell)}</span>`}</span
      >
      <button
        class="small icon-button"
        aria-label="Previous match"
        title="Previous match (Shift+Enter)"
        ?disabled=${match === undefined && result.matches.length === 0}
        @click=${() => finder.step(-1)}
      >
        ${icon("arrow-up")}
      </button>
      <button
        class="small icon-button"
        aria-label="Next match"
        title="Next match (Enter)"
        ?disabled=${result.matches.length === 0}
        @click=${() => finder.step(1)}
      >
        ${icon("arrow-down")}
      </button>
      <button class="small icon-button" aria-label="Close find" title="Close (Escape)" @click=${() => finder.close()}>${icon("x")}</button>
    </div>
    <div class="find-row">
      <input
        type="text"
        aria-label="Replace with"
        placeholder="Replace with"
        autocomplete="off"
        spellcheck="false"
        ?disabled=${!writing}
        .value=${finder.insert}
        @input=${(event: Event) => (finder.insert = (event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => keys(event, () => (event.ctrlKey || event.metaKey ? finder.replaceAll() : finder.replaceOne()))}
      />
      <button
        class="small"
        title="Replace this match, go to the next (Enter)"
        ?disabled=${!writing || match === undefined}
        @click=${() => finder.replaceOne()}
      >
        Replace
      </button>
      <button
        class="small"
        title="Replace every match in the notebook (Ctrl+Enter)"
        ?disabled=${!writing || result.matches.length === 0}
        @click=${() => finder.replaceAll()}
      >
        Replace all
      </button>
    </div>
  </search>`;
}
