import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CellKind, Result } from "../protocol/document.js";
import { buildGraph, type Graph } from "./graph.js";
import { analyse } from "./references.js";
import { afterEdit, afterRun, ancestors, badge, descendants, isFresh, plan, staleCells, type Facts } from "./schedule.js";

const kindOf = (id: string): CellKind => (id.startsWith("m") ? "markdown" : id.startsWith("t") ? "train" : id.startsWith("q") ? "sql" : "code");
const graphOf = (cells: Record<string, string>) => buildGraph(Object.entries(cells).map(([id, source]) => analyse({ id, kind: kindOf(id), source })));
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

describe("schedule", () => {
  // a -> b -> t1 -> c, a -> d
  const graph = graphOf({ a: "const a1 = 1", b: "const b1 = a1", t1: "const t = b1", c: "t", d: "a1" });
  const facts = (change: Record<string, Partial<Facts[string]>> = {}, base: Result = "ok"): Facts =>
    Object.fromEntries(
      graph.ids.map((id) => [id, { kind: kindOf(id), options: {}, result: base, stale: false, edited: false, causes: [], ...change[id] }]),
    );
  const runs = (f: Facts, targets: string[], options: Parameters<typeof plan>[3]) => plan(graph, f, targets, options);

  it.each([
    ["auto runs descendants but not the costly", {}, ["a"], { mode: "auto" }, ["a", "b", "d"], { t1: ["b"], c: ["t1"] }],
    ["lazy marks them", {}, ["a"], { mode: "lazy" }, ["a"], { b: ["a"], t1: ["b"], c: ["t1"], d: ["a"] }],
    [
      "stale inputs run first",
      { a: { edited: true }, b: { stale: true } },
      ["c"],
      { mode: "lazy" },
      ["a", "b", "c"].toSpliced(2, 0, "t1"),
      { d: ["a"] },
    ],
    ["an input in error runs again", { a: { result: "error" as const } }, ["d"], { mode: "lazy" }, ["a", "d"], { b: ["a"], t1: ["b"], c: ["t1"] }],
    ["inputs: false leaves them", { a: { edited: true } }, ["b"], { mode: "lazy", inputs: false }, ["b"], { t1: ["b"], c: ["t1"] }],
    ["run all runs the costly too", {}, ["a", "b", "t1", "c", "d"], { mode: "lazy", all: true }, ["a", "b", "t1", "c", "d"], {}],
    ["lazy=false runs a train", { t1: { options: { lazy: false } } }, ["b"], { mode: "auto" }, ["b", "t1", "c"], {}],
    ["a lazy marker holds in auto", { b: { options: { lazy: true } } }, ["a"], { mode: "auto" }, ["a", "d"], { b: ["a"], t1: ["b"], c: ["t1"] }],
    ["a fresh leaf runs alone", {}, ["d"], { mode: "auto" }, ["d"], {}],
  ] as const)("%s", (_, change, targets, options, run, stale) => {
    const result = runs(facts(change), [...targets], options);
    expect(result.run).toEqual(run);
    expect(result.stale).toEqual(stale);
    expect(result.blocked).toEqual({});
  });

  it("waits for disabled cells and cells with errors", () => {
    expect(runs(facts({ b: { options: { disabled: true } } }), ["a", "c"], { mode: "auto" })).toMatchObject({
      run: ["a", "d"],
      blocked: { b: { by: "b", why: "disabled" }, t1: { by: "b" }, c: { by: "b", why: "disabled" } },
    });
    const bad = graphOf({ a: "const x =", b: "const x1 = 1", c: "const x1 = 2", d: "x1", e: "3" });
    const all = Object.fromEntries(bad.ids.map((id) => [id, { ...facts().a!, result: "none" as const }]));
    const result = plan(bad, all, bad.ids, { mode: "auto" });
    expect(result.run).toEqual(["e"]);
    expect(result.blocked).toMatchObject({ a: { by: "a", why: "problem" }, b: { by: "b" }, c: { by: "c" }, d: { by: "b" } });
  });

  it("cancels what waits for a failed input and marks the rest stale", () => {
    expect(afterRun(graph, facts(), "a", "error", ["b", "d"])).toEqual({ cancelled: ["b", "d"], stale: { t1: [], c: ["t1"] } });
    expect(afterRun(graph, facts(), "a", "ok", ["b", "d"])).toEqual({ cancelled: [], stale: { t1: [], c: ["t1"] } });
    expect(afterRun(graph, facts(), "a", "ok", [])).toEqual({ cancelled: [], stale: { b: ["a"], t1: ["b"], c: ["t1"], d: ["a"] } });
  });

  it("marks users stale when a name moves, appears or goes", () => {
    const before = graphOf({ a: "const x = 1", b: "const y = x", c: "y", d: "2" });
    const states = Object.fromEntries(before.ids.map((id) => [id, { ...facts().a! }]));
    expect(
      afterEdit(before, graphOf({ a: "const z = 1", b: "const y = x", c: "y", d: "2" }), { ...states, a: { ...states.a!, edited: true } }),
    ).toEqual({ b: ["a"], c: ["b"] });
    expect(afterEdit(before, graphOf({ b: "const y = x", c: "y", d: "2" }), states)).toEqual({ b: ["a"], c: ["b"] });
    expect(afterEdit(before, graphOf({ a: "const x = 2", b: "const y = x", c: "y", d: "2" }), states)).toEqual({});
    expect(afterEdit(before, graphOf({ d: "2", c: "y", b: "const y = x", a: "const x = 1" }), states)).toEqual({});
    expect(
      afterEdit(before, graphOf({ a: "const x = 1", b: "const y = x", c: "y", d: "x" }), { ...states, d: { ...states.d!, edited: true } }),
    ).toEqual({});
  });

  it("gives the badge", () => {
    expect(badge(graph, facts())).toEqual({ state: "same" });
    expect(badge(graph, facts({ b: { stale: true } }))).toEqual({ state: "stale", cells: ["b"] });
    expect(badge(graph, facts({ b: { stale: true }, c: { result: "cancelled" } }))).toEqual({ state: "error", cells: ["c"] });
    expect(badge(graph, facts({}, "none"))).toMatchObject({ state: "unchecked", cells: ["a", "b", "t1", "c", "d"] });
    expect(badge(graph, facts({ b: { options: { disabled: true } } }))).toMatchObject({ state: "unchecked", cells: ["b", "t1", "c"] });
    expect(badge(graph, facts(), new Set(["a"]))).toMatchObject({ state: "unchecked", cells: ["a"] });
    expect(staleCells(graph, facts({ d: { edited: true } }))).toEqual(["d"]);
  });

  it("leaves nothing fresh that lies under something that is not", () => {
    const source = fc.array(fc.uniqueArray(fc.nat(7), { maxLength: 3 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        source,
        fc.constantFrom("auto" as const, "lazy" as const),
        fc.array(fc.nat(7), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.boolean()),
        (reads, mode, picks, coins) => {
          const g = graphOf(
            Object.fromEntries(
              reads.map((uses, i) => [
                `${i % 3 === 2 ? "t" : "c"}${i}`,
                `const n${i} = [${uses
                  .filter((u) => u > i)
                  .map((u) => `n${u}`)
                  .join()}]`,
              ]),
            ),
          );
          const f: Facts = Object.fromEntries(
            g.ids.map((id) => [id, { kind: kindOf(id), options: {}, result: "none" as Result, stale: false, edited: false, causes: [] }]),
          );
          for (const pick of picks) {
            const id = g.ids[pick % g.ids.length]!;
            const p = plan(g, f, [id], { mode });
            expect(p.run).toContain(id);
            for (const [other, causes] of Object.entries(p.stale)) f[other] = { ...f[other]!, stale: true, causes };
            const queue = [...p.run];
            for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
              for (const input of g.cells[next]!.inputs) expect(isFresh(f[input]!)).toBe(true);
              const ok = coins.next().value as boolean;
              f[next] = { ...f[next]!, result: ok ? "ok" : "error", stale: false, edited: false, causes: [] };
              const { cancelled, stale } = afterRun(g, f, next, ok ? "ok" : "error", queue);
              for (const other of cancelled) {
                queue.splice(queue.indexOf(other), 1);
                f[other] = { ...f[other]!, result: "cancelled", stale: false };
              }
              for (const [other, causes] of Object.entries(stale)) f[other] = { ...f[other]!, stale: true, causes };
            }
            for (const one of g.ids) {
              if (isFresh(f[one]!)) for (const above of ancestors(g, [one])) expect(isFresh(f[above]!)).toBe(true);
            }
            expect(descendants(g, [id])).not.toContain(id);
          }
        },
      ),
    );
  });
});
