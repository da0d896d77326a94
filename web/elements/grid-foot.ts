/** What stands below a grid: what takes long and how to stop it, size and sort in words, ways to jump, downloads. */
import { html, nothing, type TemplateResult } from "lit";
import { integer as counted, plural } from "../controllers/format.js";
import type { Profiles } from "../controllers/profiles.js";
import type { Tiles } from "../controllers/tiles.js";
import { columnsView, type ColumnsView } from "./grid-columns.js";
import { lookView } from "./grid-summary.js";
import { icon } from "./icon.js";

export interface FootParts {
  words: string;
  tiles: Tiles;
  profiles: Profiles;
  /** rows of a table that has more than fit; null: all are on show */
  rows: number | null;
  columns: ColumnsView;
  /** are the columns in numbers on show? */
  summary: boolean;
  summarise(): void;
  /** look at the columns again */
  again(): void;
  toRow(row: number): void;
  csv(): void;
  parquet(href: string): void;
}

export function workView(tiles: Tiles, goOn: () => void): TemplateResult | typeof nothing {
  const { working } = tiles;
  if (working !== null)
    return html`<div class="grid-work">
      <span class="words">${icon("loader-circle")} ${working.doing}, ${working.percent} %</span>
      <div class="progress-bar" role="progressbar" aria-label=${working.doing} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${working.percent}>
        <div style="width:${working.percent}%"></div>
      </div>
      <button class="small" @click=${() => tiles.cancel()}>${icon("square")} Stop</button>
    </div>`;
  if (!tiles.stopped) return nothing;
  return html`<div class="grid-work">
    <span class="words">${icon("octagon-pause")} stopped: some rows are not here</span>
    <button class="small" @click=${goOn}>Go on</button>
  </div>`;
}

/** The kernel is not there any more: no fault of the table, and what was loaded can be read on. */
export const goneView = (): TemplateResult =>
  html`<p class="hint grid-gone" role="status">
    ${icon("octagon-pause")} The kernel that held this table has ended. The rows loaded so far stay; run the cell again to page, sort and filter it.
  </p>`;

export function footView(parts: FootParts): TemplateResult {
  const { tiles, profiles, rows } = parts;
  const { profile, parquet } = tiles.source;
  const size = tiles.total === null ? nothing : plural(tiles.total, "row");
  return html`<div class="grid-foot">
    <span>${parts.words}${profiles.sampled && profiles.looked > 0 ? ` · column heads from a sample of ${counted(profiles.looked)}` : ""}</span>
    ${profile === undefined || tiles.gone ? nothing : lookView(profiles, parts.again)} ${columnsView(parts.columns)}
    ${
      rows !== null
        ? html`<label
            >Go to row
            <input
              class="go-row"
              type="number"
              min="0"
              max=${rows - 1}
              @keydown=${(event: KeyboardEvent) => {
                event.stopPropagation();
                if (event.key === "Enter") parts.toRow(Number((event.target as HTMLInputElement).value));
              }}
          /></label>`
        : nothing
    }
    ${
      profile === undefined
        ? nothing
        : html`<button class="link" aria-expanded=${String(parts.summary)} @click=${parts.summarise}>${icon("table-2")} Summary</button>`
    }
    <button class="link" title=${size} @click=${parts.csv}>${icon("download")} <span class="sr">Download </span>CSV</button>
    ${
      parquet === undefined
        ? nothing
        : html`<button class="link" title=${size} @click=${() => parts.parquet(parquet(tiles.sort, tiles.where))}>
            ${icon("download")} <span class="sr">Download </span>Parquet
          </button>`
    }
  </div>`;
}
