/**
 * Predictors that need no learning: a JSON state fitted on the training rows, and pure prediction from it, used by the notebook and by the model host alike.
 * Classifiers and regressors follow scikit-learn's DummyClassifier and DummyRegressor.
 */
import { forecast, longestHistory, type ForecastName } from "./forecast.js";
import { datePart, millis, stepOf, stepsBetween, type DatePart, type Step } from "./moments.js";
import type { Prediction } from "./types.js";

export type Target = "binary" | "multiclass" | "regression" | "forecast";

/** One key of a rate baseline: the value of a column, or a part of its date. */
export interface RateKey {
  column: string;
  part: DatePart | null;
}

/** The last values of one series and where they end. */
export interface SeriesState {
  /** at most 1,000 values, oldest first */
  tail: number[];
  /** ms since 1970 of the last value */
  last: number;
}

export type BaselineState =
  /** share of each class; binary: [negative, positive] */
  | { kind: "prior" | "majority"; target: "binary" | "multiclass"; prior: number[] }
  /** one class drawn by the prior, fixed by the record's `column` and the seed, so that the same record always gets the same answer */
  | { kind: "stratified"; target: "binary" | "multiclass"; prior: number[]; column: string; seed: number }
  /** levels[k]: means by the first k + 1 keys, joined by "|"; each level is smoothed towards the one above by `weight` rows */
  | {
      kind: "rate";
      target: "binary" | "multiclass" | "regression";
      keys: RateKey[];
      weight: number;
      overall: number[];
      levels: Record<string, number[]>[];
    }
  | { kind: "mean" | "median"; target: "regression"; value: number }
  /** an answer that the records bring along */
  | { kind: "column"; target: Target; column: string; classes: string[] | null }
  | {
      kind: "forecast";
      target: "forecast";
      name: ForecastName;
      time: string;
      series: string | null;
      season: number;
      step: Step;
      states: Record<string, SeriesState>;
    };

export interface BaselineData {
  target: Target;
  /** number of classes: 2 for binary, 0 for numbers */
  classes: number;
  /** class index, 0 or 1, or the number */
  y: ArrayLike<number>;
  columns?: Record<string, ArrayLike<unknown>>;
}

function share(data: BaselineData): number[] {
  const counts = new Array<number>(data.classes).fill(0);
  for (let i = 0; i < data.y.length; i++) counts[data.y[i]!]!++;
  return counts.map((c) => c / data.y.length);
}

const nonempty = (data: BaselineData): void => {
  if (data.y.length === 0) throw new RangeError("Expected training rows for a baseline, got none");
};

export function fitPrior(kind: "prior" | "majority", data: BaselineData): BaselineState {
  nonempty(data);
  return { kind, target: data.target as "binary" | "multiclass", prior: share(data) };
}

export function fitStratified(data: BaselineData, column: string, seed: number): BaselineState {
  nonempty(data);
  return { kind: "stratified", target: data.target as "binary" | "multiclass", prior: share(data), column, seed };
}

export function fitMean(data: BaselineData): BaselineState {
  nonempty(data);
  let sum = 0;
  for (let i = 0; i < data.y.length; i++) sum += data.y[i]!;
  return { kind: "mean", target: "regression", value: sum / data.y.length };
}

/** The middle value, or the mean of the two middle ones. */
export function fitMedian(data: BaselineData): BaselineState {
  nonempty(data);
  const sorted = Float64Array.from(data.y).sort();
  const n = sorted.length;
  return { kind: "median", target: "regression", value: (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2 };
}

/** One text for one value, the same for a database value and for the JSON that a caller sends. */
function keyText(value: unknown, part: DatePart | null): string {
  if (value === null || value === undefined) return "null";
  if (part) return String(datePart(value, part));
  if (value instanceof Date) return value.toISOString();
  return (typeof value === "object" ? JSON.stringify(value) : String(value)).replaceAll("|", "\\|");
}

/**
 * Mean of the target (share of each class) by one or more keys. Smoothed: (sum + weight * mean of the level above) / (n + weight), where the level above drops
 * the last key and the topmost is the overall mean; a combination never seen falls back to its longest seen beginning.
 */
export function fitRate(data: BaselineData, keys: RateKey[], weight = 20): BaselineState {
  nonempty(data);
  if (data.target === "forecast") throw new RangeError("Expected a rate baseline on a task of classes or numbers, got a forecast");
  const width = data.classes > 2 ? data.classes : 1;
  const n = data.y.length;
  const add = (sums: number[], y: number): void => {
    sums[0]!++;
    if (width === 1) sums[1]! += y;
    else sums[1 + y]!++;
  };
  const levels: Map<string, number[]>[] = keys.map(() => new Map());
  const total = new Array<number>(width + 1).fill(0);
  for (let i = 0; i < n; i++) {
    const y = data.y[i]!;
    add(total, y);
    let key = "";
    for (let k = 0; k < keys.length; k++) {
      const values = data.columns?.[keys[k]!.column];
      if (!values) throw new RangeError(`Expected a column \`${keys[k]!.column}\` for the rate baseline; it is not in the data`);
      const text = keyText(values[i], keys[k]!.part);
      key = k === 0 ? text : `${key}|${text}`;
      let sums = levels[k]!.get(key);
      if (!sums) levels[k]!.set(key, (sums = new Array<number>(width + 1).fill(0)));
      add(sums, y);
    }
  }
  const overall = total.slice(1).map((sum) => sum / n);
  const parents: Map<string, number[]>[] = [];
  levels.forEach((level, k) => {
    const means = new Map<string, number[]>();
    for (const [key, sums] of level) {
      const above = k === 0 ? overall : parents[k - 1]!.get(key.slice(0, cutAt(key)))!;
      means.set(
        key,
        above.map((mean, c) => (sums[1 + c]! + weight * mean) / (sums[0]! + weight)),
      );
    }
    parents.push(means);
  });
  return { kind: "rate", target: data.target, keys, weight, overall, levels: parents.map((level) => Object.fromEntries(level)) };
}

/** Where the last key of a joined text begins: the last "|" that is not escaped. */
function cutAt(key: string): number {
  let at = key.length;
  do at = key.lastIndexOf("|", at - 1);
  while (at > 0 && key[at - 1] === "\\");
  return at;
}

/** Rows in time order, one series after the other or mixed; `y` and `times` line up. */
export function fitForecast(
  name: ForecastName,
  rows: { y: ArrayLike<number>; times: ArrayLike<unknown>; series?: ArrayLike<unknown> },
  task: { time: string; series?: string; season: number },
): BaselineState {
  const byName = new Map<string, { y: number[]; times: number[] }>();
  for (let i = 0; i < rows.y.length; i++) {
    const key = rows.series ? keyText(rows.series[i], null) : "";
    let one = byName.get(key);
    if (!one) byName.set(key, (one = { y: [], times: [] }));
    one.y.push(rows.y[i]!);
    one.times.push(millis(rows.times[i]));
  }
  const states = new Map<string, SeriesState>();
  let step: Step | null = null;
  for (const [key, { y, times }] of byName) {
    step ??= stepOf(times);
    states.set(key, { tail: y.slice(-longestHistory), last: times.at(-1)! });
  }
  if (!step) throw new RangeError("Expected training rows for a forecast, got none");
  return {
    kind: "forecast",
    target: "forecast",
    name,
    time: task.time,
    series: task.series ?? null,
    season: task.season,
    step,
    states: Object.fromEntries(states),
  };
}

/** A fraction in [0, 1) fixed by text and seed (murmur3's finaliser over its units). */
function fraction(text: string, seed: number): number {
  let h = seed | 0;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0xcc9e2d51);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

const answer = (target: Target, shares: number[]): Prediction =>
  target === "multiclass" ? Float32Array.from(shares) : target === "binary" && shares.length === 2 ? shares[1]! : shares[0]!;

const oneHot = (n: number, at: number): number[] => Array.from({ length: n }, (_, c) => (c === at ? 1 : 0));

/** A record of the column baseline: its number, boolean or class label. */
function given(state: BaselineState & { kind: "column" }, value: unknown): Prediction {
  if (state.target === "multiclass") {
    const at = state.classes?.indexOf(String(value)) ?? -1;
    if (at < 0) throw new RangeError(`Expected \`${state.column}\` to be one of ${state.classes?.join(", ")}, got \`${String(value)}\``);
    return Float32Array.from(oneHot(state.classes!.length, at));
  }
  const text = state.target === "binary" && state.classes && typeof value === "string" ? state.classes.indexOf(value) : -1;
  const number = text >= 0 ? text : typeof value === "boolean" ? Number(value) : typeof value === "bigint" ? Number(value) : value;
  const out = typeof number === "string" && number.trim() !== "" ? Number(number) : number;
  if (typeof out !== "number" || Number.isNaN(out)) throw new RangeError(`Expected \`${state.column}\` to be a number, got \`${String(value)}\``);
  if (state.target === "binary" && (out < 0 || out > 1))
    throw new RangeError(`Expected \`${state.column}\` to be a probability from 0 to 1, got \`${out}\``);
  return out;
}

export interface Answer {
  prediction: Prediction;
  /** forecasts without a history: the time (ISO) from which the training state was continued, and over how many steps */
  from?: { date: string; steps: number };
}

/**
 * The answer to one record. Forecasts take `{[time] or date, [series] or series?, history?, ahead?}`: `history` holds the values before the date, oldest first,
 * ending `ahead` steps before it (default 1); without it the training series is continued and `from` says from when. Throws on a record that lacks what is needed.
 */
export function answerBaseline(state: BaselineState, record: object): Answer {
  const r = record as Record<string, unknown>;
  switch (state.kind) {
    case "prior":
      return { prediction: answer(state.target, state.prior) };
    case "majority":
      return { prediction: answer(state.target, oneHot(state.prior.length, state.prior.indexOf(Math.max(...state.prior)))) };
    case "stratified": {
      let left = fraction(keyText(r[state.column], null), state.seed);
      let at = state.prior.findIndex((p) => (left -= p) < 0);
      if (at < 0) at = state.prior.length - 1;
      return { prediction: answer(state.target, oneHot(state.prior.length, at)) };
    }
    case "rate": {
      let key = "";
      let means = state.overall;
      for (let k = 0; k < state.keys.length; k++) {
        const text = keyText(r[state.keys[k]!.column], state.keys[k]!.part);
        key = k === 0 ? text : `${key}|${text}`;
        const level = state.levels[k]!;
        if (!Object.hasOwn(level, key)) break;
        means = level[key]!;
      }
      return { prediction: answer(state.target, means) };
    }
    case "mean":
    case "median":
      return { prediction: state.value };
    case "column":
      return { prediction: given(state, r[state.column]) };
    case "forecast":
      return answerForecast(state, r);
    default:
      throw new RangeError(`unknown kind of baseline: ${String((state as { kind: unknown }).kind)}`);
  }
}

function answerForecast(state: BaselineState & { kind: "forecast" }, r: Record<string, unknown>): Answer {
  const history = r["history"];
  if (history !== undefined && history !== null) {
    const values = Array.isArray(history) || ArrayBuffer.isView(history) ? Array.from(history as ArrayLike<unknown>, Number) : null;
    if (!values || values.length === 0 || values.some((v) => !Number.isFinite(v)))
      throw new RangeError("Expected `history` to be a list of numbers, oldest first, or to be left out");
    const ahead = r["ahead"] === undefined || r["ahead"] === null ? 1 : Number(r["ahead"]);
    if (!Number.isInteger(ahead) || ahead < 1)
      throw new RangeError(`Expected \`ahead\` to be a whole number of steps from 1, got \`${String(r["ahead"])}\``);
    return { prediction: forecast(state.name, values, ahead, state.season) };
  }
  const name = state.series === null ? "" : keyText(r[state.series] ?? r["series"], null);
  const own = Object.hasOwn(state.states, name) ? state.states[name] : undefined;
  if (!own) throw new RangeError(`Expected \`${state.series ?? "series"}\` to be a series seen in training or a \`history\`, got \`${name}\``);
  const date = r[state.time] ?? r["date"];
  const at = millis(date);
  if (Number.isNaN(at)) throw new RangeError(`Expected \`${state.time}\` to be a date, got \`${String(date)}\``);
  const steps = Math.max(1, stepsBetween(own.last, at, state.step));
  return { prediction: forecast(state.name, own.tail, steps, state.season), from: { date: new Date(own.last).toISOString(), steps } };
}

/** Answers in the order of the records. */
export function predictBaseline(state: BaselineState, records: object[]): Prediction[] {
  return records.map((record) => answerBaseline(state, record).prediction);
}

/** Numbers that the state holds: what a baseline has instead of trainable parameters. */
export function baselineSize(state: BaselineState): number {
  switch (state.kind) {
    case "prior":
    case "majority":
    case "stratified":
      return state.prior.length;
    case "rate":
      return state.overall.length * (1 + state.levels.reduce((sum, level) => sum + Object.keys(level).length, 0));
    case "forecast":
      return Object.values(state.states).reduce((sum, one) => sum + one.tail.length, 0);
    default:
      return state.kind === "column" ? 0 : 1;
  }
}
