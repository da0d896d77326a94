/** What a value offers, for completion and inspection in a console: property names along the prototypes, without running a getter or a proxy's trap. */
import { types } from "node:util";
import type { Look } from "../protocol/document.js";
import { preview } from "./display.js";
import type { Evaluator } from "./evaluate.js";

const mostNames = 2000;
const mostSource = 4000;

/** `path` from a name in scope, of the library or of JavaScript; an empty one: the names themselves. */
export function look(path: readonly string[], evaluator: Pick<Evaluator, "find" | "scope">, library: readonly string[]): Look | null {
  const [first, ...rest] = path;
  if (first === undefined) return { type: "", preview: "", source: null, properties: names(evaluator, library) };
  let found = evaluator.find(first) ?? plain(globalThis, first);
  for (const key of rest) found = found && plain(found.value, key);
  if (!found) return library.includes(first) && rest.length === 0 ? { type: "library", preview: "", source: null, properties: [] } : null;
  const { type, preview: text } = preview(found.value);
  const source = typeof found.value === "function" ? Function.prototype.toString.call(found.value).slice(0, mostSource) : null;
  return { type, preview: text, source, properties: properties(found.value) };
}

function names(evaluator: Pick<Evaluator, "find" | "scope">, library: readonly string[]): Look["properties"] {
  const own = evaluator.scope().flatMap((name) => {
    const found = evaluator.find(name);
    return found ? [{ name, type: preview(found.value).type }] : [];
  });
  const globals = Object.getOwnPropertyNames(globalThis).map((name) => ({ name, type: "global" }));
  return [...own, ...library.map((name) => ({ name, type: "library" })), ...globals];
}

/** A property's value, unless a getter or a proxy would have to run for it. */
function plain(value: unknown, key: string): { value: unknown } | null {
  for (const owner of chain(value)) {
    const property = Object.getOwnPropertyDescriptor(owner, key);
    if (property) return "value" in property ? { value: property.value } : null;
  }
  return null;
}

function properties(value: unknown): Look["properties"] {
  const seen = new Map<string, string>();
  for (const owner of chain(value)) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (seen.size >= mostNames || seen.has(name) || !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) || name.startsWith("__")) continue;
      const property = Object.getOwnPropertyDescriptor(owner, name)!;
      seen.set(name, "value" in property ? typeof property.value : "property");
    }
  }
  if (typeof value !== "function") seen.delete("constructor");
  return [...seen].map(([name, type]) => ({ name, type }));
}

/** The value and its prototypes, up to the first proxy. */
function* chain(value: unknown): Generator<object> {
  if (value === null || value === undefined) return;
  for (let at = Object(value) as object | null; at !== null && !types.isProxy(at); at = Object.getPrototypeOf(at) as object | null) yield at;
}
