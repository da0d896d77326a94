/** Requests that need no run: what the kernel is, completion, inspection, is_complete, history. Offsets of the protocol count code points. */
import type { Look } from "../../kernels/protocol/document.js";
import { parseCell } from "../../kernels/reactive/tree.js";
import { protocolVersion } from "./message.js";

export interface HistoryLine {
  /** starts of the kernel so far, from 1 */
  session: number;
  line: number;
  code: string;
  /** text of the value that the request ended with; null: it had none */
  output: string | null;
}

export interface History {
  /** the present session */
  session: number;
  lines: readonly HistoryLine[];
}

export interface AnswerEffects {
  history: History;
  /** open ones: id -> target */
  comms: ReadonlyMap<string, string>;
  /** the kernel's `look` */
  look(path: string[]): Promise<unknown>;
}

export const kernelInfo = {
  status: "ok",
  protocol_version: protocolVersion,
  implementation: "touchstone",
  implementation_version: "0.1.0",
  language_info: {
    name: "typescript",
    version: "6.0",
    mimetype: "text/typescript",
    file_extension: ".ts",
    pygments_lexer: "typescript",
    codemirror_mode: "text/typescript",
    nbconvert_exporter: "script",
  },
  banner: "Touchstone: TypeScript with SQL, charts and TensorFlow.js",
  help_links: [],
  supported_features: [],
};

/** The content of the reply; null for a message that has none. */
export async function answer(type: string, content: Record<string, unknown>, effects: AnswerEffects): Promise<Record<string, unknown> | null> {
  const code = typeof content["code"] === "string" ? content["code"] : "";
  switch (type) {
    case "kernel_info_request":
      return kernelInfo;
    case "is_complete_request":
      return isComplete(code);
    case "complete_request":
      return await complete(code, unitsOf(code, content["cursor_pos"]), effects);
    case "inspect_request":
      return await inspect(code, unitsOf(code, content["cursor_pos"]), content["detail_level"] === 1, effects);
    case "history_request":
      return { status: "ok", history: historyOf(effects.history, content) };
    case "comm_info_request":
      return { status: "ok", comms: commsOf(effects.comms, content["target_name"]) };
    default:
      if (!type.endsWith("_request")) return null;
      return { status: "error", ename: "NotImplemented", evalue: `this kernel does not answer ${type}`, traceback: [] };
  }
}

function commsOf(comms: ReadonlyMap<string, string>, wanted: unknown): Record<string, { target_name: string }> {
  const open = [...comms].filter(([, target]) => typeof wanted !== "string" || wanted === "" || target === wanted);
  return Object.fromEntries(open.map(([id, target]) => [id, { target_name: target }]));
}

/** UTF-16 offset of an offset in code points. */
export function unitsOf(text: string, points: unknown): number {
  if (typeof points !== "number" || points < 0) return text.length;
  return [...text].slice(0, points).join("").length;
}
const pointsOf = (text: string, units: number) => [...text.slice(0, units)].length;

const name = "[\\p{ID_Start}$_][\\p{ID_Continue}$]*";
const chain = new RegExp(`(?:${name}\\s*\\??\\.\\s*)*(?:${name})?$`, "u");

async function complete(code: string, cursor: number, { look }: AnswerEffects): Promise<Record<string, unknown>> {
  const found = chain.exec(code.slice(0, cursor))?.[0] ?? "";
  const parts = found.split(/\s*\??\.\s*/);
  const prefix = parts.pop() ?? "";
  const before = code[cursor - found.length - 1];
  // after a number, a string or a call nothing is known of the value
  const known = before !== "." && !/[\])}"'`\w]/.test(found === "" ? "" : (before ?? ""));
  const seen = known ? ((await look(parts)) as Look | null) : null;
  const fits = (seen?.properties ?? []).filter((each) => each.name.startsWith(prefix));
  const own = fits.filter((each) => each.type !== "global" && each.type !== "library");
  const sorted = [...own, ...fits.filter((each) => !own.includes(each))].slice(0, 500);
  const types = [...new Map(sorted.map((each) => [each.name, each.type]))];
  const start = pointsOf(code, cursor - prefix.length);
  const end = pointsOf(code, cursor);
  return {
    status: "ok",
    matches: types.map(([text]) => text),
    cursor_start: start,
    cursor_end: end,
    metadata: { _jupyter_types_experimental: types.map(([text, type]) => ({ text, type, start, end })) },
  };
}

async function inspect(code: string, cursor: number, detailed: boolean, { look }: AnswerEffects): Promise<Record<string, unknown>> {
  const after = new RegExp(`^[\\p{ID_Continue}$]*`, "u").exec(code.slice(cursor))![0];
  // `f(` asks about f
  const text = (code.slice(0, cursor) + after).replace(/\(\s*$/, "");
  const path = (chain.exec(text)?.[0] ?? "").split(/\s*\??\.\s*/).filter((part) => part !== "");
  const seen = path.length === 0 ? null : ((await look(path)) as Look | null);
  if (seen === null) return { status: "ok", found: false, data: {}, metadata: {} };
  const source = seen.source === null ? "" : `\n${detailed ? seen.source : (seen.source.split("\n")[0] ?? "")}`;
  return { status: "ok", found: true, data: { "text/plain": `${path.join(".")}: ${seen.type}\n${seen.preview}${source}`.trim() }, metadata: {} };
}

/** By the real parser: an error at the end means that more is to come. */
export function isComplete(code: string): { status: string; indent?: string } {
  const { errors } = parseCell(code);
  const [error] = errors;
  if (error === undefined) return { status: "complete" };
  const end = code.trimEnd().length;
  // of strings only a template may go on in the next line
  const open =
    /multiline comment|found `?EOF|unexpected end/i.test(error.message) || (/unterminated string/i.test(error.message) && code[error.at] === "`");
  if (!open && (error.at < end || /unterminated/i.test(error.message))) return { status: "invalid" };
  const line = code.trimEnd().split("\n").at(-1) ?? "";
  const indent = /^\s*/.exec(line)![0] + (/[{([]$/.test(line) ? "  " : "");
  return { status: "incomplete", indent };
}

function historyOf({ session, lines: all }: History, content: Record<string, unknown>): unknown[] {
  const number = (key: string, otherwise: number) => (typeof content[key] === "number" ? content[key] : otherwise);
  const type = content["hist_access_type"];
  let lines = all;
  if (type === "range") {
    // 0: the present session, -1: the one before
    const asked = number("session", 0);
    const wanted = asked > 0 ? asked : session + asked;
    lines = all.filter((one) => one.session === wanted && one.line >= number("start", 0) && one.line < number("stop", Infinity));
  } else {
    if (type === "search") {
      const pattern = String(content["pattern"] ?? "*")
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replace(/\*+/g, "[^]*")
        .replace(/\?/g, "[^]");
      const matcher = new RegExp(`^${pattern}$`);
      lines = all.filter(({ code }) => matcher.test(code));
      if (content["unique"] === true) lines = lines.filter((line, index) => lines.findLastIndex((other) => other.code === line.code) === index);
    }
    const n = number("n", Infinity);
    lines = n === Infinity ? lines : lines.slice(Math.max(0, lines.length - n));
  }
  const asks = content["output"] === true;
  return lines.map(({ session: of, line, code, output }) => [of, line, asks ? [code, output] : code]);
}
