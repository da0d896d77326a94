import { describe, expect, it } from "vitest";
import { deepest, nesting } from "./depth.js";
import { analyse } from "./references.js";

const n = 10_000;
const deep: Record<string, string> = {
  parentheses: `const a = ${"(".repeat(n)}1${")".repeat(n)}`,
  lists: `const a = ${"[".repeat(n)}${"]".repeat(n)}`,
  sums: `const a = ${"1+".repeat(n)}1`,
  "sums by line": `const a = ${"1+\n".repeat(n)}1`,
  methods: `a${".b()".repeat(n)}`,
  "methods by line": `a${"\n.b()".repeat(n)}`,
  calls: `a${"()".repeat(n)}`,
  "else if": `if (a) b\n${"else if (a) b\n".repeat(n)}`,
  "else if with blocks": `if (a) {b}\n${"else if (a) {b;}\n".repeat(n)}`,
  "else if with semicolons": `if (a) b;${"else if (a) b;".repeat(n)}`,
  not: `${"!".repeat(n)}a`,
  arrows: `${"a=>\n".repeat(n)}a`,
  conditions: `${"a?b:".repeat(n)}c`,
  assignments: `${"a=".repeat(n)}b`,
  blocks: `${"{".repeat(n)}${"}".repeat(n)}`,
  templates: `${"`${".repeat(n)}1${"}`".repeat(n)}`,
  types: `type A = ${"B<".repeat(n)}C${">".repeat(n)}`,
  new: `${"new\n".repeat(n)}a`,
  labels: `${Array.from({ length: n }, (_, i) => `l${i}:\n`).join("")};`,
  loops: `${"for(;;)\n".repeat(n)};`,
  do: `${"do ".repeat(n)}b`,
  functions: `${"(()=>{".repeat(n)}${"})".repeat(n)}`,
};
const flat: Record<string, string> = {
  "a list of data": `const a = [${"1, -2.5, 'x', { a: 1 },\n".repeat(20_000)}]`,
  "lines without semicolons": "const a = 1\nfoo(a)\nif (x) { y }\nx.map((a) => a + 1)\n".repeat(5000),
  assignments: "a = b;".repeat(5000),
  "a template with holes": `const q = \`${"x ${a} ".repeat(5000)}\``,
  blocks: "if (a) { b }\n".repeat(5000),
};

describe("nesting", () => {
  it.each(Object.entries(deep))("finds ten thousand %s, which would end the process", (_, source) => {
    expect(nesting(source)).toBeGreaterThan(deepest);
    expect(analyse({ id: "a", kind: "code", source }).problems[0]?.message).toContain("nested");
  });
  it.each(Object.entries(flat))("lets %s through", (_, source) => {
    expect(nesting(source)).toBeLessThan(100);
  });
});
