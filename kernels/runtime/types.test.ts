import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../paths/paths.js";
import type { Cell } from "../protocol/document.js";
import { checkTypes } from "./types.js";

const path = join(packageRoot(), "workspaces/flights/none.nb.ts");
const cell = (id: string, source: string): Cell => ({ id, kind: "code", source, options: {} });

it("carries types from cell to cell, whatever their order", () => {
  const problems = checkTypes(path, [cell("b", "const y = x.toUpperCase()\ny.length"), cell("a", "const x = 1")]);
  expect(problems).toEqual([{ cell: "b", line: 1, column: 13, code: 2339, message: "Property 'toUpperCase' does not exist on type '1'." }]);
});

it("knows the library, TFJS and Node, and lets a cell shadow a library name", () => {
  const problems = checkTypes(path, [
    cell("a", `import { readFileSync } from "node:fs"\nconst flights = sql\`select 1 as a\`\nconst parts = flights.split({ by: "time", key: "a" })`),
    cell("b", `const floor = await baseline({ split: parts, task: { kind: "binary", target: "a" }, metric: "logloss" })`),
    cell("c", `const t = tf.tensor1d([1]).shape[0].foo`),
    cell("d", `const log = (text: string) => text.length\nlog("x").toFixed()`),
    cell("e", `log(1)`),
    cell("f", `readFileSync("x").length.nope`),
  ]);
  expect(problems.map(({ cell, code }) => [cell, code])).toEqual([
    ["b", 2820],
    ["c", 2339],
    ["e", 2345],
    ["f", 2339],
  ]);
});

it("keeps a syntax error in its own cell", () => {
  const problems = checkTypes(path, [cell("a", "const x = "), cell("b", "const y = 1"), cell("c", "y + 1")]);
  expect([...new Set(problems.map((problem) => problem.cell))]).toEqual(["a"]);
});
