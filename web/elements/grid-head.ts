/** What stands above a grid: the search over all columns and the filters at work. */
import { html, noChange, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { filterText } from "../controllers/rows.js";
import type { Tiles } from "../controllers/tiles.js";
import type { ColumnFilter } from "./grid-menu.js";
import { icon } from "./icon.js";

export interface HeadParts {
  tiles: Tiles;
  /** the text that is searched for */
  search: string;
  searchable: boolean;
  /** nobody types at the moment: the field shows what is searched for */
  settled: boolean;
  typed(text: string): void;
  /** at once */
  entered(text: string): void;
  unfilter(column: string): void;
}

export function headView({ tiles, search, searchable, settled, typed, entered, unfilter }: HeadParts): TemplateResult | typeof nothing {
  const filters = tiles.where.filter((filter): filter is ColumnFilter => filter.op !== "search");
  if (!searchable && filters.length === 0) return nothing;
  const text = (event: Event) => (event.target as HTMLInputElement).value;
  return html`<div class="grid-head">
    ${
      searchable
        ? html`<label class="grid-search-box"
            >${icon("search")} <span class="sr">Search all columns</span>
            <input
              class="grid-search"
              type="search"
              placeholder="Search all columns"
              autocomplete="off"
              maxlength="1000"
              .value=${settled ? live(search) : noChange}
              @input=${(event: Event) => typed(text(event))}
              @keydown=${(event: KeyboardEvent) => {
                event.stopPropagation();
                if (event.key === "Enter") entered(text(event));
                if (event.key === "Escape") entered("");
              }}
          /></label>`
        : nothing
    }
    ${
      filters.length > 0
        ? html`<div class="chips" role="list" aria-label="Filters">
            ${filters.map(
              (filter) =>
                html`<span class="chip" role="listitem"
                  >${filterText(filter)}
                  <button class="icon-button tiny" aria-label="Remove filter ${filterText(filter)}" @click=${() => unfilter(filter.column)}>
                    ${icon("x")}
                  </button></span
                >`,
            )}
          </div>`
        : nothing
    }
  </div>`;
}
