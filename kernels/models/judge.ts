/**
 * Judge: one process a proposal, with DuckDB and TFJS, so that the server needs neither. `node dist/judge.js CONFIG RESULT` reads the test rows (Parquet),
 * checks them against the declared input, lets candidate and incumbent answer them, compares, and looks for leakage. Writes a JudgeReport as JSON.
 */
import { DuckDBInstance } from "@duckdb/node-api";
import { readFileSync, writeFileSync } from "node:fs";
import type { JudgeConfig, JudgeReport } from "../protocol/judge.js";
import type { EvaluationFile } from "../protocol/evaluation.js";
import type { Slice, VersionCard } from "../protocol/serving.js";
import type { Field, Prediction } from "../protocol/values.js";
import { longestHistory } from "../stats/forecast.js";
import { clustersOf } from "../stats/keys.js";
import { combine, metricOfStored, rowLosses, score } from "../stats/metrics.js";
import { paired } from "../stats/paired.js";
import { loadPredictor, type LoadedPredictor } from "./load.js";
import { distance } from "./parity.js";
import { readEvaluation } from "./version.js";
import { strongestInput } from "./single.js";
import { recordChecker, WireError } from "./wire.js";

/** Rows that are answered again; a larger test part is thinned evenly. */
const mostRows = 50_000;

interface TestRows {
  rows: Record<string, unknown>[];
  y: number[];
  keys: unknown[];
  /** place of each kept row in the whole test part */
  at: number[];
  types: Map<string, string>;
  total: number;
}

const quote = (path: string): string => `'${path.replaceAll("'", "''")}'`;

async function readRows(path: string, card: VersionCard): Promise<TestRows> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "1GB" });
  const connection = await instance.connect();
  const described = await (await connection.runAndReadAll(`describe select * from read_parquet(${quote(path)})`)).getRowObjectsJS();
  const types = new Map(described.map((row) => [String(row["column_name"]), String(row["column_type"])]));
  const all = (await connection.runAndReadAll(`select * from read_parquet(${quote(path)})`)).getRowObjectsJS() as Record<string, unknown>[];
  connection.closeSync();
  const encode = labelOf(card);
  const series = (card.task as { series?: string } | null)?.series;
  const wantsHistory = (card.task as { kind?: string } | null)?.kind === "forecast";
  const horizon = (card.task as { horizon?: number } | null)?.horizon ?? 1;
  const past = new Map<string, { values: number[]; origin: number; ahead: number }>();
  const kept: TestRows = { rows: [], y: [], keys: [], at: [], types, total: 0 };
  const scored = all.filter((row) => row["__warm"] !== true).length;
  const every = Math.max(1, Math.ceil(scored / mostRows));
  for (const row of all) {
    const y = encode(row["__y"]);
    const warm = row["__warm"] === true;
    if (wantsHistory) {
      // rolling origin: each value is forecast once, 1 to `horizon` steps after the last origin, from its series' values before it
      const key = series === undefined ? "" : String(row[series]);
      const one = past.get(key) ?? { values: [], origin: 0, ahead: horizon };
      past.set(key, one);
      if (!warm) {
        one.ahead = one.ahead >= horizon ? 1 : one.ahead + 1;
        if (one.ahead === 1) one.origin = one.values.length;
        row["history"] ??= one.values.slice(Math.max(0, one.origin - longestHistory), one.origin);
        row["ahead"] ??= one.ahead;
      }
      one.values.push(y);
    }
    if (warm) continue;
    const at = kept.total++;
    if (at % every !== 0) continue;
    kept.rows.push(row);
    kept.y.push(y);
    kept.keys.push(row["__key"]);
    kept.at.push(at);
  }
  return kept;
}

/** Truth as a number: class index, 0 or 1, or the value. */
function labelOf(card: VersionCard): (value: unknown) => number {
  const task = card.task as { kind?: string; classes?: string[] } | null;
  const classes = card.classes ?? task?.classes;
  return (value) => {
    if (typeof value === "boolean") return Number(value);
    if ((task?.kind === "binary" || task?.kind === "multiclass") && classes) {
      const at = classes.indexOf(String(value));
      if (at >= 0) return at;
    }
    return value === null || value === undefined ? NaN : Number(value);
  };
}

/** DuckDB types that a declared type takes without losing anything. */
function fits(field: Field, type: string): boolean {
  const whole = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT)|U?HUGEINT)$/;
  switch (field.type) {
    case "double":
      return whole.test(type) || /^(DOUBLE|FLOAT|DECIMAL.*|BOOLEAN)$/.test(type);
    case "integer":
    case "bigint":
      return whole.test(type);
    case "decimal":
      return whole.test(type) || /^(DECIMAL.*|DOUBLE|FLOAT)$/.test(type);
    case "boolean":
      return type === "BOOLEAN";
    case "string":
      return /^(VARCHAR|UUID|ENUM.*)$/.test(type);
    case "timestamp":
    case "date":
      return /^(TIMESTAMP.*|DATE)$/.test(type);
    case "double[]":
    case "image":
      return /\[\d*\]$/.test(type) || type === "BLOB";
  }
}

/** DuckDB's JS values as the wire would bring them. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value === "number" && Number.isNaN(value)) return null;
  if (value instanceof Uint8Array) return Array.from(value);
  return value;
}

function recordsFor(predictor: LoadedPredictor, rows: Record<string, unknown>[]): { records: object[]; problem: string | null } {
  const check = recordChecker(predictor.signature);
  const names = predictor.signature.inputs.map((field) => field.name);
  const booleans = new Set(predictor.signature.inputs.filter((field) => field.type === "double").map((field) => field.name));
  const records: object[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row: Record<string, unknown> = {};
    for (const name of names) {
      const value = plain(rows[i]![name]);
      row[name] = typeof value === "boolean" && booleans.has(name) ? Number(value) : value;
    }
    try {
      records.push(check(row, `test row ${i + 1}`).record);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { records: [], problem: error.message };
    }
  }
  return { records, problem: null };
}

async function answers(predictor: LoadedPredictor, records: object[]): Promise<Prediction[]> {
  const all: Prediction[] = [];
  for (let i = 0; i < records.length; i += 1024) all.push(...(await predictor.predict(records.slice(i, i + 1024))));
  return all;
}

const instant = (value: unknown): number | string =>
  value instanceof Date ? value.getTime() : typeof value === "bigint" ? Number(value) : typeof value === "number" ? value : String(value);

/** A stored cut (JSON) on the scale of the keys. */
function cutOn(keys: unknown[], cut: unknown): number | string | null {
  if (cut === null || cut === undefined) return null;
  if (keys[0] instanceof Date) {
    const time =
      typeof cut === "number"
        ? cut
        : Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(String(cut)) || !/\d\d:\d\d/.test(String(cut)) ? String(cut) : `${String(cut)}Z`);
    return Number.isNaN(time) ? null : time;
  }
  return typeof keys[0] === "number" || typeof keys[0] === "bigint" ? Number(cut) : String(cut);
}

/** Which rows neither version has trained on, as places; null when it cannot be known. */
function unseen(candidate: VersionCard, incumbent: VersionCard, keys: unknown[]): { rows: number[]; why: string } | null {
  const a = candidate.split;
  const b = incumbent.split;
  const everything = keys.map((_, i) => i);
  if (a.by !== b.by || a.key !== b.key) return null;
  if (a.id === b.id || JSON.stringify(a.cut) === JSON.stringify(b.cut)) return { rows: everything, why: "the same split" };
  if (a.by !== "time" || !Array.isArray(b.cut)) return null;
  const from = cutOn(keys, b.cut.at(-1));
  if (from === null) return null;
  return { rows: everything.filter((i) => instant(keys[i]) >= from), why: `rows from ${String(b.cut.at(-1))} on` };
}

async function leakage(config: JudgeConfig, rows: TestRows, card: VersionCard, fields: Field[]): Promise<JudgeReport["leakage"]> {
  const task = card.task as { kind?: string; target?: string } | null;
  const target = task?.target && fields.some((field) => field.name === task.target) ? task.target : null;
  let overlap: number | null = null;
  let late: number | null = null;
  if (config.trainKeys) {
    const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "1GB" });
    const connection = await instance.connect();
    const test = `(select __key from read_parquet(${quote(config.testRows!)}) ${rows.types.has("__warm") ? "where not __warm" : ""})`;
    const train = `read_parquet(${quote(config.trainKeys)})`;
    const [counts] = (
      await connection.runAndReadAll(
        `select (select count(*) from (select distinct __key from ${test} intersect select distinct __key from ${train}))::int as same,
                (select count(*) from ${train} where __key >= (select min(__key) from ${test}))::int as late`,
      )
    ).getRowObjectsJS() as { same: number; late: number }[];
    connection.closeSync();
    overlap = counts!.same;
    late = card.split.by === "time" ? counts!.late : 0;
  }
  const columns = fields.map((field) => rows.rows.map((row) => plain(row[field.name])));
  return { overlap, late, target, single: strongestInput(fields, columns, rows.y, task?.kind ?? "regression") };
}

/** The score by each value of each column: the 20 that most rows have. */
function slicesOf(columns: string[], test: TestRows, predictions: Prediction[], stored: EvaluationFile | null, evaluation: EvaluationFile): Slice[] {
  const metric = metricOfStored(evaluation.metric, evaluation.y, evaluation.prediction, evaluation.losses);
  const { width } = evaluation;
  return columns.flatMap((column) => {
    if (!test.types.has(column)) throw new Error(`slices: the test rows have no column \`${column}\``);
    const groups = new Map<string, number[]>();
    test.rows.forEach((row, i) => {
      const value = plain(row[column]);
      const key = value instanceof Date ? value.toISOString() : String(value);
      const group = groups.get(key);
      if (group) group.push(i);
      else groups.set(key, [i]);
    });
    const largest = [...groups].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1)).slice(0, 20);
    return largest.map(([value, rows]): Slice => {
      const y = rows.map((i) => test.y[i]!);
      const at = rows.map((i) => test.at[i]!);
      let baseline: number | null = null;
      if (stored && metric.row && stored.baselineLosses.length === stored.n)
        baseline = combine(
          metric,
          Float64Array.from(at, (place) => stored.baselineLosses[place]!),
        );
      else if (stored?.baselinePrediction) {
        const all = stored.baselinePrediction;
        baseline = score(
          metric,
          y,
          at.map((place) => (width === 1 ? all[place]! : all.subarray(place * width, (place + 1) * width))),
        );
      }
      const mine = rows.map((i) => predictions[i]!);
      return { column, value, n: rows.length, candidate: score(metric, y, mine), baseline };
    });
  });
}

async function judge(config: JudgeConfig): Promise<JudgeReport> {
  const candidate = await loadPredictor(config.candidate);
  const evaluation = readEvaluation(config.candidate);
  const report: JudgeReport = { rows: 0, signature: { problems: [], upcasts: [] }, rescored: null, incumbent: null, leakage: null };
  if (config.testRows === null) return report;
  const test = await readRows(config.testRows, candidate.card);
  report.rows = test.total;
  for (const field of candidate.signature.inputs) {
    const type = test.types.get(field.name);
    if (type === undefined) {
      if (!field.nullable && !["history", "ahead"].includes(field.name))
        report.signature.problems.push(`the field \`${field.name}\` (${field.type}) is not a column of the test rows`);
    } else if (!fits(field, type))
      report.signature.problems.push(`the field \`${field.name}\` is declared ${field.type}, the test rows hold ${type}`);
    else if (field.type === "double" && !["DOUBLE", "FLOAT"].includes(type)) report.signature.upcasts.push(`${field.name}: ${type} to double`);
  }
  report.leakage = await leakage(config, test, candidate.card, candidate.signature.inputs);
  if (report.signature.problems.length > 0) return report;
  const own = recordsFor(candidate, test.rows);
  if (own.problem) {
    report.signature.problems.push(own.problem);
    return report;
  }
  const predictions = await answers(candidate, own.records);
  // scored again on the judge's back end, against what the training stored
  const width = evaluation.width;
  let largest = 0;
  let differ = 0;
  const sameRows = test.total === evaluation.n && test.at.every((at, i) => evaluation.y[at] === test.y[i]);
  if (sameRows)
    test.at.forEach((at, i) => {
      const stored = Array.from(evaluation.prediction.subarray(at * width, (at + 1) * width));
      const off = distance(predictions[i]!, width === 1 && typeof predictions[i] === "number" ? stored[0]! : stored);
      largest = Math.max(largest, off);
      if (off > 1e-3) differ++;
    });
  if (config.slices?.length) report.slices = slicesOf(config.slices, test, predictions, sameRows ? evaluation : null, evaluation);
  report.rescored = { sameRows, rows: test.rows.length, largest, differ };
  if (config.incumbent === null) return report;

  const incumbent = await loadPredictor(config.incumbent.dir);
  const metric = metricOfStored(evaluation.metric, evaluation.y, evaluation.prediction, evaluation.losses);
  const fair = unseen(candidate.card, incumbent.card, test.keys);
  const base = { version: config.incumbent.version, label: incumbent.manifest.label, n: fair?.rows.length ?? 0 };
  if (fair === null || fair.rows.length < 30) {
    const why =
      fair === null ? "its split differs, so it is unknown which test rows it has trained on" : `only ${fair.rows.length} test rows are new to both`;
    report.incumbent = { ...base, why, value: null, candidate: null, paired: null };
    return report;
  }
  const rows = fair.rows.map((i) => test.rows[i]!);
  const theirs = recordsFor(incumbent, rows);
  if (theirs.problem) {
    report.incumbent = {
      ...base,
      why: `version ${base.version} cannot answer these rows: ${theirs.problem}`,
      value: null,
      candidate: null,
      paired: null,
    };
    return report;
  }
  const y = fair.rows.map((i) => test.y[i]!);
  const mine = fair.rows.map((i) => predictions[i]!);
  const their = await answers(incumbent, theirs.records);
  const keys = fair.rows.map((i) => test.keys[i]);
  const common = { split: "judge", keys: "judge", n: y.length, metric, ci: [0, 0] as [number, number] };
  const a = rowLosses(metric, y, mine);
  const b = rowLosses(metric, y, their);
  const dependence = evaluation.dependence?.block ? { block: evaluation.dependence.block } : { clusters: clustersOf(keys) };
  const difference = paired(
    { ...common, value: metric.row ? combine(metric, a) : score(metric, y, mine), losses: a },
    { ...common, value: metric.row ? combine(metric, b) : score(metric, y, their), losses: b },
    { seed: evaluation.seed ?? 1, ys: y, ps: [mine, their], ...dependence },
  );
  report.incumbent = { ...base, why: fair.why, value: score(metric, y, their), candidate: score(metric, y, mine), paired: difference };
  return report;
}

const [configPath, resultPath] = process.argv.slice(2) as [string, string];
try {
  const report = await judge(JSON.parse(readFileSync(configPath, "utf8")) as JudgeConfig);
  writeFileSync(resultPath, JSON.stringify(report));
  process.exit(0);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
