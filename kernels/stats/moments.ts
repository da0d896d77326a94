/** UTC time values as they come: Date, milliseconds since 1970, or ISO text (without a zone it is UTC, as DuckDB's TIMESTAMP). NaN when it is no time. */
export function millis(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string") return NaN;
  const text = value.trim();
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return Date.parse(`${text}T00:00:00Z`);
  if (/^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}/.test(text))
    return Date.parse(`${text.replace(" ", "T")}${/(Z|[+-]\d{2}(:?\d{2})?)$/.test(text) ? "" : "Z"}`);
  return NaN;
}

export const dateParts = ["hour", "dow", "month"] as const;
export type DatePart = (typeof dateParts)[number];

/** Part of a time in UTC: hour 0-23, dow 0-6 from Sunday, month 1-12. Null when it is no time. */
export function datePart(value: unknown, part: DatePart): number | null {
  const date = new Date(millis(value));
  if (Number.isNaN(date.getTime())) return null;
  return part === "hour" ? date.getUTCHours() : part === "dow" ? date.getUTCDay() : date.getUTCMonth() + 1;
}

/** The regular step of a time series: whole months where steps are calendar months, else milliseconds. */
export type Step = { unit: "ms" | "month"; size: number };

const day = 86_400_000;
const monthsOf = (ms: number): number => {
  const date = new Date(ms);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};

/** The median gap of sorted times; gaps of 28 days and more that are whole calendar months give months. One day for fewer than two times. */
export function stepOf(times: ArrayLike<number>): Step {
  const gaps: number[] = [];
  for (let i = 1; i < times.length; i++) if (times[i]! > times[i - 1]!) gaps.push(times[i]! - times[i - 1]!);
  if (gaps.length === 0) return { unit: "ms", size: day };
  gaps.sort((a, b) => a - b);
  const gap = gaps[gaps.length >> 1]!;
  const months = Math.round(gap / (30.44 * day));
  if (gap >= 28 * day && months > 0 && Math.abs(gap - months * 30.44 * day) < 3 * day) return { unit: "month", size: months };
  return { unit: "ms", size: gap };
}

/** Steps from one time to another, rounded to whole steps. */
export function stepsBetween(from: number, to: number, step: Step): number {
  return Math.round((step.unit === "month" ? monthsOf(to) - monthsOf(from) : to - from) / step.size);
}
