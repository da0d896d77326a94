import { expect, it } from "vitest";
import { definitions } from "../../kernels/cells/definitions.js";
import type { ScopeName } from "../../kernels/protocol/cells.js";
import type { Cell } from "../../kernels/protocol/document.js";
import { freshResult, stepSource } from "./scope.js";

const cell = (id: string, kind: Cell["kind"], source = ""): Cell => ({ id, kind, source, options: {} });
const name = (text: string, type: ScopeName["type"]): ScopeName => ({ name: text, cell: text, type });
const cells = [cell("parts", "code"), cell("floor", "baseline"), cell("teacher", "train"), cell("d", "distill"), cell("late", "train")];
const scope = [name("parts", "split"), name("floor", "baseline"), name("teacher", "train"), name("d", "distill"), name("late", "train")];
const step = (kind: string, at: number) => stepSource(kind, cells[at]!, cells, scope, definitions);

it("fills a next step with the result that asked, not with a later one", () => {
  expect(step("promote", 3)).toMatch(/model: d\.student,/);
  expect(step("promote", 3)).toMatch(/against: floor,/);
  expect(step("promote", 2)).toMatch(/model: teacher,/);
  expect(step("distill", 2)).toMatch(/teacher: teacher,\s+split: parts,/);
});

it("promotes the baseline itself when a baseline asks, whatever models there are", () => {
  expect(step("promote", 1)).toMatch(/model: floor\.bar,/);
  const reordered = [cells[2]!, cells[1]!];
  expect(stepSource("promote", cells[1]!, reordered, scope, definitions)).toMatch(/model: floor\.bar,/);
});

it("repeats the call of its own kind at half the width", () => {
  const asking = cell("d", "distill", "const d = await distill({\n  teacher,\n  students: [64, 9],\n})");
  expect(stepSource("distill", asking, [asking], scope, definitions)).toBe("const d = await distill({\n  teacher,\n  students: [32, 5],\n})");
});

it("gives a new result a name that no cell defines", () => {
  expect(freshResult("const live = await promote({})", [])).toBe("const live = await promote({})");
  expect(freshResult("const live = await promote({ live })", [name("live", "promote"), name("live2", "promote")])).toBe(
    "const live3 = await promote({ live })",
  );
});
