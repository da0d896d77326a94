/** The window of columns of a wide table: where it stands, ways to move it, a field to jump to one by name. */
import { html, nothing, type TemplateResult } from "lit";
import { wideTable, type ColumnInfo } from "../../kernels/protocol/output.js";
import { integer as counted } from "../controllers/format.js";

/** Columns in the window of a wide table. */
const inWindow = 30;
/** More columns than this have a field to jump to one. */
const jumpFrom = 30;

/** The part of the columns that is drawn. */
export function columnWindow(columns: readonly ColumnInfo[], left: number): { from: number; columns: readonly ColumnInfo[] } {
  if (columns.length <= wideTable) return { from: 0, columns };
  const from = Math.max(0, Math.min(left, columns.length - inWindow));
  return { from, columns: columns.slice(from, from + inWindow) };
}

/** Where the window must begin to hold this column; as it is when it does. */
export function windowWith(total: number, left: number, column: number): number {
  if (total <= wideTable || (column >= left && column < left + inWindow)) return left;
  return Math.max(0, Math.min(column < left ? column : column - inWindow + 1, total - inWindow));
}

/** The column that was meant: of this name, else beginning so, else holding it; -1 when none does. */
export function meantColumn(columns: readonly ColumnInfo[], text: string): number {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return -1;
  const at = (test: (name: string) => boolean) => columns.findIndex(({ name }) => test(name.toLowerCase()));
  return [at((name) => name === wanted), at((name) => name.startsWith(wanted)), at((name) => name.includes(wanted))].find((i) => i >= 0) ?? -1;
}

export interface ColumnsView {
  id: string;
  columns: readonly ColumnInfo[];
  window: ReturnType<typeof columnWindow>;
  /** what stands in the field */
  text: string;
  typed(text: string): void;
  move(column: number): void;
  missing(text: string): void;
}

export function columnsView({ id, columns, window, text, typed, move, missing }: ColumnsView): TemplateResult | typeof nothing {
  if (columns.length <= jumpFrom) return nothing;
  const { from } = window;
  const to = from + window.columns.length;
  const go = (wanted: string) => {
    const found = meantColumn(columns, wanted);
    if (found >= 0) move(found);
    else missing(wanted);
  };
  const matches = text === "" ? [] : columns.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase())).slice(0, 20);
  return html`<label
      >Go to column
      <input
        class="go-column"
        list=${id}
        autocomplete="off"
        .value=${text}
        @input=${(event: Event) => typed((event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => {
          event.stopPropagation();
          if (event.key === "Enter") go((event.target as HTMLInputElement).value);
        }}
    /></label>
    <datalist id=${id}>${matches.map(({ name }) => html`<option value=${name}></option>`)}</datalist>
    ${
      to - from === columns.length
        ? nothing
        : html`<span class="column-window">
            <button class="small" ?disabled=${from === 0} @click=${() => move(Math.max(0, from - inWindow))}>Columns before</button>
            <span>columns ${counted(from + 1)} to ${counted(to)} of ${counted(columns.length)}</span>
            <button class="small" ?disabled=${to >= columns.length} @click=${() => move(Math.min(columns.length - 1, to + inWindow - 1))}>
              Columns after
            </button>
          </span>`
    }`;
}
