import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseNotebook } from "../../kernels/notebook/parse.js";
import { printNotebook } from "../../kernels/notebook/print.js";
import type { Cell } from "../../kernels/protocol/document.js";
import { check, firstLines } from "./check.js";

it("knows on which line of the file each cell's code begins", () => {
  const source = fc.array(fc.constantFrom("x", "1", "", "x\n1", "const a = `\n// %% b\n`", "// one"), { minLength: 1, maxLength: 3 });
  const cell = fc.record({ kind: fc.constantFrom("code" as const, "markdown" as const), lines: source });
  fc.assert(
    fc.property(fc.array(cell, { maxLength: 6 }), fc.boolean(), (drawn, crlf) => {
      const cells: Cell[] = drawn.map(({ kind, lines }, i) => ({ id: `c${i}`, kind, source: lines.join("\n"), options: {} }));
      const text = printNotebook({ front: { title: "t" }, cells, ...(crlf && { crlf }) });
      const parsed = parseNotebook(text);
      fc.pre(parsed.broken === null);
      const lines = text.split(/\r?\n/);
      const begins = firstLines(text, parsed.source.cells);
      for (const { id, kind, source } of parsed.source.cells) {
        if (kind === "markdown" || source.trim() === "") continue;
        const first = begins.get(id)! - 1;
        expect(lines.slice(first, first + source.split("\n").length).join("\n")).toBe(source);
      }
    }),
  );
});

it("says file, line and column as compilers do", async () => {
  const root = mkdtempSync(join(tmpdir(), "check-"));
  const file = join(root, "workspaces", "w", "a.nb.ts");
  mkdirSync(join(root, "workspaces", "w"), { recursive: true });
  writeFileSync(join(root, "workspaces", "w", "package.json"), "{}");
  writeFileSync(file, '// %% [markdown] id="m"\n// # Title\n\n// %% id="a"\nconst a = 1\n\n// %% id="b"\nconst b = a\nb.nope\n');
  const said: string[] = [];
  expect(await check({ file, say: (text) => void said.push(text) })).toBe(1);
  expect(said).toEqual([`${file}:9:3  error: Property 'nope' does not exist on type '1'. (cell b)`, "2 cells checked: 1 error"]);
  rmSync(root, { recursive: true, force: true });
});
