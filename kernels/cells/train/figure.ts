/** Figures of a training: its curve, and how its answers fit what happened. */
import type { PlotlySpec } from "../../protocol/output.js";
import type { Prediction } from "../../protocol/values.js";
import { digits } from "../baseline/figure.js";

const grey = "#8a93a0";

export interface Curve {
  /** what the y axis says: the loss in a unit that people read */
  unit: string;
  loss: number[];
  valLoss: number[];
  /** the bar in the same unit; null when it is judged by another metric */
  bar: { label: string; value: number; /** which rows it was judged on */ rows: string } | null;
  /** epoch whose weights are kept, from 1 */
  best: number;
  epochs: number;
}

/** Loss and validation loss by epoch; the baseline is there as a dashed line before the first epoch ends. */
export function curveFigure({ unit, loss, valLoss, bar, best, epochs }: Curve): PlotlySpec {
  const x = valLoss.map((_, i) => i + 1);
  const end = Math.max(x.length, Math.min(epochs, x.length + 1), 2);
  return {
    title: `${unit} by epoch`,
    data: [
      { type: "scatter", mode: "lines+markers", name: "validation", x, y: valLoss },
      // left out where training and validation are not in one unit
      ...(loss.length === valLoss.length
        ? [{ type: "scatter", mode: "lines", name: "training", x, y: loss, line: { width: 1.5, dash: "dot" } }]
        : []),
      ...(bar
        ? [
            {
              type: "scatter",
              mode: "lines",
              name: `${bar.label} (to beat, ${bar.rows} rows)`,
              x: [1, end],
              y: [bar.value, bar.value],
              line: { dash: "dash", color: grey, width: 2 },
              hovertemplate: `${bar.label}: %{y}<extra></extra>`,
            },
          ]
        : []),
    ],
    layout: {
      xaxis: { title: { text: "epoch" }, range: [0.8, end + 0.2], dtick: end > 12 ? undefined : 1, rangemode: "tozero" },
      yaxis: { title: { text: unit } },
      legend: { orientation: "h" },
      ...(best > 0 && valLoss.length > 1
        ? { annotations: [{ x: best, y: valLoss[best - 1], text: `kept: ${digits(valLoss[best - 1]!)}`, showarrow: true, arrowhead: 0, ay: -24 }] }
        : {}),
    },
  };
}

/** What was said against how often it happened, in ten bins of equally many rows. */
export function calibrationFigure(ys: Float64Array, ps: ArrayLike<number>, label: string): PlotlySpec {
  const order = Array.from({ length: ys.length }, (_, i) => i).sort((a, b) => ps[a]! - ps[b]!);
  const bins = Math.max(1, Math.min(10, Math.floor(ys.length / 20)));
  const said: number[] = [];
  const seen: number[] = [];
  const counts: number[] = [];
  for (let b = 0; b < bins; b++) {
    const rows = order.slice(Math.floor((b * order.length) / bins), Math.floor(((b + 1) * order.length) / bins));
    said.push(rows.reduce((sum, i) => sum + ps[i]!, 0) / rows.length);
    seen.push(rows.reduce((sum, i) => sum + ys[i]!, 0) / rows.length);
    counts.push(rows.length);
  }
  const top = Math.min(1, Math.max(...said, ...seen) * 1.1);
  return {
    title: "Calibration",
    data: [
      { type: "scatter", mode: "lines", name: "as said", x: [0, top], y: [0, top], line: { dash: "dash", color: grey } },
      {
        type: "scatter",
        mode: "lines+markers",
        name: label,
        x: said,
        y: seen,
        text: counts.map((n) => `${n.toLocaleString("en")} rows`),
        hovertemplate: "said %{x:.3f}, happened %{y:.3f}, %{text}<extra></extra>",
      },
    ],
    layout: { xaxis: { title: { text: "predicted probability" } }, yaxis: { title: { text: "share that happened" } }, legend: { orientation: "h" } },
  };
}

/** Truth by row, answer by column, counts as text; at most 30 classes. */
export function confusionFigure(ys: Float64Array, ps: ArrayLike<Prediction>, classes: string[], classOf: (p: Prediction) => number): PlotlySpec {
  const k = Math.min(30, classes.length);
  const counts = Array.from({ length: k }, () => new Array<number>(k).fill(0));
  for (let i = 0; i < ys.length; i++) {
    const row = counts[ys[i]!];
    const column = classOf(ps[i]!);
    if (row && column < k) row[column]!++;
  }
  const shares = counts.map((row) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((n) => (sum === 0 ? 0 : n / sum));
  });
  const names = classes.slice(0, k);
  return {
    title: "Confusion",
    data: [
      {
        type: "heatmap",
        x: names,
        y: names,
        z: shares,
        text: counts.map((row) => row.map((n) => n.toLocaleString("en"))),
        texttemplate: k <= 12 ? "%{text}" : "",
        colorscale: "Blues",
        reversescale: false,
        zmin: 0,
        zmax: 1,
        showscale: false,
        hovertemplate: "was %{y}, said %{x}: %{text}<extra></extra>",
      },
    ],
    layout: {
      xaxis: { title: { text: "said" }, type: "category" },
      yaxis: { title: { text: "was" }, type: "category", autorange: "reversed", automargin: true },
    },
  };
}

/** Predicted against true for at most 2,000 rows spread over the test part. */
export function residualFigure(ys: Float64Array, ps: ArrayLike<number>, target: string): PlotlySpec {
  const step = Math.max(1, Math.ceil(ys.length / 2000));
  const at = Array.from({ length: Math.ceil(ys.length / step) }, (_, i) => i * step);
  const x = at.map((i) => ps[i]!);
  const y = at.map((i) => ys[i]!);
  let low = Infinity;
  let high = -Infinity;
  for (const v of [...x, ...y]) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return {
    title: `${target}: predicted and true`,
    data: [
      {
        type: "scatter",
        mode: "markers",
        name: "rows",
        x,
        y,
        marker: { size: 4, opacity: 0.5 },
        hovertemplate: "predicted %{x}, was %{y}<extra></extra>",
      },
      { type: "scatter", mode: "lines", name: "as predicted", x: [low, high], y: [low, high], line: { dash: "dash", color: grey } },
    ],
    layout: { xaxis: { title: { text: "predicted" } }, yaxis: { title: { text: target } }, showlegend: false },
  };
}
