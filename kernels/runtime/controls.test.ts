import { inspect } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Control, ControlSpec, ControlValue } from "../protocol/controls.js";
import { accepts } from "../protocol/controls.js";
import type { Input } from "../protocol/inputs.js";
import { control, controlText, input } from "./controls.js";

const show = (given: unknown, held: Record<string, ControlValue> = {}, before: Control[] = [], name?: string) =>
  control(given, { held }, before, () => name);
const specOf = (given: Input<unknown>) => show(given).control.spec;

it("fills in what is left out", () => {
  const specs: [Input<unknown>, Partial<ControlSpec>][] = [
    [input.range({ min: 0, max: 1 }), { type: "range", min: 0, max: 1, step: 0.01, value: 0.5, debounce: false }],
    [input.range({ min: 0, max: 10 }), { step: 1, value: 5 }],
    [input.range({ min: 0, max: 1, step: 0.3 }), { value: 0.3 }],
    [input.number(), { type: "number", min: null, max: null, step: null, value: 0 } as Partial<ControlSpec>],
    [input.number({ min: 2, step: 2 }), { value: 2 }],
    [input.number({ max: -1 }), { value: -1 }],
    [input.text(), { type: "text", value: "", debounce: true }],
    [input.textarea({ value: "a\nb", debounce: 300 }), { type: "textarea", value: "a\nb", debounce: 300 } as Partial<ControlSpec>],
    [input.toggle({ value: true }), { type: "toggle", value: true }],
    [input.select({ options: ["a", "b"] }), { type: "select", value: "a", options: ["a", "b"] } as Partial<ControlSpec>],
    [input.radio({ options: [1, 2] }), { type: "radio", value: null, options: ["1", "2"] } as Partial<ControlSpec>],
    [input.date({ value: new Date("2026-01-31T15:00:00Z") }), { type: "date", value: "2026-01-31" }],
    [input.button({ label: "Again" }), { type: "button", value: 0, label: "Again" }],
  ];
  for (const [given, wanted] of specs) {
    const spec = specOf(given);
    expect(spec).toMatchObject(wanted);
    expect(accepts(spec, spec.value)).toBe(true);
  }
});

it("gives values, of choices those behind the labels", () => {
  const rows = [{ name: "x" }, { name: "y" }];
  const pick = input.select({ options: rows, format: (row) => row.name });
  expect(show(pick, { row: "y" }, [], "row").value).toBe(rows[1]);
  expect(show(input.select({ options: new Map([["low", 1]]) })).value).toBe(1);
  expect(show(input.select({ options: { low: 1, high: 9 }, multiple: true, value: [9] })).value).toEqual([9]);
  expect(show(input.radio({ options: ["a"] })).value).toBe(null);
  expect(show(input.date({ label: "d" }), { d: "2026-01-31" }).value).toEqual(new Date("2026-01-31T00:00:00Z"));
  expect(show(input.date()).value).toBe(null);
  expect(input.range({ min: 0, max: 4 }).initial).toBe(2);
});

it("takes what is held while the options allow it", () => {
  const range = input.range({ min: 0, max: 1, step: 0.1, value: 0.5, label: "alpha" });
  expect(show(range, { alpha: 0.7 }).value).toBe(0.7);
  for (const held of [2, "0.7", 0.75, null]) expect(show(range, { alpha: held }).value).toBe(0.5);
  expect(show(range, { beta: 0.7 })).toMatchObject({ value: 0.5, control: { key: "alpha", value: 0.5 } });
});

it("takes what the command line says, or says what it could be", () => {
  const range = input.range({ min: 0, max: 1, step: 0.1, label: "alpha" });
  const set = (alpha: string) => control(range, { held: { alpha: 0.2 }, set: { alpha } }, [], () => undefined).value;
  expect(set("0.7")).toBe(0.7);
  expect(() => set("7")).toThrow('The control "alpha" is set to "7"; it takes a number from 0 to 1, in steps of 0.1');
});

it("tells controls apart by label, name and number", () => {
  const before: Control[] = [];
  const next = (given: unknown, name?: string) => {
    const { control: made } = show(given, {}, before, name);
    before.push(made);
    return [made.key, made.spec.label];
  };
  const x = input.number({ label: "x" });
  expect(next(x)).toEqual(["x", "x"]);
  expect(next(x)).toEqual(["x 2", "x"]);
  expect(next(input.number({ label: "x 2" }))).toEqual(["x 2 2", "x 2"]);
  expect(next(input.number(), "rate")).toEqual(["rate", "rate"]);
  expect(next(input.number())).toEqual(["control 5", "control 5"]);
  expect(next(input.button())).toEqual(["button 6", "button 6"]);
  expect(controlText(before[0]!)).toBe("x: 0");
  expect(() => show(x, {}, Array<Control>(200).fill(before[0]!))).toThrow("at most 200 controls");
});

it("refuses options with a sentence", () => {
  const wrong = input as unknown as Record<string, (options?: unknown) => unknown>;
  const cases: [name: string, options: unknown, message: string][] = [
    ["range", { min: 0 }, "input.range needs both `min` and `max`"],
    ["range", undefined, "input.range takes its options in braces"],
    ["range", { min: 1, max: 1 }, "needs `min` below `max`, got 1 and 1"],
    ["range", { min: 0, max: 1, value: 2 }, "needs `value` from 0 to 1, got 2"],
    ["range", { min: 0, max: 1, step: 0.1, value: 0.55 }, "whole steps of 0.1 from 0, got 0.55"],
    ["range", { min: 0, max: 1, steps: 3 }, "has no option `steps`; it has `label`, `min`"],
    ["range", { min: "0", max: 1 }, "needs `min` to be a number, got `'0'`"],
    ["range", { min: 0, max: 1, debounce: -1 }, "needs `debounce` to be true, false or milliseconds"],
    ["number", { min: 3, max: 2 }, "needs `min` at most `max`"],
    ["number", { min: 3, value: 2 }, "needs `value` of at least 3, got 2"],
    ["text", { value: "a\nb" }, "input.textarea holds several"],
    ["textarea", { rows: 0 }, "needs `rows`"],
    ["checkbox", { value: "yes" }, "needs `value` to be true or false, got `'yes'`"],
    ["select", {}, "needs `options`"],
    ["select", { options: [] }, "at least one"],
    ["select", { options: ["a", "a"] }, 'two options with the label "a"'],
    ["select", { options: ["a"], value: "b" }, "one of its options, got `'b'`"],
    ["select", { options: ["a"], multiple: true, value: "a" }, "to be a list"],
    ["radio", { options: ["a"], value: "b" }, "one of its options"],
    ["date", { value: "31.1.2026" }, 'a day such as "2026-01-31"'],
    ["date", { min: "2026-02-01", value: "2026-01-31" }, "of at least 2026-02-01"],
    ["button", { label: 3 }, "needs `label` to be a text, got `3`"],
  ];
  for (const [name, options, message] of cases) expect(() => wrong[name]!(options), message).toThrow(message);
  for (const given of [3, undefined, input.range, { type: "range" }]) expect(() => show(given)).toThrow("Expected view() to get an input, such as");
  expect(inspect(input.number({ label: "x" }))).toContain('input.number "x": view(...) shows it');
});

it("fills in a value that fits, whatever the ends are", () => {
  const end = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    fc.integer().map((n) => n / 10),
  );
  fc.assert(
    fc.property(end, end, (a, b) => {
      fc.pre(a < b && b - a > Math.abs(a) * 1e-9);
      for (const made of [input.range({ min: a, max: b }), input.number({ min: a, max: b })]) {
        const spec = specOf(made);
        expect(accepts(spec, spec.value)).toBe(true);
      }
    }),
  );
});

it("makes an input of its options or says what is wrong with them, whatever they are", () => {
  const kinds = ["range", "number", "text", "textarea", "checkbox", "toggle", "select", "radio", "date", "button"] as const;
  const any = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true, withSparseArray: true });
  const options = fc.oneof(
    any,
    fc.record(
      {
        ...{ label: fc.oneof(fc.string(), any), value: any, debounce: any, min: fc.oneof(fc.integer(), any), max: fc.oneof(fc.integer(), any) },
        ...{ step: fc.oneof(fc.double(), any), placeholder: any, rows: any, format: any, multiple: any },
        options: fc.oneof(fc.array(any), fc.dictionary(fc.string(), any), any),
      },
      { requiredKeys: [] },
    ),
    // without what is none of its options
    fc.record({ options: fc.oneof(fc.array(any), fc.array(fc.string())), value: any }, { requiredKeys: ["options"] }),
    fc.record({ min: fc.double(), max: fc.double(), step: fc.double(), value: fc.double() }, { requiredKeys: ["min"] }),
  );
  let inputs = 0;
  fc.assert(
    fc.property(fc.constantFrom(...kinds), options, (kind, given) => {
      let one: Input<unknown>;
      try {
        one = (input[kind] as (given: unknown) => Input<unknown>)(given);
      } catch (error) {
        expect((error as Error).message).toMatch(new RegExp(`^input\\.${kind} [a-z]`));
        return;
      }
      inputs++;
      const { spec, value } = show(one).control;
      expect(accepts(spec, value)).toBe(true);
      expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    }),
    { numRuns: 2000 },
  );
  expect(inputs).toBeGreaterThan(10);
});
