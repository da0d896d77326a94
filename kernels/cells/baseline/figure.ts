import type { PlotlySpec } from "../../protocol/output.js";
import type { Evaluated } from "../../protocol/values.js";

/** A number with as many digits as help a person: four significant ones. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 10_000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(4)));
}

/** Bars sorted from best (top) to worst with 95 % intervals; the best is named by a word, not by colour alone. */
export function barFigure(all: Evaluated[], best: Evaluated, expect: number | undefined): PlotlySpec {
  const rows = [...all].reverse();
  const metric = best.evaluation.metric;
  return {
    title: `Baselines by ${metric.name}`,
    data: [
      {
        type: "bar",
        orientation: "h",
        y: rows.map((one) => one.label),
        x: rows.map((one) => one.evaluation.value),
        error_x: {
          type: "data",
          symmetric: false,
          array: rows.map((one) => Math.max(0, one.evaluation.ci[1] - one.evaluation.value)),
          arrayminus: rows.map((one) => Math.max(0, one.evaluation.value - one.evaluation.ci[0])),
        },
        text: rows.map((one) => (one === best ? `◆ to beat: ${digits(one.evaluation.value)}` : digits(one.evaluation.value))),
        textposition: "auto",
        marker: { color: rows.map((one) => (one === best ? "#b08a1e" : "#8a93a0")) },
        name: metric.name,
        hovertemplate: "%{y}: %{x}<extra></extra>",
      },
    ],
    layout: {
      showlegend: false,
      xaxis: { title: { text: `${metric.name} (${metric.better} is better), 95 % interval` }, rangemode: "tozero" },
      yaxis: { automargin: true, type: "category" },
      ...(expect === undefined
        ? {}
        : {
            shapes: [{ type: "line", x0: expect, x1: expect, yref: "paper", y0: 0, y1: 1, line: { color: "#8a93a0", dash: "dot", width: 1.5 } }],
            annotations: [{ x: expect, yref: "paper", y: 1, yanchor: "bottom", text: "expected", showarrow: false }],
          }),
    },
  };
}

/** The end of the test rows: what happened and what the best baselines said, one line each with its own dash. */
export function forecastFigure(
  times: Float64Array,
  ys: Float64Array,
  predictions: { label: string; values: ArrayLike<unknown> }[],
  target: string,
  shown: number,
): PlotlySpec {
  const order = Array.from(times.keys()).sort((a, b) => times[a]! - times[b]!);
  const last = order.slice(-shown);
  const x = last.map((i) => new Date(times[i]!).toISOString());
  const dashes = ["dash", "dot", "dashdot", "longdash"];
  return {
    title: `${target} and its forecasts`,
    data: [
      { type: "scatter", mode: "lines+markers", name: target, x, y: last.map((i) => ys[i]) },
      ...predictions.map((one, k) => ({
        type: "scatter",
        mode: "lines",
        name: one.label,
        x,
        y: last.map((i) => one.values[i] as number),
        line: { dash: dashes[k % dashes.length], width: 1.5 },
      })),
    ],
    layout: { yaxis: { title: { text: target } }, legend: { orientation: "h" } },
  };
}
