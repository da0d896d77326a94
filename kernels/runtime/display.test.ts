import fc from "fast-check";
import { expect, it } from "vitest";
import { html, md, preview, toBundle } from "./display.js";
import { nearest } from "./errors.js";
import { randomFrom, seedOf } from "./random.js";
import { kernelFlags } from "../paths/flags.js";

it("shows plain values as Node does", () => {
  const cyclic: Record<string, unknown> = { a: 1 };
  cyclic["self"] = cyclic;
  const shown = [1.5, "text", null, undefined, 10n, Symbol("s"), cyclic, new Map([[1, { b: 2 }]]), new Float32Array(2), new Date(0)].map(
    (value) => toBundle(value)["text/plain"],
  );
  expect(shown).toEqual([
    "1.5",
    "text",
    "null",
    "undefined",
    "10n",
    "Symbol(s)",
    "<ref *1> { a: 1, self: [Circular *1] }",
    "Map(1) { 1 => { b: 2 } }",
    "Float32Array(2) [ 0, 0 ]",
    "1970-01-01T00:00:00.000Z",
  ]);
});

it("survives values that break when they are looked at", () => {
  const trap = new Proxy({}, { get: () => { throw new Error("get"); }, ownKeys: () => { throw new Error("keys"); } }); // prettier-ignore
  const thrower = { get x(): number { throw new Error("getter"); }, [Symbol.for("nodejs.util.inspect.custom")]: () => { throw new Error("inspect"); } }; // prettier-ignore
  for (const value of [trap, thrower, { trap }, [trap], Object.create(null), Object.create({ constructor: null })]) {
    expect(typeof toBundle(value)["text/plain"]).toBe("string");
    expect(typeof preview(value).preview).toBe("string");
  }
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withNullPrototype: true }),
      (value) => typeof toBundle(value)["text/plain"] === "string",
    ),
  );
});

it("knows figures, small tables, pictures and findings", () => {
  const figure = { data: [{ type: "bar", y: [1] }], layout: { title: "Bars" } };
  expect(toBundle(figure)).toEqual({ "application/vnd.plotly.v1+json": figure, "text/plain": 'figure "Bars", 1 trace' });
  const when = new Date(0);
  const columns = { data: [{ type: "heatmap", x: new Float64Array([0.5, 1]), y: [1n, when], z: [new Int32Array([1]), new BigInt64Array([2n])] }] };
  expect(toBundle(columns)["application/vnd.plotly.v1+json"]).toEqual({ data: [{ type: "heatmap", x: [0.5, 1], y: [1, when], z: [[1], [2]] }] });
  const circle: { data: object[]; layout: Record<string, unknown> } = { data: [{ type: "bar" }], layout: {} };
  circle.layout["self"] = circle;
  expect(toBundle(circle)).toEqual({ "text/plain": expect.stringContaining("[Circular *1]") as string });
  expect(toBundle({ data: [1, 2] })["application/vnd.plotly.v1+json"]).toBeUndefined();
  expect(toBundle([{ a: 1, "<b>": "x&y" }, { a: null }])["text/html"]).toBe(
    '<table><thead><tr><th scope="col">a</th><th scope="col">&#60;b&#62;</th></tr></thead><tbody><tr><td class="number">1</td><td>x&#38;y</td></tr><tr><td>null</td><td></td></tr></tbody></table>',
  );
  expect(toBundle(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0]))["image/png"]).toBe("iVBORw0KGgoA");
  expect(toBundle({ sentence: "It beats it.", verdict: "good", method: "", numbers: {} })["text/plain"]).toBe("good: It beats it.");
});

it("escapes the holes of html", () => {
  expect(toBundle(html`<b>${"<i>"}${[html`<u>${1}</u>`, 2]}</b>`)).toEqual({ "text/html": "<b>&#60;i&#62;<u>1</u>2</b>" });
  expect(toBundle(md`# ${"T"}`)).toEqual({ "text/markdown": "# T", "text/plain": "# T" });
});

it("finds the name that was meant, and none when nothing is near", () => {
  expect(nearest("fligths", ["flights", "model"])).toBe("flights");
  expect(nearest("Display", ["display"])).toBe("display");
  expect(nearest("xyz", ["flights", "model"])).toBeUndefined();
});

it("seeds by sha256 of notebook, cell and purpose", () => {
  // printf '42\0train\0split' | sha256sum
  expect(seedOf(42, "train", "split")).toBe(Number.parseInt("989639f4", 16));
  const draw = randomFrom(1);
  const values = Array.from({ length: 20_000 }, draw);
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  // 5 standard errors of the mean of uniforms
  expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / values.length - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / values.length));
  expect(randomFrom(1)()).not.toBe(randomFrom(2)());
});

it("starts each Node with the flags that it needs", () => {
  expect(kernelFlags("v20.19.0")).not.toContain("--experimental-async-context-frame");
  expect(kernelFlags("v22.12.0", 2 ** 30)).toEqual([
    "--no-force-async-hooks-checks",
    "--disable-warning=ExperimentalWarning",
    "--experimental-async-context-frame",
    "--max-old-space-size=1024",
  ]);
  expect(() => kernelFlags("twenty")).toThrow("Expected `nodeVersion`");
});
