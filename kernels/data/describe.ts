/** The columns of a relation in numbers, as DuckDB's `summarize`, which fails on NaN, infinities and sums past its types. */
import type { ColumnInfo } from "../protocol/output.js";
import { quote, text } from "./names.js";

/** Up to so many rows quartiles are exact. */
export const exactQuartiles = 1_000_000;
/** 2^-700: sums and squares of scaled doubles stay in range */
const scale = "pow(2.0, -700)";
const widest = 1e150;
/** bytes of a BLOB that min and max show */
const shownBytes = 40;

/** what a JavaScript Date holds: other times are as infinite here as in rows */
const [firstDate, lastDate] = ["timestamp '271822-04-20 (BC)'", "timestamp '275760-09-13'"];

/** their sums are exact */
const exact = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT)|DECIMAL\((\d|1[0-8]),\d+\))$/;
const wide = /^(U?HUGEINT|BIGNUM|DECIMAL\(.*\))$/;
const float = /^(FLOAT|DOUBLE)$/;
const time = /^(DATE|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?)$/;

/** What must be known first, as one row of doubles by place: the rows, and for each column the largest size of a finite double. */
export function sizesSql(info: ColumnInfo[], relation: string): string {
  const sizes = info.map(({ name, type }) => (type === "DOUBLE" ? `max(abs(${quote(name)})) filter (where isfinite(${quote(name)}))` : "0"));
  return `select count(*)::double, ${sizes.join(", ")} from ${relation}`;
}

/** One row a column. `sizes` is what `sizesSql` found. */
export function describeSql(info: ColumnInfo[], relation: string, [rows, ...sizes]: (number | null)[]): string {
  const quantile = rows! <= exactQuartiles ? "quantile_cont" : "approx_quantile";
  const parts = info.map((column, i) => describeColumn(column, quantile, (sizes[i] ?? 0) > widest));
  const list = parts.map((part) => `{${part.map(([name, sql]) => `${quote(name)}: ${sql}`).join(", ")}}`);
  return `select unnest([${list.join(", ")}], recursive := true) from ${relation}`;
}

function describeColumn({ name, type }: ColumnInfo, quantile: string, huge: boolean): [name: string, sql: string][] {
  const c = quote(name);
  const end = (f: string) => `${f}(${c})${type === "BLOB" ? `[1:${shownBytes}]` : ""}::varchar`;
  const { value, finite, mean, spread } = measuresOf(c, type, huge);
  const filter = finite === null ? "" : ` filter (where ${finite})`;
  const shown = (sql: string | null) => (sql === null ? "null::varchar" : `(${sql})::varchar`);
  const quartile = (q: number): [string, string] => [`q${100 * q}`, shown(value && `${quantile}(${value}, ${q})${filter}`)];
  return [
    ["column_name", text(name)],
    ["column_type", text(type)],
    ["min", end("min")],
    ["max", end("max")],
    ["approx_unique", `least(approx_count_distinct(${c}), count(${c}))`],
    ["avg", shown(mean && mean(filter))],
    ["std", shown(spread && spread(filter))],
    ...[0.25, 0.5, 0.75].map(quartile),
    ["count", "count(*)"],
    ["null_percentage", `round(100 * (1 - count(${c}) / count(*)), 2)`],
    ["not_finite", finite === null ? "0::bigint" : `count(*) filter (where ${c} is not null and (${finite}) is not true)`],
  ];
}

interface Measures {
  /** what quartiles are taken of */
  value: string | null;
  /** the condition for a value to count */
  finite: string | null;
  mean: ((filter: string) => string) | null;
  spread: ((filter: string) => string) | null;
}

function measuresOf(c: string, type: string, huge: boolean): Measures {
  if (exact.test(type)) return { value: `${c}::double`, finite: null, mean: () => `avg(${c})`, spread: () => `stddev_samp(${c}::double)` };
  if (wide.test(type)) return { value: `${c}::double`, finite: null, mean: () => `favg(${c}::double)`, spread: () => `stddev_samp(${c}::double)` };
  if (float.test(type)) {
    const [part, back] = huge ? [`${c}::double * ${scale}`, ` / ${scale}`] : [`${c}::double`, ""];
    return {
      value: c,
      finite: `isfinite(${c})`,
      mean: (filter) => `favg(${part})${filter}${back}`,
      spread: (filter) => `stddev_samp(${part})${filter}${back}`,
    };
  }
  if (type === "TIME") return { value: c, finite: null, mean: () => `avg(${c})`, spread: null };
  if (time.test(type)) {
    // seconds, milliseconds and nanoseconds have no mean of their own; of a DATE, a TIMESTAMP holds less
    const value = type === "TIMESTAMP WITH TIME ZONE" ? c : `try_cast(${c} as timestamp)`;
    return { value, finite: `${value} between ${firstDate} and ${lastDate}`, mean: (filter) => `avg(${value})${filter}`, spread: null };
  }
  return { value: null, finite: null, mean: null, spread: null };
}
