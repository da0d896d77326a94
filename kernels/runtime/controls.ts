/** `input.range({...})` and its like, and what `view` makes of them: options checked with a sentence, a control for the page, its value for the cell. */
import { inspect } from "node:util";
import {
  accepts,
  fromText,
  isDay,
  isStep,
  type Control,
  type ControlSpec,
  type ControlValue,
  mostControls,
  valuesText,
  valueText,
} from "../protocol/controls.js";
import type { Input, Inputs } from "../protocol/inputs.js";
import { orElse } from "./own.js";

type Bare<K> = Omit<Extract<ControlSpec, { type: K }>, "label" | "type">;
type Options = Record<string, unknown>;

/** An input; what it stands for is for `view` alone. */
class Made implements Input<unknown> {
  readonly type: string;
  readonly label: string;
  readonly initial: unknown;
  readonly #spec: ControlSpec;
  readonly #read: (held: ControlValue) => unknown;
  constructor(spec: ControlSpec, read: (held: ControlValue) => unknown) {
    this.type = spec.type === "multiple" ? "select" : spec.type;
    this.label = spec.label;
    this.initial = read(spec.value);
    this.#spec = spec;
    this.#read = read;
    Object.freeze(this);
  }
  static parts(given: unknown): { spec: ControlSpec; read(held: ControlValue): unknown } | null {
    return given instanceof Made && #spec in given ? { spec: given.#spec, read: given.#read } : null;
  }
  [inspect.custom](): string {
    return `input.${this.type}${this.label === "" ? "" : ` ${JSON.stringify(this.label)}`}: view(...) shows it`;
  }
}

/** Shows an input. `held`: what controls hold since an earlier run; `set`: what the command line says; `before`: the keys of the run's other controls. Throws a TypeError for what is no input. */
export function control(
  given: unknown,
  { held = {}, set = {} }: { held?: Readonly<Record<string, ControlValue>> | undefined; set?: Readonly<Record<string, string>> },
  before: readonly Control[],
  name: () => string | undefined,
): { control: Control; value: unknown } {
  const parts = Made.parts(given);
  if (parts === null)
    throw new TypeError(
      `Expected view() to get an input, such as \`input.range({ min: 0, max: 1 })\`, got ${shown(given)}; display(x) shows a value`,
    );
  if (before.length >= mostControls) throw new RangeError(`A cell shows at most ${mostControls} controls`);
  const label = parts.spec.label || (name() ?? `${parts.spec.type === "button" ? "button" : "control"} ${before.length + 1}`);
  const spec = { ...parts.spec, label };
  // a label that comes again is told apart by its number among its like
  let key = label;
  for (let n = 2; before.some((other) => other.key === key); n++) key = `${label} ${n}`;
  let { value }: { value: ControlValue } = spec;
  if (Object.hasOwn(held, key) && accepts(spec, held[key])) value = held[key]!;
  if (Object.hasOwn(set, key)) {
    value = fromText(spec, set[key]!);
    if (!accepts(spec, value)) throw new TypeError(`The control "${key}" is set to ${JSON.stringify(set[key])}; it takes ${valuesText(spec)}`);
  }
  return { control: { key, spec, value }, value: parts.read(value) };
}

/** One line, where no page shows it. */
export const controlText = ({ spec, value }: Control): string => `${spec.label}: ${valueText(spec, value)}`;

export const input: Inputs = Object.freeze({
  range(options: unknown) {
    const { wrong, label, debounce, number } = read("range", options, ["min", "max", "step", "value", "debounce"]);
    const [min, max] = [number("min"), number("max")];
    if (min === undefined || max === undefined) throw wrong("needs both `min` and `max`");
    if (min >= max) throw wrong(`needs \`min\` below \`max\`, got ${min} and ${max}`);
    const whole = Number.isInteger(min) && Number.isInteger(max) && max - min > 1;
    const step = number("step") ?? (whole ? 1 : (max - min) / 100);
    if (step <= 0 || step > max - min) throw wrong(`needs \`step\` above 0 and at most \`max\` - \`min\` (${max - min}), got ${step}`);
    const value = number("value") ?? onStep(min, (max - min) / 2, step);
    checkNumber(value, { min, max, step }, wrong);
    return made<"range">("range", { label, value, min, max, step, debounce: debounce(false) });
  },
  number(options: unknown = {}) {
    const { wrong, label, debounce, number } = read("number", options, ["min", "max", "step", "value", "debounce"]);
    const [min, max, step] = [number("min") ?? null, number("max") ?? null, number("step") ?? null];
    if (min !== null && max !== null && min > max) throw wrong(`needs \`min\` at most \`max\`, got ${min} and ${max}`);
    if (step !== null && step <= 0) throw wrong(`needs \`step\` above 0, got ${step}`);
    const near = Math.min(Math.max(0, min ?? 0), max ?? Infinity);
    const value = number("value") ?? (step === null ? near : onStep(min ?? 0, near - (min ?? 0), step));
    checkNumber(value, { min, max, step }, wrong);
    return made<"number">("number", { label, value, min, max, step, debounce: debounce(false) });
  },
  text(options: unknown = {}) {
    const { wrong, label, debounce, text } = read("text", options, ["value", "placeholder", "debounce"]);
    const spec = { label, value: text("value"), placeholder: text("placeholder"), debounce: debounce(true) };
    if (/[\r\n]/.test(spec.value)) throw wrong("holds one line; input.textarea holds several");
    return made<"text">("text", spec);
  },
  textarea(options: unknown = {}) {
    const { wrong, label, debounce, number, text } = read("textarea", options, ["value", "placeholder", "rows", "debounce"]);
    const rows = number("rows") ?? 4;
    if (!Number.isInteger(rows) || rows < 1 || rows > 50) throw wrong(`needs \`rows\` to be a whole number from 1 to 50, got ${rows}`);
    const spec = { label, value: text("value"), placeholder: text("placeholder"), rows, debounce: debounce(true) };
    return made<"textarea">("textarea", spec);
  },
  checkbox: (options: unknown = {}) => check("checkbox", options),
  toggle: (options: unknown = {}) => check("toggle", options),
  select(options: unknown) {
    const { given, wrong, label } = read("select", options, ["options", "format", "value", "multiple"]);
    const { labels, labelled, valueOf } = choices(given, wrong);
    if (given["multiple"] !== undefined && typeof given["multiple"] !== "boolean") throw wrong("needs `multiple` to be true or false");
    if (given["multiple"] !== true) {
      const value = "value" in given && given["value"] !== undefined ? labelled(given["value"]) : labels[0]!;
      return made<"select">("select", { label, value, options: labels, debounce: false }, (held) => valueOf(held as string));
    }
    const wanted = given["value"] ?? [];
    if (!Array.isArray(wanted)) throw wrong("needs `value` to be a list, since several may be chosen");
    const value = [...new Set(wanted.map(labelled))];
    return made<"multiple">("multiple", { label, value, options: labels, debounce: false }, (held) => (held as string[]).map(valueOf));
  },
  radio(options: unknown) {
    const { given, wrong, label } = read("radio", options, ["options", "format", "value"]);
    const { labels, labelled, valueOf } = choices(given, wrong);
    const value = given["value"] === undefined ? null : labelled(given["value"]);
    const spec = { label, value, options: labels, debounce: false };
    return made<"radio">("radio", spec, (held) => (held === null ? null : valueOf(held as string)));
  },
  date(options: unknown = {}) {
    const { wrong, label, day } = read("date", options, ["value", "min", "max"]);
    const [min, max, value] = [day("min"), day("max"), day("value")];
    if (min !== null && max !== null && min > max) throw wrong(`needs \`min\` at most \`max\`, got ${min} and ${max}`);
    if (value !== null && ((min !== null && value < min) || (max !== null && value > max)))
      throw wrong(`needs \`value\` ${between(min, max)}, got ${value}`);
    const spec = { label, value, min, max, debounce: true };
    return made<"date">("date", spec, (held) => (held === null ? null : new Date(`${held as string}T00:00:00Z`)));
  },
  button(options: unknown = {}) {
    const { label } = read("button", options, []);
    return made<"button">("button", { label, value: 0, debounce: false });
  },
}) as unknown as Inputs;

function made<K extends ControlSpec["type"]>(
  type: K,
  spec: Bare<K> & { label: string },
  valueOf: (held: ControlValue) => unknown = (held) => held,
): Made {
  return new Made({ type, ...spec } as unknown as ControlSpec, valueOf);
}

function check(type: "checkbox" | "toggle", options: unknown): Made {
  const { given, wrong, label } = read(type, options, ["value"]);
  const { value = false } = given;
  if (typeof value !== "boolean") throw wrong(`needs \`value\` to be true or false, got ${shown(value)}`);
  return made<"checkbox" | "toggle">(type, { label, value, debounce: false });
}

/** The options of `input.NAME`, each read with a sentence for what it is not. */
function read(name: string, options: unknown, known: readonly string[]) {
  const wrong = (why: string) => new TypeError(`input.${name} ${why}`);
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw wrong(`takes its options in braces, such as input.${name}({ label: "name" }), got ${shown(options)}`);
  const given = options as Options;
  const names = ["label", ...known];
  for (const key of Object.keys(given))
    if (!names.includes(key)) throw wrong(`has no option \`${key}\`; it has ${names.map((one) => `\`${one}\``).join(", ")}`);
  const text = (key: string): string => {
    const value = given[key] ?? "";
    if (typeof value !== "string") throw wrong(`needs \`${key}\` to be a text, got ${shown(value)}`);
    return value;
  };
  const number = (key: string): number | undefined => {
    const value = given[key];
    if (value !== undefined && (typeof value !== "number" || !Number.isFinite(value)))
      throw wrong(`needs \`${key}\` to be a number, got ${shown(value)}`);
    // -0 is no number of the wire
    return value === undefined ? undefined : (value as number) + 0;
  };
  const day = (key: string): string | null => {
    const value = given[key] ?? null;
    if (value === null) return null;
    const iso = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString().slice(0, 10) : value;
    if (!isDay(iso)) throw wrong(`needs \`${key}\` to be a day such as "2026-01-31" or a Date, got ${shown(value)}`);
    return iso;
  };
  const debounce = (otherwise: boolean): boolean | number => {
    const value = given["debounce"] ?? otherwise;
    if (typeof value === "boolean" || (typeof value === "number" && value >= 0 && value <= 60_000)) return value;
    throw wrong(`needs \`debounce\` to be true, false or milliseconds up to 60,000, got ${shown(value)}`);
  };
  return { given, wrong, label: text("label").trim(), text, number, day, debounce };
}

/** options of one choice */
const mostOptions = 10_000;

/** A text says itself, also in an object; what has none is shown. */
const labelOf = (value: unknown): string =>
  orElse(
    () =>
      typeof value === "object" && value !== null && !(value instanceof Date) ? inspect(value, { depth: 1, breakLength: Infinity }) : String(value),
    "(a value that cannot be read)",
  );

/** Labels and values, either by the other. */
function choices(given: Options, wrong: (why: string) => TypeError) {
  const { options, format = labelOf } = given;
  if (typeof format !== "function") throw wrong("needs `format` to be a function that gives a value's label");
  let pairs: [label: unknown, value: unknown][];
  if (Array.isArray(options)) pairs = options.map((value: unknown) => [(format as (value: unknown) => unknown)(value), value]);
  else if (options instanceof Map) pairs = [...(options as Map<unknown, unknown>)];
  else if (typeof options === "object" && options !== null) pairs = Object.entries(options);
  else throw wrong("needs `options`: a list of values, or values by their label");
  if (pairs.length === 0) throw wrong("needs at least one of `options`");
  if (pairs.length > mostOptions) throw wrong(`takes at most ${mostOptions} options, got ${pairs.length}`);
  const values = new Map<string, unknown>();
  for (const [label, value] of pairs) {
    const text = labelOf(label);
    if (values.has(text)) throw wrong(`has two options with the label ${JSON.stringify(text)}; \`format\` or a record gives each its own`);
    values.set(text, value);
  }
  return {
    labels: [...values.keys()],
    valueOf: (label: string) => values.get(label),
    labelled(value: unknown): string {
      for (const [label, other] of values) if (Object.is(other, value)) return label;
      throw wrong(`needs \`value\` to be one of its options, got ${shown(value)}`);
    },
  };
}

function checkNumber(
  value: number,
  { min, max, step }: { min: number | null; max: number | null; step: number | null },
  wrong: (why: string) => TypeError,
): void {
  if ((min !== null && value < min) || (max !== null && value > max)) throw wrong(`needs \`value\` ${between(min, max)}, got ${value}`);
  if (step !== null && !isStep(value, min ?? 0, step)) throw wrong(`needs \`value\` to be whole steps of ${step} from ${min ?? 0}, got ${value}`);
}

const between = (min: unknown, max: unknown) =>
  min !== null && max !== null ? `from ${String(min)} to ${String(max)}` : min !== null ? `of at least ${String(min)}` : `of at most ${String(max)}`;

/** The step nearest below, without the noise of binary fractions where that is all that it is. */
function onStep(min: number, distance: number, step: number): number {
  const raw = min + Math.floor(distance / step + 1e-9) * step;
  const plain = Number(raw.toPrecision(12));
  return plain >= min && Math.abs(plain - raw) <= 1e-9 * step ? plain : raw;
}

const shown = (value: unknown) =>
  `\`${orElse(() => inspect(value, { depth: 0, breakLength: Infinity }), "a value that cannot be read").slice(0, 200)}\``;
