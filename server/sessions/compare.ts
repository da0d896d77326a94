/** Outputs of two runs of one cell, compared by what they say (contracts 7): times, ids and run numbers do not count. Pure. */
import type { CellKind } from "../../kernels/protocol/document.js";
import { mime, type FindingView, type Output } from "../../kernels/protocol/output.js";

/** kinds whose numbers come from training: equal within a tolerance on the same back end */
const trained = new Set<CellKind>(["train", "distill"]);
const tolerance = 1e-3;
/** fields that name a run or measure it */
const passing = new Set(["id", "run", "relation", "at", "elapsedMs", "ms", "frames", "cut"]);
const times = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?|\b\d+(?:\.\d+)? (?:ms|s|min)\b|\b\d+:\d\d\b/g;
const runs = /\b[0-9a-f]{6}-\d+\b/g;
const numbers = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** Null when they say the same; else the first two that differ, in words. */
export function compareOutputs(kind: CellKind, here: readonly Output[], clean: readonly Output[]): { here: string; clean: string } | null {
  const [a, b] = [joined(here), joined(clean)];
  const near = trained.has(kind);
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (!alike(a[i], b[i], near)) return { here: words(a[i]), clean: words(b[i]) };
  return null;
}

/** Neighbouring pieces of one stream are one text. */
function joined(outputs: readonly Output[]): Output[] {
  const all: Output[] = [];
  for (const output of outputs) {
    const last = all.at(-1);
    if (output.kind === "stream" && last?.kind === "stream" && last.name === output.name)
      all[all.length - 1] = { ...last, text: last.text + output.text };
    else all.push(output);
  }
  return all;
}

function words(output: Output | undefined): string {
  if (output === undefined) return "nothing";
  if (output.kind === "stream") return output.text.slice(0, 200);
  if (output.kind === "error") return `${output.error.name}: ${output.error.message}`.slice(0, 200);
  const finding = output.data[mime.finding] as FindingView | undefined;
  return String(finding?.sentence ?? output.data["text/plain"] ?? Object.keys(output.data).join(", ")).slice(0, 200);
}

function alike(a: unknown, b: unknown, near: boolean): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a === "number" && typeof b === "number") return near && close(a, b);
  if (typeof a === "string" && typeof b === "string") {
    const [x, y] = [normal(a), normal(b)];
    if (x === y || !near) return x === y;
    const [left, right] = [x.match(numbers) ?? [], y.match(numbers) ?? []];
    return x.replace(numbers, "#") === y.replace(numbers, "#") && left.every((one, i) => close(Number(one), Number(right[i])));
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)].filter((key) => !passing.has(key)));
  return [...keys].every((key) => alike((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], near));
}

const normal = (text: string) => text.replace(times, "?").replace(runs, "?");
const close = (a: number, b: number) => Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
