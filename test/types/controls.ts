/** What `view` yields of each input, compiled by `npm run types`. Never run. */
import type { Library } from "../../kernels/protocol/library.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A>() => ({ as: <B>(_value: B, ..._same: Same<A, B> extends true ? [] : [never]): void => undefined });

export function controls({ view, input }: Library): void {
  is<number>().as(view(input.range({ min: 0, max: 1, step: 0.1, value: 0.5, label: "alpha", debounce: true })));
  is<number>().as(view(input.number()));
  is<string>().as(view(input.text({ placeholder: "name" })));
  is<string>().as(view(input.textarea({ rows: 3 })));
  is<boolean>().as(view(input.checkbox({ value: true })));
  is<boolean>().as(view(input.toggle()));
  is<"a" | "b">().as(view(input.select({ options: ["a", "b"] })));
  is<"a" | "b">().as(view(input.select({ options: ["a", "b"], value: "b" })));
  is<1 | 2>().as(view(input.select({ options: { one: 1, two: 2 } })));
  is<Date>().as(view(input.select({ options: new Map([["now", new Date()]]) })));
  is<("a" | "b")[]>().as(view(input.select({ options: ["a", "b"], multiple: true, value: ["a"] })));
  is<"a" | "b" | null>().as(view(input.radio({ options: ["a", "b"] })));
  is<"a" | "b">().as(view(input.radio({ options: ["a", "b"], value: "a" })));
  is<Date | null>().as(view(input.date()));
  is<Date>().as(view(input.date({ value: "2026-01-31" })));
  is<number>().as(view(input.button({ label: "Again" })));
  view(input.select({ options: [{ name: "x" }], format: (row) => row.name }));
  // @ts-expect-error the comparison itself notices another type
  is<string | number>().as(view(input.number()));
  // @ts-expect-error a slider has two ends
  input.range({ min: 0 });
  // @ts-expect-error none of the options
  input.select({ options: ["a", "b"], value: "c" });
  // @ts-expect-error no option of that name
  input.number({ minimum: 3 });
  // @ts-expect-error a value is no input
  view(3);
}
