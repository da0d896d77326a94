/** Plotly's cartesian bundle, loaded when the first figure is seen, and the theme from the tokens. */
import { token } from "./theme.js";

export interface Plotly {
  react(element: HTMLElement, data: unknown[], layout: unknown, config: unknown): Promise<unknown>;
  relayout(element: HTMLElement, change: unknown): Promise<unknown>;
  purge(element: HTMLElement): void;
  toImage(element: HTMLElement, options: unknown): Promise<string>;
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

/** The figure's numbers as one table: a column for each trace's x and y. */
export function figureTable(data: Record<string, unknown>[]): { columns: string[]; rows: (string | number | null)[][] } {
  const columns: string[] = [];
  const lists: unknown[][] = [];
  data.forEach((trace, i) => {
    const name = String(trace["name"] ?? `series ${i + 1}`);
    for (const key of ["x", "y", "z", "labels", "values", "text"]) {
      const list = values(trace[key]);
      if (list === null || (key === "text" && lists.length > 0)) continue;
      if (key === "x" && lists.some((other, k) => columns[k]!.endsWith("x") && JSON.stringify(other) === JSON.stringify(list))) continue;
      columns.push(data.length === 1 ? key : key === "x" ? `${name} x` : name);
      lists.push(list);
    }
  });
  const length = Math.max(0, ...lists.map((list) => list.length));
  return {
    columns,
    rows: Array.from({ length }, (_, row) =>
      lists.map((list) => {
        const value = list[row];
        return value === undefined || value === null ? null : typeof value === "number" || typeof value === "string" ? value : JSON.stringify(value);
      }),
    ),
  };
}

const types: Record<string, new (buffer: ArrayBuffer) => ArrayLike<number>> = {
  f8: Float64Array,
  f4: Float32Array,
  i4: Int32Array,
  u4: Uint32Array,
  i2: Int16Array,
  u2: Uint16Array,
  i1: Int8Array,
  u1: Uint8Array,
};
/** Plain lists, typed arrays and Plotly's base64 form. */
function values(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value)) return [...(value as unknown as Iterable<unknown>)];
  const packed = value as { bdata?: string; dtype?: string } | undefined;
  if (typeof packed?.bdata === "string" && packed.dtype !== undefined && types[packed.dtype] !== undefined)
    return Array.from(new types[packed.dtype]!(Uint8Array.from(atob(packed.bdata), (c) => c.charCodeAt(0)).buffer));
  return null;
}
