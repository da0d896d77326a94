/** What the columns hold, one line each: histogram, NULLs, distinct values, quantiles or commonest values. */
import { html, nothing, type TemplateResult } from "lit";
import { exactDistinct, type ColumnProfile } from "../../kernels/protocol/document.js";
import type { ColumnInfo } from "../../kernels/protocol/output.js";
import { integer as counted, plural } from "../controllers/format.js";
import type { Profiles } from "../controllers/profiles.js";
import { cellText } from "../controllers/rows.js";
import { icon } from "./icon.js";
import { miniView, share } from "./mini.js";

const marks = ["5 %", "25 %", "median", "75 %", "95 %"];

export function summaryView(columns: readonly ColumnInfo[], profiles: Profiles): TemplateResult {
  return html`<section class="summary" aria-label="Summary of columns">
    ${profiles.sampled ? html`<p class="hint">From a sample of ${counted(profiles.looked)} of ${plural(profiles.rows, "row")}.</p>` : nothing}
    <div class="summary-scroll" tabindex="0" role="group" aria-label="Columns in numbers">
      <table>
        <thead>
          <tr>
            <th scope="col">column</th>
            <th scope="col">values</th>
            <th scope="col" class="number">NULL</th>
            <th scope="col" class="number">distinct</th>
            <th scope="col" class="number">min</th>
            ${marks.map((mark) => html`<th scope="col" class="number">${mark}</th>`)}
            <th scope="col" class="number">max</th>
          </tr>
        </thead>
        <tbody>
          ${columns.map((column) => line(column, profiles.of(column.name), profiles))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function line({ name, type }: ColumnInfo, profile: ColumnProfile | null, profiles: Profiles): TemplateResult {
  const head = html`<th scope="row">${name} <span class="type">${type.toLowerCase()}</span></th>`;
  if (profile === null)
    return html`<tr>
      ${head}
      <td colspan="10" class="hint">${profiles.working === null && (profiles.stopped || profiles.failure !== null) ? "not looked at" : "…"}</td>
    </tr>`;
  const { looked } = profiles;
  const text = (value: Parameters<typeof cellText>[0]) => cellText(value, type, 5).slice(0, 40);
  const ordered = profile.quantiles !== null;
  const nulls = profile.nulls === 0 ? "none" : `${counted(profile.nulls)} (${share(profile.nulls, looked)})`;
  return html`<tr>
    ${head}
    <td>${miniView(profile, looked, profiles.sampled)}</td>
    <td class="number">${nulls}</td>
    <td class="number">${looked > exactDistinct ? "about " : ""}${counted(profile.distinct)}</td>
    <td class="number">${profile.min === null ? "" : text(profile.min)}</td>
    ${
      ordered
        ? profile.quantiles!.map((value) => html`<td class="number">${text(value)}</td>`)
        : html`<td colspan="5" class="tops">
            ${(profile.top ?? []).slice(0, 3).map((entry, i) => html`${i > 0 ? ", " : ""}${text(entry.value)} <span class="hint">${share(entry.count, looked)}</span>`)}
          </td>`
    }
    <td class="number">${profile.max === null ? "" : text(profile.max)}</td>
  </tr>`;
}

/** How far the look at the columns is, with a way to stop it and to go on. */
export function lookView(profiles: Profiles, again: () => void): TemplateResult | typeof nothing {
  if (profiles.working !== null)
    return html`<span class="looking"
      >looking at the columns, ${profiles.working} % <button class="small" @click=${() => profiles.cancel()}>Stop looking</button></span
    >`;
  if (profiles.stopped || profiles.failure !== null)
    return html`<span class="looking"
      >${profiles.failure !== null ? html`${icon("triangle-alert")} ${profiles.failure}` : "columns not looked at"}
      <button class="small" @click=${again}>Look again</button></span
    >`;
  return nothing;
}
