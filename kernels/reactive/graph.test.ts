import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CellKind } from "../protocol/document.js";
import { buildGraph, type Graph } from "./graph.js";
import { analyse } from "./references.js";

const kindOf = (id: string): CellKind => (id.startsWith("m") ? "markdown" : id.startsWith("t") ? "train" : id.startsWith("q") ? "sql" : "code");
const graphOf = (cells: Record<string, string>) => buildGraph(Object.entries(cells).map(([id, source]) => analyse({ id, kind: kindOf(id), source })));
/** All cells that these read from, at any distance. */
const ancestors = (graph: Graph, ids: string[]): string[] => {
  const seen = new Set<string>();
  const todo = [...ids];
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    for (const input of graph.cells[id]!.inputs) {
      if (!seen.has(input)) todo.push(input);
      seen.add(input);
    }
  }
  return graph.order.filter((id) => seen.has(id) && !ids.includes(id));
};
const errors = (graph: Graph) =>
  Object.fromEntries(graph.ids.map((id) => [id, graph.cells[id]!.problems.map((problem) => problem.type)]).filter(([, types]) => types!.length > 0));

describe("graph", () => {
  const table: { name: string; cells: Record<string, string>; edges: Record<string, string[]>; order: string; errors: Record<string, string[]> }[] = [
    {
      name: "text order is not run order",
      cells: { a: "b1 + 1", b: "const b1 = c1", c: "const c1 = 1" },
      edges: { a: ["b"], b: ["c"] },
      order: "cba",
      errors: {},
    },
    { name: "ties keep the document's order", cells: { a: "1", b: "const x = 1", c: "2", d: "x" }, edges: { d: ["b"] }, order: "abcd", errors: {} },
    {
      name: "clash on both",
      cells: { a: "const x = 1", b: "const x = 2", c: "x" },
      edges: { c: ["a", "b"] },
      order: "abc",
      errors: { a: ["clash"], b: ["clash"] },
    },
    { name: "underscore is private", cells: { a: "const _x = 1", b: "const _x = 2; _x", c: "_x" }, edges: {}, order: "abc", errors: {} },
    { name: "loop var is private", cells: { a: "for (var i = 0; ;) {}", b: "for (var i = 0; ;) {}", c: "i" }, edges: {}, order: "abc", errors: {} },
    {
      name: "cycle",
      cells: { a: "const x = y", b: "const y = z", c: "const z = x", d: "x" },
      edges: { a: ["b"], b: ["c"], c: ["a"], d: ["a"] },
      order: "abcd",
      errors: { a: ["cycle"], b: ["cycle"], c: ["cycle"] },
    },
    { name: "own name shadows the library", cells: { a: "const log = 1", b: "log", c: "display(1)" }, edges: { b: ["a"] }, order: "abc", errors: {} },
    {
      name: "writes and changes",
      cells: { a: "const x = []", b: "x = 1", c: "x.push(1)", d: "nobody = 1" },
      edges: { c: ["a"] },
      order: "abcd",
      errors: { b: ["foreign-write"], c: ["mutation"] },
    },
    {
      name: "tables, whatever their case",
      cells: { q1: "const flights = sql`select 1`", q2: "const late = sql`select * from FLIGHTS`", b: "late.rows()" },
      edges: { q2: ["q1"], b: ["q2"] },
      order: "q1q2b",
      errors: {},
    },
    {
      name: "a column that has a cell's name is no edge",
      cells: { a: "const delay = 1", q1: "const f = sql`select delay, extract(year from delay) from x`" },
      edges: {},
      order: "aq1",
      errors: {},
    },
    { name: "markdown has no names", cells: { a: "const x = 1", m: "x" }, edges: {}, order: "am", errors: {} },
    {
      name: "types make no edge",
      cells: { a: "type T = number; const v = 1", b: "let x: T = 1; type U = typeof v" },
      edges: {},
      order: "ab",
      errors: {},
    },
    {
      name: "names of Object's prototype",
      cells: { a: "const constructor = 1, toString = 2", b: "constructor", c: "hasOwnProperty" },
      edges: { b: ["a"] },
      order: "abc",
      errors: {},
    },
    { name: "syntax", cells: { a: "const", b: "1" }, edges: {}, order: "ab", errors: { a: ["syntax"] } },
    { name: "a cell may define the name that it reads from no other", cells: { a: "let x = 1; x = 2; x" }, edges: {}, order: "a", errors: {} },
  ];
  it.each(table)("$name", ({ cells, edges, order, errors: wrong }) => {
    const graph = graphOf(cells);
    expect(Object.fromEntries(graph.ids.map((id) => [id, graph.cells[id]!.inputs]).filter(([, inputs]) => inputs!.length > 0))).toEqual(edges);
    expect(graph.order.join("")).toBe(order);
    expect(errors(graph)).toEqual(wrong);
  });
  it("names the other cells of a clash and the path of a cycle", () => {
    const graph = graphOf({ a: "const x = 1", b: "const x = 2" });
    expect(graph.cells.a!.problems[0]).toMatchObject({ name: "x", cells: ["b"] });
    expect(graph.cells.b!.problems[0]).toMatchObject({ name: "x", cells: ["a"] });
    const circle = graphOf({ a: "const x = y", b: "const y = x" });
    expect(circle.cells.a!.problems[0]!.message).toContain("a needs y of b; b needs x of a");
  });
  it("puts inputs first in any graph without a cycle, and finds each cycle", () => {
    const shape = fc.array(fc.uniqueArray(fc.nat(9), { maxLength: 4 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(shape, (reads) => {
        const graph = graphOf(Object.fromEntries(reads.map((uses, i) => [`c${i}`, `const n${i} = [${uses.map((u) => `n${u}`).join()}]`])));
        const at = new Map(graph.order.map((id, i) => [id, i]));
        expect(graph.order.slice().sort()).toEqual(graph.ids.slice().sort());
        for (const id of graph.ids) {
          const inCycle = graph.cells[id]!.problems.some((problem) => problem.type === "cycle");
          expect(inCycle).toBe(graph.cells[id]!.inputs.some((input) => ancestors(graph, [input]).includes(id)));
          const above = [id, ...ancestors(graph, [id])];
          if (above.some((one) => graph.cells[one]!.problems.length > 0)) continue;
          for (const input of graph.cells[id]!.inputs) expect(at.get(input)).toBeLessThan(at.get(id)!);
        }
      }),
    );
  });
  it("takes ten thousand cells in a chain", () => {
    const analyses = Array.from({ length: 10_000 }, (_, i) => ({
      ...analyse({ id: "x", kind: "code", source: "" }),
      id: `c${i}`,
      defines: [`n${i}`],
      uses: [`n${i + 1}`],
    }));
    expect(buildGraph(analyses).order[0]).toBe("c9999");
  });
});
