/** What a report needs of a browser: figures as SVG, Markdown as HTML, foreign HTML cleaned of all that is active. */
import { mime, type FindingView, type Output, type PlotlySpec, type TableView } from "../../kernels/protocol/output.js";
import type { Cell } from "../../kernels/protocol/document.js";
import { loadPlotly, themed } from "../controllers/plotly.js";
import { loadWriter } from "../elements/markdown.js";
import type { Drawn } from "./report.js";

const width = 720;
/** ms for which the kernel is waited for */
const patience = 5000;

/**
 * Draws every part of these outputs that is not text. A figure that cannot be drawn is left out: its numbers stand instead.
 * `count`: the rows of a table, by the kernel; it may fail.
 */
export async function draw(
  cells: readonly Cell[],
  outputs: Readonly<Record<string, Output[]>>,
  count: (view: TableView) => Promise<number>,
): Promise<Drawn> {
  const displays = cells.flatMap((cell) => (outputs[cell.id] ?? []).flatMap((output) => (output.kind === "display" ? [output.data] : [])));
  const specs = displays.flatMap((data): PlotlySpec[] =>
    mime.finding in data
      ? (data[mime.finding] as FindingView).figures
      : mime.plotly in data && !(mime.table in data)
        ? [data[mime.plotly] as PlotlySpec]
        : [],
  );
  const tables = displays.flatMap((data) => (mime.table in data ? [data[mime.table] as TableView] : [])).filter((view) => view.total === null);
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), patience));
  const counts = await Promise.all(tables.map((view) => Promise.race([count(view).catch(() => null), late])));
  const totals = new Map(tables.flatMap((view, i) => (counts[i] == null ? [] : [[view, counts[i]] as const])));
  const writer = await loadWriter();
  const texts = [
    ...cells.flatMap((cell) => (cell.kind === "markdown" ? [cell.source] : [])),
    ...displays.flatMap((data) => (mime.markdown in data ? [String(data[mime.markdown])] : [])),
  ];
  const foreign = displays.flatMap((data) => (mime.html in data ? [String(data[mime.html])] : []));
  const figures = new Map<PlotlySpec, string>();
  if (specs.length > 0) {
    const plotly = await loadPlotly();
    for (const spec of specs) {
      try {
        const { data, layout } = inLight(() => {
          const copy = structuredClone(spec);
          return themed(copy.data, copy.layout ?? {});
        });
        const height = Number(layout["height"]) || 320;
        const url = await plotly.toImage({ data, layout: { ...layout, width, height, autosize: false } }, { format: "svg", width, height });
        figures.set(spec, fluid(writer.cleanSvg(decodeURIComponent(url.slice(url.indexOf(",") + 1))), width, height));
      } catch {}
    }
  }
  return {
    totals,
    figures,
    prose: new Map(await Promise.all(texts.map(async (text) => [text, await writer.render(text, true)] as const))),
    foreign: new Map(foreign.map((text) => [text, writer.cleanForeign(text)])),
  };
}

/** With the light tokens, whatever the page has: a report is also paper. */
function inLight<T>(make: () => T): T {
  const { dataset } = document.documentElement;
  const theme = dataset["theme"];
  dataset["theme"] = "light";
  try {
    return make();
  } finally {
    if (theme === undefined) delete dataset["theme"];
    else dataset["theme"] = theme;
  }
}

/** A drawing that takes the width that it is given. */
const fluid = (svg: string, w: number, h: number): string => svg.replace(/^<svg\b(?![^>]*\bviewBox=)/i, `<svg viewBox="0 0 ${w} ${h}"`);
