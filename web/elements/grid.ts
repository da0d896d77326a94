/**
 * `touch-grid`: a table of any length and width in a window of rows and columns. The place is a row number, not a pixel: a wheel notch is
 * three rows at ten rows as at ten million; the bar on the right is for coarse jumps. Sorting, filters and search are the server's:
 * what takes long says how far it is and can be stopped, and until it is there the rows before it stay.
 */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { SortKey } from "../../kernels/protocol/document.js";
import { wideTable } from "../../kernels/protocol/output.js";
import { copy } from "../controllers/download.js";
import { plural } from "../controllers/format.js";
import { Profiles } from "../controllers/profiles.js";
import { cellText, type RowSource } from "../controllers/rows.js";
import { Tiles } from "../controllers/tiles.js";
import { define, TouchElement } from "./base.js";
import { Ahead, pause } from "./grid-ahead.js";
import { columnWindow, windowWith } from "./grid-columns.js";
import { fetchFile, saveCsv } from "./grid-export.js";
import { footView, goneView, workView } from "./grid-foot.js";
import { headView } from "./grid-head.js";
import { gridKey } from "./grid-keys.js";
import { filterMenu, type ColumnFilter } from "./grid-menu.js";
import { summaryView } from "./grid-summary.js";
import { rangeOf, rangeText, rangeTsv, type Place, type Range } from "./grid-range.js";
import { barHeight, GridScroll } from "./grid-scroll.js";
import { tableView } from "./grid-table.js";
import { icon } from "./icon.js";

/** ms after the last key until a search is asked for */
const typingPause = 350;
/** ms after the rows until the columns are looked at */
const lookPause = 150;

export class TouchGrid extends TouchElement {
  static override properties = {
    source: { attribute: false },
    visible: { attribute: false },
    label: { attribute: false },
    top: { state: true },
    left: { state: true },
    active: { state: true },
    range: { state: true },
    menu: { state: true },
    viewer: { state: true },
    jump: { state: true },
    summary: { state: true },
    said: { state: true },
  };
  declare source: RowSource;
  /** rows in the window */
  declare visible: number;
  declare label: string;
  declare top: number;
  /** first column of the window, in a table that is too wide for one */
  declare left: number;
  declare active: Place;
  /** selected cells, from `#anchor` to the active one */
  declare range: Range | null;
  declare menu: string | null;
  declare viewer: string | null;
  /** what stands in the field for a column */
  declare jump: string;
  /** the columns in numbers are shown */
  declare summary: boolean;
  /** for readers: what has happened to the table */
  declare said: string;
  #tiles: Tiles | null = null;
  #profiles: Profiles | null = null;
  #anchor: Place | null = null;
  /** what is selected or was copied, in words */
  #note = "";
  readonly #scroll: GridScroll;
  #typing: ReturnType<typeof setTimeout> | null = null;
  #looking: ReturnType<typeof setTimeout> | null = null;
  readonly #ahead = new Ahead(
    (column) => this.#tiles?.expect(this.#nextKeys(column), this.#tiles.where),
    () => this.#tiles?.unexpect(),
  );
  readonly #id = ++grids;

  constructor() {
    super();
    this.visible = 10;
    this.label = "table";
    this.#scroll = new GridScroll(this);
    this.#reset();
  }

  #reset(): void {
    this.#unselect();
    this.top = 0;
    this.left = 0;
    this.active = { row: 0, column: 0 };
    this.menu = null;
    this.viewer = null;
    this.jump = "";
    this.summary = false;
    this.said = "";
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("source")) return;
    const before = changed.get("source") as RowSource | undefined;
    if (this.#tiles !== null && before?.name === this.source.name && before.columns === this.source.columns) {
      this.#tiles.recounted(this.source.total);
      return;
    }
    this.#reset();
    this.#open();
  }

  #open(): void {
    this.#tiles?.pause();
    this.#profiles?.pause();
    this.#profiles = new Profiles(this.source, () => this.requestUpdate());
    this.#tiles = new Tiles(this.source, { changed: () => this.#changed(), switched: () => this.#switched() });
    this.#need();
    this.#look();
  }
  override connectedCallback(): void {
    super.connectedCallback();
    if (this.#tiles === null) return;
    this.#tiles.resume();
    this.#need();
    this.#look();
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const timer of [this.#typing, this.#looking]) if (timer !== null) clearTimeout(timer);
    this.#typing = this.#looking = null;
    this.#ahead.stop();
    this.#tiles?.pause();
    this.#profiles?.pause();
  }

  #changed(): void {
    const working = this.#tiles?.working?.doing;
    if (working !== undefined && !this.said.startsWith(working)) this.said = `${working} …`;
    this.requestUpdate();
  }
  /** Another sort or filter is on show. */
  #switched(): void {
    this.top = 0;
    this.active = { row: 0, column: this.active.column };
    this.#unselect();
    this.#profiles?.filter(this.#tiles!.where);
    this.said = this.#words();
    this.#need();
    this.#look();
    this.#ahead.pressed();
    this.requestUpdate();
  }

  get #window(): ReturnType<typeof columnWindow> {
    return columnWindow(this.source.columns, this.left);
  }
  get #rows(): number {
    return this.#tiles?.total ?? Math.max(this.source.first.length, this.top + this.visible);
  }
  get #height(): number {
    return Math.min(this.visible, Math.max(1, this.#rows));
  }

  /** Asks for what the window shows. */
  #need(): void {
    const { from, columns } = this.#window;
    this.#tiles?.need(this.top, this.top + this.visible, from, from + columns.length);
  }

  /** Fills the heads of the columns, after the rows are on screen. */
  #look(): void {
    if (this.source.profile === undefined) return;
    if (this.#looking !== null) clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      // the heads are an extra: when the kernel cannot tell, the rows say why
      void this.#profiles?.want(this.#window.columns.slice(0, wideTable).map(({ name }) => name));
    }, lookPause);
  }

  /** the last row that the window may begin with */
  get lastTop(): number {
    return this.#rows - this.#height;
  }
  showRow(row: number): void {
    this.top = Math.max(0, Math.min(Math.round(row), this.lastTop));
    this.#need();
  }

  #unselect(): void {
    this.#anchor = null;
    this.range = null;
    this.#note = "";
  }
  #tell(words: string): void {
    this.#note = this.said = words;
    this.requestUpdate();
  }
  #select(from: Place, to: Place): void {
    this.#anchor = from;
    this.range = rangeOf(from, to);
    this.#tell(rangeText(this.range));
  }
  async #selectAll(what: "all" | "row" | "column"): Promise<void> {
    if (what !== "row") await this.#tiles?.counted();
    const [row, column] = [this.#rows - 1, this.source.columns.length - 1];
    const { active } = this;
    const from = { row: what === "row" ? active.row : 0, column: what === "column" ? active.column : 0 };
    this.#select(from, { row: what === "row" ? active.row : row, column: what === "column" ? active.column : column });
  }

  #move = (row: number, column: number, extend = false): void => {
    const before = this.active;
    const last = Math.max(0, this.#rows - 1);
    const { columns } = this.source;
    this.active = { row: Math.max(0, Math.min(row, last)), column: Math.max(0, Math.min(column, columns.length - 1)) };
    if (extend) this.#select(this.#anchor ?? before, this.active);
    else this.#unselect();
    const left = windowWith(columns.length, this.left, this.active.column);
    if (left !== this.left) {
      this.left = left;
      this.#need();
      this.#look();
    }
    if (this.active.row < this.top) this.showRow(this.active.row);
    else if (this.active.row >= this.top + this.#height) this.showRow(this.active.row - this.#height + 1);
    void this.updateComplete.then(() =>
      this.querySelector(`[data-at="${this.active.row},${this.active.column}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    );
  };

  protected override firstUpdated(): void {
    this.addEventListener("wheel", this.#scroll.wheel, { passive: false });
  }

  async #end(column: number, extend: boolean): Promise<void> {
    await this.#tiles?.counted();
    this.#move(this.#rows - 1, column, extend);
  }

  #onKey = (event: KeyboardEvent): void => {
    const { columns } = this.source;
    const name = (column: number) => columns[column]?.name ?? null;
    const before = this.active.column;
    const taken = gridKey(event, {
      ...this.active,
      page: this.#height - 1,
      lastColumn: columns.length - 1,
      move: this.#move,
      end: (column, extend) => void this.#end(column, extend),
      select: (what) => void this.#selectAll(what),
      menu: (column) => (this.menu = name(column)),
      open: (row, column) => (this.viewer = this.#text(row, column)),
      sort: (column, add) => this.#sortBy(name(column)!, add),
      copy: (row, column) => void this.#copy(row, column),
      focus: (field) => this.querySelector<HTMLInputElement>({ row: ".go-row", column: ".go-column", search: ".grid-search" }[field])?.focus(),
      leave: () => {
        if (this.range === null) this.emit("grid-leave");
        else this.#unselect();
      },
    });
    if (!taken) return;
    if (this.active.column !== before) this.#ahead.rest(name(this.active.column), pause.key);
    event.preventDefault();
    event.stopPropagation();
  };
  #onLeave = (event: FocusEvent): void => {
    if (!(event.currentTarget as Element).contains(event.relatedTarget as Node | null)) this.#ahead.rest(null, 0);
  };

  #text(row: number, column: number): string {
    return cellText(this.#tiles?.value(row, column), this.source.columns[column]?.type ?? "");
  }

  async #copy(row: number, column: number): Promise<void> {
    const { sort, where } = this.#tiles!;
    try {
      const text = this.range === null ? this.#text(row, column) : await rangeTsv(this.source, this.range, sort, where);
      const cells = this.range === null ? "1 cell" : rangeText(this.range).replace(" selected", "");
      this.#tell((await copy(text)) ? `copied: ${cells}` : "the browser does not let this page copy");
    } catch (error) {
      this.#tell((error as Error).message);
    }
  }

  /** The keys of a sort by this column after the next press on its head. */
  #nextKeys(column: string): SortKey[] {
    const now = this.#tiles!.sort.find((key) => key.column === column);
    return now === undefined ? [{ column, desc: false }] : now.desc ? [] : [{ column, desc: true }];
  }

  #sortBy(column: string, add: boolean): void {
    const { sort, where } = this.#tiles!;
    const next = this.#nextKeys(column);
    this.#tiles!.set(add ? [...sort.filter((key) => key.column !== column), ...next] : next, where);
  }

  #filter(filter: ColumnFilter | null, column: string): void {
    const { sort, where } = this.#tiles!;
    this.menu = null;
    this.#tiles!.set(sort, [...where.filter((other) => other.op === "search" || other.column !== column), ...(filter === null ? [] : [filter])]);
  }

  get #search(): string {
    return this.#tiles?.where.find((filter) => filter.op === "search")?.text ?? "";
  }
  #typed(text: string): void {
    if (this.#typing !== null) clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#searchFor(text), typingPause);
  }
  #searchFor(text: string): void {
    if (this.#typing !== null) clearTimeout(this.#typing);
    this.#typing = null;
    if (this.#tiles === null || text === this.#search) return;
    const { sort, where } = this.#tiles;
    const others = where.filter((filter) => filter.op !== "search");
    this.#tiles.set(sort, text === "" ? others : [...others, { op: "search", text }]);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("menu") && this.menu !== null) this.querySelector<HTMLInputElement>(".filter-menu input")?.focus();
    this.#scroll.place(this.querySelector(".grid-bar"));
  }

  /** Rows, columns, sort and selection in words. */
  #words(): string {
    const { total, sort } = this.#tiles!;
    const rows = total === null ? (this.#tiles!.stopped || this.#tiles!.gone ? "rows not counted" : "counting rows") : plural(total, "row");
    const sorted = sort.length > 0 ? ` · sorted by ${sort.map((key) => `${key.column}${key.desc ? " down" : ""}`).join(", ")}` : "";
    const note = this.#note === "" ? "" : ` · ${this.#note}`;
    return `${rows} · ${plural(this.source.columns.length, "column")}${sorted}${note}`;
  }

  protected override render(): TemplateResult | typeof nothing {
    const tiles = this.#tiles;
    if (tiles === null) return nothing;
    const long = this.#rows > this.#height;
    const { columns } = this.source;
    const info = columns.find(({ name }) => name === this.menu);
    return html`
      ${headView({
        tiles,
        search: this.#search,
        searchable: (long || this.#search !== "" || columns.length > wideTable) && this.source.profile !== undefined,
        settled: this.#typing === null,
        typed: (text) => this.#typed(text),
        entered: (text) => this.#searchFor(text),
        unfilter: (column) => this.#filter(null, column),
      })}
      ${
        info === undefined
          ? nothing
          : filterMenu({
              column: info,
              now: tiles.where.find((filter): filter is ColumnFilter => filter.op !== "search" && filter.column === info.name),
              known: this.#profiles!.of(info.name),
              apply: (filter) => this.#filter(filter, info.name),
              close: () => (this.menu = null),
            })
      }
      ${this.summary ? summaryView(this.#window.columns, this.#profiles!) : nothing}
      <div class="grid-body ${tiles.pending ? "pending" : ""}" aria-busy=${String(tiles.pending)}>
        <div class="grid-scroll ${this.source.profile === undefined ? "plain-heads" : ""}" @focusout=${this.#onLeave}>
          ${tableView({
            id: `g${this.#id}`,
            label: this.label,
            tiles,
            profiles: this.#profiles!,
            window: this.#window,
            rows: Array.from({ length: this.#height }, (_, i) => this.top + i).filter((row) => row < this.#rows),
            total: this.#rows,
            active: this.active,
            range: this.range,
            key: this.#onKey,
            choose: this.#move,
            open: (row, column) => (this.viewer = this.#text(row, column)),
            sort: (column, add) => this.#sortBy(column, add),
            point: (column) => this.#ahead.rest(column, pause.pointer),
            filter: (column) => (this.menu = this.menu === column ? null : column),
          })}
        </div>
        ${
          long
            ? html`<div class="grid-bar" aria-hidden="true" @scroll=${this.#scroll.bar}>
                <div style="height:${barHeight(this.#rows)}px"></div>
              </div>`
            : nothing
        }
      </div>
      ${workView(tiles, () => {
        tiles.resume();
        this.#need();
      })}
      ${tiles.gone ? goneView() : nothing}
      ${tiles.failure !== null ? html`<p class="inline-error" role="alert">${icon("triangle-alert")} ${tiles.failure}</p>` : nothing}
      ${
        this.viewer !== null
          ? html`<div class="viewer" role="dialog" aria-label="Whole value">
              <pre tabindex="0">${this.viewer}</pre>
              <button class="small" @click=${() => void copy(this.viewer!)}>Copy</button>
              <button class="small" @click=${() => (this.viewer = null)}>Close</button>
            </div>`
          : nothing
      }
      ${footView({
        words: this.#words(),
        tiles,
        profiles: this.#profiles!,
        rows: long ? this.#rows : null,
        columns: {
          id: `columns-${this.#id}`,
          columns,
          window: this.#window,
          text: this.jump,
          typed: (text) => (this.jump = text),
          move: (column) => {
            this.said = `column ${columns[column]!.name}`;
            this.#move(this.active.row, column);
          },
          missing: (text) => (this.said = `no column ${text}`),
        },
        summary: this.summary,
        summarise: () => {
          this.summary = !this.summary;
          this.#look();
        },
        again: () => {
          this.#profiles!.resume();
          this.#look();
        },
        toRow: (row) => this.#move(row, this.active.column),
        csv: () => void saveCsv(this.source, tiles.sort, tiles.where),
        parquet: (href) => fetchFile(this.source, href, "parquet"),
      })}
      <span class="sr" role="status">${this.said}</span>
    `;
  }
}
let grids = 0;
define("touch-grid", TouchGrid);
