/** Controls of cells, `view(input.range({...}))`, as they cross the wire: what a page draws, and which values each takes. Pure. */

/** What a control holds: of a choice the labels, of a date `2026-01-31`, of a button how often it was pressed. */
export type ControlValue = null | boolean | number | string | string[];

interface Common {
  /** shown beside it */
  label: string;
  /** when a change counts: at once (false), when it is released, left or Enter is pressed (true), after so many ms of rest */
  debounce: boolean | number;
}
/** `value` is the default: what a clean run uses. */
export type ControlSpec = Common &
  (
    | { type: "range"; value: number; min: number; max: number; step: number }
    | { type: "number"; value: number; /** null: none */ min: number | null; max: number | null; /** null: any number */ step: number | null }
    | { type: "text"; value: string; placeholder: string }
    | { type: "textarea"; value: string; placeholder: string; rows: number }
    | { type: "checkbox" | "toggle"; value: boolean }
    | { type: "select"; value: string; options: string[] }
    | { type: "multiple"; value: string[]; options: string[] }
    /** null: none is chosen */
    | { type: "radio"; value: string | null; options: string[] }
    /** null: no day is given; with a default there is always one */
    | { type: "date"; value: string | null; min: string | null; max: string | null }
    | { type: "button"; value: number }
  );

/** A control on show; `key` names it among those of its cell, also in the next run. */
export interface Control {
  key: string;
  spec: ControlSpec;
  value: ControlValue;
}

/** controls of one cell */
export const mostControls = 200;
/** characters of a text */
export const longestText = 100_000;

/** May the control hold this? */
export function accepts(spec: ControlSpec, value: unknown): value is ControlValue {
  switch (spec.type) {
    case "range":
    case "number": {
      if (typeof value !== "number" || !Number.isFinite(value)) return false;
      const { min, max, step } = spec;
      return (min === null || value >= min) && (max === null || value <= max) && (step === null || isStep(value, min ?? 0, step));
    }
    case "text":
      return typeof value === "string" && value.length <= longestText && !/[\r\n]/.test(value);
    case "textarea":
      return typeof value === "string" && value.length <= longestText;
    case "checkbox":
    case "toggle":
      return typeof value === "boolean";
    case "select":
      return typeof value === "string" && spec.options.includes(value);
    case "radio":
      return value === null ? spec.value === null : typeof value === "string" && spec.options.includes(value);
    case "multiple": {
      if (!Array.isArray(value)) return false;
      const known = new Set<unknown>(spec.options);
      return value.every((one) => known.has(one)) && new Set(value).size === value.length;
    }
    case "date":
      if (value === null) return spec.value === null;
      return isDay(value) && (spec.min === null || value >= spec.min) && (spec.max === null || value <= spec.max);
    case "button":
      return Number.isSafeInteger(value) && (value as number) >= 0;
  }
}

/** Is it so many steps away from `min`? Decimal steps are not exact in binary. */
export function isStep(value: number, min: number, step: number): boolean {
  const steps = (value - min) / step;
  const noise = (4 * Number.EPSILON * Math.max(Math.abs(value), Math.abs(min))) / step;
  return Math.abs(steps - Math.round(steps)) <= 1e-6 + noise;
}

/** A day of the calendar, `2026-01-31`. */
export function isDay(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const at = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(value);
}

/** The value that a person means by this text on a command line; it may be none that the control takes. */
export function fromText(spec: ControlSpec, text: string): ControlValue {
  switch (spec.type) {
    case "range":
    case "number":
    case "button":
      return text.trim() === "" ? null : Number(text);
    case "checkbox":
    case "toggle":
      return /^(true|on|yes|1)$/i.test(text) ? true : /^(false|off|no|0)$/i.test(text) ? false : null;
    case "multiple":
      return text === "" ? [] : text.split(",").map((part) => part.trim());
    case "date":
      return text === "" ? null : text;
    default:
      return text;
  }
}

/** What the control takes, in words. */
export function valuesText(spec: ControlSpec): string {
  switch (spec.type) {
    case "range":
    case "number":
    case "date": {
      const { min, max } = spec;
      const what = spec.type === "date" ? "a day, such as 2026-01-31," : "a number";
      const ends =
        min !== null && max !== null ? ` from ${min} to ${max}` : min !== null ? ` of at least ${min}` : max !== null ? ` of at most ${max}` : "";
      return `${what}${ends}${spec.type !== "date" && spec.step !== null ? `, in steps of ${spec.step}` : ""}`.replace(/,$/, "");
    }
    case "text":
      return "a line of text";
    case "textarea":
      return "a text";
    case "checkbox":
    case "toggle":
      return "true or false";
    case "select":
    case "radio":
      return `one of ${listed(spec.options)}`;
    case "multiple":
      return `some of ${listed(spec.options)}, with commas between them`;
    case "button":
      return "how often it was pressed";
  }
}
const listed = (options: readonly string[]) =>
  `${options
    .slice(0, 10)
    .map((option) => JSON.stringify(option))
    .join(", ")}${options.length > 10 ? ` and ${options.length - 10} more` : ""}`;

export function sameValue(a: ControlValue, b: ControlValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => one === b[i]);
  return a === b;
}

/** Does it hold another value than its default? */
export const isMoved = ({ spec, value }: Control): boolean => !sameValue(value, spec.value);

/** The value in words. */
export function valueText(spec: ControlSpec, value: ControlValue): string {
  if (spec.type === "button") return value === 1 ? "pressed once" : `pressed ${String(value)} times`;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === null || (Array.isArray(value) && value.length === 0)) return "none";
  if (Array.isArray(value)) return value.join(", ");
  return value === "" ? "empty" : String(value);
}
