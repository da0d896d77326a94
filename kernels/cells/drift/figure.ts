import type { FigurePart, PlotlySpec } from "../../protocol/output.js";
import { merge, type Compared } from "../../stats/sketch.js";
import { digits } from "../baseline/figure.js";

export interface Bar {
  column: string;
  score: number;
  limit: number;
  rule: number | null;
  drifted: boolean;
}

/** Bars of more columns than this cannot be told apart. */
export const mostBars = 100;

/**
 * Columns ranked by how far they are over their own limit; the limit is a tick on each bar, the rule of thumb a second, open one. `parts`: what a bar shows when
 * it is chosen, in the order of the columns.
 */
export function rankFigure(ranked: Bar[], parts: FigurePart[] = []): PlotlySpec {
  const rows = ranked.slice(0, mostBars);
  const y = rows.map((one) => one.column);
  const ruled = rows.filter((one) => one.rule !== null);
  return {
    title: "Drift by column",
    data: [
      {
        type: "bar",
        orientation: "h",
        name: "score",
        y,
        x: rows.map((one) => one.score),
        text: rows.map((one) => `${digits(one.score)}${one.drifted ? " drifted" : ""}`),
        textposition: "auto",
        textangle: 0,
        marker: { color: rows.map((one) => (one.drifted ? "#b3541e" : "#8a93a0")) },
      },
      {
        type: "scatter",
        mode: "markers",
        name: "own limit",
        y,
        x: rows.map((one) => one.limit),
        marker: { symbol: "line-ns-open", size: 18, line: { width: 3 } },
      },
      ...(ruled.length > 0
        ? [
            {
              type: "scatter",
              mode: "markers",
              name: "rule of thumb",
              y: ruled.map((one) => one.column),
              x: ruled.map((one) => one.rule),
              marker: { symbol: "diamond-open", size: 9 },
            },
          ]
        : []),
    ],
    layout: {
      xaxis: { title: { text: "score" }, rangemode: "tozero" },
      yaxis: { automargin: true, type: "category", autorange: "reversed" },
      legend: { orientation: "h" },
      height: Math.max(320, 120 + 28 * rows.length),
    },
    ...(parts.length > 0 ? { parts: parts.slice(0, mostBars) } : {}),
  };
}

/** What a ranked bar is called when it is spoken. */
export const barLabel = (one: Bar): string =>
  `${one.column}: ${digits(one.score)}, limit ${digits(one.limit)}, ${one.drifted ? "drifted" : "no drift"}`;

/** The score of one column over time beside the limit of each period. */
export function columnTimeFigure(column: string, series: { period: string; columns: Bar[] }[]): PlotlySpec {
  const at = series.map((one) => one.columns.find((c) => c.column === column) ?? null);
  const x = series.map((one) => one.period);
  return {
    title: `${column} over time`,
    data: [
      { type: "scatter", mode: "lines+markers", name: "score", x, y: at.map((one) => one?.score ?? null) },
      { type: "scatter", mode: "lines", name: "own limit", x, y: at.map((one) => one?.limit ?? null), line: { dash: "dot", width: 2 } },
    ],
    layout: { xaxis: { type: "category" }, yaxis: { title: { text: "score" }, rangemode: "tozero" }, legend: { orientation: "h" } },
  };
}

/** Scores over time, one line a column with its own marker; times the limit, so that columns compare. */
export function timeFigure(series: { period: string; columns: Bar[] }[], columns: string[]): PlotlySpec {
  const symbols = ["circle", "square", "diamond", "triangle-up", "x", "cross", "star", "pentagon"];
  const x = series.map((one) => one.period);
  const rule = series.some((one) => one.columns.some((c) => c.rule !== null));
  return {
    title: "Drift over time",
    data: columns.map((column, i) => ({
      type: "scatter",
      mode: "lines+markers",
      name: column,
      x,
      y: series.map((one) => one.columns.find((c) => c.column === column)?.score ?? null),
      marker: { symbol: symbols[i % symbols.length], size: 8 },
    })),
    layout: {
      xaxis: { type: "category" },
      yaxis: { title: { text: "score" }, rangemode: "tozero" },
      legend: { orientation: "h" },
      ...(rule
        ? { shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: 0.1, y1: 0.1, line: { color: "#8a93a0", dash: "dot", width: 1.5 } }] }
        : {}),
    },
  };
}

/** The two sides of one column as shares: the reference filled, the current an outline, so that they differ without colour. */
export function histogramFigure(column: string, compared: Compared, label: string): PlotlySpec {
  const bins = merge(compared, 20);
  const order = Array.from(bins.labels.keys());
  // the most frequent categories say the most; numbers keep their order
  const shown = compared.kind === "category" ? order.sort((a, b) => bins.reference[b]! - bins.reference[a]!).slice(0, 25) : order;
  const share = (counts: Float64Array): number[] => {
    const n = counts.reduce((a, b) => a + b, 0);
    return shown.map((i) => counts[i]! / n);
  };
  const x = shown.map((i) => bins.labels[i]!);
  return {
    title: `${column}: ${label} and current`,
    data: [
      { type: "bar", name: label, x, y: share(bins.reference), marker: { color: "#8a93a0", opacity: 0.7 } },
      { type: "bar", name: "current", x, y: share(bins.current), marker: { color: "rgba(0,0,0,0)", line: { color: "#b3541e", width: 2 } } },
    ],
    layout: {
      barmode: "overlay",
      bargap: 0.1,
      xaxis: { title: { text: column, standoff: 8 }, type: "category", automargin: true },
      yaxis: { title: { text: "share of rows" }, tickformat: ".0%" },
      legend: { orientation: "h" },
      meta: { column },
    },
  };
}
