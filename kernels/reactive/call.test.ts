import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallField } from "../protocol/document.js";
import { readCall, writeField } from "./call.js";
import { renameName } from "./rename.js";

const apply = (source: string, path: string, value?: CallField["value"]) => {
  const { at, remove, insert } = writeField(source, "baseline", path, value);
  return source.slice(0, at) + insert + source.slice(at + remove);
};
const lit = (value: string | number | boolean | null): CallField["value"] => ({ type: "literal", value });

const source = `// 😀 before
const floor = await baseline({
  split: parts, // the split
  task: { kind: "binary", target: "late" },
  metric: \`log loss\`,
  using: ["prior", rival, -1],
  flights,
  margin: 0.1 as number,
  custom: (r) => r.a,
  "odd-key": a.b.c,
})
// after
`;

describe("a text in the place of an object", () => {
  const write = (text: string, path: string, value?: CallField["value"]) => {
    const { at, remove, insert } = writeField(text, "train", path, value);
    return text.slice(0, at) + insert + text.slice(at + remove);
  };
  const cosine: CallField["value"] = { type: "code", text: '{ name: "cosine" }' };
  it.each<[string, string, CallField["value"] | undefined, string]>([
    ['train({ optimizer: "sgd" })', "optimizer.name", lit("adam"), 'train({ optimizer: "adam" })'],
    ['train({ split, optimizer: "sgd" })', "optimizer.name", undefined, "train({ split })"],
    ['train({ optimizer: "sgd" })', "optimizer.learningRate", lit(0.1), 'train({ optimizer: { name: "sgd", learningRate: 0.1 } })'],
    ['train({ optimizer: "sgd" })', "optimizer.schedule", cosine, 'train({ optimizer: { name: "sgd", schedule: { name: "cosine" } } })'],
    ['train({ optimizer: "sgd" })', "optimizer.schedule.every", lit(3), 'train({ optimizer: { name: "sgd", schedule: { every: 3 } } })'],
    ['train({ optimizer: "sgd" })', "optimizer.schedule", undefined, 'train({ optimizer: "sgd" })'],
    ["train({ split })", "optimizer.schedule", cosine, 'train({ split, optimizer: { schedule: { name: "cosine" } } })'],
  ])("%s, %s", (text, path, value, after) => expect(write(text, path, value)).toBe(after));
});

describe("readCall", () => {
  it("reads literals, names, lists, nested objects; the rest is code", () => {
    const view = readCall(source, "baseline");
    expect(view).toMatchObject({ ok: true, result: "floor" });
    expect(Object.fromEntries(view.ok ? view.fields.map((field) => [field.path, field.value]) : [])).toEqual({
      split: { type: "name", name: "parts" },
      "task.kind": lit("binary"),
      "task.target": lit("late"),
      metric: lit("log loss"),
      using: { type: "list", items: [lit("prior"), { type: "name", name: "rival" }, lit(-1)] },
      flights: { type: "name", name: "flights" },
      margin: lit(0.1),
      custom: { type: "code", text: "(r) => r.a" },
      "odd-key": { type: "name", name: "a.b.c" },
    });
  });
  it.each([
    ["baseline({", /syntax error in line 1/],
    ["1", /does not call/],
    ["baseline({}); baseline({})", /2 times/],
    ["baseline(options)", /one object literal/],
    ["baseline({}, 1)", /one object literal/],
    ["const f = () => baseline({})", /inside a function/],
    ["x.baseline({})", /does not call/],
  ])("is off for %s", (text, why) => {
    expect(readCall(text, "baseline")).toMatchObject({ ok: false, reason: expect.stringMatching(why) as string });
    expect(() => writeField(text, "baseline", "a", lit(1))).toThrow(why);
  });
  it("marks what a spread or a second key may set", () => {
    const view = readCall("baseline({ a: 1, ...more, b: 2, c: 3, c: 4, get d() { return 1 } })", "baseline");
    const readOnly = Object.fromEntries(view.ok ? view.fields.map((field) => [field.path, field.readOnly !== undefined]) : []);
    expect(readOnly).toEqual({ a: true, "…": true, b: false, c: true, d: true });
    expect(() => writeField("baseline({ a: 1, ...more })", "baseline", "a", lit(2))).toThrow(/spread/);
    expect(() => writeField("baseline({ a: 1, ...more })", "baseline", "z", lit(2))).toThrow(/spread/);
  });
});

describe("writeField", () => {
  it.each([
    ["metric", lit("accuracy"), "metric: `log loss`", 'metric: "accuracy"'],
    ["task.kind", lit("regression"), 'kind: "binary"', 'kind: "regression"'],
    ["flights", { type: "name", name: "other" } as const, "  flights,", "  flights: other,"],
    ["task.classes", { type: "list", items: [lit("a"), lit(null)] } as const, 'target: "late" }', 'target: "late", classes: ["a", null] }'],
    ["seed", lit(7), '  "odd-key": a.b.c,\n', '  "odd-key": a.b.c,\n  seed: 7,\n'],
    ["budget.p99Ms", lit(5), '  "odd-key": a.b.c,\n', '  "odd-key": a.b.c,\n  budget: { p99Ms: 5 },\n'],
    ["margin", lit(-0.5), "0.1 as number", "-0.5"],
    ["split", undefined, "  split: parts, // the split\n", "   // the split\n"],
    ["flights", undefined, "  flights,\n", ""],
    ["task.target", undefined, ', target: "late"', ""],
    ["absent", undefined, "", ""],
    ["task.absent.deep", undefined, "", ""],
  ] as const)("%s", (path, value, before, after) => {
    const changed = apply(source, path, value as CallField["value"] | undefined);
    expect(changed).toBe(path === "split" ? source.replace("split: parts, ", "") : source.replace(before, () => after));
  });
  it.each([
    ["baseline()", "a", "baseline({ a: 1 })"],
    ["baseline({})", "a.b", "baseline({ a: { b: 1 } })"],
    ["baseline({ x })", "a", "baseline({ x, a: 1 })"],
    ["baseline({ x, })", "a", "baseline({ x, a: 1 })"],
    ["baseline({ x /* , */ , /* y */ })", "a", "baseline({ x /* , */ , a: 1 /* y */ })"],
    ["baseline({\r\n\tx,\r\n})", "a", "baseline({\r\n\tx,\r\n\ta: 1,\r\n})"],
    ["baseline({ /* none */ })", "a", "baseline({ a: 1, /* none */ })"],
    ["baseline({ // why\n})", "a", "baseline({ a: 1, // why\n})"],
    ["baseline({\n  x // last, not a comma\n})", "a", "baseline({\n  x,\n  a: 1 // last, not a comma\n})"],
  ])("adds to %j", (text, path, after) => {
    const changed = apply(text, path, lit(1));
    expect(changed).toBe(after);
  });
  it.each([
    ["baseline({ a: 1 })", "baseline({ })"],
    ["baseline({ a: 1, b })", "baseline({ b })"],
    ["baseline({ b, a: 1 })", "baseline({ b })"],
    ["baseline({ b, /* k */ a: 1 })", "baseline({ b, /* k */ })"],
    ["baseline({\n  b,\n  a: 1\n})", "baseline({\n  b,\n})"],
  ])("removes from %j", (text, after) => {
    expect(apply(text, "a")).toBe(after);
  });
  it.each([
    ["custom.inner", lit(1), /not an object literal/],
    ["a..b", lit(1), /joined by dots/],
    ["metric", { type: "name", name: "a; evil()" } as const, /Expected a name/],
    ["metric", { type: "code", text: "1, b: 2" } as const, /one expression/],
    ["metric", { type: "code", text: "1) + (2" } as const, /one expression/],
    ["metric", { type: "code", text: "1 // x" } as const, /one expression/],
    ["metric", lit(Infinity), /finite/],
  ])("refuses %s %j", (path, value, why) => {
    expect(() => writeField(source, "baseline", path, value as CallField["value"])).toThrow(why);
  });

  it("round-trips any value at any place and leaves every other field and byte", () => {
    const key = fc.constantFrom("a", "b", "c", "odd-key", "__proto__", "ключ");
    const value: fc.Arbitrary<CallField["value"]> = fc.letrec<{ v: CallField["value"] }>((tie) => ({
      v: fc.oneof(
        { maxDepth: 2 },
        fc
          .oneof(fc.string({ unit: "binary" }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null))
          .map((x) => lit(x)),
        fc.constantFrom("name", "a.b", "ünï").map((name): CallField["value"] => ({ type: "name", name })),
        fc.array(tie("v"), { maxLength: 3 }).map((items): CallField["value"] => ({ type: "list", items })),
      ),
    })).v;
    const step = fc.record({ path: fc.oneof(key, fc.constant("t.k"), fc.constant("t.l")), value: fc.option(value, { nil: undefined }) });
    const start = fc.constantFrom(
      "baseline()",
      "/* 😀 */ const r = await baseline({\n  // one\n  z: 1, // two\n\n  y: 'x', /* three */\n})\nmore()",
      "baseline({ z: 1, y: 'x' } as const)",
      "baseline({ z: 1, t: { k: 1 /* , */ } })",
    );
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 6 }), (first, steps) => {
        let text: string = first;
        for (const { path, value } of steps) {
          const before = read(text);
          text = apply(text, path, value);
          const after = read(text);
          if (value === undefined) delete before[path];
          else before[path] = value;
          if (Object.keys(after).some((k) => k.startsWith("t."))) delete before.t;
          if (!Object.keys(before).some((k) => k.startsWith("t.")) && "t" in after) before.t = after.t!;
          expect(after).toEqual(before);
        }
        for (const comment of first.match(/\/\*[^*]*\*\/|\/\/ \w+/g) ?? []) expect(text).toContain(comment);
      }),
      { numRuns: 500 },
    );
    function read(text: string) {
      const view = readCall(text, "baseline");
      if (!view.ok) throw new Error(`${view.reason}: ${text}`);
      const out = Object.create(null) as Record<string, CallField["value"]>;
      for (const field of view.fields) out[field.path] = field.value;
      return out;
    }
  });
});

describe("rename", () => {
  it.each([
    ["const a = 1; const b = { a, c: a }; { const a = 2; a }", "a", "z", "const z = 1; const b = { a: z, c: z }; { const a = 2; a }"],
    ["import { a } from 'm'; a()", "a", "z", "import { a as z } from 'm'; z()"],
    ["import { m as a } from 'm'; a()", "a", "z", "import { m as z } from 'm'; z()"],
    ["const { a, b = a } = o; a.a", "a", "z", "const { a: z, b = z } = o; z.a"],
    ["const { a = 1 } = o", "a", "z", "const { a: z = 1 } = o"],
    ["function a() { return a }", "a", "z", "function z() { return z }"],
    ["let a = 1; a += 1; let t: typeof a", "a", "z", "let z = 1; z += 1; let t: typeof z"],
    ["class a { a() { return new a() } }", "a", "z", "class z { a() { return new z() } }"],
  ])("%s", (text, from, to, after) => {
    expect(renameName(text, from, to).source).toBe(after);
  });
  it.each([
    ["const a = 1, z = 2", "a", "z", /already/],
    ["const a = z", "a", "z", /already/],
    ["const a = 1; { const z = 2; a }", "a", "z", /already/],
    ["const a = 1", "b", "z", /does not define/],
    ["const a = 1", "a", "class", /JavaScript allows/],
    ["const a = ", "a", "z", /syntax error/],
  ])("refuses %s", (text, from, to, why) => {
    expect(() => renameName(text, from, to)).toThrow(why);
  });
});
