import fc from "fast-check";
import { expect, it } from "vitest";
import { buildGraph, patchGraph, type Graph } from "./graph.js";
import { analyse, type Analysis } from "./references.js";

const name = fc.constantFrom("a", "b", "c", "d", "A", "B", "_p");
const line = fc.oneof(
  fc.tuple(name, name, name).map(([x, y, z]) => `const ${x} = [${y}, ${z}]`),
  fc.tuple(name, name).map(([x, y]) => `function ${x}() { return ${y} }`),
  name.map((x) => `${x}.push(1)`),
  name.map((x) => `${x} = 2`),
  fc.tuple(name, name).map(([x, y]) => `const ${x} = sql\`select * from ${y}\``),
  fc.tuple(name, name).map(([x, y]) => `${x} + ${y}`),
  fc.constant("const ("),
  fc.constant(""),
);
const text = fc.array(line, { maxLength: 3 }).map((lines) => lines.join("\n"));
const size = 5;
const edits = fc.array(fc.array(fc.tuple(fc.nat(size - 1), text), { minLength: 1, maxLength: 2 }), { maxLength: 12 });

const plain = ({ ids, order, cells, definers, edges }: Graph) => ({
  ids,
  order,
  cells: { ...cells },
  definers: new Map([...definers].sort()),
  edges,
});

it("gives what building anew gives, edit after edit", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: size, maxLength: size }), edits, (texts, rounds) => {
      let analyses: Analysis[] = texts.map((source, i) => analyse({ id: `c${i}`, kind: "code", source }));
      let graph = buildGraph(analyses);
      for (const round of rounds) {
        const before = analyses;
        analyses = [...analyses];
        const changed = new Map<string, { old: Analysis; now: Analysis }>();
        for (const [i, source] of round) {
          analyses[i] = analyse({ id: `c${i}`, kind: "code", source }, before[i]);
          changed.set(`c${i}`, { old: before[i]!, now: analyses[i]! });
        }
        const fresh = buildGraph(analyses);
        const patch = patchGraph(graph, changed, analyses);
        expect(plain(patch.graph)).toEqual(plain(fresh));
        for (const id of graph.ids) if (!patch.cells.has(id)) expect(fresh.cells[id], "a cell that is said to be as it was").toEqual(graph.cells[id]);
        if (patch.graph.edges === graph.edges)
          for (const id of graph.ids) expect(fresh.cells[id]!.uses, "no cell reads other names").toEqual(graph.cells[id]!.uses);
        ({ graph } = patch);
      }
    }),
    { numRuns: 300 },
  );
});

it("looks at no cell that has nothing to do with the new name", () => {
  const analyses = Array.from({ length: 1000 }, (_, i) =>
    analyse({ id: `c${i}`, kind: "code", source: `const x${i} = ${i === 0 ? 1 : `x${i - 1} + y`}` }),
  );
  const graph = buildGraph(analyses);
  const edit = (at: number, source: string) => {
    const now = analyse({ id: `c${at}`, kind: "code", source });
    return patchGraph(graph, new Map([[`c${at}`, { old: analyses[at]!, now }]]), analyses.with(at, now));
  };
  const own = edit(500, "const x500 = x499 + y\nconst z = 1");
  expect([...own.cells.keys()]).toEqual(["c500"]);
  expect(own.graph.order).toBe(graph.order);
  expect(own.graph.edges).toBe(graph.edges);
  // a circle of all
  const circle = edit(0, "const x0 = x999");
  expect(circle.cells.size).toBe(1000);
  // one that a thousand cells wait for
  expect(edit(0, "const x0 = 1\nconst y = 2").cells.size).toBe(1000);
});
