import type { PlotlySpec } from "../../protocol/output.js";
import { digits } from "../baseline/figure.js";

export interface Point {
  label: string;
  role: "teacher" | "student" | "scratch";
  value: number;
  ci: [number, number];
  p99: number;
  bytes: number;
}

const symbols = { teacher: "diamond", student: "circle", scratch: "x" } as const;
const names = { teacher: "teacher", student: "distilled", scratch: "from scratch" } as const;

/** The metric against what an answer costs (log), with the bar as a dashed line and the budget as a shaded wall. */
export function costFigure(
  points: Point[],
  by: "p99" | "bytes",
  metric: string,
  bar: { label: string; value: number },
  budget: number | undefined,
): PlotlySpec {
  const xs = points.map((point) => point[by]);
  const low = Math.min(...xs, budget ?? Infinity) / 1.6;
  const high = Math.max(...xs, budget ?? 0) * 1.6;
  const roles = (["teacher", "student", "scratch"] as const).filter((role) => points.some((point) => point.role === role));
  return {
    title: `${metric} against ${by === "p99" ? "latency" : "size"}`,
    data: [
      ...roles.map((role) => {
        const own = points.filter((point) => point.role === role);
        return {
          type: "scatter",
          mode: own.length > 1 ? "lines+markers" : "markers",
          name: names[role],
          x: own.map((point) => point[by]),
          y: own.map((point) => point.value),
          error_y: {
            type: "data",
            symmetric: false,
            array: own.map((point) => Math.max(0, point.ci[1] - point.value)),
            arrayminus: own.map((point) => Math.max(0, point.value - point.ci[0])),
            thickness: 1,
          },
          text: own.map((point) => point.label),
          marker: { symbol: symbols[role], size: 10 },
          line: { width: 1.5, dash: role === "scratch" ? "dot" : "solid" },
          hovertemplate: `%{text}: %{y}, ${by === "p99" ? "p99 %{x:.3f} ms" : "%{x:,} bytes"}<extra></extra>`,
        };
      }),
      {
        type: "scatter",
        mode: "lines",
        name: `${bar.label} (to beat)`,
        x: [low, high],
        y: [bar.value, bar.value],
        line: { dash: "dash", color: "#8a93a0", width: 2 },
      },
    ],
    layout: {
      xaxis: { type: "log", title: { text: by === "p99" ? "p99 of one answer, ms" : "bytes" }, range: [Math.log10(low), Math.log10(high)] },
      yaxis: { title: { text: metric } },
      legend: { orientation: "h" },
      ...(budget === undefined
        ? {}
        : {
            shapes: [{ type: "rect", x0: budget, x1: high, yref: "paper", y0: 0, y1: 1, fillcolor: "#8a93a0", opacity: 0.15, line: { width: 0 } }],
            annotations: [
              {
                x: Math.log10(budget),
                yref: "paper",
                y: 1,
                xanchor: "left",
                yanchor: "bottom",
                text: `over the budget of ${by === "p99" ? `${digits(budget)} ms` : `${budget.toLocaleString("en")} bytes`}`,
                showarrow: false,
              },
            ],
          }),
    },
  };
}
