/** Renaming in drawn notebooks: the graph and every value stay what they were, or a sentence says why not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import ts from "typescript";
import { afterAll, expect, it } from "vitest";
import type { Cell } from "../protocol/document.js";
import { buildGraph } from "../reactive/graph.js";
import { analyse } from "../reactive/references.js";
import { createProject } from "./project.js";
import { rename } from "./rename.js";

const workspace = mkdtempSync(join(tmpdir(), "touchstone-rename-"));
writeFileSync(join(workspace, "package.json"), `{ "name": "w", "private": true }`);
const project = createProject({ notebook: join(workspace, "n.nb.ts"), workspace, registry: ts.createDocumentRegistry(true), cancelled: () => false });
afterAll(() => {
  project.dispose();
  rmSync(workspace, { recursive: true, force: true });
});

/** A cell that defines N from R, another cell's name, with S as a name of its own inside, which may be that of a third cell. */
const shapes = [
  "const N = R + 1",
  "const { N } = { N: R }",
  "const { S: N } = { S: R }",
  "const [N = R] = []",
  "const N = Object.keys({ R }).join() + Object.values({ R })",
  "const N = `${R} R ${`S ${R}`}`",
  "const N = 'R' + R + /R/.source",
  "const N = ((S) => S + R)(2)",
  "const N = ((R) => R + 1)(5)",
  "const N = ((S, T = R) => S + T)(1)",
  "const N = (({ R: S }) => S)({ R })",
  "let N = 0; { const R = 5; N = R }",
  "let N = R; { const S = 2; N = S + N }",
  "let N = 0; R: for (const S of [1, 2]) { N = S + R; continue R }",
  "let N = 0; for (const R of [1, 2]) N = R",
  "let N = R; try { throw 3 } catch (S) { N = S + N }",
  "const N = new (class { R = 1; S() { return this.R + R } })().S()",
  "const N = (function S(n) { return n > 0 ? S(n - 1) + 1 : R })(2)",
  "const N = typeof URL + R",
  "const N = ({ S: R }).S + ({ R: 1 }).R",
  "class N { static S = R }",
  "function N(S = R) { return S }",
  "const N = R + '', N2 = N + R",
  "const N = sql`select * from R where n > ${'R' + 1}`",
  'const N = sql`select "R".n, \'R\' from "R" -- from R`',
  "const N = sql`with S as (select 1) select * from S, R`",
  "const N = sql`with R as (select 1) select * from R`",
  "const N = sql`select S.n from R S join r on true`",
  "const N = sql`select (select max(R.n) from range(3)) from R`",
  "const N = sql`select S from R`",
  "const N = sql`select R from R`",
  "const N = sql`select R from R`",
] as const;
const names = ["alpha", "beta", "gamma", "delta", "omega"];

const drawn = fc
  .array(fc.record({ shape: fc.constantFrom(...shapes), reads: fc.nat(4), inside: fc.nat(5) }), { minLength: 1, maxLength: 4 })
  .map((parts) => {
    const cells: Cell[] = [{ id: "c0", kind: "code", source: `const ${names[0]!} = 7`, options: {} }];
    parts.forEach(({ shape, reads, inside }, i) => {
      const source = shape
        .replace(/\bN(2?)\b/g, `${names[i + 1]!}$1`)
        .replace(/\bR\b/g, names[reads % (i + 1)]!)
        .replace(/\bS\b/g, [...names, "own"].filter((name) => name !== names[i + 1] && name !== names[reads % (i + 1)])[inside % 4]!)
        .replace(/\br\b/g, names[reads % (i + 1)]!.toUpperCase());
      cells.push({ id: `c${i + 1}`, kind: "code", source, options: {} });
    });
    return cells;
  });

/** What the cells make, with SQL as the text that it is. */
function values(cells: readonly Cell[], shown: readonly string[]): unknown {
  const sql = (pieces: TemplateStringsArray, ...holes: unknown[]) => String.raw({ raw: pieces.map(() => "") }, ...holes);
  const show = (value: unknown): unknown =>
    typeof value !== "function" ? value : /^class/.test(toString.call(value)) ? { ...value } : (value as () => unknown)();
  // the text of a function holds the names that it was written with
  const { toString } = Function.prototype;
  const code = `${cells.map((cell) => cell.source).join("\n;\n")}\n;return [${shown.join(", ")}]`;
  const make = new Function("sql", code) as (tag: typeof sql) => unknown[];
  Function.prototype.toString = () => "a function";
  try {
    return make(sql).map(show);
  } finally {
    Function.prototype.toString = toString;
  }
}
const shapeOf = (cells: readonly Cell[], name: (one: string) => string) => {
  const graph = buildGraph(cells.map((cell) => analyse(cell)));
  return graph.ids.map((id) => {
    const { defines, uses, inputs, problems } = graph.cells[id]!;
    return { id, defines: defines.map(name), uses: uses.map(name).sort(), inputs, problems: problems.map((problem) => problem.type) };
  });
};

let renamed = 0;
let refused = 0;
it("keeps the graph and what every cell makes, or refuses with a sentence", () => {
  fc.assert(
    fc.property(drawn, fc.nat(), fc.constantFrom("fresh", "own", "order", "_hidden", "URL", "n", ...names), (cells, pick, to) => {
      const [cell] = [cells[pick % cells.length]!];
      const from = names[pick % cells.length]!;
      const binding = analyse(cell).bindings.find((one) => one.name === from)!;
      project.set(cells);
      project.rev++;
      const result = rename(project, cell.id, binding.at, to);
      if ("refused" in result) {
        refused++;
        expect(result.refused).toMatch(/^.+\.$/);
        // a name that occurs nowhere is always free
        if (!result.refused.includes("whole row")) expect(["fresh", "order"], result.refused).not.toContain(to);
        return;
      }
      renamed++;
      const after = cells.map((one) => ({
        ...one,
        source: result.edits
          .filter((edit) => edit.cell === one.id)
          .reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), one.source),
      }));
      const said = after.map((one) => one.source).join("\n");
      const defined = names.slice(0, cells.length);
      expect(
        shapeOf(after, (one) => one),
        said,
      ).toEqual(shapeOf(cells, (one) => (one === from ? to : one)));
      expect(
        values(
          after,
          defined.map((one) => (one === from ? to : one)),
        ),
        said,
      ).toEqual(values(cells, defined));
    }),
    {
      numRuns: 60,
      // `beta + 1` is the text of the function `beta`
      examples: [
        [
          ["const alpha = 7", "function beta(gamma = alpha) { return gamma }", "const gamma = beta + 1"].map((source, i): Cell => ({
            id: `c${i}`,
            kind: "code",
            source,
            options: {},
          })),
          0,
          "fresh",
        ],
      ],
    },
  );
  expect(renamed).toBeGreaterThan(12);
  expect(refused).toBeGreaterThan(5);
}, 180_000);
