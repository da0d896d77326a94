/**
 * `touch-grid`: a table of any length in a window of rows. The place is a row number, not a pixel: a wheel notch is three rows at ten
 * rows as at ten million; the bar on the right is for coarse jumps. Sorting and filters are the server's.
 */
import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { ColumnProfile, Filter, SortKey, TableProfile } from "../../kernels/protocol/document.js";
import type { WireValue } from "../../kernels/protocol/output.js";
import { copy, download } from "../controllers/download.js";
import { integer as counted, plural } from "../controllers/format.js";
import { cellText, csv, filterText, isNumeric, isTime, type RowSource } from "../controllers/rows.js";
import { define, TouchElement } from "./base.js";
import { icon } from "./icon.js";
import { miniView } from "./mini.js";

const rowHeight = 26;
const pageSize = 200;

export class TouchGrid extends TouchElement {
  static override properties = {
    source: { attribute: false },
    visible: { attribute: false },
    label: { attribute: false },
    top: { state: true },
    total: { state: true },
    sort: { state: true },
    where: { state: true },
    active: { state: true },
    menu: { state: true },
    failure: { state: true },
    viewer: { state: true },
    profile: { state: true },
  };
  declare source: RowSource;
  /** rows in the window */
  declare visible: number;
  declare label: string;
  declare top: number;
  declare total: number | null;
  declare sort: SortKey[];
  declare where: Filter[];
  declare active: { row: number; column: number };
  declare menu: string | null;
  declare failure: string | null;
  declare viewer: string | null;
  /** distributions of the columns under the present filters; null until they are known */
  declare profile: TableProfile | null;
  #pages = new Map<number, WireValue[][]>();
  #asked = new Set<number>();
  #version = 0;
  #wheelRest = 0;

  constructor() {
    super();
    this.visible = 10;
    this.label = "table";
    this.#reset();
  }

  #reset(): void {
    this.top = 0;
    this.total = null;
    this.sort = [];
    this.where = [];
    this.active = { row: 0, column: 0 };
    this.menu = null;
    this.failure = null;
    this.viewer = null;
    this.profile = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("source")) return;
    const before = changed.get("source") as RowSource | undefined;
    if (before !== undefined && before.name === this.source.name && before.columns === this.source.columns) {
      this.total = this.where.length === 0 ? this.source.total : this.total;
      return;
    }
    this.#reset();
    this.#refresh();
  }

  /** Forgets the pages and starts at the top. */
  #refresh(): void {
    this.#version++;
    this.#pages.clear();
    this.#asked.clear();
    this.top = 0;
    this.failure = null;
    this.active = { row: 0, column: this.active.column };
    const plain = this.sort.length === 0 && this.where.length === 0;
    this.total = this.where.length === 0 ? this.source.total : null;
    if (plain) {
      const { first, total } = this.source;
      if (first.length >= pageSize || (total !== null && first.length >= total))
        for (let p = 0; p * pageSize < first.length; p++) this.#pages.set(p, first.slice(p * pageSize, (p + 1) * pageSize));
      else this.#pages.set(-1, first);
    }
    if (this.total === null) void this.#count();
    this.#need();
    this.#look();
  }

  #profiled = "";
  /** Fills the heads of the columns, once a set of filters, after the rows are on screen. */
  #look(): void {
    const { profile } = this.source;
    const key = `${this.source.name} ${JSON.stringify(this.where)}`;
    if (profile === undefined || (key === this.#profiled && this.profile !== null)) return;
    this.#profiled = key;
    const columns = this.source.columns.slice(0, 40).map((column) => column.name);
    setTimeout(() => {
      if (!this.isConnected || key !== this.#profiled) return;
      // the heads are an extra: when the kernel cannot tell, the rows say why
      profile(columns, this.where).then(
        (found) => {
          if (key === this.#profiled && Array.isArray(found?.columns)) this.profile = found;
        },
        () => {},
      );
    }, 150);
  }
  #profileOf(column: string): ColumnProfile | null {
    return this.profile?.columns.find((other) => other.name === column) ?? null;
  }

  async #count(): Promise<void> {
    const version = this.#version;
    try {
      const total = await this.source.count(this.where);
      if (version === this.#version) this.total = total;
    } catch (error) {
      if (version === this.#version) this.failure ??= (error as Error).message;
    }
  }

  #row(at: number): WireValue[] | null {
    const page = this.#pages.get(Math.floor(at / pageSize));
    return page?.[at % pageSize] ?? this.#pages.get(-1)?.[at] ?? null;
  }

  /** Asks for the pages of the window. */
  #need(): void {
    const end = Math.min(this.top + this.visible, this.total ?? Infinity);
    for (let page = Math.floor(this.top / pageSize); page <= Math.floor(Math.max(this.top, end - 1) / pageSize); page++) {
      const first = this.#pages.get(-1);
      if (this.#pages.has(page) || this.#asked.has(page)) continue;
      if (page === 0 && first !== undefined && first.length >= end) continue;
      this.#asked.add(page);
      const version = this.#version;
      this.source.page(page * pageSize, pageSize, this.sort, this.where).then(
        ({ rows, total }) => {
          if (version !== this.#version) return;
          this.#pages.set(page, rows);
          if (this.#pages.size > 60)
            for (const key of [...this.#pages.keys()].slice(0, 20)) if (key >= 0 && Math.abs(key - page) > 3) this.#drop(key);
          if (total !== null && this.total === null) this.total = total;
          this.requestUpdate();
        },
        (error: Error) => {
          this.#asked.delete(page);
          if (version === this.#version) this.failure = error.message;
        },
      );
    }
  }

  #drop(page: number): void {
    this.#pages.delete(page);
    this.#asked.delete(page);
  }

  get #rows(): number {
    return this.total ?? Math.max(this.source.first.length, this.top + this.visible);
  }
  get #window(): number {
    return Math.min(this.visible, Math.max(1, this.#rows));
  }

  #scrollTo(row: number): void {
    this.top = Math.max(0, Math.min(Math.round(row), this.#rows - this.#window));
    this.#need();
  }

  #move(row: number, column: number): void {
    const last = Math.max(0, this.#rows - 1);
    this.active = { row: Math.max(0, Math.min(row, last)), column: Math.max(0, Math.min(column, this.source.columns.length - 1)) };
    if (this.active.row < this.top) this.#scrollTo(this.active.row);
    else if (this.active.row >= this.top + this.#window) this.#scrollTo(this.active.row - this.#window + 1);
    void this.updateComplete.then(() =>
      this.querySelector(`[data-at="${this.active.row},${this.active.column}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    );
  }

  #onWheel = (event: WheelEvent): void => {
    if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    if (this.#rows <= this.#window) return;
    const rows = event.deltaMode === 1 ? event.deltaY : event.deltaY / (rowHeight * 1.3);
    const before = this.top;
    this.#wheelRest += rows;
    const whole = Math.trunc(this.#wheelRest);
    if (whole === 0) {
      if ((rows < 0 && this.top > 0) || (rows > 0 && this.top < this.#rows - this.#window)) event.preventDefault();
      return;
    }
    this.#wheelRest -= whole;
    this.#scrollTo(this.top + whole);
    // at either end the page scrolls on
    if (this.top !== before) event.preventDefault();
  };

  protected override firstUpdated(): void {
    this.addEventListener("wheel", this.#onWheel, { passive: false });
  }

  async #end(column: number): Promise<void> {
    if (this.total === null) await this.#count();
    this.#move(this.#rows - 1, column);
  }

  #onKey = (event: KeyboardEvent): void => {
    const { row, column } = this.active;
    const mod = event.ctrlKey || event.metaKey;
    const page = this.#window - 1;
    let taken = true;
    if (event.key === "ArrowDown" && event.altKey) this.menu = this.source.columns[column]?.name ?? null;
    else if (event.key === "ArrowDown") this.#move(row + 1, column);
    else if (event.key === "ArrowUp") this.#move(row - 1, column);
    else if (event.key === "ArrowRight") this.#move(row, column + 1);
    else if (event.key === "ArrowLeft") this.#move(row, column - 1);
    else if (event.key === "PageDown") this.#move(row + page, column);
    else if (event.key === "PageUp") this.#move(row - page, column);
    else if (event.key === "Home") this.#move(mod ? 0 : row, mod ? column : 0);
    else if (event.key === "End" && mod) void this.#end(column);
    else if (event.key === "End") this.#move(row, this.source.columns.length - 1);
    else if (event.key === "Enter" && !mod && !event.shiftKey && !event.altKey) this.viewer = this.#text(row, column);
    else if (event.key === "s" && !mod) this.#sortBy(this.source.columns[column]!.name, event.shiftKey);
    else if (event.key === "c" && mod) void copy(this.#text(row, column));
    else if (event.key === "g" && mod) this.querySelector<HTMLInputElement>(".go-row")?.focus();
    else if (event.key === "Escape") {
      this.emit("grid-leave");
    } else taken = false;
    if (taken) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  #text(row: number, column: number): string {
    return cellText(this.#row(row)?.[column], this.source.columns[column]?.type ?? "");
  }

  #sortBy(column: string, add: boolean): void {
    const now = this.sort.find((key) => key.column === column);
    const next: SortKey[] = now === undefined ? [{ column, desc: false }] : now.desc ? [] : [{ column, desc: true }];
    this.sort = add ? [...this.sort.filter((key) => key.column !== column), ...next] : next;
    this.#refresh();
  }

  #filter(filter: Filter | null, column: string): void {
    this.where = [...this.where.filter((other) => other.column !== column), ...(filter === null ? [] : [filter])];
    this.menu = null;
    this.#refresh();
  }

  /** Streamed by the server: the page never holds it. */
  #fetch(href: string, extension: string): void {
    const link = document.createElement("a");
    link.href = href;
    link.download = `${this.source.name.replace(/[^\w.-]+/g, "_")}.${extension}`;
    link.click();
  }

  async #csv(): Promise<void> {
    const name = `${this.source.name.replace(/[^\w.-]+/g, "_")}.csv`;
    const href = this.source.csv(this.sort, this.where);
    if (href !== null) {
      this.#fetch(href, "csv");
      return;
    }
    const { rows } = await this.source.page(0, Infinity, this.sort, this.where);
    download(
      name,
      "text/csv",
      csv(
        this.source.columns.map((column) => column.name),
        rows,
      ),
    );
  }

  #mini(column: string) {
    if (this.source.profile === undefined) return nothing;
    const found = this.#profileOf(column);
    // the room is held, so that nothing jumps when it comes
    return found === null ? html`<span class="mini"></span>` : miniView(found, this.profile!.looked, this.profile!.looked < this.profile!.rows);
  }

  #menuView(column: string) {
    const info = this.source.columns.find((c) => c.name === column)!;
    const now = this.where.find((filter) => filter.column === column);
    const numeric = isNumeric(info.type);
    const range = numeric || isTime(info.type);
    const known = this.#profileOf(column);
    const top = range ? [] : (known?.top ?? []).filter((entry) => entry.value === null || typeof entry.value !== "object");
    const bounds =
      numeric && typeof known?.min === "number" && typeof known.max === "number" && known.min < known.max ? [known.min, known.max] : null;
    const chosen = now?.op === "in" ? now.values : [];
    const slide = (name: string) => (event: Event) => {
      const slider = event.target as HTMLInputElement;
      slider.form!.querySelector<HTMLInputElement>(`input[name="${name}"]`)!.value = slider.value;
    };
    const slider = (name: "min" | "max", words: string) =>
      bounds === null
        ? nothing
        : html`<input
            type="range"
            aria-label="${column} ${words}"
            min=${bounds[0]!}
            max=${bounds[1]!}
            step=${/INT/i.test(info.type) ? 1 : (bounds[1]! - bounds[0]!) / 200}
            .value=${String((now?.op === "range" ? now[name] : undefined) ?? bounds[name === "min" ? 0 : 1])}
            @input=${slide(name)}
          />`;
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const data = new FormData(event.target as HTMLFormElement);
      const read = (name: string) => {
        const text = String(data.get(name) ?? "").trim();
        return text === "" ? undefined : numeric ? Number(text) : text;
      };
      if (range) {
        const [min, max] = [read("min"), read("max")];
        this.#filter(
          min === undefined && max === undefined
            ? null
            : { column, op: "range", ...(min !== undefined && { min }), ...(max !== undefined && { max }) },
          column,
        );
      } else {
        const text = String(data.get("text") ?? "");
        const picked = data.getAll("value").map((i) => top[Number(i)]!.value as string | number | boolean | null);
        if (picked.length > 0) return this.#filter({ column, op: "in", values: picked }, column);
        this.#filter(text === "" ? null : { column, op: data.get("regex") === null ? "contains" : "regex", text }, column);
      }
    };
    return html`<form
      class="filter-menu"
      role="dialog"
      aria-label="Filter ${column}"
      @submit=${submit}
      @keydown=${(event: KeyboardEvent) => {
        event.stopPropagation();
        if (event.key === "Escape") this.menu = null;
      }}
    >
      <strong>${column}</strong> <span class="hint">${info.type}</span>
      ${
        range
          ? html`<label
                >at least
                <input name="min" type=${numeric ? "number" : "text"} step="any" .value=${String(now?.op === "range" ? (now.min ?? "") : "")}
              /></label>
              ${slider("min", "at least")}
              <label
                >at most
                <input name="max" type=${numeric ? "number" : "text"} step="any" .value=${String(now?.op === "range" ? (now.max ?? "") : "")}
              /></label>
              ${slider("max", "at most")}`
          : html`<label>contains <input name="text" .value=${now?.op === "contains" || now?.op === "regex" ? now.text : ""} /></label>
              <label class="check"><input type="checkbox" name="regex" ?checked=${now?.op === "regex"} /> regular expression</label>
              ${
                top.length > 0
                  ? html`<fieldset class="one-of">
                      <legend>is one of</legend>
                      ${top.map(
                        (entry, i) =>
                          html`<label class="check"
                            ><input type="checkbox" name="value" value=${i} .checked=${chosen.includes(entry.value as string)} />
                            ${cellText(entry.value, info.type).slice(0, 40)} <span class="hint">${counted(entry.count)}</span></label
                          >`,
                      )}
                    </fieldset>`
                  : nothing
              }`
      }
      <div class="row">
        <button class="primary small">Apply</button>
        <button class="small" type="button" @click=${() => this.#filter({ column, op: "null" }, column)}>is NULL</button>
        <button class="small" type="button" @click=${() => this.#filter({ column, op: "not-null" }, column)}>is not NULL</button>
        <button class="small" type="button" @click=${() => (this.menu = null)}>Close</button>
      </div>
    </form>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("menu") && this.menu !== null) this.querySelector<HTMLInputElement>(".filter-menu input")?.focus();
    const bar = this.querySelector<HTMLElement>(".grid-bar");
    if (bar !== null && !this.#dragging) {
      const most = bar.scrollHeight - bar.clientHeight;
      const last = Math.max(1, this.#rows - this.#window);
      const at = Math.round((this.top / last) * most);
      if (Math.abs(bar.scrollTop - at) > 1) {
        this.#setting = true;
        bar.scrollTop = at;
      }
    }
  }
  #setting = false;
  #dragging = false;
  #onBar = (event: Event): void => {
    if (this.#setting) {
      this.#setting = false;
      return;
    }
    const bar = event.target as HTMLElement;
    const most = bar.scrollHeight - bar.clientHeight;
    this.#dragging = true;
    this.#scrollTo((bar.scrollTop / Math.max(1, most)) * (this.#rows - this.#window));
    void this.updateComplete.then(() => (this.#dragging = false));
  };

  protected override render() {
    const { columns } = this.source;
    const count = this.#window;
    const rows = Array.from({ length: count }, (_, i) => this.top + i).filter((row) => row < this.#rows);
    const long = this.#rows > count;
    const numeric = columns.map((column) => isNumeric(column.type));
    return html`
      ${
        this.where.length > 0
          ? html`<div class="chips" role="list" aria-label="Filters">
              ${this.where.map(
                (filter) =>
                  html`<span class="chip" role="listitem"
                    >${filterText(filter)}
                    <button
                      class="icon-button tiny"
                      aria-label="Remove filter ${filterText(filter)}"
                      @click=${() => this.#filter(null, filter.column)}
                    >
                      ${icon("x")}
                    </button></span
                  >`,
              )}
            </div>`
          : nothing
      }
      ${this.menu !== null ? this.#menuView(this.menu) : nothing}
      <div class="grid-body">
        <div class="grid-scroll ${this.source.profile === undefined ? "plain-heads" : ""}">
          <table
            role="grid"
            tabindex="0"
            aria-label=${this.label}
            aria-rowcount=${this.#rows + 1}
            aria-colcount=${columns.length}
            aria-activedescendant=${`g${this.#id}-${this.active.row}-${this.active.column}`}
            @keydown=${this.#onKey}
          >
            <thead>
              <tr role="row" aria-rowindex="1">
                <th class="row-number" scope="col"><span class="sr">row</span></th>
                ${columns.map((column, i) => {
                  const key = this.sort.find((other) => other.column === column.name);
                  return html`<th
                    role="columnheader"
                    scope="col"
                    class=${numeric[i] === true ? "number" : ""}
                    aria-sort=${key === undefined ? "none" : key.desc ? "descending" : "ascending"}
                    title="${column.name}: ${column.type}"
                    @click=${(event: MouseEvent) => {
                      if ((event.target as Element).closest(".funnel") === null) this.#sortBy(column.name, event.shiftKey);
                    }}
                  >
                    <div class="head">
                      <button class="sort" tabindex="-1">
                        <span>${column.name}</span> ${key === undefined ? nothing : icon(key.desc ? "arrow-down" : "arrow-up")}
                      </button>
                      ${
                        this.source.profile === undefined && this.source.first.length <= 12
                          ? nothing
                          : html`<button
                              class="icon-button tiny funnel"
                              tabindex="-1"
                              aria-label="Filter ${column.name}"
                              @click=${() => (this.menu = this.menu === column.name ? null : column.name)}
                            >
                              ${icon("funnel")}
                            </button>`
                      }
                    </div>
                    ${this.source.profile === undefined ? nothing : html`<div class="type">${column.type.toLowerCase()}</div>`}
                    ${this.#mini(column.name)}
                  </th>`;
                })}
              </tr>
            </thead>
            <tbody>
              ${repeat(
                rows,
                (_, i) => i,
                (row) => {
                  const values = this.#row(row);
                  return html`<tr role="row" aria-rowindex=${row + 2}>
                    <th class="row-number" scope="row">${row}</th>
                    ${columns.map((column, i) => {
                      const value = values?.[i];
                      const here = this.active.row === row && this.active.column === i;
                      return html`<td
                        role="gridcell"
                        id=${`g${this.#id}-${row}-${i}`}
                        data-at=${`${row},${i}`}
                        class="${numeric[i] === true ? "number" : ""} ${here ? "active" : ""} ${values !== null && (value === null || value === undefined) ? "null" : ""}"
                        @click=${() => (this.active = { row, column: i })}
                        @dblclick=${() => (this.viewer = this.#text(row, i))}
                      >
                        ${values === null ? "…" : cellText(value, column.type, this.source.profile === undefined ? 5 : 10).slice(0, 300)}
                      </td>`;
                    })}
                  </tr>`;
                },
              )}
            </tbody>
          </table>
        </div>
        ${
          long
            ? html`<div class="grid-bar" aria-hidden="true" @scroll=${this.#onBar}>
                <div style="height:${Math.min(200_000, this.#rows * rowHeight)}px"></div>
              </div>`
            : nothing
        }
      </div>
      ${this.failure !== null ? html`<p class="inline-error">${icon("triangle-alert")} ${this.failure}</p>` : nothing}
      ${
        this.viewer !== null
          ? html`<div class="viewer" role="dialog" aria-label="Whole value">
              <pre tabindex="0">${this.viewer}</pre>
              <button class="small" @click=${() => void copy(this.viewer!)}>Copy</button>
              <button class="small" @click=${() => (this.viewer = null)}>Close</button>
            </div>`
          : nothing
      }
      <div class="grid-foot">
        <span
          >${this.total === null ? "counting rows" : plural(this.total, "row")} ·
          ${plural(columns.length, "column")}${
            this.sort.length > 0 ? ` · sorted by ${this.sort.map((key) => `${key.column}${key.desc ? " down" : ""}`).join(", ")}` : ""
          }${
            this.profile !== null && this.profile.looked < this.profile.rows ? ` · column heads from a sample of ${counted(this.profile.looked)}` : ""
          }</span
        >
        ${
          long
            ? html`<label
                >Go to row
                <input
                  class="go-row"
                  type="number"
                  min="0"
                  max=${this.#rows - 1}
                  @keydown=${(event: KeyboardEvent) => {
                    event.stopPropagation();
                    if (event.key === "Enter") this.#move(Number((event.target as HTMLInputElement).value), this.active.column);
                  }}
              /></label>`
            : nothing
        }
        <button class="link" title=${this.total === null ? nothing : plural(this.total, "row")} @click=${() => void this.#csv()}>
          ${icon("download")} Download CSV
        </button>
        ${
          this.source.parquet === undefined
            ? nothing
            : html`<button
                class="link"
                title=${this.total === null ? nothing : plural(this.total, "row")}
                @click=${() => this.#fetch(this.source.parquet!(this.sort, this.where), "parquet")}
              >
                ${icon("download")} Parquet
              </button>`
        }
      </div>
    `;
  }
  #id = ++grids;
}
let grids = 0;
define("touch-grid", TouchGrid);
