import fc from "fast-check";
import { expect, it } from "vitest";
import { accepts, isDay, fromText, isMoved, sameValue, valuesText, valueText, type ControlSpec, type ControlValue } from "./controls.js";

const common = { label: "x", debounce: false };
const specs: ControlSpec[] = [
  { ...common, type: "range", value: 0.5, min: 0, max: 1, step: 0.1 },
  { ...common, type: "number", value: 0, min: null, max: null, step: null },
  { ...common, type: "number", value: 3, min: 1, max: null, step: 2 },
  { ...common, type: "text", value: "", placeholder: "" },
  { ...common, type: "textarea", value: "", placeholder: "", rows: 4 },
  { ...common, type: "checkbox", value: false },
  { ...common, type: "toggle", value: true },
  { ...common, type: "select", value: "a", options: ["a", "b"] },
  { ...common, type: "multiple", value: [], options: ["a", "b"] },
  { ...common, type: "radio", value: null, options: ["a", "b"] },
  { ...common, type: "date", value: null, min: "2020-01-01", max: "2020-12-31" },
  { ...common, type: "button", value: 0 },
];
const [range, , odd, text, area, , , select, multiple, radio, date, button] = specs as [ControlSpec, ...ControlSpec[]];

it("takes what the control can show, and nothing else", () => {
  const takes = (spec: ControlSpec | undefined, yes: unknown[], no: unknown[]) => {
    for (const value of yes) expect(accepts(spec!, value), JSON.stringify(value)).toBe(true);
    for (const value of no) expect(accepts(spec!, value), JSON.stringify(value)).toBe(false);
  };
  takes(range, [0, 0.1, 0.3, 0.1 + 0.2, 0.7, 1], [-0.1, 1.1, 0.25, NaN, Infinity, "0.5", null]);
  takes(odd, [1, 3, 1001], [2, 0, -1]);
  takes(text, ["", "a b"], ["a\nb", 1, "x".repeat(100_001)]);
  takes(area, ["a\nb"], [null]);
  takes(select, ["a"], ["c", null, ["a"]]);
  takes(multiple, [[], ["b", "a"]], [["a", "a"], ["c"], "a"]);
  takes(radio, [null, "b"], ["", "c"]);
  takes({ ...radio, value: "a" } as ControlSpec, ["b"], [null]);
  takes(date, [null, "2020-02-29"], ["2021-01-01", "2019-12-31", "2020-02-30", "2020-2-1", new Date()]);
  takes(button, [0, 7], [-1, 0.5]);
});

it("is total: any value is taken or not, and a default always", () => {
  fc.assert(
    fc.property(fc.constantFrom(...specs), fc.anything(), (spec, value) => {
      if (!accepts(spec, value)) return;
      expect(sameValue(value, value)).toBe(true);
      expect(valueText(spec, value)).not.toBe("");
    }),
  );
  for (const spec of specs) {
    expect(accepts(spec, spec.value)).toBe(true);
    expect(isMoved({ key: "x", spec, value: spec.value })).toBe(false);
  }
});

it("says values in words", () => {
  const words = (spec: ControlSpec | undefined, value: ControlValue) => valueText(spec!, value);
  expect([words(range, 0.7), words(multiple, ["a", "b"]), words(multiple, []), words(text, "")]).toEqual(["0.7", "a, b", "none", "empty"]);
  expect([words(button, 0), words(button, 1), words(specs[5], true), words(radio, null)]).toEqual(["pressed 0 times", "pressed once", "on", "none"]);
  expect([isDay("2024-02-29"), isDay("2023-02-29"), isDay("10000-01-01")]).toEqual([true, false, false]);
});

it("reads values from a command line", () => {
  const given: [ControlSpec | undefined, string, ControlValue][] = [
    [range, "0.3", 0.3],
    [range, " ", null],
    [odd, "x", NaN],
    [specs[5], "on", true],
    [specs[6], "no", false],
    [specs[6], "maybe", null],
    [multiple, "a, b", ["a", "b"]],
    [multiple, "", []],
    [radio, "b", "b"],
    [date, "2020-02-29", "2020-02-29"],
    [button, "2", 2],
  ];
  for (const [spec, text, value] of given) expect(fromText(spec!, text), text).toEqual(value);
  expect([range, odd, text, multiple, date, specs[1]].map((spec) => valuesText(spec!))).toEqual([
    "a number from 0 to 1, in steps of 0.1",
    "a number of at least 1, in steps of 2",
    "a line of text",
    'some of "a", "b", with commas between them',
    "a day, such as 2026-01-31, from 2020-01-01 to 2020-12-31",
    "a number",
  ]);
  expect(valuesText({ ...select, options: Array.from({ length: 12 }, (_, i) => `o${i}`) } as ControlSpec)).toContain('"o9" and 2 more');
});
