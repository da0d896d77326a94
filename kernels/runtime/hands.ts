/** What the values of a cell let those that read them do. No code of the values runs. */
import { types } from "node:util";

/** `plain`: nothing in them can change; `stream`: reading one changes it (an iterator, a pattern that goes on where it was); null: neither is known. */
export function handsOf(values: readonly unknown[]): "plain" | "stream" | null {
  if (values.every((value) => value === null || (typeof value !== "object" && typeof value !== "function"))) return "plain";
  return values.some(isStream) ? "stream" : null;
}

function isStream(value: unknown): boolean {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  if (types.isGeneratorObject(value)) return true;
  if (types.isRegExp(value)) return /[gy]/.test(flags.call(value));
  for (let at: object | null = value; at !== null && !types.isProxy(at); at = Object.getPrototypeOf(at) as object | null)
    for (const name of ["next", "getReader"]) {
      const found = Object.getOwnPropertyDescriptor(at, name);
      if (found !== undefined) return typeof found.value === "function";
    }
  return false;
}

const flags = Object.getOwnPropertyDescriptor(RegExp.prototype, "flags")!.get as (this: RegExp) => string;
