/** `drift({ reference, current, columns?, test, alpha, every?, calibrate? })`: has the data moved, where, and by how much (contracts 3). */
import type { RunContext } from "../../protocol/cells.js";
import type { DriftColumn, DriftOptions, DriftResult } from "../../protocol/library.js";
import type { FindingView, NextStep } from "../../protocol/output.js";
import type { Relation } from "../../protocol/values.js";
import { compareColumn, compareMissing, type ColumnResult, type DriftTest } from "../../stats/compare.js";
import { lineUp, type ColumnSketch, type Compared } from "../../stats/sketch.js";
import { twoProportions } from "../../stats/proportions.js";
import { digits } from "../baseline/figure.js";
import { check } from "../baseline/options.js";
import { schema } from "./cell.js";
import { barLabel, columnTimeFigure, histogramFigure, mostBars, rankFigure, timeFigure } from "./figure.js";
import { sidesOf } from "./reference.js";
import { countLike, quote, type Probe } from "./sketch.js";
import { mostSent, queueName, segmentOf, sendStep } from "./segment.js";

/** Share of drifted columns from which the data as a whole has drifted (Evidently's default). */
const wholeShare = 0.5;
/** More periods than this are a table that nobody reads. */
const mostPeriods = 400;

interface Checked {
  reference: unknown;
  current: unknown;
  columns?: string[];
  test: DriftTest;
  alpha: number;
  every?: "day" | "week" | "month" | "quarter" | "year";
  time?: string;
  calibrate: boolean;
}

interface Found extends ColumnResult {
  column: string;
  prediction: boolean;
  compared: Compared;
  reference: ColumnSketch;
  probe: Probe;
  referenceMissing: number;
  currentMissing: number;
  /** of the reference, of the current side */
  rows: [number, number];
}

const toColumn = (one: ColumnResult & { column: string }): DriftColumn & { rule: number | null } => ({
  ...{ column: one.column, test: one.test, score: one.score, limit: one.limit, p: one.p, drifted: one.drifted, rule: one.rule },
});

export async function run<R extends object>(options: DriftOptions<R>, context: RunContext): Promise<DriftResult> {
  const o = check(schema, options, "drift") as Checked;
  const sides = await sidesOf(o.reference, o.current, o.columns, context);
  const current = o.current as Relation;
  const period = o.every ? await periodOf(o, sides.times, current) : null;
  const total = sides.pairs.length;
  // alpha is shared, so that all columns together alarm falsely at that rate
  const alpha = o.alpha / total;
  const found: Found[] = [];
  const periods = new Map<string, Map<string, ColumnResult & { column: string; rows: number }>>();
  const warnings = sides.skipped.map(({ why }) => why);
  const changed = sides.skipped.filter((one) => one.changed).map(({ column }) => column);
  context.progress({ label: "counting the reference", done: 0, total, eta: null });
  const references = await sides.references();
  context.progress({ label: "counting the current rows", done: 0, total, eta: null });
  const counted = await countLike(
    context,
    current.name,
    sides.pairs.map((pair) => pair.probe),
    references,
    period,
  );
  for (const [i, pair] of sides.pairs.entries()) {
    const name = pair.probe.column;
    context.progress({ label: `column ${i + 1} of ${total}: ${name}`, done: i, total, eta: null });
    const reference = references[i]!;
    const seed = context.seed(`drift ${name}`);
    const byPeriod = counted[i]!;
    if (byPeriod.size > mostPeriods)
      throw new RangeError(`drift: ${byPeriod.size} periods: Expected at most ${mostPeriods}; choose a longer \`every\``);
    const whole = period ? addUp([...byPeriod.values()], reference) : (byPeriod.get("") ?? emptyLike(reference));
    const compared = lineUp(reference, whole);
    const empty = (side: Float64Array): boolean => !side.some((n) => n > 0);
    const oneSided = reference.rows > 0 && whole.rows > 0 && empty(compared.reference) !== empty(compared.current);
    const result = oneSided ? compareMissing(reference, whole, alpha) : compareColumn(compared, o.test, alpha, o.calibrate, seed);
    found.push({
      ...result,
      column: name,
      prediction: pair.prediction,
      compared,
      reference,
      probe: pair.probe,
      referenceMissing: missing(reference),
      currentMissing: missing(whole),
      rows: [reference.rows, whole.rows],
    });
    if (reference.kind === "number" && reference.missing + whole.missing > 0 && whole.rows > 0) {
      const change = twoProportions(reference.missing, reference.rows, whole.missing, whole.rows);
      if (change.p < alpha && Math.abs(change.diff) > 0.001)
        warnings.push(`missing values of \`${name}\` went from ${percent(missing(reference))} to ${percent(missing(whole))}`);
    }
    if (period)
      for (const [key, sketch] of byPeriod) {
        if (key === "null") continue;
        let one = periods.get(key);
        if (!one) periods.set(key, (one = new Map()));
        one.set(name, { column: name, rows: sketch.rows, ...compareColumn(lineUp(reference, sketch), o.test, alpha, o.calibrate, seed) });
      }
    context.show(viewOf(found, periods, sides.label, o, warnings, total, changed));
    await context.breathe();
  }
  context.progress(null);
  const view = viewOf(found, periods, sides.label, o, warnings, total, changed);
  const send = await sendDrifted(found, current, context);
  if (send !== null) view.next.unshift(send);
  context.show(view);
  const data = found.filter((one) => !one.prediction);
  const prediction = found.find((one) => one.prediction);
  const drifted = data.filter((one) => one.drifted);
  const share = data.length === 0 ? 0 : drifted.length / data.length;
  const breached = share >= wholeShare || prediction?.drifted === true;
  return {
    ...{ sentence: view.sentence, verdict: view.verdict, method: view.method, numbers: view.numbers, figure: view.figures[0]! },
    columns: rank(data).map(toColumn),
    prediction: prediction ? toColumn(prediction) : null,
    share,
    breached,
    series: [...periods]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, columns]) => ({ period: key, columns: [...columns.values()].map(toColumn) })),
    trigger: breached || found.some((one) => one.drifted && one.rule !== null && one.score > one.rule),
  };
}

/** Draws rows from where the most drifted column has moved to; null when nothing drifted, or such rows cannot be named. */
async function sendDrifted(found: Found[], current: Relation, context: RunContext): Promise<NextStep | null> {
  const most = rank(found.filter((one) => !one.prediction))[0];
  if (most === undefined || !most.drifted) return null;
  const segment = segmentOf(most.compared, most.reference, most.probe);
  if (segment === null) return null;
  const drawn = await context.draw(current, segment.sql, mostSent, context.seed("drift review"));
  return drawn.rows === 0 ? null : sendStep(most.column, segment, drawn, queueName(context.notebook, context.workspace));
}

const missing = (sketch: ColumnSketch): number => (sketch.rows === 0 ? 0 : sketch.missing / sketch.rows);
const percent = (share: number): string => `${digits(Math.round(share * 1000) / 10)} %`;

/**
 * What columns are ranked by, whatever their test: how far over what matters, the greater of the limit and the rule of thumb. On millions of rows the limit of
 * chance is so low that multiples of it say how many rows there are, not how much has moved.
 */
const excess = (one: ColumnResult): number => {
  const unit = Math.max(one.limit, one.rule ?? 0);
  return unit > 0 ? one.score / unit : one.score > 0 ? Infinity : 0;
};
const rank = <T extends ColumnResult & { column: string }>(all: T[]): T[] =>
  [...all].sort((a, b) => excess(b) - excess(a) || (a.column < b.column ? -1 : 1));

async function periodOf(o: Checked, times: string[], current: Relation): Promise<string> {
  const time = o.time ?? times[0];
  if (!time)
    throw new RangeError(
      `drift: \`every\` needs a date or time column in \`current\`; it has ${(await current.schema()).map((c) => c.name).join(", ")}`,
    );
  if (!times.includes(time))
    throw new RangeError(
      `drift: Expected \`time\` to be a date or time column of \`current\`, got \`${time}\`; ${times.length > 0 ? `it has ${times.join(", ")}` : "it has none"}`,
    );
  const format = o.every === "year" ? "%Y" : o.every === "month" || o.every === "quarter" ? "%Y-%m" : "%Y-%m-%d";
  return `strftime(date_trunc('${o.every!}', ${quote(time)}::timestamp), '${format}')`;
}

function emptyLike(reference: ColumnSketch): ColumnSketch {
  return {
    ...reference,
    rows: 0,
    missing: 0,
    values: reference.edges ? [...reference.edges] : [],
    counts: reference.edges ? reference.edges.map(() => 0) : [],
    other: 0,
  };
}

/** All periods together, so that the rows are read once. */
function addUp(parts: ColumnSketch[], reference: ColumnSketch): ColumnSketch {
  const out = emptyLike(reference);
  for (const part of parts) {
    out.rows += part.rows;
    out.missing += part.missing;
    out.other += part.other;
  }
  if (reference.edges) {
    const sums = reference.edges.map(() => 0);
    for (const part of parts)
      part.counts.forEach((n, i) => {
        out.counts[i]! += n;
        sums[i]! += n * (part.values[i] as number);
      });
    out.values = sums.map((sum, i) => (out.counts[i]! > 0 ? sum / out.counts[i]! : reference.edges![i]!));
    return out;
  }
  const counts = new Map<string | number, number>();
  for (const part of parts) part.values.forEach((value, i) => counts.set(value, (counts.get(value) ?? 0) + part.counts[i]!));
  out.values = [...counts.keys()];
  out.counts = [...counts.values()];
  return out;
}

function viewOf(
  found: Found[],
  periods: Map<string, Map<string, ColumnResult & { column: string; rows: number }>>,
  label: string,
  o: Checked,
  warnings: string[],
  total: number,
  changed: string[],
): FindingView {
  const data = rank(found.filter((one) => !one.prediction));
  const all = rank(found);
  const drifted = data.filter((one) => one.drifted);
  const large = all.filter((one) => one.drifted && (one.rule === null || one.score > one.rule));
  const [before, rows] = ([0, 1] as const).map((side) => Math.min(...found.map((one) => one.rows[side]))) as [number, number];
  const most = data[0];
  const prediction = found.find((one) => one.prediction);
  // with many rows everything moves by more than chance: how many moved by an amount that people care for is said beside it
  const ruled = drifted.filter((one) => one.rule !== null);
  const over = ruled.filter((one) => one.score > one.rule!);
  const much =
    ruled.length === 0 || over.length === drifted.length
      ? ""
      : `, ${over.length === 0 ? "none" : over.length} ${over.length === 0 ? "" : "of them "}by more than the rule of thumb of ${digits(ruled[0]!.rule!)}`;
  let sentence = found.length === 0 ? "" : `${drifted.length} of ${data.length} column${data.length === 1 ? "" : "s"} drifted${much}`;
  if (most)
    sentence += `; \`${most.column}\` ${drifted.length > 0 ? "most" : "moved most"} (${short(most.test)} ${digits(most.score)}, limit ${digits(most.limit)})`;
  sentence += ".";
  if (drifted.length > 0 && over.length === 0 && ruled.length === drifted.length)
    sentence += ` The change is real and small: ${rows.toLocaleString("en")} rows show what chance cannot explain, whatever its size.`;
  if (prediction)
    sentence += ` The model's answers ${prediction.drifted ? "moved as well" : "did not move"} (${digits(prediction.score)}, limit ${digits(prediction.limit)}).`;
  if (changed.length > 0)
    sentence += ` ${changed.map((name) => `\`${name}\``).join(", ")} ${changed.length === 1 ? "is" : "are"} gone or of another type, so not compared.`;
  const few = Math.min(before, rows) < 30;
  if (few) sentence = `Not enough data: ${rows < 30 ? `${rows} current` : `${before} reference`} rows. ${sentence}`;
  const verdict = few ? "unsure" : large.length > 0 || prediction?.drifted ? "bad" : drifted.length > 0 || changed.length > 0 ? "unsure" : "good";
  const series = [...periods].sort(([a], [b]) => (a < b ? -1 : 1)).map(([period, columns]) => ({ period, columns: [...columns.values()] }));
  const numbers: Record<string, number> = {
    columns: data.length,
    drifted: drifted.length,
    share: data.length === 0 ? 0 : drifted.length / data.length,
  };
  for (const one of all) numbers[one.column] = one.score;
  return {
    ...{
      kind: "drift",
      sentence,
      verdict,
      word: few
        ? "not enough data"
        : verdict === "bad"
          ? "drifted"
          : drifted.length > 0
            ? "moved a little"
            : verdict === "unsure"
              ? "not all compared"
              : "no drift",
    },
    method: [...new Set(all.map((one) => one.test))].join("; "),
    numbers,
    figures: [
      rankFigure(
        all,
        all.slice(0, mostBars).map((one) => ({
          name: one.column,
          label: barLabel(one),
          summary: `Histograms of ${one.column}, ${label} and current, and what share of rows has each value.`,
          figures: [histogramFigure(one.column, one.compared, label), ...(series.length > 1 ? [columnTimeFigure(one.column, series)] : [])],
        })),
      ),
      ...(series.length > 1
        ? [
            timeFigure(
              series,
              all.map((one) => one.column),
            ),
          ]
        : []),
    ],
    tables: [
      {
        title: "Columns",
        columns: ["column", "test", "score", "limit", "rule of thumb", "p", "drifted", "missing then", "missing now"],
        rows: all.map((one) => [
          one.column,
          one.test,
          one.score,
          one.limit,
          one.rule,
          one.p,
          one.drifted ? "yes" : "no",
          one.referenceMissing,
          one.currentMissing,
        ]),
      },
      ...(series.length > 0
        ? [
            {
              title: `By ${o.every!}`,
              columns: [o.every!, "rows", ...all.map((one) => one.column), "drifted"],
              rows: series.map((one) => [
                one.period,
                one.columns[0]?.rows ?? 0,
                ...all.map(({ column }) => one.columns.find((c) => c.column === column)?.score ?? null),
                one.columns.filter((c) => c.drifted).length,
              ]),
            },
          ]
        : []),
    ],
    warnings: [...new Set(warnings)],
    footer: `Reference: ${label} · alpha ${o.alpha} shared over ${total} column${total === 1 ? "" : "s"} · limit: ${o.calibrate ? "what chance stays under for these row counts" : "rule of thumb"}`,
    next: [{ label: "Retrain on the later rows", type: "insert", kind: "train", source: "" }],
  };
}

/** "Jensen-Shannon distance, base e" as it is said in a sentence. */
const short = (test: string): string => (test.startsWith("Jensen") ? "JS" : test.startsWith("Kolm") ? "KS" : test.split(",")[0]!);
