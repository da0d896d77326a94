import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cell, CellKind, NotebookSource } from "../protocol/document.js";
import { kinds } from "./marker.js";
import { mergeExternal } from "./merge.js";
import { applyOperation } from "./operations.js";
import { isReserved, parseNotebook } from "./parse.js";
import { printNotebook } from "./print.js";
import { scanCode } from "./scan.js";

/** Pieces that a tokenizer may stumble on. */
const piece = fc.constantFrom(
  ..."` ${ } { ( ) [ ] ' \" \\ / // /* */ // %% %% // \n \r \r\n \u2028 \t = => ; : , . ++ -- <<<<<<< ======= >>>>>>> x if return 7 .5e-3 /[/]/ /`/ ~ 😀 \ud800 #!".split(
    " ",
  ),
  " ",
  "\n",
  "\n\n",
  '\n// %% id="b"',
  "\n// ---\n",
  "\n// %%",
  "// %%",
  '// %% [sql] id="q" lazy',
  "\n<<<<<<< HEAD\n",
  "\n=======\n",
  "\n>>>>>>> theirs\n",
  '`a\n// %% id="in"\n`',
);
const hostile = fc.oneof(
  { weight: 3, arbitrary: fc.array(piece, { maxLength: 14 }).map((p) => p.join("")) },
  fc.string({ unit: "binary", maxLength: 30 }),
);
const options = fc.record(
  {
    lazy: fc.boolean(),
    cache: fc.boolean(),
    disabled: fc.boolean(),
    rest: fc.array(fc.constantFrom("tag", "[python]", 'name="a b"', "unfinished="), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const notebook: fc.Arbitrary<NotebookSource> = fc
  .record({
    front: fc.record(
      {
        title: hostile,
        seed: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
        mode: fc.constantFrom("auto" as const, "lazy" as const),
      },
      { requiredKeys: [] },
    ),
    cells: fc.uniqueArray(
      fc.record({
        id: fc
          .oneof(
            fc.stringMatching(/^[a-z0-9-]+$/),
            hostile.filter((s) => s !== ""),
          )
          .filter((id) => !isReserved(id)),
        kind: fc.constantFrom<CellKind>(...kinds),
        source: hostile,
        options,
      }),
      {
        selector: (cell) => cell.id,
        maxLength: 5,
      },
    ),
    crlf: fc.boolean(),
    bom: fc.boolean(),
  })
  .map(({ crlf, bom, ...source }) => ({
    ...source,
    ...(crlf && (source.cells.length > 0 || Object.keys(source.front).length > 0) && { crlf }),
    ...(bom && { bom }),
  }));

describe("print and parse", () => {
  it("gives back what was printed, whatever the sources hold", () => {
    fc.assert(
      fc.property(notebook, (source) => {
        const text = printNotebook(source);
        const parsed = parseNotebook(text);
        expect(parsed.broken).toBeNull();
        expect(parsed.source).toEqual(source);
        expect(printNotebook(parsed.source)).toBe(text);
      }),
      { numRuns: 3000 },
    );
  });

  it("reads any text, and a second round changes nothing", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { source, broken } = parseNotebook(text);
        if (broken !== null) {
          expect(broken).toMatch(/^line \d+: /);
          expect(source.cells).toEqual([{ id: "file", kind: "code", source: text, options: {} }]);
          return;
        }
        const again = parseNotebook(printNotebook(source));
        expect(again.broken).toBeNull();
        expect(again.source).toEqual(source);
      }),
      { numRuns: 3000 },
    );
  });

  it("gives a new id where one names what every object has", () => {
    const ids = ["__proto__", "constructor", "toString", "hasOwnProperty", "constructor-2"];
    const { source, problems, broken } = parseNotebook(ids.map((id, i) => `// %% id="${id}"\n${i}\n`).join("\n"));
    expect(broken).toBeNull();
    expect(source.cells.map((cell) => cell.id)).toEqual(["__proto__-2", "constructor-3", "toString-2", "hasOwnProperty-2", "constructor-2"]);
    expect(problems.map((problem) => problem.message)).toEqual(ids.slice(0, 4).map((id) => expect.stringContaining(`"${id}" cannot be a cell's id`)));
    expect(parseNotebook(printNotebook(source)).source).toEqual(source);
  });

  it("keeps the bytes of sources, comments and unknown words of a file written by hand", () => {
    const text = [
      "// ---",
      "// title: Which flights?",
      "// author:  someone   ",
      "// seed: 42",
      "// ---",
      "",
      '// %% [markdown] id="intro"',
      "// # Flights",
      "//",
      "// - a",
      "",
      '// %% [sql] id="q1" lazy',
      "const q = sql`",
      "// %% not a marker",
      "  select ${`// %%`} 'x'  `",
      "",
      "",
      '// %% id="c" [python] tag="a b"',
      "const a = 1 / 2 // `",
      "const re = /[`/]/g",
      "",
    ].join("\n");
    const { source, problems, broken } = parseNotebook(text);
    expect(broken).toBeNull();
    expect(source.front).toEqual({ title: "Which flights?", seed: 42, rest: ["// author:  someone   "] });
    expect(source.cells).toEqual([
      { id: "intro", kind: "markdown", source: "# Flights\n\n- a", options: {} },
      { id: "q1", kind: "sql", source: "const q = sql`\n// %% not a marker\n  select ${`// %%`} 'x'  `\n", options: { lazy: true } },
      { id: "c", kind: "code", source: "const a = 1 / 2 // `\nconst re = /[`/]/g", options: { rest: ["[python]", 'tag="a b"'] } },
    ]);
    expect(problems.map((p) => p.message)).toEqual(["Line 18: cell kind [python] is not known; it is shown as code"]);
    expect(parseNotebook(text.replaceAll("\n", "\r\n")).source).toEqual({ ...source, crlf: true, front: { ...source.front } });
    const round = printNotebook(parseNotebook(text.replaceAll("\n", "\r\n")).source);
    expect(round.replaceAll("\r\n", "")).not.toContain("\n");
  });

  it("makes ids that are missing or taken twice, the same ones each time", () => {
    const text = '// %% id="a"\n1\n\n// %% id="a"\n2\n\n// %%\n3\n\n// %%\n3\n\n// %% id="a-2"\n4\n';
    const ids = parseNotebook(text).source.cells.map((cell) => cell.id);
    expect(ids).toEqual(parseNotebook(text).source.cells.map((cell) => cell.id));
    expect(new Set(ids).size).toBe(5);
    expect(ids[0]).toBe("a");
    expect(ids[1]).toBe("a-3");
    expect(ids[4]).toBe("a-2");
    // an anonymous cell keeps its id when another is written above it
    expect(parseNotebook(`// %%\nnew\n\n${text}`).source.cells.map((cell) => cell.id)).toContain(ids[2]);
  });

  it("reads text before the first marker and code under markdown as cells of their own", () => {
    const { source, problems } = parseNotebook("import x from 'y'\n// %% [markdown] id=\"m\"\n// Hi\nconst a = 1\n");
    expect(source.cells.map(({ kind, source }) => [kind, source])).toEqual([
      ["code", "import x from 'y'"],
      ["markdown", "Hi"],
      ["code", "const a = 1"],
    ]);
    expect(problems[0]?.message).toContain("Line 4");
  });

  it.each([
    ["a conflict", '// %% id="a"\n1\n<<<<<<< HEAD\n2\n=======\n3\n>>>>>>> theirs\n', /^line 3: .*conflict/],
    ["a template that is not closed", '// %% id="a"\nconst a = `x\n\n// %% id="b"\n1\n', /^line 2: a template literal/],
    ["a comment that is not closed", '// %% id="a"\n1\n/* x\n', /^line 3: a comment/],
  ])("says why and where a file with %s is broken, and shows the text", (_, text, why) => {
    const parsed = parseNotebook(text);
    expect(parsed.broken).toMatch(why);
    expect(parsed.source.cells[0]!.source).toBe(text);
  });

  it("writes a cell that is being typed so that it swallows no other", () => {
    const source: NotebookSource = { front: {}, cells: [cell("a", "const a = `select"), cell("b", "const b = `x`")] };
    const text = printNotebook(source);
    expect(text).toContain('// %% id="a" unfinished\n// const a = `select\n');
    expect(parseNotebook(text).source).toEqual(source);
  });
});

describe("scan", () => {
  it.each([
    ["a = b / `x`.length / c", null],
    ["if (a) /`/.test(b)", null],
    ["const f = () => {}\n/`/.test(b)", null],
    ["({}) / 2; `x`", null],
    ["x++ / 2; `x`", null],
    ["a.return / 2 + `x`", null],
    ["`${`${'`'}`}`", null],
    ["`${{ a: '}' }.a}`", null],
    ["'it`s'", null],
    ["'it`s", null],
    ["`${", "template literal"],
    ["`${a}", "template literal"],
    ["/* `", "comment"],
    ["'a\\", "string"],
  ])("%s", (text, open) => {
    expect(scanCode(text).open?.what ?? null).toBe(open);
  });
});

const cell = (id: string, source: string, kind: CellKind = "code"): Cell => ({ id, kind, source, options: {} });
const of = (...cells: Cell[]): NotebookSource => ({ front: {}, cells });

describe("operations", () => {
  const start = of(cell("a", "1"), cell("b", "2"), cell("c", "3"));
  const order = (source: NotebookSource) => source.cells.map((one) => one.id).join("");
  it("insert, delete, move, edit, kind, options, front, replace", () => {
    expect(order(applyOperation(start, { op: "insert", cell: cell("d", ""), after: "a" }))).toBe("adbc");
    expect(order(applyOperation(start, { op: "insert", cell: cell("d", ""), after: null }))).toBe("dabc");
    expect(order(applyOperation(start, { op: "delete", id: "b" }))).toBe("ac");
    expect(order(applyOperation(start, { op: "move", id: "a", after: "c" }))).toBe("bca");
    expect(order(applyOperation(start, { op: "move", id: "c", after: null }))).toBe("cab");
    expect(applyOperation(start, { op: "edit", id: "b", at: 1, remove: 0, insert: "0" }).cells[1]!.source).toBe("20");
    expect(applyOperation(start, { op: "kind", id: "b", kind: "sql" }).cells[1]!.kind).toBe("sql");
    expect(applyOperation(start, { op: "options", id: "b", options: { lazy: true } }).cells[1]!.options).toEqual({ lazy: true });
    expect(applyOperation(start, { op: "front", front: { seed: 1 } }).front).toEqual({ seed: 1 });
    expect(order(applyOperation(start, { op: "replace", source: of(cell("z", "")) }))).toBe("z");
    expect(order(start)).toBe("abc");
  });
  it.each([
    [{ op: "delete", id: "x" }, /Cell "x" is not/],
    [{ op: "insert", cell: cell("a", ""), after: null }, /exists already/],
    [{ op: "insert", cell: cell("z", ""), after: "x" }, /Cell "x" is not/],
    [{ op: "move", id: "a", after: "a" }, /after itself/],
    [{ op: "edit", id: "a", at: 2, remove: 0, insert: "" }, /outside its 1 characters/],
    [{ op: "edit", id: "a", at: 0.5, remove: 0, insert: "" }, /outside/],
    [{ op: "replace", source: of(cell("a", ""), cell("a", "")) }, /same id/],
    [{ op: "nope" } as never, /Unknown operation/],
  ] as const)("refuses %j", (operation, why) => {
    expect(() => applyOperation(start, operation)).toThrow(why);
  });
});

describe("merge", () => {
  it("merges the head by key, and keeps what was changed here", () => {
    const merged = (before: object, mine: object, other: object) =>
      mergeExternal({ front: before, cells: [] }, { front: mine, cells: [] }, { front: other, cells: [] }).source.front;
    expect(merged({ title: "t", seed: 1 }, { title: "mine", seed: 1 }, { title: "t", seed: 2, mode: "lazy" })).toEqual({
      title: "mine",
      seed: 2,
      mode: "lazy",
    });
    expect(merged({ title: "t" }, { title: "mine" }, { title: "theirs" })).toEqual({ title: "mine" });
    expect(merged({ title: "t" }, { title: "t" }, {})).toEqual({});
    expect(merged({ rest: ["// a"] }, { rest: ["// a", "// m"] }, { rest: ["// a", "// o"] })).toEqual({ rest: ["// a", "// m", "// o"] });
  });

  const base = of(cell("a", "1"), cell("b", "2"), cell("c", "3"));
  it("takes each side's changes", () => {
    const merged = mergeExternal(
      base,
      of(cell("a", "10"), cell("b", "2"), cell("c", "3"), cell("n", "new")),
      of(cell("x", "0"), cell("a", "1"), cell("c", "30")),
    );
    expect(merged.conflicts).toEqual([]);
    expect(merged.source.cells.map((one) => [one.id, one.source])).toEqual([
      ["x", "0"],
      ["a", "10"],
      ["c", "30"],
      ["n", "new"],
    ]);
  });
  it("keeps both when a cell changed on both sides", () => {
    const merged = mergeExternal(base, of(cell("a", "10"), cell("b", "2"), cell("c", "3")), of(cell("a", "11"), cell("b", "2"), cell("c", "3")));
    expect(merged.conflicts).toEqual([{ id: "a", other: "a-file" }]);
    expect(merged.source.cells.map((one) => one.source)).toEqual(["10", "11", "2", "3"]);
    expect(merged.source.cells[1]!.options.rest).toEqual(['conflict="a"']);
    expect(parseNotebook(printNotebook(merged.source)).source).toEqual(merged.source);
  });
  it("does not delete what the other side changed", () => {
    expect(
      mergeExternal(base, of(cell("a", "10"), cell("c", "3")), of(cell("b", "20"), cell("c", "3")))
        .source.cells.map((one) => one.source)
        .sort(),
    ).toEqual(["10", "20", "3"]);
  });
  it("follows the side that moved, and knows cells whose ids an editor dropped", () => {
    expect(
      mergeExternal(base, of(cell("c", "3"), cell("a", "1"), cell("b", "2")), base)
        .source.cells.map((one) => one.id)
        .join(""),
    ).toBe("cab");
    expect(
      mergeExternal(base, base, of(cell("c", "3"), cell("a", "1"), cell("b", "2")))
        .source.cells.map((one) => one.id)
        .join(""),
    ).toBe("cab");
    const dropped = parseNotebook('// %%\n1\n\n// %%\n2\n\n// %% id="c"\n3\n').source;
    expect(
      mergeExternal(base, base, dropped)
        .source.cells.map((one) => one.id)
        .join(""),
    ).toBe("abc");
  });
  it("loses no text that either side wrote", () => {
    const some = fc
      .uniqueArray(fc.record({ id: fc.constantFrom("a", "b", "c", "d", "e"), source: fc.constantFrom("1", "2", "3", "x") }), {
        selector: (one) => one.id,
      })
      .map((cells) => of(...cells.map((one) => cell(one.id, one.source))));
    fc.assert(
      fc.property(some, some, some, (b, o, t) => {
        const { source } = mergeExternal(b, o, t);
        expect(new Set(source.cells.map((one) => one.id)).size).toBe(source.cells.length);
        for (const side of [o, t])
          for (const one of side.cells) {
            const before = b.cells.find((old) => old.id === one.id);
            if (before?.source !== one.source)
              expect(source.cells.some((kept) => (kept.id === one.id || kept.id.startsWith(`${one.id}-file`)) && kept.source === one.source)).toBe(
                true,
              );
          }
        expect(mergeExternal(b, o, b).source).toEqual(o);
        expect(mergeExternal(b, b, t).source).toEqual(t);
      }),
    );
  });
});
