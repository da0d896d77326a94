/** Plotly's cartesian bundle, loaded when the first figure is seen, and the theme from the tokens. */
import { token } from "./theme.js";

export interface Plotly {
  react(element: HTMLElement, data: unknown[], layout: unknown, config: unknown): Promise<unknown>;
  relayout(element: HTMLElement, change: unknown): Promise<unknown>;
  purge(element: HTMLElement): void;
  toImage(figure: HTMLElement | { data: unknown[]; layout: unknown }, options: unknown): Promise<string>;
  Plots: { resize(element: HTMLElement): void };
}
let loading: Promise<Plotly> | null = null;
export const loadPlotly = (): Promise<Plotly> =>
  (loading ??= import("plotly.js-cartesian-dist-min").then((module: { default: unknown }) => module.default as Plotly));

const dashes = ["solid", "dashdot", "dot", "longdash", "dash", "longdashdot"];
const symbols = ["circle", "square", "diamond", "triangle-up", "x", "star"];

/** Roles in every figure: a trace named "baseline" is grey, dashed and without markers (ui 4). */
export function themed(
  data: Record<string, unknown>[],
  layout: Record<string, unknown>,
): { data: Record<string, unknown>[]; layout: Record<string, unknown> } {
  const series = [1, 2, 3, 4, 5, 6].map((n) => token(`series-${n}`));
  const neutral = token("text-3");
  let next = 0;
  const traces = data.map((trace) => {
    const type = String(trace["type"] ?? "scatter");
    const baseline = /\b(baseline|number to beat|bar to beat)\b/i.test(String(trace["name"] ?? ""));
    const n = baseline ? -1 : next++ % 6;
    const colour = baseline ? neutral : series[n];
    const line = { color: colour, dash: baseline ? "dash" : dashes[n], width: 2, ...(trace["line"] as object | undefined) };
    const marker = {
      color: colour,
      ...(type === "scatter" && !baseline ? { symbol: symbols[n], size: 7 } : {}),
      ...(trace["marker"] as object | undefined),
    };
    if (["heatmap", "contour", "histogram2d"].includes(type)) return { colorscale: "Cividis", ...trace };
    if (type === "scatter" || type === "scattergl")
      return { ...trace, line, marker, ...(baseline && trace["mode"] === undefined && { mode: "lines" }) };
    // a number at the end of a bar lies on the bar's interval: it goes to the middle
    const interval = type === "bar" && (trace["error_x"] !== undefined || trace["error_y"] !== undefined) && trace["text"] !== undefined;
    return { ...trace, marker, ...(interval && { textposition: "auto", insidetextanchor: "middle" }) };
  });
  const axis = {
    gridcolor: token("line"),
    zerolinecolor: token("control"),
    linecolor: token("control"),
    tickcolor: token("control"),
    automargin: true,
  };
  const own = (name: string) => {
    const given = (layout[name] ?? {}) as Record<string, unknown>;
    return { ...axis, ...given, ...(typeof given["title"] === "string" && { title: { text: given["title"] } }) };
  };
  const axes = Object.fromEntries(
    ["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d+$/.test(key))].map((name) => [name, own(name)]),
  );
  const title = typeof layout["title"] === "string" ? { text: layout["title"] } : (layout["title"] as Record<string, unknown> | undefined);
  const below = title === undefined ? 1 : 1 - 36 / Number(layout["height"] ?? 320);
  // above the figure: under it a legend lies on the axis title or on slanted labels, whose height is not known
  const given = layout["legend"] as Record<string, unknown> | undefined;
  const legend =
    given?.["orientation"] === "v" ? given : { ...given, orientation: "h", x: 0, xanchor: "left", yref: "container", y: below, yanchor: "top" };
  const many = data.filter((trace) => trace["showlegend"] !== false && trace["name"] !== undefined).length > 1;
  return {
    data: traces,
    layout: {
      colorway: series,
      height: 320,
      hovermode: "closest",
      ...layout,
      legend: { ...legend, font: { color: token("text-2") } },
      margin: { l: 56, r: 16, b: 44, ...(layout["margin"] as object | undefined), t: (title === undefined ? 16 : 44) + (many ? 28 : 0) },
      ...(title !== undefined && {
        title: {
          x: 0,
          xanchor: "left",
          xref: "paper",
          y: 1,
          yanchor: "top",
          yref: "container",
          pad: { t: 8 },
          ...title,
          font: { size: 15, color: token("text") },
        },
      }),
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: token("font"), size: 12, color: token("text-2") },
      autosize: true,
      ...axes,
    },
  };
}
