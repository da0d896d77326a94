/** A value in the forms that the page can draw. Never throws: a value that breaks its own inspection is shown as such. */
import { inspect, types } from "node:util";
import { mime, type MimeBundle } from "../protocol/output.js";
import { settle } from "../protocol/values.js";
import { className, fullText, lineText } from "./inspection.js";
import { pictureKind } from "../data/image.js";
import { orElse } from "./own.js";
import { isPixels, pixelsToPng } from "./picture.js";

/** marks what `html` and `md` make */
export const bundle = Symbol.for("touchstone.bundle");
/** a longer text is shown by its beginning; the page can have the whole */
const longText = 200_000;
const shownText = 20_000;
const largestPicture = 20_000_000;
const maxRows = 50;
const maxColumns = 30;

/** Text, and where it fits a richer form. Relations are the caller's business. */
export function toBundle(value: unknown): MimeBundle {
  try {
    return rich(value);
  } catch (error) {
    return { [mime.text]: safeInspect(value, error) };
  }
}

function rich(value: unknown): MimeBundle {
  if (typeof value === "string") return { [mime.text]: value.length > longText ? value.slice(0, shownText) : value };
  if (typeof value !== "object" || value === null) return { [mime.text]: inspect(value) };
  if (types.isProxy(value)) return { [mime.text]: lineText(value) };
  if (bundle in value) return (value as { [bundle]: MimeBundle })[bundle];
  const picture = value instanceof Uint8Array && value.length <= largestPicture ? pictureKind(value) : null;
  if (picture !== null) {
    const { buffer, byteOffset, length } = value as Uint8Array;
    return {
      [picture]: Buffer.from(buffer, byteOffset, length).toString("base64"),
      [mime.text]: `${picture.slice("image/".length).toUpperCase()} image, ${length} bytes`,
    };
  }
  if (isTensor(value)) return tensorBundle(value);
  if (isModel(value)) return { [mime.text]: modelText(value) };
  const figure = isPlotly(value) ? orElse(() => drawable(value), null) : null;
  if (figure !== null) return { [mime.plotly]: figure, [mime.text]: plotText(value as { data: unknown[] }) };
  if (isFinding(value)) return { [mime.text]: `${value.verdict}: ${value.sentence}` };
  const table = recordsTable(value);
  const text = fullText(value);
  return table ? { [mime.html]: table, [mime.text]: text } : { [mime.text]: text };
}

function safeInspect(value: unknown, error: unknown): string {
  try {
    return inspect(value, { customInspect: false, showProxy: true, getters: false, depth: 1 });
  } catch {
    return `[value that cannot be shown: ${error instanceof Error ? error.message : "its inspection failed"}]`;
  }
}

interface TensorLike {
  shape: number[];
  dtype: string;
  size: number;
  isDisposed: boolean;
  dataSync(): ArrayLike<number>;
}

export function isTensor(value: object): value is TensorLike {
  return "dataId" in value && "shape" in value && "dtype" in value && "rankType" in value;
}

/** Shape, type, range, mean and first values; pixels also as a picture. */
function tensorBundle(tensor: TensorLike): MimeBundle {
  const head = tensorLine(tensor);
  if (tensor.isDisposed) return { [mime.text]: head };
  if (tensor.size > 4_000_000) return { [mime.text]: head };
  let data: ArrayLike<number>;
  try {
    data = tensor.dataSync();
  } catch (error) {
    return { [mime.text]: `${head}, on the device (${error instanceof Error ? error.message : "its values cannot be read at once"})` };
  }
  const shown = Array.from({ length: Math.min(20, data.length) }, (_, i) => formatNumber(data[i]));
  const values = `${shown.join(" ")}${data.length > 20 ? ` ... ${data.length - 20} more` : ""}`;
  const text = data.length > 20 && tensor.dtype !== "string" ? `${head}\n${rangeText(data)}\n${values}` : `${head}\n${values}`;
  const picture = isPixels(tensor.shape) && tensor.dtype !== "string" ? pixelsToPng(data, tensor.shape, tensor.dtype === "float32") : null;
  return picture === null ? { [mime.text]: text } : { [mime.png]: Buffer.from(picture).toString("base64"), [mime.text]: text };
}

function rangeText(data: ArrayLike<number>): string {
  let [min, max, sum, count] = [Infinity, -Infinity, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isNaN(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    count++;
  }
  const missing = data.length - count;
  const range = count === 0 ? "" : `min ${formatNumber(min)}, max ${formatNumber(max)}, mean ${formatNumber(sum / count)}`;
  return missing === 0 ? range : `${range}${range === "" ? "" : ", "}${missing} NaN`;
}

interface ModelLike {
  name: string;
  layers: unknown[];
  summary(lineLength?: number, positions?: number[], print?: (line: string) => void): void;
}
function isModel(value: object): value is ModelLike {
  return "layers" in value && Array.isArray(value.layers) && "summary" in value && typeof value.summary === "function";
}
/** One line about a model. */
export function modelLine(model: ModelLike): string {
  return `${className(model)} ${model.name}, ${model.layers.length} ${model.layers.length === 1 ? "layer" : "layers"}`;
}
/** One line about a tensor. */
export function tensorLine({ dtype, shape, isDisposed }: TensorLike): string {
  return `Tensor ${dtype} [${shape.join(", ")}]${isDisposed ? ", disposed" : ""}`;
}
/** The model's own table of its layers. */
function modelText(model: ModelLike): string {
  const lines = [`Model ${model.name}`];
  model.summary(undefined, undefined, (line) => lines.push(line));
  return lines.join("\n");
}

function formatNumber(value: unknown): string {
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(6))) : String(value);
}

function isPlotly(value: object): value is { data: Record<string, unknown>[]; layout?: Record<string, unknown>; title?: string } {
  if (!("data" in value) || !Array.isArray(value.data)) return false;
  const keys = Object.keys(value);
  if (!keys.every((key) => ["data", "layout", "title", "config", "frames"].includes(key))) return false;
  return "layout" in value || (value.data.length > 0 && value.data.every((trace) => typeof trace === "object" && trace !== null && "type" in trace));
}

const deepestFigure = 40;
/** As JSON can carry it: columns of numbers are typed arrays, and 64-bit ones are no numbers there. Throws for a figure that holds itself. */
function drawable(value: unknown, depth = 0): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > deepestFigure) throw new RangeError("a figure that holds itself");
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? value : Array.from(value as unknown as ArrayLike<number | bigint>, Number);
  if (Array.isArray(value)) return value.map((item) => drawable(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, drawable(item, depth + 1)]));
}

function plotText(value: { data: unknown[]; layout?: Record<string, unknown>; title?: string }): string {
  const title = value.title ?? value.layout?.["title"];
  const text = typeof title === "object" && title !== null ? (title as { text?: string }).text : title;
  return `figure${text ? ` "${String(text)}"` : ""}, ${value.data.length} ${value.data.length === 1 ? "trace" : "traces"}`;
}

function isFinding(value: object): value is { sentence: string; verdict: string } {
  return "sentence" in value && "verdict" in value && "numbers" in value && typeof value.sentence === "string";
}

/** An array of flat records, as a small HTML table. */
function recordsTable(value: object): string | null {
  if (!Array.isArray(value) || value.length === 0 || !value.slice(0, 1000).every(isRecord)) return null;
  const columns: string[] = [];
  for (const row of value.slice(0, maxRows) as Record<string, unknown>[])
    for (const key of Object.keys(row)) if (!columns.includes(key)) columns.push(key);
  if (columns.length === 0 || columns.length > maxColumns) return null;
  const head = columns.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join("");
  const rows = (value.slice(0, maxRows) as Record<string, unknown>[]).map(
    (row) =>
      `<tr>${columns.map((name) => `<td${numeric(row[name]) ? ' class="number"' : ""}>${escapeHtml(cellText(row[name]))}</td>`).join("")}</tr>`,
  );
  const more = value.length > maxRows ? `<caption>first ${maxRows} of ${value.length.toLocaleString("en")} rows</caption>` : "";
  return `<table>${more}<thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function isRecord(value: unknown): boolean {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null;
}

function numeric(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

function cellText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined) return "";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  return numeric(value) ? formatNumber(value) : inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5 });
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function made(data: MimeBundle): MimeBundle {
  return Object.defineProperty({ ...data }, bundle, { value: data });
}

/** `html`...``: holes are escaped unless they are themselves made by `html`. */
export function html(text: TemplateStringsArray, ...values: unknown[]): MimeBundle {
  const hole = (value: unknown): string => {
    if (Array.isArray(value)) return value.map(hole).join("");
    if (typeof value === "object" && value !== null && bundle in value) return String((value as MimeBundle)[mime.html] ?? "");
    return value === undefined || value === null ? "" : escapeHtml(String(value));
  };
  return made({ [mime.html]: text.map((part, i) => part + (i < values.length ? hole(values[i]) : "")).join("") });
}

/** `md`...``: Markdown; holes are put in as they are. */
export function md(text: TemplateStringsArray, ...values: unknown[]): MimeBundle {
  const joined = text.map((part, i) => part + (i < values.length ? String(values[i]) : "")).join("");
  return made({ [mime.markdown]: joined, [mime.text]: joined });
}

/** `svg`...`` */
export function svg(text: TemplateStringsArray, ...values: unknown[]): MimeBundle {
  const joined = html(text, ...values)[mime.html] as string;
  return made({ [mime.svg]: joined });
}

/** One line about a value, for the variables panel. */
export function preview(value: unknown): { type: string; size: number | null; preview: string } {
  try {
    if (typeof value === "object" && value !== null && !types.isProxy(value)) {
      if (isTensor(value))
        return { type: `Tensor ${value.dtype} [${value.shape.join(",")}]`, size: value.size * 4, preview: value.isDisposed ? "disposed" : "" };
      if (settle in value) return { type: className(value), size: null, preview: String(value) };
      if (isModel(value)) return { type: "Model", size: null, preview: modelLine(value) };
      if (ArrayBuffer.isView(value)) return { type: value.constructor.name, size: value.byteLength, preview: short(value) };
      if (Array.isArray(value)) return { type: `Array(${value.length})`, size: null, preview: short(value) };
    }
    if (typeof value === "function")
      return { type: /^class\b/.test(Function.prototype.toString.call(value)) ? "class" : "function", size: null, preview: short(value) };
    if (typeof value === "string") return { type: "string", size: value.length * 2, preview: short(value) };
    const type = value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
    return { type, size: null, preview: short(value) };
  } catch {
    return { type: typeof value, size: null, preview: "" };
  }
}

const short = (value: unknown): string => lineText(value);
