/** The table of a grid: the heads and values of its window, with their places in the whole for readers. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { ColumnInfo } from "../../kernels/protocol/output.js";
import type { Profiles } from "../controllers/profiles.js";
import { cellText, isNumeric } from "../controllers/rows.js";
import type { Tiles } from "../controllers/tiles.js";
import type { columnWindow } from "./grid-columns.js";
import { holds, type Range } from "./grid-range.js";
import { icon } from "./icon.js";
import { miniView } from "./mini.js";

export interface TableParts {
  /** begins the ids of its cells */
  id: string;
  label: string;
  tiles: Tiles;
  profiles: Profiles;
  window: ReturnType<typeof columnWindow>;
  /** numbers of the rows in the window */
  rows: number[];
  /** rows of the whole, as far as known */
  total: number;
  active: { row: number; column: number };
  /** cells that are selected together; null: the active one alone */
  range: Range | null;
  key(event: KeyboardEvent): void;
  /** `extend`: with the cells up to there */
  choose(row: number, column: number, extend: boolean): void;
  open(row: number, column: number): void;
  sort(column: string, add: boolean): void;
  /** the pointer is on a column's head, which may be pressed; null: no longer */
  point(column: string | null): void;
  filter(column: string): void;
}

export function tableView(parts: TableParts): TemplateResult {
  const { tiles, rows, active, window } = parts;
  const { from, columns } = window;
  const numeric = columns.map((column) => isNumeric(column.type));
  const inside = rows.includes(active.row) && active.column >= from && active.column < from + columns.length;
  const id = (row: number, column: number) => `${parts.id}-${row}-${column}`;
  const digits = tiles.source.profile === undefined ? 5 : 10;
  const cell = (row: number, column: ColumnInfo, i: number) => {
    const at = from + i;
    const value = tiles.value(row, at);
    const here = active.row === row && active.column === at;
    const selected = here || holds(parts.range, row, at);
    return html`<td
      role="gridcell"
      aria-colindex=${at + 2}
      id=${id(row, at)}
      data-at=${`${row},${at}`}
      aria-selected=${String(selected)}
      class="${numeric[i] === true ? "number" : ""} ${here ? "active" : ""} ${selected && parts.range !== null ? "selected" : ""} ${value === null ? "null" : ""}"
      @mousedown=${(event: MouseEvent) => {
        // the browser would select text up to there
        if (event.shiftKey) event.preventDefault();
      }}
      @click=${(event: MouseEvent) => parts.choose(row, at, event.shiftKey)}
      @dblclick=${() => parts.open(row, at)}
    >
      ${value === undefined ? "…" : cellText(value, column.type, digits).slice(0, 300)}
    </td>`;
  };
  return html`<table
    role="grid"
    tabindex="0"
    aria-multiselectable="true"
    aria-label=${parts.label}
    aria-rowcount=${parts.total + 1}
    aria-colcount=${tiles.source.columns.length + 1}
    aria-activedescendant=${inside ? id(active.row, active.column) : nothing}
    @keydown=${parts.key}
  >
    <thead>
      <tr role="row" aria-rowindex="1">
        <th class="row-number" scope="col" aria-colindex="1"><span class="sr">row</span></th>
        ${columns.map((column, i) => head(parts, column, from + i, numeric[i]!))}
      </tr>
    </thead>
    <tbody>
      ${repeat(
        rows,
        (_, i) => i,
        (row) =>
          html`<tr role="row" aria-rowindex=${row + 2}>
            <th class="row-number" scope="row" aria-colindex="1">${row}</th>
            ${columns.map((column, i) => cell(row, column, i))}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function head({ tiles, profiles, sort, point, filter }: TableParts, column: ColumnInfo, at: number, numeric: boolean): TemplateResult {
  const key = tiles.sort.find((other) => other.column === column.name);
  const profiled = tiles.source.profile !== undefined;
  const found = profiles.of(column.name);
  return html`<th
    role="columnheader"
    scope="col"
    class=${numeric ? "number" : ""}
    aria-colindex=${at + 2}
    aria-sort=${key === undefined ? "none" : key.desc ? "descending" : "ascending"}
    title="${column.name}: ${column.type}"
    @pointerenter=${() => point(column.name)}
    @pointerleave=${() => point(null)}
    @click=${(event: MouseEvent) => {
      if ((event.target as Element).closest(".funnel") === null) sort(column.name, event.shiftKey);
    }}
  >
    <div class="head">
      <button class="sort" tabindex="-1">
        <span>${column.name}</span> ${key === undefined ? nothing : icon(key.desc ? "arrow-down" : "arrow-up")}
      </button>
      ${
        !profiled && tiles.source.first.length <= 12
          ? nothing
          : html`<button class="icon-button tiny funnel" tabindex="-1" aria-label="Filter ${column.name}" @click=${() => filter(column.name)}>
              ${icon("funnel")}
            </button>`
      }
    </div>
    ${
      profiled
        ? html`<div class="type">${column.type.toLowerCase()}</div>
            ${
              // the room is held, so that nothing jumps when it comes
              found === null ? html`<span class="mini"></span>` : miniView(found, profiles.looked, profiles.sampled)
            }`
        : nothing
    }
  </th>`;
}
