/** The funnel of a grid's column: a range, a text, one of the commonest values, NULL or not. */
import { html, nothing, type TemplateResult } from "lit";
import type { ColumnProfile, Filter } from "../../kernels/protocol/document.js";
import type { ColumnInfo } from "../../kernels/protocol/output.js";
import { integer as counted } from "../controllers/format.js";
import { cellText, isNumeric, isTime } from "../controllers/rows.js";

export type ColumnFilter = Exclude<Filter, { op: "search" }>;

export interface MenuView {
  column: ColumnInfo;
  /** the column's filter at present */
  now: ColumnFilter | undefined;
  known: ColumnProfile | null;
  /** null: none any more */
  apply(filter: ColumnFilter | null): void;
  close(): void;
}

export function filterMenu({ column: { name: column, type }, now, known, apply, close }: MenuView): TemplateResult {
  const numeric = isNumeric(type);
  const range = numeric || isTime(type);
  const top = range ? [] : (known?.top ?? []).filter((entry) => entry.value === null || typeof entry.value !== "object");
  const bounds = numeric && typeof known?.min === "number" && typeof known.max === "number" && known.min < known.max ? [known.min, known.max] : null;
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
          step=${/INT/i.test(type) ? 1 : (bounds[1]! - bounds[0]!) / 200}
          .value=${String((now?.op === "range" ? now[name] : undefined) ?? bounds[name === "min" ? 0 : 1])}
          @input=${slide(name)}
        />`;
  const field = (name: "min" | "max", words: string) =>
    html`<label
        >${words} <input name=${name} type=${numeric ? "number" : "text"} step="any" .value=${String(now?.op === "range" ? (now[name] ?? "") : "")}
      /></label>
      ${slider(name, words)}`;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const read = (name: string) => {
      const text = String(data.get(name) ?? "").trim();
      return text === "" ? undefined : numeric ? Number(text) : text;
    };
    if (range) {
      const [min, max] = [read("min"), read("max")];
      const none = min === undefined && max === undefined;
      return apply(none ? null : { column, op: "range", ...(min !== undefined && { min }), ...(max !== undefined && { max }) });
    }
    const text = String(data.get("text") ?? "");
    const picked = data.getAll("value").map((i) => top[Number(i)]!.value as string | number | boolean | null);
    if (picked.length > 0) return apply({ column, op: "in", values: picked });
    apply(text === "" ? null : { column, op: data.get("regex") === null ? "contains" : "regex", text });
  };
  const words = html`<label>contains <input name="text" .value=${now?.op === "contains" || now?.op === "regex" ? now.text : ""} /></label>
    <label class="check"><input type="checkbox" name="regex" ?checked=${now?.op === "regex"} /> regular expression</label>
    ${
      top.length > 0
        ? html`<fieldset class="one-of">
            <legend>is one of</legend>
            ${top.map(
              (entry, i) =>
                html`<label class="check"
                  ><input type="checkbox" name="value" value=${i} .checked=${chosen.includes(entry.value as string)} />
                  ${cellText(entry.value, type).slice(0, 40)} <span class="hint">${counted(entry.count)}</span></label
                >`,
            )}
          </fieldset>`
        : nothing
    }`;
  return html`<form
    class="filter-menu"
    role="dialog"
    aria-label="Filter ${column}"
    @submit=${submit}
    @keydown=${(event: KeyboardEvent) => {
      event.stopPropagation();
      if (event.key === "Escape") close();
    }}
  >
    <strong>${column}</strong> <span class="hint">${type}</span>
    ${range ? html`${field("min", "at least")} ${field("max", "at most")}` : words}
    <div class="row">
      <button class="primary small">Apply</button>
      <button class="small" type="button" @click=${() => apply({ column, op: "null" })}>is NULL</button>
      <button class="small" type="button" @click=${() => apply({ column, op: "not-null" })}>is not NULL</button>
      <button class="small" type="button" @click=${close}>Close</button>
    </div>
  </form>`;
}
