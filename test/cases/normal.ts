/** What a golden notebook keeps of a state: all that a person sees, without clocks, random ids, paths and the last digits of floats. */
import type { CellState, NotebookState } from "../../kernels/protocol/document.js";
import { mime, type CellError, type FindingView, type Output, type PlotlySpec, type TableView } from "../../kernels/protocol/output.js";

export function normal(state: NotebookState, folder: string): unknown {
  const cells = state.source.cells.map(({ id, kind }) => ({ id, kind, ...facts(state.cells[id]!), outputs: (state.outputs[id] ?? []).map(output) }));
  const badge = state.badge.state === "unchecked" ? { state: "unchecked", cells: state.badge.cells } : state.badge;
  return clean({ badge, cells }, folder);
}

/** Fields that say nothing are left out. */
function facts(cell: CellState): object {
  const { status, result, stale, edited, causes, defines, uses, blockedBy, form } = cell;
  return {
    ...{ status, result },
    ...(stale && { stale, causes }),
    ...(edited && { edited }),
    ...(defines.length > 0 && { defines }),
    ...(uses.length > 0 && { uses }),
    ...(cell.problems.length > 0 && { problems: cell.problems }),
    ...(blockedBy !== null && { blockedBy }),
    ...(form !== null && { form: form.ok ? `${form.call}: ${form.fields.map(({ path }) => path).join(" ")}` : form.reason }),
  };
}

function output(one: Output): unknown {
  if (one.kind === "stream") return { [one.name]: one.text };
  if (one.kind === "error") return { error: error(one.error) };
  const data = { ...one.data };
  // names the run
  delete data[mime.value];
  const table = data[mime.table] as TableView | undefined;
  if (table) data[mime.table] = { columns: table.columns.map(({ name, type }) => `${name} ${type}`), total: table.total, first: table.first };
  const finding = data[mime.finding] as FindingView | undefined;
  if (finding) {
    // pictures are the views' own tests; here: how many there are, and of what
    const figures = finding.figures.map((figure: PlotlySpec) => figure.data.map((trace) => String(trace["type"] ?? "scatter")).join(" "));
    data[mime.finding] = { ...finding, figures, next: finding.next.map(({ label }) => label) };
    delete data[mime.text];
  }
  return data;
}

function error({ name, message, cell, line, column, code, suggestion, frames, cause }: CellError): object {
  const own = frames.filter((frame) => frame.cell !== undefined).map((frame) => `${frame.cell}:${frame.line}`);
  return { name, message, cell, line, column, code, suggestion, frames: own, ...(cause && { cause: error(cause) }) };
}

/** Numbers to ten digits, seconds and paths by a word; keys that are undefined are gone. */
function clean(value: unknown, folder: string): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? Number(value.toPrecision(10)) : String(value);
  if (typeof value === "string") {
    return value
      .replaceAll(folder, "FOLDER")
      // Node 24 prints a symbol's key without the brackets of 20 and 22
      .replace(/\[(Symbol\([\w.]*\))\]:/g, "$1:")
      .replace(/\b\d+(\.\d+)? (ms|s)\b/g, "TIME")
      .replace(/\bcell_[0-9a-f]+|\bt[0-9a-f]{8,}\b/g, "ID");
  }
  if (Array.isArray(value)) return value.map((one) => clean(one, folder));
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, clean(one, folder)]])));
  return value;
}
