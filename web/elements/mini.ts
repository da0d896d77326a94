/** What stands in the head of a grid's column: a small histogram, the commonest values, the share of NULLs; in words for readers. */
import { html, nothing, svg, type TemplateResult } from "lit";
import { exactDistinct, type ColumnProfile } from "../../kernels/protocol/document.js";
import { integer as count } from "../controllers/format.js";

const width = 80;
const height = 22;

export const share = (part: number, whole: number): string => {
  const percent = (100 * part) / Math.max(1, whole);
  return `${percent > 0 && percent < 1 ? "<1" : Math.round(percent)} %`;
};
const short = (value: unknown): string => {
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  const text = String(value ?? "NULL");
  return /^\d{4}-\d\d-\d\d[T ]/.test(text) ? text.slice(0, 10) : text.length > 14 ? `${text.slice(0, 13)}…` : text;
};

/** The column in one sentence. */
export function profileText(profile: ColumnProfile, looked: number, sampled: boolean): string {
  const parts: string[] = [];
  if (profile.kind === "number" || profile.kind === "date") {
    if (profile.min !== null) parts.push(`${short(profile.min)} to ${short(profile.max)}`);
    if (profile.quantiles !== null) parts.push(`median ${short(profile.quantiles[2])}`);
  } else if (profile.top !== null && profile.top.length > 0)
    parts.push(
      profile.top
        .slice(0, 3)
        .map((entry) => `${short(entry.value)} ${share(entry.count, looked)}`)
        .join(", "),
    );
  parts.push(`${looked > exactDistinct ? "about " : ""}${count(profile.distinct)} distinct`, `${share(profile.nulls, looked)} NULL`);
  if (sampled) parts.push(`from a sample of ${count(looked)} rows`);
  return parts.join(" · ");
}

/** `range`: the part between the filter's ends is drawn full, the rest pale. */
export function miniView(profile: ColumnProfile, looked: number, sampled: boolean): TemplateResult {
  const words = profileText(profile, looked, sampled);
  const nulls = profile.nulls / Math.max(1, looked);
  const red = nulls > 0 ? Math.max(2, nulls * width) : 0;
  const room = width - red - (red > 0 ? 1 : 0);
  const bins = profile.bins ?? [];
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const step = room / Math.max(1, bins.length);
  const top = profile.top ?? [];
  const known = top.reduce((sum, entry) => sum + entry.count, 0);
  let at = 0;
  const body =
    bins.length > 0
      ? bins.map((bin, i) => {
          const tall = bin.count === 0 ? 0 : Math.max(1, (bin.count / most) * height);
          return svg`<rect x=${i * step} y=${height - tall} width=${Math.max(1, step - 0.7)} height=${tall}><title>${short(bin.from)} to ${short(bin.to)}: ${count(bin.count)}</title></rect>`;
        })
      : [...top.slice(0, 3), ...(known < looked || top.length > 3 ? [{ value: "other", count: 0 }] : [])].map((entry, i, all) => {
          const rest = looked - profile.nulls - all.reduce((sum, other) => sum + other.count, 0);
          const n = entry.count === 0 ? rest : entry.count;
          const wide = (n / Math.max(1, looked - profile.nulls)) * room;
          const x = at;
          at += wide;
          return svg`<rect class=${`part-${entry.count === 0 ? "rest" : i}`} x=${x} y="4" width=${Math.max(0, wide - 1)} height=${height - 8}><title>${short(entry.value)}: ${count(n)}</title></rect>`;
        });
  return html`<span class="mini" role="img" aria-label=${words} title=${words}
    ><svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" height=${height} aria-hidden="true">
      ${body}${red > 0 ? svg`<rect class="nulls" x=${width - red} y="0" width=${red} height=${height}><title>${share(profile.nulls, looked)} NULL</title></rect>` : nothing}
    </svg>
    ${
      bins.length > 0
        ? html`<span class="ends" aria-hidden="true"><span>${short(profile.min)}</span><span>${short(profile.max)}</span></span>`
        : html`<span class="ends" aria-hidden="true"
            ><span>${top[0] === undefined ? "" : `${short(top[0].value)} ${share(top[0].count, looked)}`}</span></span
          >`
    }</span
  >`;
}
