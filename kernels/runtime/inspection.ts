/** Text of a value that takes a bounded time and space to make, whatever the value holds. */
import { inspect, types, type InspectOptions } from "node:util";
import { packageRoot } from "../paths/paths.js";

/** values looked at for one text */
const most = 4000;
const wide = 200;
const deepest = 4;

/** Several lines about a value. May throw what the value throws. */
export function fullText(value: unknown): string {
  const options: InspectOptions = { maxArrayLength: 100, maxStringLength: 10_000, breakLength: 100, getters: false };
  if (typeof value !== "object" || value === null) return inspect(value, options);
  let depth = deepest;
  while (depth > 0 && !fits(value, depth)) depth--;
  return cleanStack(wideText(value) ?? inspect(value, { ...options, depth }));
}

/** One line about a value. Never throws, never runs the value's own code. */
export function lineText(value: unknown, length = 120): string {
  let text: string;
  try {
    text =
      wideText(value) ??
      inspect(value, {
        depth: 0,
        breakLength: Infinity,
        compact: true,
        maxArrayLength: 5,
        maxStringLength: 80,
        getters: false,
        customInspect: false,
      });
  } catch {
    text = "[a value that cannot be read]";
  }
  text = text.split("\n", 1)[0]!;
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** Names of the first properties of an object with too many of them; null for any other. */
function wideText(value: unknown): string | null {
  if (typeof value !== "object" || value === null || types.isProxy(value) || Array.isArray(value) || ArrayBuffer.isView(value)) return null;
  const keys = Object.keys(value);
  if (keys.length <= wide) return null;
  const name = className(value);
  return `${name === "" ? "" : `${name} `}{ ${keys.slice(0, 20).join(", ")}, ... ${(keys.length - 20).toLocaleString("en")} more properties }`;
}

/** The name of the value's class as the prototype has it; "" when it has none. */
export function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null) return "[Object: null prototype]";
  const made = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value as { name?: unknown } | undefined;
  return typeof made === "function" && typeof made.name === "string" ? (made.name === "Object" ? "" : made.name) : "";
}

/** Does a text of this depth stay small? Looks at no getter. */
function fits(value: object, depth: number): boolean {
  let seen = 0;
  const visit = (one: unknown, left: number): void => {
    if (++seen > most || left < 0 || typeof one !== "object" || one === null || types.isProxy(one) || ArrayBuffer.isView(one)) return;
    const inner = types.isMap(one)
      ? [...first(Map.prototype.values.call(one))]
      : types.isSet(one)
        ? [...first(Set.prototype.values.call(one))]
        : Object.keys(one)
            .slice(0, Array.isArray(one) ? 100 : undefined)
            .map((key) => Object.getOwnPropertyDescriptor(one, key)?.value as unknown);
    for (const each of inner) {
      if (seen > most) return;
      visit(each, left - 1);
    }
  };
  visit(value, depth);
  return seen <= most;
}

function* first(values: Iterator<unknown>): Iterable<unknown> {
  for (let i = 0; i < 100; i++) {
    const step = values.next();
    if (step.done === true) return;
    yield step.value;
  }
}

/** Stacks in a text without the frames of the kernel: they name files that are none of the author's. */
export function cleanStack(text: string): string {
  if (!text.includes("\n") || !/\n\s+at /.test(text)) return text;
  return text
    .split("\n")
    .filter(
      (line) =>
        !(
          /^\s+at /.test(line) &&
          (line.includes(`${packageRoot()}/dist/`) || line.includes(encodeURI(`${packageRoot()}/dist/`)) || /\(?node:/.test(line))
        ),
    )
    .map((line) =>
      line.replace(
        /^(\s+at .*?)\(?cell:([^#]+)#\d+:\d+:\d+\)?(.*)$/,
        (_, head: string, cell: string, tail: string) => `${head}(cell ${decodeURIComponent(cell)})${tail}`,
      ),
    )
    .join("\n");
}
