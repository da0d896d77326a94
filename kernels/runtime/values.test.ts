/** What each kind of value looks like: a table of cases, and the tree that unfolds them. */
import * as tf from "@tensorflow/tfjs";
import { inflateSync } from "node:zlib";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../paths/paths.js";
import { toBundle } from "./display.js";
import { createHeld } from "./held.js";
import { cleanStack, lineText } from "./inspection.js";
import { childrenAt, nodeOf, sizeOf } from "./tree.js";
import type { ValueChildren } from "../protocol/document.js";
import type { ValueView } from "../protocol/output.js";

class Point {
  #secret = 1;
  x = 1;
  get secret(): number {
    return this.#secret;
  }
}
const cyclicMap = new Map<string, unknown>();
cyclicMap.set("self", cyclicMap);
const deep = Array.from({ length: 10_000 }).reduce<object>((inner) => ({ inner }), {});
const fail = (): never => {
  throw new Error("looked at");
};
const cause = new Error("outer", { cause: new TypeError("inner") });
cause.stack = "Error: outer";
(cause.cause as Error).stack = "TypeError: inner";
const many = new AggregateError([new Error("one")], "all failed");
many.stack = "AggregateError: all failed";
(many.errors[0] as Error).stack = "Error: one";

const cases: [string, () => unknown, string | RegExp][] = [
  ["number", () => 1.5, "1.5"],
  ["minus zero", () => -0, "-0"],
  ["NaN", () => NaN, "NaN"],
  ["infinity", () => -Infinity, "-Infinity"],
  ["bigint", () => 2n ** 70n, "1180591620717411303424n"],
  ["boolean", () => false, "false"],
  ["null", () => null, "null"],
  ["undefined", () => undefined, "undefined"],
  ["string", () => "text\nof lines", "text\nof lines"],
  ["empty string", () => "", ""],
  ["symbol", () => Symbol("s"), "Symbol(s)"],
  ["boxed number", () => Object(3) as unknown, "[Number: 3]"],
  ["boxed string", () => Object("s") as unknown, "[String: 's']"],
  ["date", () => new Date(0), "1970-01-01T00:00:00.000Z"],
  ["invalid date", () => new Date(NaN), "Invalid Date"],
  ["regular expression", () => /a+/giu, "/a+/giu"],
  ["URL", () => new URL("https://example.org/a?b=1"), /href: 'https:\/\/example.org\/a\?b=1'/],
  ["search parameters", () => new URLSearchParams("a=1"), "URLSearchParams { 'a' => '1' }"],
  ["array", () => [1, "a", null], "[ 1, 'a', null ]"],
  ["empty array", () => [], "[]"],
  ["sparse array", () => [1, , 3], "[ 1, <1 empty item>, 3 ]"], // eslint-disable-line no-sparse-arrays
  ["array with a property", () => Object.assign([1], { extra: 2 }), "[ 1, extra: 2 ]"],
  ["long array", () => Array.from({ length: 1000 }, (_, i) => i), /900 more items/],
  ["a million numbers", () => new Array(1_000_000).fill(7), /999900 more items/],
  ["object", () => ({ a: 1, b: { c: 2 } }), "{ a: 1, b: { c: 2 } }"],
  ["empty object", () => ({}), "{}"],
  ["null prototype", () => Object.assign(Object.create(null) as object, { a: 1 }), "[Object: null prototype] { a: 1 }"],
  ["symbol key", () => ({ [Symbol("k")]: 1 }), "{ [Symbol(k)]: 1 }"],
  ["a hundred thousand keys", () => Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i])), /k0, k1.*99,980 more properties/],
  ["getter that throws", () => Object.defineProperty({}, "x", { get: fail, enumerable: true }), "{ x: [Getter] }"],
  ["setter", () => Object.defineProperty({}, "x", { set: () => {}, enumerable: true }), "{ x: [Setter] }"],
  ["toString that throws", () => ({ toString: fail, valueOf: fail }), /toString/],
  ["toStringTag that throws", () => Object.defineProperty({}, Symbol.toStringTag, { get: fail }), /./],
  ["own inspection that throws", () => ({ [Symbol.for("nodejs.util.inspect.custom")]: fail }), /./],
  ["toJSON that throws", () => ({ toJSON: fail }), /toJSON/],
  ["cycle", () => Object.assign({}, { a: 1 }, ((o) => (o["self"] = o))({} as Record<string, unknown>)), /Circular/],
  ["cyclic map", () => cyclicMap, /Map\(1\) \{ 'self' => \[Circular/],
  ["very deep", () => deep, /\[Object\]/],
  ["class instance with a private field", () => new Point(), "Point { x: 1 }"],
  ["class", () => Point, "[class Point]"],
  ["class that extends", () => class Sub extends Point {}, "[class Sub extends Point]"],
  ["function", () => function named() {}, "[Function: named]"],
  ["arrow without a name", () => (() => () => {})(), "[Function (anonymous)]"],
  ["async function", () => async function later() {}, "[AsyncFunction: later]"],
  ["generator function", () => function* gen() {}, "[GeneratorFunction: gen]"],
  ["generator", () => (function* () {})(), "Object [Generator] {}"],
  ["promise", () => Promise.resolve(1), "Promise { 1 }"],
  ["pending promise", () => new Promise(() => {}), "Promise { <pending> }"],
  ["map", () => new Map<unknown, unknown>([[{ a: 1 }, [2]]]), "Map(1) { { a: 1 } => [ 2 ] }"],
  ["set", () => new Set([1, "a"]), "Set(2) { 1, 'a' }"],
  ["weak map", () => new WeakMap(), "WeakMap { <items unknown> }"],
  ["weak set", () => new WeakSet(), "WeakSet { <items unknown> }"],
  ["weak reference", () => new WeakRef({}), /^WeakRef/],
  ["array buffer", () => new ArrayBuffer(2), "ArrayBuffer { [Uint8Contents]: <00 00>, byteLength: 2 }"],
  ["data view", () => new DataView(new ArrayBuffer(1)), /^DataView/],
  ["typed array", () => new Float64Array([0.5, -0]), "Float64Array(2) [ 0.5, -0 ]"],
  ["big integers of 64 bits", () => new BigInt64Array([1n]), "BigInt64Array(1) [ 1n ]"],
  ["bytes", () => new Uint8Array([1, 2]), "Uint8Array(2) [ 1, 2 ]"],
  ["buffer", () => Buffer.from("ab"), "<Buffer 61 62>"],
  ["a long typed array", () => new Uint8Array(50_000_000), /more items/],
  ["error with a cause", () => cause, /^\[?Error: outer.*cause.*TypeError: inner/s],
  ["aggregate error", () => many, /AggregateError: all failed.*\[errors\].*Error: one/s],
  ["error without a stack", () => Object.assign(new Error("bare"), { stack: undefined }), /bare/],
  ["proxy", () => new Proxy({ a: 1 }, {}), /a: 1/],
  ["proxy that traps everything", () => new Proxy({}, new Proxy({}, { get: fail })), /./],
  ["proxy that is revoked", () => ((p) => (p.revoke(), p.proxy))(Proxy.revocable({}, {})), /./],
  ["global object", () => globalThis, /./],
  ["blob", () => new Blob(["abc"], { type: "text/plain" }), "Blob { size: 3, type: 'text/plain' }"],
  ["date that is too long a string", () => ({ s: "x".repeat(50_000) }), /40000 more characters/],
];

describe("text of values", () => {
  it.each(cases)("%s", (_, make, expected) => {
    const value = make();
    const text = toBundle(value)["text/plain"] as string;
    if (typeof expected === "string") expect(text).toBe(expected);
    else expect(text).toMatch(expected);
    expect(text.length).toBeLessThan(300_000);
    expect(lineText(value).length).toBeLessThanOrEqual(120);
    const { size } = nodeOf(value);
    if (size > 0) expect(childrenAt(value, [], 0, 10)!.children.length).toBe(Math.min(10, size));
  });
});

describe("pictures, tensors and models", () => {
  it.each([
    ["image/png", [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]],
    ["image/jpeg", [0xff, 0xd8, 0xff, 0xe0]],
    ["image/gif", [0x47, 0x49, 0x46, 0x38, 0x39]],
    ["image/webp", [0x52, 0x49, 0x46, 0x46, 0, 0, 0, 0, 0x57, 0x45, 0x42, 0x50]],
  ])("bytes of %s are a picture", (kind, head) => {
    expect(toBundle(new Uint8Array([...head, 1, 2, 3]))[kind]).toBe(Buffer.from([...head, 1, 2, 3]).toString("base64"));
  });

  it("shows shape, type, range and first values of a tensor, and that it is disposed", () => {
    const tensor = tf.range(0, 100).reshape([10, 10]);
    expect(toBundle(tensor)["text/plain"]).toMatch(/^Tensor float32 \[10, 10\]\nmin 0, max 99, mean 49.5\n0 1 2 .* 80 more$/);
    tensor.dispose();
    expect(toBundle(tensor)["text/plain"]).toBe("Tensor float32 [10, 10], disposed");
    expect(toBundle(tf.tensor1d([NaN, 1, ...new Array<number>(30).fill(2)]))["text/plain"]).toContain("1 NaN");
    expect(toBundle(tf.tensor1d(["a", "b"]))["text/plain"]).toBe("Tensor string [2]\na b");
  });

  it.each([1, 3, 4])("shows pixels of %i channels as a picture", (channels) => {
    const pixels = Array.from({ length: 8 * 9 * channels }, (_, i) => (i % 5) / 5);
    const png = Buffer.from(toBundle(tf.tensor3d(pixels, [8, 9, channels]))["image/png"] as string, "base64");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([9, 8]);
    const at = png.indexOf("IDAT");
    const raw = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
    expect([...raw.subarray(1, 1 + 9 * channels)]).toEqual(pixels.slice(0, 9 * channels).map((value) => Math.round(value * 255)));
    expect(toBundle(tf.tensor3d(pixels.map((value) => value * 2 - 1), [8, 9, channels]))["image/png"]).toBeUndefined(); // prettier-ignore
    expect(toBundle(tf.tensor3d(pixels.map((value) => value * 250), [8, 9, channels], "int32"))["image/png"]).toBeDefined(); // prettier-ignore
  });

  it("shows a model by its layers", () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    expect(toBundle(model)["text/plain"]).toMatch(/^Model sequential_\d+\n[^]*dense[^]*Total params: 8/);
  });
});

it("names no file of ours in the stack of an error that is shown", () => {
  const error = new Error("broken");
  error.stack = `Error: broken\n    at work (cell:a%20b#3:4:5)\n    at run (file://${packageRoot()}/dist/kernel.js:1:2)\n    at node:internal/timers:3:4\n    at pack (/elsewhere/node_modules/p/i.js:1:1)`;
  const text = toBundle(error)["text/plain"] as string;
  expect(text).toBe("Error: broken\n    at work (cell a b)\n    at pack (/elsewhere/node_modules/p/i.js:1:1)");
  expect(cleanStack("no stack\nhere")).toBe("no stack\nhere");
});

describe("the tree", () => {
  const held = createHeld();
  const ask = (handle: string, path: number[] = [], offset = 0, limit = 100) =>
    held.answer({ query: "value.children", handle, path, offset, limit }) as Promise<ValueChildren>;

  it("unfolds level by level, in pages, without running the value's code", async () => {
    const value = { list: Array.from({ length: 300 }, (_, i) => ({ i })), map: new Map([["k", new Set([7])]]), get trap() { return fail(); }, proxy: new Proxy({}, { ownKeys: fail }) }; // prettier-ignore
    const data = held.hold("r1", "d1", value, toBundle(value));
    const { handle, node } = data["application/vnd.touchstone.value+json"] as ValueView;
    expect(data["text/plain"]).toBeTypeOf("string");
    expect(node.size).toBe(4);
    expect((await ask(handle)).children.map(({ key, node: { text, size } }) => [key, text, size])).toEqual([
      ["list", expect.stringContaining("[Object]"), 300],
      ["map", "Map(1) { 'k' => [Set] }", 1],
      ["trap", "[Getter]", 0],
      ["proxy", expect.any(String), 0],
    ]);
    expect(await ask(handle, [0], 298)).toEqual({
      children: [
        { key: "298", node: { text: "{ i: 298 }", size: 1 } },
        { key: "299", node: { text: "{ i: 299 }", size: 1 } },
      ],
      total: 300,
    });
    expect((await ask(handle, [1, 0, 0])).total).toBe(0);
    expect((await ask(handle, [1, 0])).children).toEqual([{ key: "0", node: { text: "7", size: 0 } }]);
    await expect(ask(handle, [2])).rejects.toThrow("this part of the value is gone");
    held.release("r1");
    await expect(ask(handle)).rejects.toThrow("its cell ran again");
  });

  it("follows a cycle as far as one goes", async () => {
    const value: Record<string, unknown> = { list: Array.from({ length: 60 }, () => "a longer text") };
    value["self"] = value;
    const view = held.hold("r2", "d1", value, toBundle(value))["application/vnd.touchstone.value+json"] as ValueView;
    expect((await ask(view.handle, new Array<number>(50).fill(1))).total).toBe(2);
  });

  it("leaves a value alone whose text says all", () => {
    expect(held.hold("r3", "d1", { a: 1 }, toBundle({ a: 1 }))).toEqual({ "text/plain": "{ a: 1 }" });
    expect(sizeOf("text")).toBe(0);
  });

  it("sends the beginning of a text of 50 MB, and writes the whole on request", async () => {
    const folder = mkdtempSync(join(tmpdir(), "touchstone-held-"));
    const value = "ü".repeat(50_000_000);
    const data = held.hold("r4", "d1", value, toBundle(value));
    expect(JSON.stringify(data).length).toBeLessThan(30_000);
    const view = data["application/vnd.touchstone.value+json"] as ValueView;
    expect(view.length).toBe(50_000_000);
    await held.answer({ query: "value.export", handle: view.handle, path: join(folder, "t.txt") });
    expect(readFileSync(join(folder, "t.txt"), "utf8") === value).toBe(true);
    rmSync(folder, { recursive: true });
  });
});
