/** The baselines that were asked for, fitted and asked about every test row. */
import type { Columns, Prediction, Predictor, Relation, Row, Split, Task } from "../../protocol/values.js";
import {
  fitForecast,
  fitMean,
  fitMedian,
  fitPrior,
  fitRate,
  fitStratified,
  predictBaseline,
  type BaselineData,
  type BaselineState,
  type RateKey,
} from "../../stats/baselines.js";
import { forecastNames, longestHistory, rollingOrigin, type ForecastName } from "../../stats/forecast.js";
import { maseScale } from "../../stats/metrics.js";
import { dateParts, millis, type DatePart } from "../../stats/moments.js";
import { encodeTarget, readColumns } from "./rows.js";
import { isTimeType } from "./task.js";

export type Using = string | { rate: string[] } | { column: string } | Predictor;

export interface Candidate {
  label: string;
  /** absent for a predictor that was passed in */
  state?: BaselineState;
  given?: Predictor;
  predictions: ArrayLike<Prediction>;
  /** test rows as this candidate is asked, at most 256 */
  sample: object[];
}

const classNames = ["prior", "majority", "stratified"];
const numberNames = ["mean", "median"];

/** Names that fit a task: what runs when `using` is left out. */
export function fitting(task: Task): string[] {
  if (task.kind === "forecast") return forecastNames.filter((name) => name !== "seasonal naive" || task.season > 1);
  return task.kind === "regression" ? numberNames : classNames;
}

export const isPredictor = (value: Using): value is Predictor => typeof value === "object" && "predict" in value;

/** What a rate's keys mean: a column of that name, or a part of the date. */
function rateKeys(names: string[], schema: { name: string; type: string }[], key: string): RateKey[] {
  const times = schema.filter((c) => isTimeType(c.type)).map((c) => c.name);
  const time = times.includes(key) ? key : times[0];
  return names.map((name) => {
    if (schema.some((c) => c.name === name)) return { column: name, part: null };
    if (!(dateParts as readonly string[]).includes(name))
      throw new RangeError(
        `Expected each of \`rate\` to be a column or one of ${dateParts.join(", ")}, got \`${name}\`; the columns are ${schema.map((c) => c.name).join(", ")}`,
      );
    if (!time)
      throw new RangeError(`Expected a date or time column for the rate by \`${name}\`; the columns are ${schema.map((c) => c.name).join(", ")}`);
    return { column: time, part: name as DatePart };
  });
}

/** Up to 256 rows spread evenly, as records of the named columns. */
function records(columns: Columns, names: string[], n: number): object[] {
  const count = Math.min(256, n);
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor((i * n) / count);
    return Object.fromEntries(names.map((name) => [name, columns[name]![at]]));
  });
}

/** Calls `visit` with each candidate as soon as it is ready. */
export async function tryCandidates(
  using: Using[],
  split: Split,
  task: Task,
  ys: Float64Array,
  seed: number,
  visit: (candidate: Candidate, done: number) => Promise<void>,
): Promise<void> {
  const train = split.train as Relation<Row>;
  const test = split.test as Relation<Row>;
  const schema = await train.schema();
  const key = split.spec.key;
  const rates = using.map((one) => (typeof one === "object" && "rate" in one ? rateKeys(one.rate, schema, key) : null));
  for (const name of using) {
    if (typeof name !== "string" || fitting(task).includes(name)) continue;
    if (name === "seasonal naive" && task.kind === "forecast")
      throw new RangeError("Expected `task.season` of 2 or more steps for the seasonal naive baseline, got 1");
    throw new RangeError(`Expected \`using\` to name baselines of a ${task.kind} task (${fitting(task).join(", ")}), got \`${name}\``);
  }
  const wanted = new Set<string>([key]);
  for (const keys of rates) for (const one of keys ?? []) wanted.add(one.column);
  for (const one of using) if (typeof one === "object" && !isPredictor(one) && "column" in one) wanted.add(one.column);
  const columns = await readColumns(test, [...wanted], "`using`");
  const trained = await readColumns(train, [task.target, ...wanted], "`using`");
  const y = encodeTarget(trained[task.target]!, task, "training");
  const classes = task.kind === "multiclass" ? task.classes!.length : task.kind === "binary" ? 2 : 0;
  const data: BaselineData = { target: task.kind, classes, y, columns: trained as unknown as Record<string, ArrayLike<unknown>> };
  const series = task.kind === "forecast" ? await readSeries(split, task) : null;
  for (const [i, one] of using.entries()) {
    let candidate: Candidate;
    if (isPredictor(one)) {
      const rows = await test.rows();
      candidate = { label: one.label, given: one, predictions: await one.predict(rows), sample: [] };
    } else if (series && typeof one === "string") {
      candidate = forecastCandidate(one as ForecastName, series, task as Task & { kind: "forecast" }, ys.length);
    } else {
      const { label, state } = fit(one, rates[i] ?? null, data, task, key, seed);
      const names = state.kind === "rate" ? [...new Set(state.keys.map((k) => k.column))] : state.kind === "column" ? [state.column] : [key];
      const constant = state.kind !== "rate" && state.kind !== "column" && state.kind !== "stratified";
      candidate = {
        label,
        state,
        predictions: constant
          ? new Array<Prediction>(ys.length).fill(predictBaseline(state, [{}])[0]!)
          : predictAll(state, columns, names, ys.length),
        sample: records(columns, names, ys.length),
      };
    }
    await visit(candidate, i + 1);
  }
}

/** Asks about every row with one reused record. */
function predictAll(state: BaselineState, columns: Columns, names: string[], n: number): Prediction[] {
  const record: Record<string, unknown> = {};
  const out: Prediction[] = new Array<Prediction>(n);
  for (let i = 0; i < n; i++) {
    for (const name of names) record[name] = columns[name]![i];
    out[i] = predictBaseline(state, [record])[0]!;
  }
  return out;
}

function fit(
  one: Exclude<Using, Predictor>,
  keys: RateKey[] | null,
  data: BaselineData,
  task: Task,
  key: string,
  seed: number,
): { label: string; state: BaselineState } {
  if (typeof one === "object" && "rate" in one) return { label: `rate by ${one.rate.join(", ")}`, state: fitRate(data, keys!) };
  if (typeof one === "object") {
    const classes = task.kind === "multiclass" || task.kind === "binary" ? (task.classes ?? null) : null;
    return { label: `column ${one.column}`, state: { kind: "column", target: data.target, column: one.column, classes } };
  }
  switch (one) {
    case "prior":
    case "majority":
      return { label: one, state: fitPrior(one, data) };
    case "stratified":
      return { label: one, state: fitStratified(data, key, seed) };
    case "mean":
      return { label: one, state: fitMean(data) };
    case "median":
      return { label: one, state: fitMedian(data) };
    default:
      throw new RangeError(`unknown baseline: ${one}`);
  }
}

interface Series {
  /** by series: values in time order over all parts */
  groups: {
    name: unknown;
    y: Float64Array;
    times: Float64Array;
    /** first test row */ start: number;
    /** end of the training rows */ trained: number;
    /** place among the test rows */ places: Int32Array;
  }[];
  scale(season: number): number;
}

/** All rows of a split by series, in time order. */
async function readSeries(split: Split, task: Task & { kind: "forecast" }): Promise<Series> {
  const names = [task.target, task.time, ...(task.series ? [task.series] : [])];
  type Item = { t: number; y: number; part: number; place: number };
  const by = new Map<unknown, Item[]>();
  for (const [part, relation] of ([split.train, split.valid, split.test] as Relation<Row>[]).entries()) {
    const columns = await readColumns(relation, names, "`task`");
    const y = encodeTarget(columns[task.target]!, task, ["training", "validation", "test"][part]!);
    for (let i = 0; i < y.length; i++) {
      const name = task.series ? columns[task.series]![i] : "";
      const t = millis(columns[task.time]![i]);
      if (Number.isNaN(t)) throw new RangeError(`Expected \`${task.time}\` to be a date, got \`${String(columns[task.time]![i])}\``);
      let items = by.get(name);
      if (!items) by.set(name, (items = []));
      items.push({ t, y: y[i]!, part, place: i });
    }
  }
  const groups = [...by].map(([name, items]) => {
    items.sort((a, b) => a.t - b.t || a.part - b.part || a.place - b.place);
    const start = items.findIndex((item) => item.part === 2);
    const from = start < 0 ? items.length : start;
    return {
      name,
      y: Float64Array.from(items, (item) => item.y),
      times: Float64Array.from(items, (item) => item.t),
      start: from,
      trained: items.filter((item) => item.part === 0).length,
      places: Int32Array.from(items.slice(from), (item) => (item.part === 2 ? item.place : -1)),
    };
  });
  return {
    groups,
    scale: (season) =>
      maseScale(
        Float64Array.from(groups.flatMap((g) => [...g.y.subarray(0, g.trained)])),
        season,
        groups.map((g) => g.trained),
      ),
  };
}

/** The scale of MASE for a split: the training series' own seasonal step. */
export async function scaleOf(split: Split, task: Task & { kind: "forecast" }): Promise<number> {
  return (await readSeries(split, task)).scale(task.season);
}

function forecastCandidate(name: ForecastName, series: Series, task: Task & { kind: "forecast" }, n: number): Candidate {
  const predictions = new Float64Array(n);
  const sample: object[] = [];
  const all = { y: [] as number[], times: [] as number[], series: [] as unknown[] };
  for (const group of series.groups) {
    if (group.start === 0) throw new RangeError(`Expected each series to have rows before the test rows, got none of \`${String(group.name)}\``);
    const out = rollingOrigin(name, group.y, group.start, task.horizon, task.season);
    out.forEach((p, i) => {
      if (group.places[i]! >= 0) predictions[group.places[i]!] = p;
    });
    for (let i = 0; i < group.start; i++) {
      all.y.push(group.y[i]!);
      all.times.push(group.times[i]!);
      all.series.push(group.name);
    }
    const every = Math.max(1, Math.floor((out.length * series.groups.length) / 128));
    for (let i = 0; i < out.length && sample.length < 256; i += every) {
      const record = { [task.time]: new Date(group.times[group.start + i]!).toISOString(), ...(task.series ? { [task.series]: group.name } : {}) };
      const origin = group.start + Math.floor(i / task.horizon) * task.horizon;
      const needed = name === "naive" ? 1 : name === "seasonal naive" ? task.season : longestHistory;
      sample.push(record, { ...record, history: [...group.y.subarray(Math.max(0, origin - needed), origin)], ahead: group.start + i - origin + 1 });
    }
  }
  const state = fitForecast(
    name,
    { y: all.y, times: all.times, ...(task.series ? { series: all.series } : {}) },
    { time: task.time, season: task.season, ...(task.series ? { series: task.series } : {}) },
  );
  return { label: name === "seasonal naive" ? `seasonal naive (m = ${task.season})` : name, state, predictions, sample: sample.slice(0, 256) };
}
