/** Why a kernel's process ended, in one sentence for the person whose variables are gone: what happened, how large it was, what the limit is. Pure. */
import { size } from "./size.js";

export interface Ending {
  code: number | null;
  signal: string | null;
  /** what the process itself printed last */
  said: string;
  /** bytes, as last heard */
  rss: number;
  heapLimit: number;
  memoryLimit: number;
  /** its control worker ended it: it grew past all bounds and a stop did not reach it */
  over: { rss: number; limit: number } | null;
}

export function explain({ code, signal, said, rss, heapLimit, memoryLimit, over }: Ending): string {
  const exit = signal ?? (code === null ? "" : `exit code ${code}`);
  const used = rss > 0 ? ` at ${size(rss)} of ${size(memoryLimit)}` : ` (its memory limit was ${size(memoryLimit)})`;
  if (over !== null)
    return `out of memory: it took ${size(over.rss)} where ${size(memoryLimit)} is the limit, in a native call that no stop reaches (${exit})`;
  if (/heap out of memory|Reached heap limit|allocation failed/i.test(said))
    return `out of memory: the heap of JavaScript values reached its limit of ${size(heapLimit)}${rss > 0 ? `, the process stood at ${size(rss)} of ${size(memoryLimit)}` : ""} (${exit})`;
  if (signal === "SIGKILL" || code === 137) return `killed from outside (signal 9)${used}; the system does this when the machine's memory runs out`;
  if (signal === "SIGTERM" || signal === "SIGINT" || signal === "SIGHUP") return `ended from outside (${signal})${used}`;
  if (signal === "SIGSEGV" || signal === "SIGBUS" || signal === "SIGILL" || signal === "SIGFPE") return `a native library crashed (${signal})${used}`;
  const last = said
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /error|assert|fatal|cannot/i.test(line) && !line.startsWith("at "))
    .at(-1);
  const words = last === undefined ? "" : `; it said last: ${last.slice(0, 300)}`;
  if (signal !== null) return `aborted by native code (${signal})${used}${words}`;
  if (code === 0) return `the process ended by itself (exit code 0)${used}`;
  return `the process ended with exit code ${code}${used}${words}`;
}

export function tooLate(patience: number, said: string): string {
  const last = said.trim().split("\n").at(-1) ?? "";
  return `The kernel did not start within ${Math.round(patience / 1000)} s and was ended${last === "" ? "" : `; it said last: ${last.slice(0, 300)}`}. Run again, or restart the server.`;
}
