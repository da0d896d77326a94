/** Where a column has moved to: the part of the current rows that a person is asked about. */
import type { ReviewStep } from "../../protocol/output.js";
import { merge, type ColumnSketch, type Compared } from "../../stats/sketch.js";
import { digits } from "../baseline/figure.js";
import type { Probe } from "./sketch.js";

/** the bins of the histogram: what is sent is what is seen to stand out there */
export const bins = 20;
/** so many values are named, the rest is counted */
const named = 3;
const mostValues = 10;

/** A person answers so many in about a quarter of an hour. */
export const mostSent = 100;

export interface Segment {
  /** over the current rows */
  sql: string;
  /** "30 to 52" */
  words: string;
  /** by how much its share of the rows has grown */
  gain: number;
}

/**
 * Of numbers the run of neighbouring bins whose share has grown most in sum; of categories the values that have grown most, as many as make half of all growth.
 * Null when nothing has grown that can be named.
 */
export function segmentOf(compared: Compared, reference: Pick<ColumnSketch, "edges">, probe: Probe): Segment | null {
  const merged = merge(compared, bins);
  const share = (counts: Float64Array): number[] => {
    const n = counts.reduce((a, b) => a + b, 0);
    return Array.from(counts, (count) => (n > 0 ? count / n : 0));
  };
  const [then, now] = [share(merged.reference), share(merged.current)];
  const gains = now.map((one, i) => one - then[i]!);
  return compared.kind === "number" ? numbers(compared, merged, gains, reference.edges, probe) : categories(merged.labels, gains, probe);
}

function numbers(compared: Compared, merged: ReturnType<typeof merge>, gains: number[], edges: number[] | null, probe: Probe): Segment | null {
  let best = { from: 0, to: -1, gain: 0 };
  let run = { from: 0, gain: 0 };
  gains.forEach((gain, i) => {
    if (run.gain <= 0) run = { from: i, gain: 0 };
    run.gain += gain;
    if (run.gain > best.gain) best = { from: run.from, to: i, gain: run.gain };
  });
  if (best.to < 0) return null;
  const [first, last] = [merged.from[best.from]!, merged.to[best.to]!];
  const x = `(${probe.expression})`;
  const low = edges ? edges[first]! : (compared.labels[first] as number);
  // of bins the next one's edge, which is outside; of values the last one, which is inside
  const high = edges ? edges[last + 1] : (compared.labels[last] as number);
  const parts = [`isfinite(${x})`];
  const [open, shut] = [first === 0, last === compared.labels.length - 1];
  if (!open) parts.push(`${x} >= ${literal(low)}`);
  if (!shut) parts.push(`${x} ${edges ? "<" : "<="} ${literal(high!)}`);
  const words =
    open && shut
      ? "at any value"
      : open
        ? `${edges ? "below" : "up to"} ${digits(high!)}`
        : shut
          ? `${digits(low)} and above`
          : `${digits(low)} to ${edges ? "below " : ""}${digits(high!)}`;
  return { sql: parts.join(" and "), words, gain: best.gain };
}

function categories(labels: string[], gains: number[], probe: Probe): Segment | null {
  const grown = labels
    .map((label, i) => ({ label, gain: gains[i]! }))
    // "(other)" stands for values that the sketch does not name: no condition finds them
    .filter(({ label, gain }) => gain > 0 && label !== "(other)")
    .sort((a, b) => b.gain - a.gain);
  const all = grown.reduce((sum, { gain }) => sum + gain, 0);
  const chosen: typeof grown = [];
  let gain = 0;
  for (const one of grown) {
    if (chosen.length === mostValues || gain >= all / 2) break;
    chosen.push(one);
    gain += one.gain;
  }
  if (chosen.length === 0) return null;
  const x = `(${probe.expression})`;
  const values = chosen.filter(({ label }) => label !== "(missing)").map(({ label }) => `'${label.replaceAll("'", "''")}'`);
  const parts = [
    ...(values.length > 0 ? [`${x} in (${values.join(", ")})`] : []),
    ...(chosen.some(({ label }) => label === "(missing)") ? [`${x} is null`] : []),
  ];
  const shown = chosen.slice(0, named).map(({ label }) => (label === "" ? "an empty text" : label.length > 40 ? `${label.slice(0, 40)}…` : label));
  const rest = chosen.length - shown.length;
  return { sql: parts.join(" or "), words: `${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`, gain };
}

const literal = (x: number): string => `'${x}'::double`;

/** The next step that sends rows of the segment to the notebook's queue. */
export function sendStep(
  column: string,
  segment: Segment,
  drawn: { relation: string; rows: number; total: number; hash: string },
  queue: string,
): ReviewStep & { label: string; type: "review" } {
  const { rows, total } = drawn;
  const count = (n: number): string => n.toLocaleString("en");
  const which = `\`${column}\` ${segment.words}`;
  return {
    type: "review",
    label: `Send drifted segment to review: ${rows === total ? `all ${count(rows)} rows` : `${count(rows)} of ${count(total)} rows`} with ${which}`,
    ...{ queue, batch: drawn.hash, relation: drawn.relation, rows, probability: rows / total },
    reason: {
      kind: "drift segment",
      text: `${which}: ${digits(Math.round(segment.gain * 1000) / 10)} points more of the current rows than of the reference`,
    },
  };
}

/** One queue a notebook: its rows are about one task. ASCII letters, digits, "-" and "_" of its path in the workspace. */
export function queueName(notebook: string, workspace: string): string {
  const inside = notebook.startsWith(workspace) ? notebook.slice(workspace.length) : notebook;
  const name = inside
    .replace(/\.nb\.ts$/, "")
    .replace(/[^A-Za-z0-9_]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return name === "" ? "queue" : name;
}
